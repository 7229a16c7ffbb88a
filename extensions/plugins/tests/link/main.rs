//! Links to running plugins: programs and libraries that behave, and all the ways not to.

#![allow(
    clippy::disallowed_methods,
    reason = "starts compilers and interpreters, and looks for them on the path"
)]

mod host;
mod process;
mod scripted;
