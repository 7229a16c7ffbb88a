//! kameo on tokio.

use std::hint::black_box;

use futures_util::future::join_all;
use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};
use tokio::runtime::Runtime;

use super::{Mailboxes, runtime};

#[derive(Actor)]
struct Counter(u64);

struct Tick(u64);
struct Ask(u64);

impl Message<Tick> for Counter {
    type Reply = ();

    async fn handle(&mut self, tick: Tick, _: &mut Context<Self, ()>) {
        self.0 = self.0.wrapping_add(tick.0);
    }
}

impl Message<Ask> for Counter {
    type Reply = u64;

    async fn handle(&mut self, ask: Ask, _: &mut Context<Self, u64>) -> u64 {
        self.0 = self.0.wrapping_add(ask.0);
        ask.0
    }
}

pub(crate) struct Kameo {
    actors: Vec<ActorRef<Counter>>,
    runtime: Runtime,
}

impl Kameo {
    pub(crate) fn start(count: usize) -> Self {
        let runtime = runtime();
        let entered = runtime.enter();
        let actors = (0..count)
            .map(|_| Counter::spawn_with_mailbox(Counter(0), mailbox::unbounded()))
            .collect();
        drop(entered);
        Self { actors, runtime }
    }
}

impl Mailboxes for Kameo {
    fn send(&self) {
        for actor in &self.actors {
            assert!(actor.tell(Tick(black_box(1))).try_send().is_ok());
        }
    }

    fn ask(&self) {
        let asked = self
            .actors
            .iter()
            .map(|actor| actor.ask(Ask(black_box(1))).send());
        let answers = self.runtime.block_on(join_all(asked));
        assert!(answers.iter().all(Result::is_ok));
    }
}
