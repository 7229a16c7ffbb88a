//! Links to running plugins: programs and libraries that behave, and all the ways not to.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "starts compilers and interpreters, and says which are missing; a test that cannot go on ends"
)]

mod c;
mod check;
mod host;
mod library;
mod panics;
mod process;
mod scripted;
mod turns;
