//! The workers of a run and the loop that supervises them.
//!
//! Each worker is a thread that asks the scheduler for a case, runs it, tells the bus, and asks again. The calling thread supervises: it
//! sleeps until a worker has ended, a time limit is reached, or the run is aborted. Processes are stopped by the worker that waits
//! for them; functions cannot be stopped, so their case is taken away from the worker ([`super::slot`]).
//!
//! Long because workers, limits, deadlines, pauses and aborts are decided in one loop, from state that only it and the workers share.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use jiff::Timestamp;
use parking_lot::Mutex;
use zaf_core::application::{ABORT, Abort};
use zaf_core::component::Scope;
use zaf_core::message::MessageBus;
use zaf_core::{Result, thread};

use super::abort::AbortState;
use super::execution::Execution;
use super::gate::Gate;
use super::logs::CaseLogs;
use super::resumed::{self, Begun, Owed};
use super::scopes::Teardowns;
use super::settings::Settings;
use super::slot::{Running, Slot};
use super::status::{self, Roster};
use super::{RunPlan, worker};
use crate::case::artefacts::Artefacts;
use crate::case::{Isolation, TestCase, Verdict, collect, journal};
use crate::command::ask;
use crate::messages::{RUNNER, TEST_CASE_FINISHED, TEST_CASE_STARTED, TestCaseFinished};
use crate::scheduler::{
    NextTest, QueuedCase, SCHEDULE_NEXT_TEST, SCHEDULER, TEST_CASE_PASSED_OVER,
};
use crate::supervisor::guard::{BrokenOff, Part};
use crate::supervisor::{Cancellation, Level, RunClock, pause};

/// What the supervising thread is woken for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wake {
    /// A worker will take no more cases.
    WorkerEnded,
    /// A case with an earlier deadline than those known has started.
    Deadline,
    /// A worker has come to the closed gate, or has passed it.
    Gate,
    /// The run is to be aborted, or more urgently than before.
    Abort,
}

/// What all threads of one run share.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) bus: MessageBus,
    pub(super) settings: Settings,
    pub(super) plan: RunPlan,
    /// Parent of the scopes of the workers.
    pub(super) scope: Scope,
    pub(super) abort: Arc<AbortState>,
    pub(super) gate: Arc<Gate>,
    pub(super) logs: CaseLogs,
    wake: Sender<Wake>,
    started: Instant,
    /// When the supervising thread will look at the deadlines next: nanoseconds since `started`.
    next_look: AtomicU64,
    executions: AtomicU64,
    pub(super) teardowns: Teardowns,
    pub(super) roster: Roster,
    pub(super) artefacts: Artefacts,
    /// What workers had taken that were given up before it began.
    pub(super) returned: Mutex<Vec<Turn>>,
    /// Whether the time limit of the run was reached.
    out_of_time: AtomicBool,
    /// Its time without stops.
    clock: RunClock,
    /// Time that runners before this one have spent.
    spent_before: Duration,
}

/// The signal that what runs gets when the time of the run is up.
const TERM: i32 = rustix::process::Signal::TERM.as_raw();

/// A case that was handed out.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) case: Arc<TestCase>,
    /// None if it begins now.
    pub(super) begun: Option<Begun>,
}

/// One worker as the supervising thread sees it.
#[derive(Debug)]
pub(super) struct Worker {
    /// From 1; a replacement has the number of the worker that it replaces.
    pub(super) number: u32,
    pub(super) slot: Slot,
    pub(super) cancellation: Cancellation,
    /// The case that it will run when it has taken down what that does not belong to.
    pub(super) held: Mutex<Option<Turn>>,
}

