//! A time limit for whatever command runs.
//!
//! When it is reached, `CRITICAL_ABORT` is triggered: what runs is killed, and what there is gets reported. A command that has not ended some
//! time later hangs, and the process is ended at once. Either way the exit code is that of the time limit, and nothing that was started
//! is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use zaf_core::application::{Abort, BEFORE_COMMAND, CRITICAL_ABORT, CommandStarting, last_words};
use zaf_core::clock::{Clock, Timer};
use zaf_core::message::APPLICATION_ENDPOINT;
use zaf_core::prelude::*;
use zaf_core::thread;

use crate::supervisor::{RunClock, guard, job_control, pause};

/// Longest time that the command may take, whichever it is; time for which it was stopped (Ctrl-Z) is not counted.
///
/// CLI `--command-timeout 2h`, environment `K2_COMMAND_TIMEOUT`, no default (no limit).
pub const COMMAND_TIMEOUT: OptionId<Duration> = OptionId::duration("command.timeout")
    .describe("Longest time that the command may take, whichever it is, for example 2h");

/// Time that the command has to end after its limit, before the process is ended.
///
/// CLI `--command-timeout-exit-delay`, environment `K2_COMMAND_TIMEOUT_EXIT_DELAY`, default 60 s: time to report what was killed.
pub const COMMAND_TIMEOUT_EXIT_DELAY: OptionId<Duration> =
    OptionId::duration("command.timeout.exit.delay")
        .describe("Time between the limit of the command and the end of the process at the latest")
        .default(Duration::from_mins(1));

/// Where the time limit of the command speaks.
pub const COMMAND_TIMEOUT_ENDPOINT: EndpointId = EndpointId::new(
    "command-timeout",
    "Ends a command whose time limit is reached.",
);

/// A limit of nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "option `command.timeout`: a time limit of zero ends everything at once; leave the option out for no limit"
)]
struct ZeroLimit;

/// There is one command per process.
static REACHED: AtomicBool = AtomicBool::new(false);

/// Whether the time limit of the command was reached.
pub(super) fn is_reached() -> bool {
    REACHED.load(Ordering::SeqCst)
}

/// Ends the command when its time is up.
#[framework_extension(
    name = "commandtimeout",
    load_order = 50,
    config_options = [COMMAND_TIMEOUT.optional(), COMMAND_TIMEOUT_EXIT_DELAY.required()],
    endpoints_and_messages = { COMMAND_TIMEOUT_ENDPOINT: [CRITICAL_ABORT] },
    activate_on = [COMMAND_TIMEOUT],
)]
#[derive(Debug)]
pub struct CommandTimeout {
    limit: Option<Duration>,
    delay: Duration,
    clock: Clock,
    /// While the command goes on.
    watch: Mutex<Option<Arc<Watch>>>,
}

impl Extension for CommandTimeout {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let limit = cx.config().get_optional(COMMAND_TIMEOUT)?;
        if limit == Some(Duration::ZERO) {
            return Err(ExitCode::Usage.with_error(ZeroLimit));
        }
        Ok(Self {
            limit,
            delay: cx.config().get(COMMAND_TIMEOUT_EXIT_DELAY)?,
            clock: cx.clock().clone(),
            watch: Mutex::default(),
        })
    }

    fn destroy(&self) -> Result<()> {
        if let Some(watch) = self.watch.lock().take() {
            watch.end();
        }
        Ok(())
    }
}

#[dispatchers]
impl CommandTimeout {
    #[callback_dispatcher(BEFORE_COMMAND, endpoints = [APPLICATION_ENDPOINT])]
    fn begin(&self, message: &Message<CommandStarting>, bus: &MessageBus) -> Result<()> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        // Of every command, not only of runs.
        if let Err(error) = job_control::start() {
            tracing::warn!("the time limit goes on while the command is stopped: {error}");
        }
        let watch = Arc::new(Watch {
            clock: self.clock.clone(),
            began: self.clock.now(),
            stopped: pause::total(),
            limit,
            delay: self.delay,
            command: message.data().command.to_string(),
            bus: bus.clone(),
            timer: Mutex::default(),
            goes_on: Mutex::default(),
        });
        watch.arm(limit)?;
        *self.watch.lock() = Some(watch);
        Ok(())
    }
}

/// The time of one command.
#[derive(Debug)]
struct Watch {
    clock: Clock,
    began: Instant,
    /// How long the process had been stopped by then.
    stopped: Duration,
    limit: Duration,
    delay: Duration,
    command: String,
    bus: MessageBus,
    timer: Mutex<Option<Timer>>,
    /// Gone when the command has ended.
    goes_on: Mutex<Option<Sender<()>>>,
}

