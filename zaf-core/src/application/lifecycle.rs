//! One run of an application, from loading to the exit code.
//!
//! ```text
//!  load framework extensions ─► watch signals ─► start the command's extensions
//!    ─► BEFORE_COMMAND ─► command ─► AFTER_COMMAND ─► idle ─► destroy, last made first ─► exit code
//! ```
//!
//! Invariants
//! - `AFTER_COMMAND` follows every `BEFORE_COMMAND`, also when that or the command failed or panicked.
//! - What was started is destroyed, whatever failed.
//! - After the command, every step has a limit of time; what exceeds it is named and left behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::builder::Application;
use super::escalation::Escalation;
use super::events::{
    ABORT, AFTER_COMMAND, Abort, BEFORE_COMMAND, CRITICAL_ABORT, CommandEnded, CommandStarting,
};
use super::failure::{Failure, FailureKind, is_answer};
use super::signal::{OnSignal, SignalWatch};
use super::within::within;
use super::{Console, ExitCode, SignalRelay, inspection};
use crate::attribution;
use crate::command::{AbortLevel, AbortState, CommandContext, Invocation};
use crate::component::Requester;
use crate::config::{ConfigOption, OptionId};
use crate::error::{Error, Result};
use crate::extension::{DestroyError, Loaded, Loader, Prepared};
use crate::message::{
    APPLICATION_ENDPOINT, BusError, DispatcherKind, EventId, MessageBus, MessageDescriptor,
};
use crate::patience::Patience;
use crate::thread::{self, JoinHandle, panic_text};

/// How long the end of a run waits for handlers that still work. `--application-teardown-timeout`, default 10 s: enough to
/// write reports, not enough to look hung. What is less than 5 s is also the longest time that an extension has to be destroyed.
pub const TEARDOWN_TIMEOUT: OptionId<Duration> = OptionId::duration("application.teardown.timeout")
    .describe("How long the end of a run waits for handlers that still work.")
    .default(Duration::from_secs(10))
    .hidden();

/// How long a command may go on after SIGTERM or SIGHUP before `CRITICAL_ABORT`. `--application-abort-grace`, default 10 s, what
/// init systems leave at least. After as long again and the [time of the teardown](TEARDOWN_TIMEOUT) the process ends whatever
/// hangs in it.
pub const ABORT_GRACE: OptionId<Duration> = OptionId::duration("application.abort.grace")
    .describe("How long a command may go on after SIGTERM before what runs is killed.")
    .default(Duration::from_secs(10))
    .hidden();

const OPTIONS: [ConfigOption; 2] = [TEARDOWN_TIMEOUT.optional(), ABORT_GRACE.optional()];

const EVENTS: [MessageDescriptor; 4] = [
    BEFORE_COMMAND.descriptor(),
    AFTER_COMMAND.descriptor(),
    ABORT.descriptor(),
    CRITICAL_ABORT.descriptor(),
];

/// Whether a run listens to the signals of the process.
#[derive(Debug)]
pub(super) enum Signals {
    /// It does, and to those that a process in front of it hands on.
    OfProcess(Option<SignalRelay>),
    LeftAlone,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: ExitCode,
    /// The signal that made it end early.
    pub(super) signal: Option<i32>,
}

/// One run.
pub(super) struct Run {
    application: Application,
    console: Console,
    signals: Signals,
    bus: MessageBus,
    abort: AbortState,
    watch: Option<SignalWatch>,
    triggering: Triggering,
    code: ExitCode,
}