impl Run {
    /// Runs all cases of the queue; returns when each has been reported and no worker takes another: whether the time limit of the run
    /// was reached.
    ///
    /// # Errors
    /// If no worker can be started, or the scheduler does not answer. Cases that were not handed out are reported as not run.
    pub(super) fn execute(
        bus: MessageBus,
        settings: Settings,
        plan: RunPlan,
        abort: &Arc<AbortState>,
        gate: &Arc<Gate>,
    ) -> Result<bool> {
        let (wake, woken) = crossbeam_channel::bounded(settings.workers.get() * 4);
        abort.wake_by(wake.clone());
        gate.wake_by(wake.clone());
        let scope = plan.scope.child("runner");
        let run = Arc::new(Self {
            logs: CaseLogs::new(&plan.scope, settings.keep_logs),
            artefacts: Artefacts::new(settings.artefacts.0, settings.artefacts.1),
            bus,
            settings,
            scope,
            abort: Arc::clone(abort),
            gate: Arc::clone(gate),
            wake,
            started: Instant::now(),
            next_look: AtomicU64::new(u64::MAX),
            executions: AtomicU64::new(
                plan.resumed
                    .as_ref()
                    .map_or(0, |resumed| resumed.last_execution()),
            ),
            out_of_time: AtomicBool::new(false),
            clock: RunClock::start(),
            spent_before: plan
                .resumed
                .as_ref()
                .map(|resumed| resumed.spent())
                .unwrap_or_default(),
            plan,
            teardowns: Teardowns::default(),
            roster: Roster::default(),
            returned: Mutex::default(),
        });
        status::tell_of(&run);
        run.tell_broken_off();
        let count = run
            .settings
            .workers
            .min(NonZeroUsize::new(run.plan.selected.len()).unwrap_or(NonZeroUsize::MIN));
        let mut crew = Crew {
            run: Arc::clone(&run),
            workers: Vec::new(),
            live: 0,
            is_paused: false,
        };
        let outcome = crew
            .start(count.get())
            .and_then(|()| crew.supervise(&woken));
        if let Err(error) = &outcome {
            abort.request(&format!("the run cannot go on: {error:#}"), None);
        }
        let left = run.give_back();
        run.end_own_scope();
        let is_out_of_time = run.was_out_of_time();
        outcome.and(left).map(|()| is_out_of_time)
    }

    /// Asks the scheduler for the next case.
    pub(super) fn next_case(&self, worker: u32) -> Result<Option<Turn>> {
        // A single worker has everything at hand, and keeps to the order.
        let several = self.settings.workers.get() > 1;
        let wanted = NextTest::for_worker(if several { worker } else { 0 });
        loop {
            if self.abort.is_requested() {
                return Ok(None);
            }
            if let Some(turn) = self.returned.lock().pop() {
                return Ok(Some(turn));
            }
            let Some(case) = ask(&self.bus, SCHEDULE_NEXT_TEST, SCHEDULER, wanted)? else {
                return Ok(None);
            };
            let id = case.id.clone();
            if let Some(turn) = self.turn_of(case) {
                return Ok(Some(turn));
            }
            self.bus
                .trigger_event(TEST_CASE_PASSED_OVER, SCHEDULER, id)?;
        }
    }

    /// None for a case that has its verdict from another runner.
    pub(super) fn turn_of(&self, case: Arc<TestCase>) -> Option<Turn> {
        let begun = match &self.plan.resumed {
            Some(resumed) => match resumed.take(&case.id) {
                Owed::Nothing => return None,
                Owed::Execution => None,
                Owed::Rest(begun) => Some(begun),
            },
            None => None,
        };
        Some(Turn { case, begun })
    }

    /// Whether the function of `case` is called in a process of its own.
    pub(super) fn runs_apart(&self, case: &TestCase) -> bool {
        let resumed = self.plan.resumed.as_ref();
        let isolation = case.isolation.unwrap_or(self.settings.isolation);
        isolation == Isolation::Process
            // Of a thread the memory cannot be limited.
            || case.isolation.is_none() && self.settings.memory.is_some()
            || resumed.is_some_and(|resumed| resumed.is_apart())
    }