impl Watch {
    /// Looks again after `left`.
    fn arm(self: &Arc<Self>, left: Duration) -> Result<()> {
        // The timer must not keep what it belongs to.
        let watch = Arc::downgrade(self);
        let timer = self.clock.once("command-timeout", left, move || {
            if let Some(watch) = watch.upgrade()
                && let Err(error) = watch.look()
            {
                tracing::error!("the time limit of the command cannot be kept: {error:#}");
            }
        })?;
        let last = self.timer.lock().replace(timer);
        drop(last);
        Ok(())
    }

    /// Ends the command if its time is up; time for which the process was stopped is not counted.
    fn look(self: &Arc<Self>) -> Result<()> {
        let elapsed = self.clock.now().saturating_duration_since(self.began);
        let stopped = pause::total().saturating_sub(self.stopped);
        let left = self.limit.saturating_sub(elapsed.saturating_sub(stopped));
        if left > Duration::ZERO {
            return self.arm(left);
        }
        REACHED.store(true, Ordering::SeqCst);
        let (sender, goes_on) = bounded(0);
        *self.goes_on.lock() = Some(sender);
        let limit = self.limit;
        let reason = format!("the time limit of the command ({limit:?}) was reached");
        // After the end of the bus nobody is left to be told.
        drop(self.bus.trigger_event(
            CRITICAL_ABORT,
            COMMAND_TIMEOUT_ENDPOINT,
            Abort::because(reason),
        ));
        // What guards against a command that hangs is real time. Not joined: it ends with the command, or the process ends with it.
        let (command, delay) = (self.command.clone(), self.delay);
        drop(thread::spawn("command-timeout-exit", move || {
            if !has_ended_within(&goes_on, delay) {
                end_now(&command, limit + delay);
            }
        })?);
        Ok(())
    }

    /// The command has ended.
    fn end(&self) {
        drop(self.timer.lock().take());
        drop(self.goes_on.lock().take());
    }
}

/// Waits until the command has ended, or `time` is over without the time for which this process was stopped.
fn has_ended_within(goes_on: &Receiver<()>, time: Duration) -> bool {
    let clock = RunClock::start();
    loop {
        let left = clock.left(time);
        if left.is_zero() {
            return false;
        }
        match goes_on.recv_timeout(left) {
            Err(RecvTimeoutError::Disconnected) => return true,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Ends this process and all that it has started.
fn end_now(command: &str, after: Duration) {
    let code = ExitCode::TimeLimit.code();
    let text = format!(
        "\nerror: the command `{command}` has not ended after {after:?}; it is ended now (exit {code})\n"
    );
    last_words(&text);
    guard::give_up_run();
    signal_hook::low_level::exit(code.into());
}

#[cfg(test)]
mod tests {
    use zaf_harness::prelude::*;

    use super::*;

    fn harness(limit: &FakeClock) -> ExtensionTestHarness<CommandTimeout> {
        ExtensionTestHarness::builder()
            .clock(limit)
            .config(COMMAND_TIMEOUT, Duration::from_hours(2))
            .define(APPLICATION_ENDPOINT, [BEFORE_COMMAND])
            .start()
            .unwrap()
    }

    fn starting() -> CommandStarting {
        CommandStarting {
            command: "run".into(),
        }
    }

    #[test]
    fn what_runs_is_ended_when_the_time_of_the_command_is_up_and_not_before() -> TestResult {
        let clock = FakeClock::new();
        let harness = harness(&clock);
        let recorder = harness.record([CRITICAL_ABORT])?;
        harness.trigger_event(BEFORE_COMMAND, APPLICATION_ENDPOINT, starting())?;
        clock.advance(Duration::from_secs(2 * 3600 - 1));
        recorder.expect_nothing_else()?;
        clock.advance(Duration::from_secs(1));
        let is_said =
            |abort: &Abort| &*abort.reason == "the time limit of the command (7200s) was reached";
        recorder
            .expect(CRITICAL_ABORT)
            .from(COMMAND_TIMEOUT_ENDPOINT)
            .with(is_said)
            .arrives()?;
        clock.advance(Duration::from_hours(10));
        recorder.expect_nothing_else()?;
        harness.destroy()?;
        Ok(())
    }

    #[test]
    fn a_command_that_ends_in_time_leaves_no_timer() -> TestResult {
        let clock = FakeClock::new();
        let harness = harness(&clock);
        harness.trigger_event(BEFORE_COMMAND, APPLICATION_ENDPOINT, starting())?;
        assert_eq!(clock.timers().len(), 1);
        harness.destroy()?;
        assert_eq!(clock.timers(), []);
        Ok(())
    }
}
