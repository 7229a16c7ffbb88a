//! xtra on tokio.

use std::hint::black_box;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::runtime::Runtime;
use xtra::{Actor, Address, Context, Handler, Mailbox};

use super::{Mailboxes, runtime};

struct Counter(u64);

impl Actor for Counter {
    type Stop = ();

    async fn stopped(self) {}
}

struct Tick(u64);
struct Ask(u64);

impl Handler<Tick> for Counter {
    type Return = ();

    async fn handle(&mut self, tick: Tick, _: &mut Context<Self>) {
        self.0 = self.0.wrapping_add(tick.0);
    }
}

impl Handler<Ask> for Counter {
    type Return = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self>) -> u64 {
        self.0 = self.0.wrapping_add(ask.0);
        ask.0
    }
}

pub(crate) struct Xtra {
    addresses: Vec<Address<Counter>>,
    runtime: Runtime,
}

impl Xtra {
    pub(crate) fn start(count: usize) -> Self {
        let runtime = runtime();
        let entered = runtime.enter();
        let addresses = (0..count)
            .map(|_| xtra::spawn_tokio(Counter(0), Mailbox::unbounded()))
            .collect();
        drop(entered);
        Self { addresses, runtime }
    }
}

impl Mailboxes for Xtra {
    fn send(&self) {
        for address in &self.addresses {
            // An unbounded mailbox takes it at the first poll.
            let sent = address.send(Tick(black_box(1))).detach().now_or_never();
            assert!(sent.is_some_and(|sent| sent.is_ok()));
        }
    }

    fn ask(&self) {
        let asked = self
            .addresses
            .iter()
            .map(|address| address.send(Ask(black_box(1))));
        let answers = self.runtime.block_on(join_all(asked));
        assert!(answers.iter().all(Result::is_ok));
    }
}
