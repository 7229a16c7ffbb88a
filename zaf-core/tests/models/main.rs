//! Models: the parts of the bus that must be right under every interleaving, under every interleaving.
//!
//! The very files of the bus are compiled here a second time, with [`sync`] and [`thread`] made of loom's primitives, so
//! nothing else has to be built in a special way:
//!
//! ```text
//! cargo nextest run -p zaf-core --test models
//! ```
//!
//! Each model has at most three threads and ends within seconds; `LOOM_MAX_PREEMPTIONS` and `LOOM_MAX_DURATION` make it look
//! further. What each model refutes is in `docs/src/decisions/0017-models-and-what-they-refute.md`. The same models run
//! under random schedules, with more messages, in `tests/shuttle`. It is a binary of its own because `crate::sync` is
//! another one here than in the tests.

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

mod current;
mod sync;
mod thread;

mod destroy;
mod idle;
mod kept;
mod message;
mod pool;
mod queue;
mod reply;
mod snapshot;
mod strand;
mod together;

use sync::Arc;

use loom as library;
use message::activity::Activity;

/// Messages that a model sends: as many as ends within seconds.
const MESSAGES: usize = 2;

/// No: the model in which it does is one of shuttle's.
fn a_far_deadline_passes() -> bool {
    false
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
