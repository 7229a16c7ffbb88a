//! Tests of the harness and of the rules of the workspace.

mod harness;
mod workspace_rules;
