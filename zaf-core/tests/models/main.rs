//! Models: the parts of the bus that must be right under every interleaving, under every interleaving.
//!
//! The very files of the bus are compiled here a second time, with [`sync`] made of loom's primitives, so nothing else has
//! to be built in a special way:
//!
//! ```text
//! cargo nextest run -p zaf-core --test models
//! ```
//!
//! Each model has at most three threads and ends within seconds. It is a binary of its own because `crate::sync` is another
//! one here than in the tests.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of models fail as models do; the lint's exception knows test functions only"
)]
#![expect(
    dead_code,
    reason = "a model uses a part of what the bus uses of these files"
)]
#![expect(
    unreachable_pub,
    reason = "what is public in the library is not in this binary"
)]

mod sync;

mod destroy;
mod idle;
mod message;
mod queue;
mod reply;

use sync::Arc;

use message::activity::{Activity, Busy};
use message::dispatcher::ends::{Hand, Source};
use message::dispatcher::policy::{QueuePolicy, Refusal};
use message::dispatcher::strand::{Accepted, Strand};

/// A source is nothing but the count of its endpoint.
impl Source for Busy {
    fn busy(&self) -> &Busy {
        self
    }
}

type Pushed<J> = Result<Accepted<J>, (Refusal, Box<J>)>;

/// Sends something to a queue that rejects when it is full.
fn push<J>(strand: &Strand<J, Busy>, source: &Arc<Busy>, job: J) -> Pushed<J> {
    strand.push(job, source, QueuePolicy::Reject, || false, || ())
}

/// As `dispatcher::worker` does it: handles messages until there are none, and leaves. Returns how many it handled.
/// `more_workers` is called when another one has to be sent.
fn work<J>(
    strand: &Strand<J, Busy>,
    mut handle: impl FnMut(J, &mut Hand<Busy>),
    more_workers: impl Fn(),
) -> usize {
    let mut hand = Hand::new();
    let mut taken = 0;
    loop {
        match strand.next(&mut hand) {
            Some(one) => {
                if one.needs_worker {
                    more_workers();
                }
                handle(one.job, &mut hand);
                taken += 1;
            }
            None if strand.leave(&mut hand) => return taken,
            None => {}
        }
    }
}

fn activity() -> Arc<Activity> {
    Arc::new(Activity::new(sync::Fences))
}

/// Explores all interleavings with up to three preemptions.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    explore_with(3, model);
}

/// Explores all interleavings with up to so many preemptions; `LOOM_MAX_PREEMPTIONS` overrules.
fn explore_with(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.max_branches = 100_000;
    builder.check(model);
}
