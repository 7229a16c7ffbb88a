//! actix: all actors on the thread of one arbiter, as its documentation has them.

use std::hint::black_box;

use actix::{Actor, Addr, Context, Handler, Message, System};
use crossbeam_channel::bounded;
use futures_util::future::join_all;
use tokio::runtime::Runtime;
use zaf_core::thread::JoinHandle;

use super::{Mailboxes, runtime};

pub(crate) struct Counter(u64);

impl Actor for Counter {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        // The usual 16 would make senders fail.
        context.set_mailbox_capacity(usize::MAX >> 1);
    }
}

struct Tick(u64);
struct Ask(u64);

impl Message for Tick {
    type Result = ();
}

impl Message for Ask {
    type Result = u64;
}

impl Handler<Tick> for Counter {
    type Result = ();

    fn handle(&mut self, tick: Tick, _: &mut Context<Self>) {
        self.0 = self.0.wrapping_add(tick.0);
    }
}

impl Handler<Ask> for Counter {
    type Result = u64;

    fn handle(&mut self, ask: Ask, _: &mut Context<Self>) -> u64 {
        self.0 = self.0.wrapping_add(ask.0);
        ask.0
    }
}

pub(crate) struct Actix {
    addresses: Vec<Addr<Counter>>,
    system: System,
    thread: Option<JoinHandle<()>>,
    /// For callers only: waits for answers.
    callers: Runtime,
}

impl Actix {
    pub(crate) fn start(count: usize) -> Self {
        let (sender, started) = bounded(1);
        let body = move || {
            let runner = System::new();
            runner.block_on(async {
                let addresses: Vec<_> = (0..count).map(|_| Counter(0).start()).collect();
                let _waiting = sender.send((addresses, System::current()));
            });
            runner.run().expect("it is stopped without an error");
        };
        let thread = zaf_core::thread::spawn("actix", body).expect("a thread can be started");
        let (addresses, system) = started.recv().expect("the actors start");
        Self {
            addresses,
            system,
            thread: Some(thread),
            callers: runtime(),
        }
    }
}

impl Mailboxes for Actix {
    fn send(&self) {
        for address in &self.addresses {
            address.do_send(Tick(black_box(1)));
        }
    }

    fn ask(&self) {
        let asked = self
            .addresses
            .iter()
            .map(|address| address.send(Ask(black_box(1))));
        let answers = self.callers.block_on(join_all(asked));
        assert!(answers.iter().all(Result::is_ok));
    }
}

impl Drop for Actix {
    fn drop(&mut self) {
        self.system.stop();
        drop(self.thread.take().map(JoinHandle::join));
    }
}
