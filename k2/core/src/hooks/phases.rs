//! Asks the hooks, waits for them, and keeps account of the phases that are still owed.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender, select, unbounded};
use parking_lot::Mutex;
use rustix::process::Signal;
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT, ExitCode};
use zaf_core::command::{AbortLevel, AbortState};
use zaf_core::message::{BusError, DispatcherKind, Reply, ReplyError};
use zaf_core::prelude::*;

use super::{HOOK_FAILED, HOOKS, HookCall, Phase};
use crate::results::{HookFailed, Summary};
use crate::supervisor::Cancellation;

/// Time that hooks behind the tests have when the run is to end at once: two phases of it fit into the time that is left to a
/// process after SIGTERM.
const CRITICAL_LIMIT: Duration = Duration::from_secs(4);

/// Longest wait for a hook that was killed.
const KILLED_LIMIT: Duration = Duration::from_secs(1);

/// How long hooks may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Each of them; then it is asked to end.
    pub(crate) each: Duration,
    /// Time between asking a hook to end and giving it up.
    pub(crate) grace: Duration,
}

/// Which run the hooks are told about.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) run: Arc<str>,
    pub(crate) directory: Utf8PathBuf,
    pub(crate) application: Arc<str>,
    pub(crate) execution: Arc<str>,
}

/// The phases of one run. Those that are owed when it is dropped follow then, so that no way out of the command leaves them out.
pub(crate) struct Phases {
    bus: MessageBus,
    place: Place,
    limits: Limits,
    summary: Arc<Mutex<Summary>>,
    aborts: Receiver<AbortLevel>,
    level: AbortLevel,
    owes_tests: bool,
    owes_job: bool,
    failed: bool,
}

/// What comes from the thread that asks.
type Answer = Result<Reply<()>, BusError>;

impl Phases {
    /// With `resumed` those in front of the tests have been asked by another runner.
    pub(crate) fn new(
        bus: &MessageBus,
        place: Place,
        limits: Limits,
        summary: Arc<Mutex<Summary>>,
        abort: &AbortState,
        resumed: bool,
    ) -> Result<Self> {
        let (gentle, aborts) = unbounded();
        let critical = gentle.clone();
        let tell = |sender: &Sender<AbortLevel>, level| {
            // Nobody listens any more when all phases are over.
            let _ = sender.send(level);
        };
        bus.dispatcher(DispatcherKind::Callback, "run-hooks")
            .on(ABORT, move |_, _| {
                tell(&gentle, AbortLevel::Gentle);
                Ok(())
            })
            .on(CRITICAL_ABORT, move |_, _| {
                tell(&critical, AbortLevel::Critical);
                Ok(())
            })
            .register()?;
        let directory = camino::absolute_utf8(&place.directory).unwrap_or(place.directory);
        Ok(Self {
            bus: bus.clone(),
            place: Place { directory, ..place },
            limits,
            summary,
            aborts,
            // What came before anybody listened.
            level: abort.level(),
            owes_tests: resumed,
            owes_job: resumed,
            failed: false,
        })
    }

    /// Asks those in front of the tests. The first failure aborts the run; what asks for tests then tells all of them as not run.
    ///
    /// # Errors
    /// If the abort cannot be told.
    pub(crate) fn before(&mut self) -> Result<()> {
        for phase in [Phase::PreJob, Phase::PreTests] {
            self.look_for_aborts();
            if self.level > AbortLevel::None {
                break;
            }
            match phase {
                Phase::PreJob => self.owes_job = true,
                _ => self.owes_tests = true,
            }
            let failures = self.ask(phase, None);
            if let Some(first) = failures.first() {
                let abort = Abort::because(first.to_string());
                self.bus.trigger_event(ABORT, HOOKS, abort)?;
            }
        }
        Ok(())
    }

    /// Asks those behind the tests, if they are owed.
    pub(crate) fn after_tests(&mut self) {
        if std::mem::take(&mut self.owes_tests) {
            self.ask(Phase::PostTests, None);
        }
    }

