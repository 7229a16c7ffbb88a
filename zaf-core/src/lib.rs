//! Framework for applications made of extensions.

pub mod application;
pub mod builtin;
pub mod command;
pub mod component;
pub mod config;
mod error;
pub mod extension;
pub mod message;
pub mod prelude;
#[doc(hidden)]
pub mod private;

pub mod thread;

pub use error::{Error, Result};