/// Threads that trigger `ABORT` and `CRITICAL_ABORT`.
type Triggering = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl Run {
    pub(super) fn new(
        mut application: Application,
        invocation: Invocation,
        console: Console,
        signals: Signals,
    ) -> Self {
        application.info = application.info.invocation(invocation);
        Self {
            application,
            console,
            signals,
            bus: MessageBus::new(),
            abort: AbortState::new(),
            watch: None,
            triggering: Triggering::default(),
            code: ExitCode::Success,
        }
    }

    pub(super) fn run(mut self) -> Ended {
        // Extensions and handlers are guarded one by one; this is for mistakes of our own.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.load_and_run())) {
            self.report(&Failure::panic("the application", &panic_text(panic)));
        }
        Ended {
            code: self.code,
            signal: self.watch.and_then(|watch| watch.received()),
        }
    }

    fn load_and_run(&mut self) {
        if let Err(error) = self.define_events() {
            return self.report(&Failure::new(FailureKind::Internal, error));
        }
        if let Err(error) = self.application.given.define_on(&self.bus) {
            return self.report(&Failure::new(FailureKind::Loading, error));
        }
        let parts = std::mem::replace(&mut self.application.parts, super::builder::Parts::Linked);
        let (extensions, components) = match parts.registries() {
            Ok(registries) => registries,
            Err(conflicts) => {
                for conflict in conflicts {
                    self.report(&Failure::new(FailureKind::Loading, conflict));
                }
                return;
            }
        };
        let loader = Loader::new(
            self.application.info.clone(),
            extensions,
            std::mem::take(&mut self.application.store),
            self.bus.clone(),
        );
        let prepared = loader
            .clock(self.application.given.clock.clone())
            .components(components)
            .options(OPTIONS)
            .until(is_answer)
            .within_limits()
            .prepare();
        if let Err(error) = self.provide(&prepared) {
            return self.report(&Failure::new(FailureKind::Internal, error));
        }
        if let Err(error) = self.application.given.provide_in(prepared.session()) {
            return self.report(&Failure::new(FailureKind::Loading, error));
        }
        let inspects = inspection::runs_in_spite_of_errors(&prepared);
        if inspects || prepared.errors().is_empty() {
            self.watch_signals(&prepared);
        }
        let started = if inspects {
            prepared
                .start_in_spite_of_errors()
                .map(|(loaded, problems)| (loaded, Some(problems)))
        } else {
            prepared.start().map(|loaded| (loaded, None))
        };
        match started {
            Err(errors) => {
                for failure in Failure::of_loading(errors) {
                    self.report(&failure);
                }
            }
            Ok((running, problems)) => {
                if let Some(problems) = problems
                    && let Err(error) = inspection::tell_problems(problems, &running, &self.console)
                {
                    self.report(&Failure::new(FailureKind::Internal, error));
                }
                self.run_command(running);
            }
        }
        self.end_bus();
    }

    fn define_events(&mut self) -> Result<()> {
        self.bus.define(APPLICATION_ENDPOINT, &EVENTS)?;
        // Whoever triggers the events, commands without dispatchers see it.
        let (gentle, critical) = (self.abort.clone(), self.abort.clone());
        self.bus
            .dispatcher(DispatcherKind::Callback, "application.abort")
            .priority(i32::MAX)
            .endpoints([APPLICATION_ENDPOINT])
            .on(ABORT, move |_, _| {
                gentle.raise(AbortLevel::Gentle);
                Ok(())
            })
            .on(CRITICAL_ABORT, move |_, _| {
                critical.raise(AbortLevel::Critical);
                Ok(())
            })
            .register()?;
        Ok(())
    }

    /// Makes components of what only the application has.
    fn provide(&self, prepared: &Prepared) -> Result<()> {
        let session = prepared.session();
        session.provide(Arc::new(self.console.clone()))?;
        session.provide(Arc::new(self.abort.clone()))?;
        Ok(())
    }

    /// From here on there may be something to clean up, so signals no longer end the process at once.
    fn watch_signals(&mut self, prepared: &Prepared) {
        let Signals::OfProcess(relay) = &mut self.signals else {
            return;
        };
        let relay = relay.take();
        let store = prepared.store();
        let grace = option(store.get(ABORT_GRACE), Duration::from_secs(10));
        let teardown = option(store.get(TEARDOWN_TIMEOUT), Duration::from_secs(10));
        // What is killed is reported, then everything is torn down: both get their time once more.
        let escalation = Escalation::new(grace, grace.saturating_add(teardown));
        let aborter = Aborter {
            bus: self.bus.clone(),
            state: self.abort.clone(),
            triggering: Arc::clone(&self.triggering),
        };
        match SignalWatch::start(escalation, self.console.clone(), relay, aborter) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                tracing::error!(%error, "signals cannot be watched; they end the process at once");
            }
        }
    }

    fn run_command(&mut self, loaded: Loaded) {
        let timeout = option(
            loaded.store().get(TEARDOWN_TIMEOUT),
            Duration::from_secs(10),
        );
        let command: Arc<str> = loaded.command().path().into();
        let starting = CommandStarting {
            command: Arc::clone(&command),
        };
        let before = self.trigger(BEFORE_COMMAND, starting);
        if let Err(error) = before {
            let error = ExitCode::ExtensionFailed.with_error(error);
            self.report(&Failure::new(FailureKind::Loading, error));
        } else if self.abort.is_aborted() {
            self.code = self.code.merge(ExitCode::Incomplete);
        } else {
            self.call(&loaded);
        }
        let mut patience = Patience::new(timeout);
        self.trigger_after(command, &mut patience);
        self.wait_until_idle(patience);
        for error in loaded.destroy_within(timeout) {
            let hung = matches!(error, DestroyError::Hung { .. });
            let error = Error::from(error);
            let error = if hung {
                ExitCode::TimeLimit.with_error(error)
            } else {
                error
            };
            self.report(&Failure::new(FailureKind::Teardown, error));
        }
    }

    /// Runs the command on this thread.
    fn call(&mut self, loaded: &Loaded) {
        let command = loaded.command();
        let config = loaded.store().view_all();
        let adds_it = loaded.catalog().commands().find(&command.path());
        let _inside = attribution::inside(adds_it.map(|entry| entry.extension));
        let requester = Requester::new("command", command.path());
        let session = loaded.session().on_behalf_of(requester);
        let context = CommandContext::new(
            command,
            &config,
            &self.bus,
            &session,
            &self.application.info,
            &self.abort,
        );
        match catch_unwind(AssertUnwindSafe(|| (command.run)(&context))) {
            Ok(Ok(code)) => self.code = self.code.merge(code),
            Ok(Err(error)) => self.report(&Failure::new(FailureKind::Command, error)),
            Err(panic) => {
                let of = format!("command `{}`", command.path());
                self.report(&Failure::panic(&of, &panic_text(panic)));
            }
        }
    }

    /// Triggers an event of the application.
    ///
    /// # Errors
    /// That of the first handler that failed on this thread; all handlers were called.
    fn trigger<P: Send + Sync + 'static>(&self, event: EventId<P>, payload: P) -> Result<()> {
        self.bus
            .trigger_event(event, APPLICATION_ENDPOINT, payload)?
            .into_result()?;
        Ok(())
    }

    /// Triggers `AFTER_COMMAND` on a thread of its own, because one of its callbacks may never return.
    fn trigger_after(&mut self, command: Arc<str>, patience: &mut Patience) {
        if !self.bus.has_receivers(AFTER_COMMAND, APPLICATION_ENDPOINT) {
            return;
        }
        let ended = CommandEnded {
            command,
            exit_code: self.code,
        };
        let bus = self.bus.clone();
        let triggered = within(patience, "after-command", move || {
            bus.trigger_event(AFTER_COMMAND, APPLICATION_ENDPOINT, ended)
        });
        let error = match triggered {
            // Handlers that failed were logged and triggered HANDLER_FAILED.
            Ok(Ok(report)) if report.failed().is_empty() => return,
            Ok(Ok(report)) => report.into_result().err(),
            Ok(Err(error)) => Some(error.into()),
            Err(hung) => Some(hung),
        };
        if let Some(error) = error {
            self.report(&Failure::new(FailureKind::Teardown, error));
        }
    }

    /// Lets handlers finish what is queued. Those that do not are named.
    fn wait_until_idle(&mut self, mut patience: Patience) {
        // A command may end before the event that asked for it has reached all receivers.
        let triggering = std::mem::take(&mut *self.triggering.lock());
        for thread in triggering {
            if let Err(error) = within(&mut patience, "abort-end", move || drop(thread.join())) {
                self.report(&Failure::new(FailureKind::Teardown, error));
            }
        }
        let left = patience.left();
        let mut still_busy = Ok(());
        let outcome = patience.wait(|step| match self.bus.wait_until_idle(step) {
            Err(BusError::StillBusy { busy, .. }) => {
                let after = left;
                still_busy = Err(BusError::StillBusy { after, busy });
                None
            }
            outcome => Some(outcome),
        });
        if let Err(error) = outcome.unwrap_or(still_busy) {
            let error = Error::from(error).hint(format!(
                "they are left behind; --{} gives them more time",
                crate::config::flag_name(&TEARDOWN_TIMEOUT.descriptor(), None)
            ));
            let error = ExitCode::TimeLimit.with_error(error);
            self.report(&Failure::new(FailureKind::Teardown, error));
        }
    }

    fn end_bus(&mut self) {
        let bus = self.bus.clone();
        let mut patience = Patience::new(BUS_END);
        if let Err(error) = within(&mut patience, "bus-end", move || {
            drop(bus.shutdown(BUS_END));
        }) {
            tracing::debug!(%error, "the bus did not end in time");
        }
    }

    /// Shows a failure and lets it count for the exit code.
    fn report(&mut self, failure: &Failure) {
        self.code = self.code.merge(failure.code());
        if let Err(error) = failure.show(&self.console) {
            tracing::error!(%error, "a failure could not be shown");
        }
    }
}

