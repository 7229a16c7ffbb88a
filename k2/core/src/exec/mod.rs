//! Running commands for a test case, wherever they run.
//!
//! A [`Command`] says what to run; an [`Exec`] runs it. Behind every [`Exec`] is an [`Executor`]: the one of this machine is
//! [`Host`], others (a container, a board at a serial line) come from extensions and differ in nothing that a case sees:
//! the same outputs, the same time limits, the same errors.
//!
//! [`Exec::run`] waits for the end; [`Exec::start`] returns a [`Process`] to talk with. Whatever is still running when the
//! [`Exec`] is dropped is ended.
//!
//! ```
//! # use k2_core as k2;
//! use std::sync::Arc;
//!
//! use k2::exec::{Command, Exec, Expected, Host};
//! use k2::supervisor::Cancellation;
//! use zaf_core::prelude::*;
//!
//! # fn main() -> Result<()> {
//! // A test case asks for `exec: &Exec`; here one is made by hand.
//! let exec = Exec::new(Arc::new(Host::new()), Cancellation::new()?);
//! let finished = exec.run(&Command::shell("echo out; echo err >&2; exit 3").expect(Expected::Anything))?;
//! assert_eq!((finished.stdout.trim(), finished.stderr.trim()), ("out", "err"));
//! // Another exit code than 0 is an error with what was printed, unless it was expected.
//! let error = exec.run(&Command::shell("echo no room >&2; exit 1")).expect_err("it failed");
//! assert!(error.to_string().contains("no room"), "{error}");
//! // To talk with one that goes on.
//! let cat = exec.start(&Command::new("cat"))?;
//! cat.write("hello\n")?;
//! cat.close_input();
//! assert_eq!(cat.wait()?.stdout, "hello\n");
//! # Ok(())
//! # }
//! ```

mod command;
mod environment;
mod error;
mod executor;
mod host;
mod process;
mod transcript;

pub use command::{Command, Expected};
pub use environment::{Environment, EnvironmentGuard};
pub use error::ExecError;
pub use executor::{Control, Exec, Executor, Feed};
pub use host::Host;
pub use process::{Finished, Process};
pub use transcript::Found;

#[cfg(test)]
mod tests;
