//! The models of `tests/models` under random schedules: as many switches as come by chance, where all interleavings leave
//! time for two, at the price of proving nothing. Every access to an atomic is sequentially consistent here.
//!
//! ```text
//! cargo nextest run -p zaf-plugins --test shuttle
//! SHUTTLE_ITERATIONS=50000 cargo nextest run -p zaf-plugins --test shuttle
//! ```
//!
//! A schedule that fails is printed; `SHUTTLE_REPLAY=<what was printed>` runs the model with that schedule alone.

#![expect(
    clippy::unwrap_used,
    reason = "models fail as tests do; the lint's exception knows test functions only"
)]

#[path = "../models/library/mod.rs"]
mod library;
#[expect(dead_code, reason = "a model uses a part of these files")]
#[path = "../models/process/mod.rs"]
mod process;

use std::sync::Arc;

use process::protocol;
use shuttle as checker;

/// Schedules of each model: as many as end within some seconds without optimisation.
const ITERATIONS: usize = 10_000;

/// Runs the model under random schedules: one half chosen uniformly, the other half so that few switches in the right places
/// are found.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to look, and which schedule to repeat, is for who runs the tests"
)]
fn explore_all(model: impl Fn() + Send + Sync + 'static) {
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
