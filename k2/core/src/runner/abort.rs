//! Whether and how urgently the run is to be aborted.

use std::sync::Arc;

use crossbeam_channel::Sender;
use parking_lot::Mutex;
use zaf_core::application::Abort;

use super::pool::Wake;
use crate::supervisor::Level;

/// Set by `ABORT` and `CRITICAL_ABORT`, read by workers and the supervising thread.
#[derive(Debug, Default)]
pub(super) struct AbortState(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// None until an abort was requested; `Level::None` if what runs may finish.
    level: Option<Level>,
    reason: Option<Arc<str>>,
    wake: Option<Sender<Wake>>,
}

impl AbortState {
    /// Whom to wake when an abort is requested from now on.
    pub(super) fn wake_by(&self, wake: Sender<Wake>) {
        self.0.lock().wake = Some(wake);
    }

    /// Notes an `ABORT`.
    pub(super) fn abort(&self, abort: &Abort) {
        self.request(&abort.reason, abort.signal);
    }

    /// Notes that the run should end soon: nothing new starts. What runs is asked to end only if a signal caused the abort;
    /// otherwise it may finish. The first reason stays.
    pub(super) fn request(&self, reason: &str, signal: Option<i32>) {
        self.raise(signal.map_or(Level::None, Level::Gentle), reason);
    }

    /// Notes a `CRITICAL_ABORT`.
    pub(super) fn kill(&self, abort: &Abort) {
        self.raise(Level::Kill, &abort.reason);
    }

    /// How urgent it is.
    pub(super) fn level(&self) -> Level {
        self.0.lock().level.unwrap_or(Level::None)
    }

    /// Whether an abort was requested.
    pub(super) fn is_requested(&self) -> bool {
        self.0.lock().level.is_some()
    }

    /// Why, if an abort was requested.
    pub(super) fn reason(&self) -> Option<Arc<str>> {
        self.0.lock().reason.clone()
    }

    fn raise(&self, level: Level, reason: &str) {
        let wake = {
            let mut state = self.0.lock();
            state.reason.get_or_insert_with(|| reason.into());
            // Of two gentle requests the first one's signal stays.
            let rises = match state.level {
                None => true,
                Some(Level::None) => level > Level::None,
                Some(Level::Gentle(_)) => level == Level::Kill,
                Some(Level::Kill) => false,
            };
            if rises {
                state.level = Some(level);
            }
            state.wake.clone()
        };
        if let Some(wake) = wake {
            // Full: the supervising thread is about to wake up anyway and looks at the level then.
            let _ = wake.try_send(Wake::Abort);
        }
    }
}
