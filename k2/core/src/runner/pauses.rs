//! Pauses of a run: workers wait while a system under test is resetting.

use std::time::Duration;

use super::gate::Passage;
use super::pool::{Run, Wake};
use crate::messages::{RUNNER, RunPaused, TEST_RUN_CONTINUED, TEST_RUN_PAUSED};

/// How long a reset may take of something that is not known as a system under test.
const SUT_RESET_LIMIT: Duration = Duration::from_mins(2);

impl Run {
    /// Waits while a system under test is resetting; false if the run was aborted meanwhile, as it is when that takes too long.
    pub(super) fn wait_for_suts(&self) -> bool {
        if !self.gate.is_closed() {
            return true;
        }
        // The supervising thread tells of a pause when nothing runs any more, and of its end.
        self.wake(Wake::Gate);
        let limit = |sut: &str| {
            let sut = self.plan.suts.get(sut);
            sut.map_or(SUT_RESET_LIMIT, |sut| sut.reset_done_timeout)
        };
        let is_aborted = || self.abort.is_requested();
        let passage = self.gate.pass(limit, is_aborted);
        if let Passage::Overdue { sut, limit } = &passage {
            let reason = format!(
                "SUT `{sut}` has been resetting for more than {limit:?} (suts.{sut}.resetdone.timeout)"
            );
            self.abort.request(&reason, None);
        }
        self.wake(Wake::Gate);
        passage == Passage::Free
    }

    /// Tells that nothing runs any more because something is resetting.
    pub(super) fn tell_paused(&self) {
        let suts = self.gate.resetting();
        let suts = suts.iter().map(|sut| sut.name().into()).collect();
        let paused = RunPaused { suts };
        self.told(self.bus.trigger_event(TEST_RUN_PAUSED, RUNNER, paused));
    }

    /// Tells that cases begin again.
    pub(super) fn tell_continued(&self) {
        self.told(self.bus.trigger_event(TEST_RUN_CONTINUED, RUNNER, ()));
    }
}
