//! The life of an application: inside this process, and as a process with signals and streams of its own.

mod configuration;
mod introspection;
mod introspection_broken;
mod introspection_lists;
mod kitchen;
mod process;
mod recorder;
mod reference;
mod run;
