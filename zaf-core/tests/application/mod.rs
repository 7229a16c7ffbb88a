//! The life of an application: inside this process, and as a process with signals and streams of its own.

mod configuration;
mod introspection;
mod process;
mod recorder;
mod run;
