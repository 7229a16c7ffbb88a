//! An application: its life cycle, its signals, its exit codes.
//!
//! [`Application`] is what a `main` makes and runs. One run is: load the extensions ([`crate::extension`]), watch for
//! signals, trigger [`BEFORE_COMMAND`], run the command, trigger [`AFTER_COMMAND`], take everything down in reverse order,
//! say what went wrong, end with one of the [`ExitCode`]s. Whatever fails on the way, the later steps still happen, and each
//! has a limit of time: nothing can keep the process from ending.
//!
//! Nothing here is global but what a process has only one of: signal handlers and the log subscriber, which
//! [`Application::run`] installs and [`Application::run_with`] does not.

mod arrivals;
mod builder;
pub mod colour;
mod console;
mod escalation;
mod events;
mod exit;
mod failure;
mod front;
mod given;
mod inspection;
mod lifecycle;
pub(crate) mod logging;
mod signal;

pub use builder::Application;
pub use console::{Captured, Console, ConsoleGuard, Stream};
pub use events::{
    ABORT, AFTER_COMMAND, Abort, BEFORE_COMMAND, CRITICAL_ABORT, CommandEnded, CommandStarting,
};
pub use exit::{CodedError, ExitCode};
pub use failure::{EarlyEnd, Failure, FailureKind};
pub use front::{BeforeStart, Front, SignalRelay, Start};
pub use lifecycle::{ABORT_GRACE, TEARDOWN_TIMEOUT};
pub use logging::{Log, LogScope};
