//! Tests of `zk2` as a user sees it: command lines, exit codes, files, signals.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a user starts processes, and what cannot be set up fails the test"
)]

mod addon;
mod aftermath;
mod bad_input;
mod book;
mod chaos;
mod completion;
mod durable;
mod event_log;
mod extension_guide;
mod faults;
mod flaws;
mod growth;
mod guard;
mod history;
mod hooks;
mod inside;
mod introspection;
mod isolation;
mod job_control;
mod keeping;
mod kinds;
mod last_screen;
mod leaks;
mod linked;
mod logs;
mod manual;
mod memory;
mod merge;
mod nested;
mod nth_fault;
mod outcomes;
mod parameters;
mod pausing;
mod plugin_examples;
mod plugin_faults;
mod plugins;
mod plugins_in_a_harness;
mod reap;
mod report;
mod restart;
mod scheduling;
mod scopes;
mod screens;
mod secrets;
mod selection;
mod session;
mod small_disk;
mod status;
mod steady;
mod stop_order;
mod stopping;
mod surroundings;
mod suts;
mod terminal;
mod verdicts;