    /// Tells what became of the attempts that ended with the runner before this one.
    fn tell_broken_off(&self) {
        let Some(resumed) = &self.plan.resumed else {
            return;
        };
        for broken_off in resumed.broken_off() {
            let found = self.plan.selected.iter();
            let found = found.clone().find(|case| case.id() == broken_off.case);
            let found = found.map(QueuedCase::to_case);
            let retried = match broken_off.part {
                Part::Guilty => {
                    self.settings.retry_killers
                        && u64::from(broken_off.attempt) <= self.settings.retries
                }
                // What is not found any more is told at the end.
                Part::Suspect | Part::Bystander => true,
            };
            if retried {
                resumed.runs_again(broken_off);
            } else {
                resumed.has_verdict(&broken_off.case);
            }
            let mut finished = resumed::to_finished(broken_off, found.as_deref());
            let outputs = &self.plan.outputs;
            self.collect_of(broken_off, &mut finished);
            self.settle_files(broken_off.which(), &mut finished);
            finished.retried = retried;
            self.tell_finished(finished);
            journal::forget(outputs, broken_off.which());
        }
    }

    /// Takes over what an attempt had told and attached that ended with its runner.
    fn collect_of(&self, broken_off: &BrokenOff, finished: &mut TestCaseFinished) {
        let outputs = &self.plan.outputs;
        let told = journal::read(outputs, broken_off.which());
        let directory = outputs.join(format!("{}.attachments", broken_off.which().name()));
        let root = outputs.parent().unwrap_or(outputs);
        finished.steps = told.checks;
        match collect::collect(
            &directory,
            root,
            self.settings.attachments,
            told.attachments,
        ) {
            Ok(collected) => {
                finished.attachments = collected.attachments;
                finished.attachments_left_out = collected.left_out + told.attachments_left_out;
            }
            Err(error) => tracing::warn!("attachments in `{directory}` are lost: {error}"),
        }
    }

    /// Reserves the number of the next execution.
    pub(super) fn next_execution(&self) -> u64 {
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many executions have begun.
    pub(super) fn executions_begun(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    /// Tells that a case begins.
    pub(super) fn tell_started(&self, execution: &Execution) {
        self.told(
            self.bus
                .trigger_event(TEST_CASE_STARTED, RUNNER, execution.to_started()),
        );
    }

    /// Tells that a case has ended.
    pub(super) fn tell_finished(&self, finished: TestCaseFinished) {
        self.told(self.bus.trigger_event(TEST_CASE_FINISHED, RUNNER, finished));
    }

    /// A listener's failure is reported by the bus; here only a message that could not be sent at all is a problem.
    pub(super) fn told<T, E: std::fmt::Display>(&self, sent: std::result::Result<T, E>) {
        if let Err(error) = sent {
            tracing::error!(%error, "a message of the runner could not be sent");
            self.abort
                .request("messages of the runner cannot be sent", None);
        }
    }

    /// Makes sure that the supervising thread looks again by `deadline`.
    pub(super) fn look_by(&self, deadline: Instant) {
        let at = self.since_start(deadline);
        if self.next_look.fetch_min(at, Ordering::SeqCst) > at {
            self.wake(Wake::Deadline);
        }
    }

    /// Wakes the supervising thread. A full channel means that it has reasons enough to wake up, and it looks at everything
    /// each time; only the end of a worker is counted, and must not be dropped.
    pub(super) fn wake(&self, reason: Wake) {
        match reason {
            Wake::WorkerEnded => drop(self.wake.send(reason)),
            Wake::Deadline | Wake::Gate | Wake::Abort => drop(self.wake.try_send(reason)),
        }
    }

    /// What is left of the time of the whole run; none without a limit, and once it has been used up.
    fn time_left(&self) -> Option<Duration> {
        if self.out_of_time.load(Ordering::Relaxed) {
            return None;
        }
        let limit = self.settings.run_timeout?;
        Some(self.clock.left(limit.saturating_sub(self.spent_before)))
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.time_left()?)
    }

    fn is_out_of_time(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    /// Asks all that runs to end, because the time of the run is up; nothing more begins.
    fn end_by_limit(&self) {
        self.out_of_time.store(true, Ordering::Relaxed);
        let limit = self.settings.run_timeout.unwrap_or_default();
        let reason = format!("the time limit of the run ({limit:?}) was reached");
        self.abort.request(&reason, Some(TERM));
        // Others have to know as well: the scheduler hands out no more.
        self.told(
            self.bus
                .trigger_event(ABORT, RUNNER, Abort::because(reason)),
        );
    }

    /// Whether the run was ended because its time was up.
    pub(super) fn was_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::Relaxed)
    }

