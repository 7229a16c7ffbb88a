//! Test framework made of extensions: the library of `zk2` and of every command made from it.
//!
//! A test command of your own is a `main` of three lines, and whatever extensions and test cases you link into it:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     k2::application("acme").version(env!("CARGO_PKG_VERSION")).run()
//! }
//! ```
//!
//! Its `Cargo.toml` names two crates, because what the attributes make of your code refers to both; and the harness for its tests. Rust 1.95 or newer.
//!
//! ```toml
//! [dependencies]
//! k2 = "0.1"         # default-features = false: without the default extensions
//! zaf-core = "0.1"
//!
//! [dev-dependencies]
//! zaf-harness = "0.1"
//! ```
//!
//! This crate adds the default extensions (each family behind a feature, see `Cargo.toml`) to the library `k2-core`, whose items
//! it re-exports. The three things to know are [`test_case`], which makes a function a test case, [`messages`], which is what
//! extensions listen to, and [`application`]:
//!
//! | To … | use |
//! | --- | --- |
//! | write a test case | [`test_case`], [`TestContext`], [`check!`], [`skip()`] |
//! | run commands and processes in it, wait, have a directory of its own | [`exec`], and the crates behind `k2::proc`, `k2::waitfor`, `k2::workspace` |
//! | hear of what happens in a run | [`messages`] |
//! | find cases in files of a kind of your own | [`finder`] |
//! | read results, and write a report of them | [`results`] |
//! | describe what is tested | [`sut`] |
#![cfg_attr(not(test), warn(unused_crate_dependencies))]

#[cfg(doctest)]
mod book;
mod link;

pub use k2_core::{
    LIST_COMMAND, RUN_COMMAND, TestContext, TestResult, application, case, check, check_eq,
    check_ne, command, exec, fail, finder, hooks, messages, parameter, prelude, private, results,
    runner, scheduler, skip, supervisor, sut, test_case, test_module,
};
#[cfg(feature = "proc")]
pub use k2_proc as proc;
#[cfg(feature = "waitfor")]
pub use k2_waitfor as waitfor;
#[cfg(feature = "workspace")]
pub use k2_workspace as workspace;
