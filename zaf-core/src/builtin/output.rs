//! Where an application puts what it produces.

use camino::Utf8PathBuf;

use super::declare::Declaration;
use crate::config::OptionId;
use crate::error::Result;
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};

/// Directory for everything that a run produces. `--output-dir`, `<PREFIX>_OUTPUT_DIR`; default `output` in the working
/// directory. Made by whoever writes into it first.
pub const OUTPUT_DIR: OptionId<Utf8PathBuf> = OptionId::path("output.dir")
    .describe("Directory for everything that a run produces.")
    .default("output");

/// Declares [`OUTPUT_DIR`] for every application.
#[derive(Debug)]
pub struct Output;

pub(super) const OUTPUT: ExtensionDescriptor = Declaration {
    name: "output",
    description: "Says where a run puts what it produces.",
    load_order: 30,
    config_options: &[OUTPUT_DIR.optional()],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<Output>();

impl Extension for Output {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
