//! Tests of the harness, of the extension guide and of the rules of the workspace.

mod workspace_rules;
