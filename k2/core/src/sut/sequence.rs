//! The sequence points of SUTs around the cases of a run.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT, ExitCode};
use zaf_core::command::{AbortLevel, AbortState};
use zaf_core::message::{BusError, DispatchReport, DispatcherKind};
use zaf_core::prelude::*;

use crate::hooks::{HOOK_FAILED, HOOKS};
use crate::messages::HookFailed;

use super::{
    INITIALIZE_SUT, POST_INITIALIZE_SUT, PRE_INITIALIZE_SUT, SUT, Sut, Suts, UNINITIALIZE_SUT,
};

/// Time that a handler in front of the cases has to come to an end when the run is aborted.
const PATIENCE: Duration = Duration::from_secs(4);

/// Time that all SUTs together have at the end of a run that is to end at once.
const CRITICAL_LIMIT: Duration = Duration::from_secs(4);

/// The sequence points of one run. What is owed when it is dropped follows then, so that no way out of the command leaves a SUT
/// initialised.
pub(crate) struct Sequence {
    bus: MessageBus,
    suts: Suts,
    limit: Duration,
    aborts: Receiver<AbortLevel>,
    level: AbortLevel,
    /// SUTs whose initialisation has begun.
    began: Vec<Arc<Sut>>,
    failed: bool,
}

type Answer = std::result::Result<DispatchReport, BusError>;

impl Sequence {
    /// Each handler chain of one message may take `limit`.
    pub(crate) fn new(
        bus: &MessageBus,
        suts: Suts,
        limit: Duration,
        abort: &AbortState,
    ) -> Result<Self> {
        let (gentle, aborts) = unbounded();
        if !suts.is_empty() {
            let critical = gentle.clone();
            let tell = |sender: &Sender<AbortLevel>, level| {
                // Nobody listens any more when all is over.
                let _ = sender.send(level);
            };
            bus.dispatcher(DispatcherKind::Callback, "run-suts")
                .on(ABORT, move |_, _| {
                    tell(&gentle, AbortLevel::Gentle);
                    Ok(())
                })
                .on(CRITICAL_ABORT, move |_, _| {
                    tell(&critical, AbortLevel::Critical);
                    Ok(())
                })
                .register()?;
        }
        Ok(Self {
            bus: bus.clone(),
            suts,
            limit,
            aborts,
            level: abort.level(),
            began: Vec::new(),
            failed: false,
        })
    }

