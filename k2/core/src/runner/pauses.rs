//! Pauses of a run: workers wait while a system under test is resetting.

use std::time::{Duration, Instant};

use zaf_core::application::{ABORT, Abort};
use zaf_core::message::Entity;

use super::pool::Run;
use crate::case::TestCase;
use crate::messages::{RUNNER, RunPaused, TEST_RUN_CONTINUED, TEST_RUN_PAUSED};

/// How long a reset may take of something that is not known as a system under test.
const SUT_RESET_LIMIT: Duration = Duration::from_mins(2);

impl Run {
    /// Waits while a system under test of `case` is resetting; false if the run was aborted meanwhile, as it is when that takes too long.
    ///
    /// What resets and is not known as a system under test may be used by any case.
    pub(super) fn wait_for_suts(&self, case: &TestCase) -> bool {
        if !self.gate.is_closed() {
            return true;
        }
        let suts = case.binding.suts();
        let concerns = |resetting: &Entity| {
            let is_its = suts.iter().any(|sut| sut.entity() == resetting);
            is_its || self.plan.suts.get(resetting.name()).is_none()
        };
        self.gate.pass(concerns, || self.abort.is_requested())
    }

    /// Aborts the run if a reset takes longer than its limit; returns when that will be.
    pub(super) fn end_overdue_reset(&self) -> Option<Instant> {
        if !self.gate.is_closed() || self.abort.is_requested() {
            return None;
        }
        let limit = |sut: &str| {
            let sut = self.plan.suts.get(sut);
            sut.map_or(SUT_RESET_LIMIT, |sut| sut.reset_done_timeout)
        };
        let (since, sut, limit) = self.gate.first_end(limit)?;
        if !since.left(limit).is_zero() {
            return since.deadline(limit);
        }
        let reason = format!(
            "SUT `{sut}` has been resetting for more than {limit:?} (suts.{sut}.resetdone.timeout)"
        );
        // To everybody: workers may wait for the scheduler.
        let abort = Abort::because(reason);
        self.told(self.bus.trigger_event(ABORT, RUNNER, abort));
        None
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
