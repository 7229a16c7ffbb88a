//! An application: its life cycle, its signals, its exit codes.
//!
//! [`Application`] is what a `main` makes and runs. One run is: load the extensions ([`crate::extension`]), watch for
//! signals, trigger [`BEFORE_COMMAND`], run the command, trigger [`AFTER_COMMAND`], take everything down in reverse order,
//! say what went wrong, end with one of the [`ExitCode`]s. Whatever fails on the way, the later steps still happen, and each
//! has a limit of time: nothing can keep the process from ending.
//!
//! Nothing here is global but what a process has only one of: signal handlers and the log subscriber, which
//! [`Application::run`] installs and [`Application::run_with`] does not.
//!
//! A program in a program, as tests run it; a real `main` returns `Application::new("acme").run()`:
//!
//! ```
//! use zaf_core::application::{Application, Console};
//! use zaf_core::command::Invocation;
//! use zaf_core::prelude::*;
//!
//! /// Looks for a licence, and finds none.
//! #[command(name = "license")]
//! fn license(_: &CommandContext<'_>) -> Result<ExitCode> {
//!     Err(Error::msg("there is no licence").hint("ask the one who sold it"))
//! }
//!
//! /// Adds the command.
//! #[framework_extension(name = "licenses", commands = [LICENSE_COMMAND])]
//! struct Licenses;
//!
//! impl Extension for Licenses {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! fn main() {
//!     let run = |line: &[&str]| {
//!         let (console, printed) = Console::captured();
//!         let acme = Application::new("acme").version("1.2.0");
//!         let code = acme.run_with(Invocation::new(line.to_vec()), &console);
//!         (code, printed.stdout(), printed.stderr())
//!     };
//!     let (code, version, _) = run(&["--version"]);
//!     assert_eq!((code, &*version), (ExitCode::Success, "acme 1.2.0\n"));
//!     let (code, _, errors) = run(&["license"]);
//!     assert_eq!(code, ExitCode::CasesFailed);
//!     assert!(errors.contains("there is no licence") && errors.contains("ask the one who sold it"));
//!     assert_eq!(run(&["licence"]).0, ExitCode::Usage);
//! }
//! ```

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
mod last_words;
mod lifecycle;
pub(crate) mod logging;
mod signal;
mod within;

pub use builder::Application;
pub use console::{Captured, Console, ConsoleGuard, ConsoleWriter, Stream};
pub use events::{
    ABORT, AFTER_COMMAND, Abort, BEFORE_COMMAND, CRITICAL_ABORT, CommandEnded, CommandStarting,
};
pub use exit::{CodedError, ExitCode};
pub use failure::{EarlyEnd, Failure, FailureKind};
pub use front::{BeforeStart, Front, SignalRelay, Start};
pub use last_words::last_words;
pub use lifecycle::{ABORT_GRACE, TEARDOWN_TIMEOUT};
pub use logging::{Log, LogScope};