/// Threads of the bus have nothing left to do then; one second is for a machine under load.
const BUS_END: Duration = Duration::from_secs(1);

/// The value of an option of ours. One that cannot be read has stopped the start already.
fn option<T, E>(value: Result<T, E>, fallback: T) -> T {
    value.unwrap_or(fallback)
}

/// Tells the run about signals.
struct Aborter {
    bus: MessageBus,
    state: AbortState,
    triggering: Triggering,
}

impl Aborter {
    fn trigger(&self, thread: &str, event: EventId<Abort>, abort: Abort) {
        let bus = self.bus.clone();
        let spawned = thread::spawn(thread, move || {
            // After the end of the bus nobody is left to be told.
            drop(bus.trigger_event(event, APPLICATION_ENDPOINT, abort));
        });
        match spawned {
            Ok(thread) => self.triggering.lock().push(thread),
            Err(error) => {
                tracing::error!(%error, event = event.name(), "the event could not be triggered");
            }
        }
    }
}

impl OnSignal for Aborter {
    fn abort(&self, abort: Abort) {
        if self.state.is_told_by_command() {
            tracing::debug!("{abort}: the command tells of it");
        } else {
            tracing::warn!("{abort}: what runs is asked to end; once more kills it");
        }
        self.trigger("abort", ABORT, abort);
        self.state.raise(AbortLevel::Gentle);
    }

    fn critical_abort(&self, abort: Abort) {
        tracing::warn!("{abort}: what runs is killed; once more ends at once");
        self.trigger("critical-abort", CRITICAL_ABORT, abort);
        self.state.raise(AbortLevel::Critical);
    }
}
