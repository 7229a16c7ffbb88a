//! ractor on tokio.

use std::hint::black_box;

use futures_util::future::join_all;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::runtime::Runtime;

use super::{Mailboxes, runtime};

struct Counter;

enum Sent {
    Tick(u64),
    Ask(u64, RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Sent;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Sent>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<Sent>,
        sent: Sent,
        sum: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match sent {
            Sent::Tick(number) => *sum = sum.wrapping_add(number),
            Sent::Ask(number, reply) => {
                *sum = sum.wrapping_add(number);
                let _gone = reply.send(number);
            }
        }
        Ok(())
    }
}

pub(crate) struct Ractor {
    actors: Vec<ActorRef<Sent>>,
    runtime: Runtime,
}

impl Ractor {
    pub(crate) fn start(count: usize) -> Self {
        let runtime = runtime();
        let actors = runtime.block_on(async {
            let started = (0..count).map(|_| Actor::spawn(None, Counter, ()));
            let started = join_all(started).await.into_iter();
            started
                .map(|started| started.expect("nothing can fail at the start").0)
                .collect()
        });
        Self { actors, runtime }
    }
}

impl Mailboxes for Ractor {
    fn send(&self) {
        for actor in &self.actors {
            assert!(actor.cast(Sent::Tick(black_box(1))).is_ok());
        }
    }

    fn ask(&self) {
        let asked = self
            .actors
            .iter()
            .map(|actor| actor.call(|reply| Sent::Ask(black_box(1), reply), None));
        let answers = self.runtime.block_on(join_all(asked));
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Ok(CallResult::Success(_))))
        );
    }
}