    /// Initialises all SUTs: each phase for all of them before the next. The first failure aborts the run.
    ///
    /// # Errors
    /// If the abort cannot be told.
    pub(crate) fn initialize(&mut self) -> Result<()> {
        for point in [PRE_INITIALIZE_SUT, INITIALIZE_SUT, POST_INITIALIZE_SUT] {
            for sut in &self.suts.clone() {
                self.look_for_aborts();
                if self.level > AbortLevel::None {
                    return Ok(());
                }
                if point.name() == PRE_INITIALIZE_SUT.name() {
                    self.began.push(Arc::clone(sut));
                }
                if let Some(failure) = self.reach(point, sut) {
                    let reason = format!("{} of SUT `{sut}`: {failure}", point.name());
                    self.bus
                        .trigger_event(ABORT, HOOKS, Abort::because(reason))?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Ends what has begun, last one first; does nothing the second time.
    pub(crate) fn uninitialize(&mut self) {
        let mut end = None;
        for sut in std::mem::take(&mut self.began).into_iter().rev() {
            self.look_for_aborts();
            let own = self.limit;
            if self.level == AbortLevel::Critical {
                let end = *end.get_or_insert_with(|| Instant::now() + CRITICAL_LIMIT);
                self.limit = own.min(end.saturating_duration_since(Instant::now()));
            }
            self.reach(UNINITIALIZE_SUT, &sut);
            self.limit = own;
        }
    }

    /// `exit`, or that of a failed extension if a handler has failed.
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

    /// Sends one message and waits for its handlers; what went wrong has been logged and told.
    fn reach(&mut self, point: EventId<Arc<Sut>>, sut: &Arc<Sut>) -> Option<Failure> {
        let failure = match self.start(point, sut) {
            Ok(answer) => self.wait(point, &answer),
            Err(error) => Some(of_nobody(format!("no thread can be started: {error}"))),
        }?;
        tracing::error!(sut = sut.name(), "{}: {failure}", point.name());
        self.failed = true;
        let told = HookFailed {
            phase: point.name().into(),
            hook: failure.handler.clone(),
            reason: format!("SUT `{sut}`: {}", failure.reason).into(),
        };
        if let Err(error) = self.bus.trigger_event(HOOK_FAILED, HOOKS, told) {
            tracing::error!("{failure}: is not in the event log: {error}");
        }
        Some(failure)
    }

    fn start(&self, point: EventId<Arc<Sut>>, sut: &Arc<Sut>) -> io::Result<Receiver<Answer>> {
        let (told, answer) = bounded(1);
        let (bus, sut) = (self.bus.clone(), Arc::clone(sut));
        // A thread of its own, because a callback may never return. Not joined for the same reason.
        drop(zaf_core::thread::spawn("suts", move || {
            let entity = sut.entity().clone();
            // Nobody waits any more if its time was over.
            drop(told.send(bus.trigger_event_for(point, SUT, &entity, sut)));
        })?);
        Ok(answer)
    }

    fn wait(&mut self, point: EventId<Arc<Sut>>, answer: &Receiver<Answer>) -> Option<Failure> {
        let is_before = point.name() != UNINITIALIZE_SUT.name();
        let mut end = Instant::now().checked_add(self.limit);
        let mut aborts = self.aborts.clone();
        loop {
            let left = end.map_or(Duration::MAX, |end| {
                end.saturating_duration_since(Instant::now())
            });
            select! {
                recv(answer) -> report => return match report {
                    Ok(Ok(report)) => failure(&report),
                    Ok(Err(error)) => Some(of_nobody(error.to_string())),
                    Err(_) => Some(of_nobody("its thread has died".to_owned())),
                },
                recv(aborts) -> level => {
                    let Ok(level) = level else {
                        aborts = never();
                        continue;
                    };
                    self.level = self.level.max(level);
                    if is_before || level == AbortLevel::Critical {
                        let soon = Instant::now() + PATIENCE;
                        end = Some(end.map_or(soon, |end| end.min(soon)));
                    }
                },
                default(left) => return Some(over(self.limit)),
            }
        }
    }
}

/// What went wrong at a sequence point, and with whom.
struct Failure {
    /// Name of the extension; empty if nobody can be blamed by name.
    handler: Arc<str>,
    reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.handler.is_empty() {
            write!(f, "{}: ", self.handler)?;
        }
        f.write_str(&self.reason)
    }
}

fn of_nobody(reason: String) -> Failure {
    Failure {
        handler: Arc::default(),
        reason,
    }
}

fn over(limit: Duration) -> Failure {
    of_nobody(format!(
        "its handlers do not come to an end (limit {limit:?}); they are left behind"
    ))
}

/// What the first handler that failed has to say, with its name.
fn failure(report: &DispatchReport) -> Option<Failure> {
    let problem = report
        .failed()
        .first()
        .or_else(|| report.refused().first())?;
    let name = problem.handler.split(['.', '[']).next();
    let name = name.unwrap_or(&problem.handler);
    Some(Failure {
        handler: name.into(),
        reason: format!("{:#}", problem.error),
    })
}

impl Drop for Sequence {
    fn drop(&mut self) {
        self.uninitialize();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use parking_lot::Mutex;

    use super::*;
    use crate::hooks::HOOKS;

    /// A sequence for two SUTs on a bus on which all messages are noted.
    fn sequence() -> (MessageBus, Sequence, Arc<Mutex<Vec<String>>>) {
        let bus = MessageBus::new();
        let points = [
            PRE_INITIALIZE_SUT,
            INITIALIZE_SUT,
            POST_INITIALIZE_SUT,
            UNINITIALIZE_SUT,
        ];
        bus.define(SUT, &points.map(|point| point.descriptor()))
            .unwrap();
        let aborts = [ABORT.descriptor(), CRITICAL_ABORT.descriptor()];
        bus.define(HOOKS, &aborts).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for point in points {
            let seen = Arc::clone(&seen);
            bus.dispatcher(DispatcherKind::Callback, point.name())
                .on(point, move |message, _| {
                    seen.lock()
                        .push(format!("{} {}", point.name(), message.data()));
                    Ok(())
                })
                .register()
                .unwrap();
        }
        let suts = Suts::new(["a", "b"].map(|name| Arc::new(Sut::new(name))));
        let limit = Duration::from_mins(1);
        let sequence = Sequence::new(&bus, suts, limit, &AbortState::new()).unwrap();
        (bus, sequence, seen)
    }

    #[test]
    fn f3_a_panic_of_the_command_leaves_no_sut_initialised() {
        let (_bus, mut sequence, seen) = sequence();
        let panic = catch_unwind(AssertUnwindSafe(move || {
            sequence.initialize().unwrap();
            panic!("the command panics");
        }));
        assert!(panic.is_err());
        let seen = seen.lock();
        assert_eq!(seen[6..], ["UNINITIALIZE_SUT b", "UNINITIALIZE_SUT a"]);
    }

    #[test]
    fn nothing_is_put_away_twice_and_nothing_that_was_not_begun() {
        let (bus, mut sequence, seen) = sequence();
        bus.trigger_event(ABORT, HOOKS, Abort::because("early"))
            .unwrap();
        sequence.initialize().unwrap();
        sequence.uninitialize();
        sequence.uninitialize();
        assert_eq!(sequence.with_failures(ExitCode::Success), ExitCode::Success);
        drop(sequence);
        assert_eq!(*seen.lock(), Vec::<String>::new());
    }
}
