//! The command that does nothing: for measuring the start, and for checking a configuration.

use super::declare::Declaration;
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::error::Result;
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};

/// `noop`: loads everything, does nothing, succeeds.
pub const NOOP_COMMAND: CommandDescriptor = CommandDescriptor {
    name: "noop",
    description: "Loads everything and does nothing.",
    parent: None,
    uses: &[],
    config_options: &[],
    hidden: true,
    requirements: &[],
    run: noop,
    krate: env!("CARGO_PKG_NAME"),
    file: file!(),
    line: line!(),
};

/// Adds [`NOOP_COMMAND`].
#[derive(Debug)]
pub struct Noop;

pub(super) const NOOP: ExtensionDescriptor = Declaration {
    name: "noop",
    description: "Adds the command that does nothing.",
    load_order: 110,
    config_options: &[],
    commands: &[&NOOP_COMMAND],
    file: file!(),
    line: line!(),
}
.of::<Noop>();

impl Extension for Noop {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature is the same for all commands"
)]
fn noop(_: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}
