//! Tests of `zk2` as a user sees it: command lines, exit codes, files, signals.
#![expect(
    clippy::disallowed_methods,
    reason = "a user starts processes and waits for them too"
)]

mod bad_input;
mod event_log;
mod kinds;
mod linked;
mod selection;
mod session;
mod stopping;
mod verdicts;
