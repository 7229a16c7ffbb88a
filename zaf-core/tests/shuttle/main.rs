//! The models of `tests/models` under random schedules: more messages and more switches than all interleavings leave time
//! for, at the price of proving nothing. Every access to an atomic is sequentially consistent here, so what fences are for
//! is refuted by loom alone.
//!
//! ```text
//! cargo nextest run -p zaf-core --test shuttle
//! SHUTTLE_ITERATIONS=50000 cargo nextest run -p zaf-core --test shuttle
//! ```
//!
//! A schedule that fails is printed; `SHUTTLE_REPLAY=<what was printed>` runs the model with that schedule alone.

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

#[path = "../models/current.rs"]
mod current;
#[path = "../models/sync.rs"]
mod sync;
#[path = "../models/thread.rs"]
mod thread;

#[path = "../models/destroy.rs"]
mod destroy;
#[path = "../models/idle.rs"]
mod idle;
#[path = "../models/kept.rs"]
mod kept;
#[path = "../models/message/mod.rs"]
mod message;
#[path = "../models/pool.rs"]
mod pool;
#[path = "../models/queue.rs"]
mod queue;
#[path = "../models/reply.rs"]
mod reply;
#[path = "../models/snapshot.rs"]
mod snapshot;
#[path = "../models/strand.rs"]
mod strand;
#[path = "../models/together.rs"]
mod together;

use sync::Arc;

use message::activity::Activity;
use shuttle as library;
use shuttle::rand::{RngCore, thread_rng};

/// Messages that a model sends.
const MESSAGES: usize = 4;

/// Schedules of each model: as many as end within some seconds without optimisation.
const ITERATIONS: usize = 2_000;

/// Now and then, as any wait may end before anybody wakes it.
fn a_far_deadline_passes() -> bool {
    thread_rng().next_u32().is_multiple_of(4)
}

fn activity() -> Arc<Activity> {
    Arc::new(Activity::new(sync::Fences))
}

/// Runs the model under random schedules: one half chosen uniformly, the other half so that few switches in the right places
/// are found.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to look, and which schedule to repeat, is for who runs the tests"
)]
fn explore(model: impl Fn() + Send + Sync + 'static) {
    if let Ok(schedule) = std::env::var("SHUTTLE_REPLAY") {
        shuttle::replay(model, &schedule);
        return;
    }
    let iterations = std::env::var("SHUTTLE_ITERATIONS")
        .map_or(ITERATIONS, |text| text.parse().expect("a number"));
    let model = Arc::new(model);
    let same = Arc::clone(&model);
    shuttle::check_random(move || same(), iterations / 2);
    shuttle::check_pct(move || model(), iterations / 2, 3);
}

/// The bound is for models that explore all interleavings.
fn explore_with(_preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    explore(model);
}
