//! Framework for applications made of extensions.

// What the macros emit says `::zaf_core`, here too.
extern crate self as zaf_core;

pub mod application;
pub mod command;
pub mod component;
pub mod config;
mod error;
pub mod extension;
mod glue;
pub mod message;
pub mod prelude;
#[doc(hidden)]
pub mod private;
mod sync;
pub mod thread;

pub use error::{Error, Result};

#[cfg(panic = "abort")]
compile_error!(
    "zaf-core needs `panic = \"unwind\"`: a panic of one handler must not end the others. Remove `panic = \"abort\"` from the profile."
);
