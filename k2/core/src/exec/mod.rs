//! Running commands for a test case, wherever they run.
//!
//! A [`Command`] says what to run; an [`Exec`] runs it. Behind every [`Exec`] is an [`Executor`]: the one of this machine is
//! [`Host`], others (a container, a board at a serial line) come from extensions and differ in nothing that a case sees:
//! the same outputs, the same time limits, the same errors.
//!
//! [`Exec::run`] waits for the end; [`Exec::start`] returns a [`Process`] to talk with. Whatever is still running when the
//! [`Exec`] is dropped is ended.

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
