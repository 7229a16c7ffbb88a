//! Tests of the harness and of the rules of the workspace.

mod built_in;
mod cli;
mod clock;
mod command_run;
mod harness;
mod idle;
mod logs;
mod named_tests;
mod recorder;
mod registration;
mod used_components;
mod workspace_rules;
