//! The command that a child of this program runs: it opens the library of a plugin for the first time, and may die of it.

use camino::Utf8PathBuf;
use zaf_core::prelude::*;

use crate::link::serve_probe;

/// The library.
pub const PROBE_FILE: OptionId<Utf8PathBuf> = OptionId::path("probe.file")
    .argument()
    .describe("The library.");

/// Opens the library of a plugin and says what it is, for the program that started this one.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "probe-plugin",
    hidden,
    uses = ["preview"],
    config_options = [PROBE_FILE.required()],
)]
pub fn probe_plugin(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let file = cx.config().get(PROBE_FILE)?;
    match serve_probe(file.as_std_path()) {
        Ok(()) => Ok(ExitCode::Success),
        Err(problem) => Err(ExitCode::ExtensionFailed.with_error(Error::msg(problem))),
    }
}
