//! Runs the processes of test cases, and leaves none behind.
//!
//! [`run`] starts one process in a process group of its own and blocks its thread until that process and everything it
//! left behind are gone. One poll loop watches the process, its two output pipes, the clock and the [`Cancellation`];
//! there are no helper threads, and nothing runs between fork and exec (the standard library can use `posix_spawn`).
//!
//! Invariants
//! - The process is never waited for by pid after it was reaped, and nothing is signalled that is not proven to belong
//!   to the case: by the process group, by the cookie in its environment, or by its parent.
//! - Output costs bounded memory, whatever the process writes: see [`CapturedOutput`].
//! - Which of "it ended" and "it was ended" happened is decided once: if a signal of ours went out first, it was ended.
//!
//! ```
//! # use k2_core as k2;
//! use std::time::Duration;
//! use k2::supervisor::{Cancellation, EndedBy, ExitStatus, ProcessSpec, run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cancellation = Cancellation::new()?;
//! let shell = |script: &str| ProcessSpec::new("/bin/sh").arguments(["-c", script]);
//! let end = run(&shell("echo done; exit 4"), &cancellation)?;
//! assert_eq!((end.exit, end.stdout.text().trim()), (Some(ExitStatus::Code(4)), "done"));
//! // One that takes too long, and what it has started.
//! let slow = shell("sleep 60 & sleep 60").timeout(Duration::from_millis(50));
//! let end = run(&slow, &cancellation)?;
//! assert!(matches!(end.ended_by, EndedBy::Timeout(_)), "{end:?}");
//! # Ok(())
//! # }
//! ```

pub(crate) mod apart;
mod cancellation;
mod capture;
pub(crate) mod clock;
pub(crate) mod cookie;
mod end;
mod error;
pub(crate) mod guard;
mod inherited;
pub(crate) mod job_control;
mod latest;
mod leftovers;
pub(crate) mod pause;
mod phases;
mod procfs;
pub(crate) mod reap;
mod run;
pub(crate) mod shim;
mod spawn;
mod spec;
mod stream;
mod withheld;

pub use cancellation::{Cancellation, Direction, Level, WaitEnd};
pub use capture::CapturedOutput;
pub use clock::RunClock;
pub use cookie::COOKIE_VARIABLE;
pub use end::{EndedBy, ExitStatus, LeakedProcess, ProcessEnd, signal_name};
pub use error::SpawnError;
pub use guard::GUARD;
pub use inherited::{ENV_ALLOW, ENV_INHERIT};
pub use leftovers::prepare;
pub use run::run;
pub use spec::{
    ATTACHMENTS_VARIABLE, CASE_ID_VARIABLE, EXECUTION_VARIABLE, OutputFiles, OutputStream,
    ProcessSpec, ProcessWatcher, VARIABLES_OF_A_CASE,
};
pub(crate) use withheld::withhold_by_options;
pub use withheld::{SECRETS, withhold};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
