//! Tests of the harness, of the extension guide and of the rules of the workspace.

mod extension_guide;
mod harness;
mod workspace_rules;