    fn since_start(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The supervising thread's own state.
struct Crew {
    run: Arc<Run>,
    workers: Vec<Arc<Worker>>,
    live: usize,
    /// Whether it was told that nothing runs before a reset is over.
    is_paused: bool,
}

impl Crew {
    fn start(&mut self, count: usize) -> Result<()> {
        for number in 1..=count {
            match self.start_worker(u32::try_from(number).unwrap_or(u32::MAX)) {
                Ok(worker) => self.workers.push(worker),
                // A machine at its limits runs with fewer workers, as long as there is one.
                Err(error) if self.live > 0 => {
                    tracing::warn!(%error, workers = self.live, "no more workers can be started");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.run.roster.set(&self.workers);
        Ok(())
    }

    fn start_worker(&mut self, number: u32) -> Result<Arc<Worker>> {
        let worker = Arc::new(Worker {
            number,
            slot: Slot::default(),
            cancellation: Cancellation::new()?,
            held: Mutex::default(),
        });
        let run = Arc::clone(&self.run);
        let own = Arc::clone(&worker);
        // Not joined: a worker whose case was taken away may never come back. Those that do say so by `WorkerEnded`.
        drop(thread::spawn(format!("worker-{number}"), move || {
            worker::work(&run, &own);
        })?);
        self.live += 1;
        Ok(worker)
    }

    /// Waits for the workers, ends what takes too long, and carries out an abort.
    fn supervise(&mut self, woken: &Receiver<Wake>) -> Result<()> {
        let mut carried_out = Level::None;
        let mut giving_up: Option<(RunClock, Duration)> = None;
        while self.live > 0 {
            let level = self.run.abort.level();
            if self.run.abort.is_requested() {
                self.run.gate.look_again();
            }
            if level > carried_out {
                carried_out = level;
                self.cancel(level);
                let patience = match level {
                    Level::Kill => Duration::ZERO,
                    _ => self.run.settings.grace,
                };
                giving_up = Some((RunClock::start(), patience));
            }
            self.look_at_gate();
            let now = Instant::now();
            if self.run.is_out_of_time() {
                self.run.end_by_limit();
                continue;
            }
            if giving_up.is_some_and(|(since, patience)| since.left(patience).is_zero()) {
                giving_up = None;
                self.give_up_functions();
                continue;
            }
            self.end_overdue(now)?;
            let reset_end = self.run.end_overdue_reset();
            let give_up_at = giving_up.and_then(|(since, patience)| since.deadline(patience));
            let next = give_up_at.into_iter().chain(reset_end).min();
            match wait(woken, self.next_look(next)) {
                Some(Wake::WorkerEnded) => self.live -= 1,
                Some(Wake::Deadline | Wake::Gate | Wake::Abort) | None => {}
            }
        }
        Ok(())
    }

    /// Tells when nothing runs any more because something is resetting, and when that is over.
    fn look_at_gate(&mut self) {
        let is_closed = self.run.gate.is_closed();
        let mut workers = self.workers.iter();
        // One that is between two cases is idle too, and does not wait.
        let do_all_wait = self.live > 0 && self.run.gate.waiting() >= self.live;
        if is_closed
            && !self.is_paused
            && do_all_wait
            && workers.all(|worker| worker.slot.is_idle())
        {
            self.is_paused = true;
            self.run.tell_paused();
        } else if !is_closed && self.is_paused {
            self.is_paused = false;
            self.run.tell_continued();
        }
    }

    fn cancel(&self, level: Level) {
        for worker in &self.workers {
            match level {
                Level::None => {}
                Level::Gentle(signal) => worker.cancellation.request(signal),
                Level::Kill => worker.cancellation.kill(),
            }
        }
    }

    /// The next time at which something may be due. Publishes it before the slots are read, so that a case that starts meanwhile
    /// either is seen here or wakes this thread.
    fn next_look(&self, give_up_at: Option<Instant>) -> Option<Instant> {
        self.run.next_look.store(u64::MAX, Ordering::SeqCst);
        let paused = pause::total();
        let next = self
            .workers
            .iter()
            .filter_map(|worker| worker.slot.deadline(paused));
        let next = next.chain(give_up_at).chain(self.run.deadline()).min();
        if let Some(next) = next {
            self.run
                .next_look
                .fetch_min(self.run.since_start(next), Ordering::SeqCst);
        }
        next
    }

    /// Takes cases whose time is up away from their workers, and replaces these.
    fn end_overdue(&mut self, now: Instant) -> Result<()> {
        let paused = pause::total();
        for index in 0..self.workers.len() {
            let Some(worker) = self.workers.get(index).map(Arc::clone) else {
                continue;
            };
            let Some(running) = worker.slot.take_overdue(now, paused) else {
                continue;
            };
            worker.cancellation.kill();
            self.take_held(&worker);
            let limit = running
                .execution
                .limit(&self.run.settings)
                .unwrap_or_default();
            let running_after = match running.overdue_phase() {
                None => format!("still running after {limit:?}"),
                Some(phase) => {
                    let limit = self.run.settings.phases.of(phase).unwrap_or_default();
                    format!("{phase} still running after {limit:?}")
                }
            };
            let reason =
                format!("{running_after}; a function cannot be stopped, its thread was given up");
            self.live -= 1;
            self.report(&running, Verdict::TimedOut, &reason);
            if self.run.abort.is_requested() {
                continue;
            }
            match self.start_worker(worker.number) {
                Ok(replacement) => {
                    if let Some(place) = self.workers.get_mut(index) {
                        *place = replacement;
                    }
                    self.run.roster.set(&self.workers);
                }
                // The others go on, and are waited for.
                Err(error) if self.live > 0 => {
                    tracing::warn!(%error, workers = self.live, "a worker cannot be replaced");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes all functions that still run away from their workers: the run is being aborted and they did not end.
    fn give_up_functions(&mut self) {
        for index in 0..self.workers.len() {
            let Some(worker) = self.workers.get(index).map(Arc::clone) else {
                continue;
            };
            if let Some(running) = worker.slot.take_in_process() {
                self.take_held(&worker);
                self.live -= 1;
                let reason = self.run.abort.reason().unwrap_or_default();
                self.report(&running, Verdict::Aborted, &reason);
            }
        }
    }

    /// Takes what a worker that was given up would have run next.
    fn take_held(&self, worker: &Worker) {
        let held = worker.held.lock().take();
        self.run.returned.lock().extend(held);
    }

    fn report(&self, running: &Running, verdict: Verdict, reason: &str) {
        let settings = &self.run.settings;
        let mut finished = running.execution.given_up(verdict, reason, settings);
        self.run.settle(&running.execution, &mut finished);
        self.run.number(&mut finished);
        self.run.tell_finished(finished);
        running.execution.is_told();
    }
}

/// Waits for a reason to wake up, at most until `until`.
fn wait(woken: &Receiver<Wake>, until: Option<Instant>) -> Option<Wake> {
    match until {
        Some(until) => woken.recv_deadline(until).ok(),
        None => woken.recv().ok(),
    }
}

/// The same moment on both clocks.
pub(super) fn now() -> (Timestamp, Instant) {
    (Timestamp::now(), Instant::now())
}
