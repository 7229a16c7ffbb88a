//! Who reads the output of a plugin ([`process`]), and who waits for a function of a library ([`library`]), under every interleaving.
//!
//! The very files that decide it are compiled a second time, made of loom's primitives. `LOOM_MAX_PREEMPTIONS` makes the models look
//! further. All of them run under random schedules too, in `tests/shuttle`.

#![expect(
    clippy::unwrap_used,
    reason = "models fail as tests do; the lint's exception knows test functions only"
)]

mod library;
#[expect(dead_code, reason = "a model uses a part of these files")]
mod process;

use loom as checker;
use process::protocol;

/// Explores all interleavings with up to two preemptions.
fn explore_all(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.max_branches = 100_000;
    builder.check(model);
}