    /// Asks those behind the run, which ends with `exit` so far, if they are owed; says how it ends then.
    pub(crate) fn after_job(&mut self, exit: ExitCode) -> ExitCode {
        if std::mem::take(&mut self.owes_job) {
            self.ask(Phase::PostJob, Some(self.with_failures(exit)));
        }
        self.with_failures(exit)
    }

    /// `exit`, or that of a failed extension if a hook has failed.
    pub(crate) fn with_failures(&self, exit: ExitCode) -> ExitCode {
        if self.failed {
            exit.merge(ExitCode::ExtensionFailed)
        } else {
            exit
        }
    }

    fn look_for_aborts(&mut self) {
        let latest = self.aborts.try_iter().max();
        self.level = self.level.max(latest.unwrap_or_default());
    }

    /// Asks all hooks of a phase and waits for them; what went wrong has been logged and told.
    fn ask(&mut self, phase: Phase, exit: Option<ExitCode>) -> Vec<HookFailed> {
        if !self.bus.has_receivers(phase.request(), HOOKS) {
            return Vec::new();
        }
        self.look_for_aborts();
        let failures = match self.start(phase, exit) {
            Ok((call, answers)) => self.wait(&call, &answers),
            Err(error) => vec![of_nobody(phase, format!("hooks cannot be asked: {error}"))],
        };
        for failure in &failures {
            tracing::error!("{failure}");
            let told = self.bus.trigger_event(HOOK_FAILED, HOOKS, failure.clone());
            if let Err(error) = told {
                tracing::error!("{failure}: is not in the event log: {error}");
            }
        }
        self.failed |= !failures.is_empty();
        failures
    }

    fn start(
        &self,
        phase: Phase,
        exit: Option<ExitCode>,
    ) -> io::Result<(HookCall, Receiver<Answer>)> {
        let limit = match self.level {
            AbortLevel::Critical => self.limits.each.min(CRITICAL_LIMIT),
            _ => self.limits.each,
        };
        let now = Instant::now();
        let call = HookCall {
            phase,
            run: Arc::clone(&self.place.run),
            directory: self.place.directory.clone(),
            application: Arc::clone(&self.place.application),
            execution: Arc::clone(&self.place.execution),
            cancellation: Cancellation::new()?,
            deadline: now.checked_add(limit).unwrap_or(now + CRITICAL_LIMIT),
            counts: self.summary.lock().counts(),
            exit,
        };
        let (told, answers) = unbounded();
        let (bus, payload) = (self.bus.clone(), call.clone());
        let longest = limit.saturating_add(self.limits.grace);
        // A thread of its own, because a callback may never return. Not joined for the same reason.
        drop(zaf_core::thread::spawn("hooks", move || {
            match bus.send_request_optional(phase.request(), HOOKS, None, payload) {
                Ok(replies) => {
                    for reply in replies.as_completed(longest) {
                        // Nobody waits any more for one that was given up.
                        drop(told.send(Ok(reply)));
                    }
                }
                Err(error) => drop(told.send(Err(error))),
            }
        })?);
        Ok((call, answers))
    }

    fn wait(&mut self, call: &HookCall, answers: &Receiver<Answer>) -> Vec<HookFailed> {
        let phase = call.phase;
        let given_up = self.limits.grace.saturating_add(KILLED_LIMIT);
        let mut failures = Vec::new();
        let mut end = call.deadline;
        let mut is_over = false;
        let aborts = self.aborts.clone();
        loop {
            select! {
                recv(answers) -> answer => match answer {
                    Ok(Ok(reply)) => failures.extend(failure(phase, reply)),
                    Ok(Err(error)) => failures.push(of_nobody(phase, error.to_string())),
                    Err(_) => break,
                },
                recv(aborts) -> level => {
                    let Ok(level) = level else { break };
                    self.level = self.level.max(level);
                    let now = Instant::now();
                    match (phase.is_before(), level) {
                        (true, AbortLevel::Critical) => {
                            call.cancellation.kill();
                            is_over = true;
                            end = end.min(now + KILLED_LIMIT);
                        }
                        (true, _) => {
                            call.cancellation.request(Signal::TERM.as_raw());
                            is_over = true;
                            end = end.min(now + given_up);
                        }
                        // What is behind the tests is what an abort is to leave room for.
                        (false, AbortLevel::Critical) => end = end.min(now + CRITICAL_LIMIT),
                        (false, _) => {}
                    }
                },
                default(end.saturating_duration_since(Instant::now())) => {
                    if is_over {
                        call.cancellation.kill();
                        failures.push(of_nobody(phase, "a hook does not end; it is left behind".to_owned()));
                        break;
                    }
                    is_over = true;
                    call.cancellation.request(Signal::TERM.as_raw());
                    failures.push(of_nobody(phase, "the time of the hooks is over".to_owned()));
                    end = Instant::now() + given_up;
                },
            }
        }
        failures
    }
}

