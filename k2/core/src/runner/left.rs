//! Cases that are never started, because the run ends before.

use std::sync::Arc;

use zaf_core::Result;

use super::execution;
use super::pool::{Run, Turn};
use super::resumed::Begun;
use crate::case::{CaseAction, TestCase, Verdict};
use crate::command::ask;
use crate::scheduler::{CLEAR_RUN_QUEUE, SCHEDULER};

impl Run {
    /// Reports what is still in the queue as not run.
    pub(super) fn give_back(&self) -> Result<()> {
        let left = ask(&self.bus, CLEAR_RUN_QUEUE, SCHEDULER, ())?;
        let reason: Arc<str> = self
            .abort
            .reason()
            .unwrap_or_else(|| "the run ended early".into());
        let returned = std::mem::take(&mut *self.returned.lock());
        let left = left
            .into_iter()
            .filter_map(|case| self.turn_of(case.to_case()));
        for Turn { case, begun } in returned.into_iter().chain(left) {
            self.tell_not_run(begun, &case, Arc::clone(&reason));
        }
        let rest = self.plan.resumed.iter();
        for (id, begun) in rest.flat_map(|resumed| resumed.take_rest()) {
            let reason = "not found again by the runner that went on with the run";
            let case = TestCase::new(id, CaseAction::LoadFailure(reason.to_owned()));
            self.tell_not_run(begun, &case, reason.into());
        }
        Ok(())
    }

    /// Tells that a case was not run, or not to its end.
    pub(super) fn tell_not_run(&self, begun: Option<Begun>, case: &TestCase, reason: Arc<str>) {
        let number = begun.map_or_else(|| self.next_execution(), |begun| begun.execution);
        let mut told = execution::not_started(number, case, Verdict::NotRun, Some(reason));
        told.attempt = begun.map_or(1, |begun| begun.attempt);
        self.tell_finished(told);
    }
}
