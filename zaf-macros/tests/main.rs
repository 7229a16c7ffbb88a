//! Tests of the macros: what has to compile is compiled here and looked at, what must not is in `ui/*/fail` with its message.

#![expect(
    clippy::assertions_on_constants,
    reason = "return types and constants are what the macros are tested with"
)]

mod compile_fail;

#[path = "ui/command/pass/mod.rs"]
mod command;
#[path = "ui/component/pass/mod.rs"]
mod component;
#[path = "ui/dispatchers/pass/mod.rs"]
mod dispatchers;
#[path = "ui/extension/pass/mod.rs"]
mod extension;
#[path = "ui/requires/pass/mod.rs"]
mod requires;
#[path = "ui/test_case/pass/mod.rs"]
mod test_case;