impl Drop for Phases {
    fn drop(&mut self) {
        self.after_tests();
        self.after_job(ExitCode::InternalError);
    }
}

/// What went wrong without anybody who can be named.
fn of_nobody(phase: Phase, reason: String) -> HookFailed {
    HookFailed {
        phase: phase.request().name().into(),
        hook: "".into(),
        reason: reason.into(),
    }
}

/// What a hook has to say for itself if it failed: its name, and its error with all causes.
fn failure(phase: Phase, reply: Reply<()>) -> Option<HookFailed> {
    let error = reply.result.err()?;
    let own: &(dyn StdError + 'static) = match &error {
        ReplyError::Failed { source, .. } => &**source,
        other => other,
    };
    let causes = std::iter::successors(Some(own), |&error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    let name = reply.handler.split('.').next().unwrap_or(&reply.handler);
    Some(HookFailed {
        hook: name.into(),
        ..of_nobody(phase, causes.join(": "))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::{POST_JOB, POST_TESTS, PRE_JOB, PRE_TESTS};
    use super::*;

    type Seen = Arc<Mutex<Vec<Phase>>>;

    /// Phases of a bus on which one hook notes all of them.
    fn phases(resumed: bool) -> (MessageBus, Phases, Seen) {
        let bus = MessageBus::new();
        let all = [PRE_JOB, PRE_TESTS, POST_TESTS, POST_JOB];
        let mut messages: Vec<_> = all.iter().map(RequestId::descriptor).collect();
        messages.extend([ABORT.descriptor(), CRITICAL_ABORT.descriptor()]);
        bus.define(HOOKS, &messages).unwrap();
        let seen = Seen::default();
        for request in all {
            let seen = Arc::clone(&seen);
            bus.dispatcher(DispatcherKind::Concurrent, request.name())
                .on(request, move |message, _| {
                    seen.lock().push(message.data().phase);
                    Ok(())
                })
                .register()
                .unwrap();
        }
        let place = Place {
            run: "r".into(),
            directory: "d".into(),
            application: "a".into(),
            execution: "e".into(),
        };
        let summary = Arc::default();
        let limits = Limits {
            each: Duration::from_mins(1),
            grace: Duration::from_secs(1),
        };
        let abort = AbortState::new();
        let phases = Phases::new(&bus, place, limits, summary, &abort, resumed).unwrap();
        (bus, phases, seen)
    }

    #[test]
    fn what_has_begun_is_ended_by_a_panic_of_the_command() {
        let (_bus, mut phases, seen) = phases(false);
        let panic = catch_unwind(AssertUnwindSafe(move || {
            phases.before().unwrap();
            panic!("the command panics");
        }));
        assert!(panic.is_err());
        let all = [
            Phase::PreJob,
            Phase::PreTests,
            Phase::PostTests,
            Phase::PostJob,
        ];
        assert_eq!(*seen.lock(), all);
    }

    #[test]
    fn nothing_is_ended_twice_and_nothing_that_has_not_begun() {
        let (bus, mut first, seen) = phases(false);
        bus.trigger_event(ABORT, HOOKS, Abort::because("early"))
            .unwrap();
        first.before().unwrap();
        first.after_tests();
        drop(first);
        assert_eq!(*seen.lock(), []);

        let (_bus, mut second, seen) = phases(true);
        second.after_tests();
        second.after_tests();
        let exit = second.after_job(ExitCode::Success);
        drop(second);
        assert_eq!(exit, ExitCode::Success);
        assert_eq!(*seen.lock(), [Phase::PostTests, Phase::PostJob]);
    }
}
