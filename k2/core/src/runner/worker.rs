//! What one worker does: takes cases one after another, runs each with its scopes, and tells how it ended.

use std::sync::{Arc, OnceLock};

use super::execution::{self, Execution};
use super::pool::{Run, Turn, Wake, Worker, now};
use super::resumed::Begun;
use super::scopes::Scopes;
use super::slot::Running;
use crate::case::{CaseAction, PhaseListener, Verdict};
use crate::supervisor::pause;

/// Works until there is no case left; runs on the worker's own thread.
pub(super) fn work(run: &Arc<Run>, worker: &Arc<Worker>) {
    let mut end = TellEnd { run, lost: false };
    let mut scopes = Scopes::default();
    loop {
        let mut turn = run.next_case(worker.number).unwrap_or_else(|error| {
            let reason = format!("the scheduler does not hand out cases: {error:#}");
            run.abort.request(&reason, None);
            None
        });
        // What ends here ends behind its own last case, and is no part of the next one.
        let ended = scopes.leave(turn.as_ref().map(|turn| &*turn.case));
        if !ended.is_empty() {
            *worker.held.lock() = turn;
            if !ended.into_iter().all(|scope| run.end_scope(worker, scope)) {
                end.lost = true;
                break;
            }
            turn = worker.held.lock().take();
        }
        let Some(turn) = turn else { break };
        if !run_case(run, worker, &mut scopes, &turn) {
            end.lost = true;
            break;
        }
    }
}

/// Says that the worker has ended, however that comes about, unless it was given up before.
struct TellEnd<'a> {
    run: &'a Run,
    lost: bool,
}

impl Drop for TellEnd<'_> {
    fn drop(&mut self) {
        if !self.lost {
            self.run.wake(Wake::WorkerEnded);
        }
    }
}

/// Runs all attempts at a case; false if the case was taken away and the worker has to end.
fn run_case(run: &Arc<Run>, worker: &Arc<Worker>, scopes: &mut Scopes, turn: &Turn) -> bool {
    let Turn { case, begun } = turn;
    let number = begun.map_or_else(|| run.next_execution(), |begun| begun.execution);
    if let Some(reason) = &case.disabled {
        let reason = Some(reason.as_str().into());
        run.tell_finished(execution::not_started(
            number,
            case,
            Verdict::Ignored,
            reason,
        ));
        return true;
    }
    let apart = begun.is_some_and(|begun| begun.apart) || run.runs_apart(case);
    let mut attempt = begun.map_or(1, |begun| begun.attempt);
    loop {
        if !run.wait_for_suts(case) {
            let begun = Begun {
                execution: number,
                attempt,
                apart,
            };
            let reason = run.abort.reason().unwrap_or_default();
            run.tell_not_run(Some(begun), case, reason);
            return true;
        }
        let (started, clock) = now();
        let execution = Arc::new(Execution {
            number,
            attempt,
            worker: worker.number,
            apart,
            case: Arc::clone(case),
            started,
            clock,
            paused: pause::total(),
            evidence: OnceLock::new(),
        });
        run.tell_started(&execution);
        let in_process = execution.is_in_process();
        let phases = (in_process && run.settings.phases.is_any()).then(|| phases(run, worker));
        let limit = execution.limit(&run.settings).filter(|_| in_process);
        let deadline = limit.and_then(|limit| clock.checked_add(limit));
        worker.slot.start(Running {
            execution: Arc::clone(&execution),
            deadline,
            phase: None,
            paused: execution.paused,
            in_process,
        });
        if let Some(deadline) = deadline {
            run.look_by(deadline);
        }
        let scope = scopes.enter(&run.scope, case);
        let log = run.logs.begin(&execution);
        let mut finished = log.run(|| {
            execution.run(
                &run.settings,
                scope,
                &run.plan,
                &worker.cancellation,
                phases,
            )
        });
        if !worker.slot.finish() {
            return false;
        }
        // What failed as expected keeps its log like any failure.
        let expected = finished.expected_failure.as_ref();
        let ended = expected.map_or(finished.verdict, |expected| expected.ended);
        run.logs.end(log, ended.worst(finished.verdict));
        finished.retried = finished.verdict.is_failure()
            // It has passed.
            && !finished.is_unexpected_pass()
            && u64::from(attempt) <= run.settings.retries
            && !matches!(case.action, CaseAction::LoadFailure(_))
            && !run.abort.is_requested();
        run.settle(&execution, &mut finished);
        let again = finished.retried;
        run.tell_finished(finished);
        execution.is_told();
        if !again {
            return true;
        }
        attempt += 1;
    }
}

/// Sets the deadline of each part of the worker's case as it begins.
fn phases(run: &Arc<Run>, worker: &Arc<Worker>) -> PhaseListener {
    let (run, worker) = (Arc::clone(run), Arc::clone(worker));
    Box::new(move |phase| {
        let limit = run.settings.phases.of(phase);
        let (_, now) = now();
        let deadline = limit.and_then(|limit| now.checked_add(limit));
        worker.slot.enter(phase, deadline, pause::total());
        if let Some(deadline) = deadline {
            run.look_by(deadline);
        }
    })
}
