//! The life of an application: inside this process, and as a process with signals and streams of its own.

mod completion;
mod components;
mod configuration;
mod database;
mod introspection;
mod introspection_broken;
mod introspection_lists;
mod kitchen;
mod many;
mod process;
mod recorder;
mod reference;
mod run;
mod values;
