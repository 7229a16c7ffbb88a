//! Commands that add something to an extension that exists.

use zaf_core::prelude::*;

use crate::addition::Addition;
use crate::create::{here, refused};
use crate::error::AddonError;
use crate::options::{EXTENSION, PACKAGE};
use crate::replacement::apply;

/// Lets `add` add to the extension that the options of the command name, and writes what has changed.
pub(crate) fn change(
    cx: &CommandContext<'_>,
    add: impl FnOnce(Addition) -> std::result::Result<Addition, AddonError>,
) -> Result<ExitCode> {
    let config = cx.config();
    let extension = config.get_optional(EXTENSION)?;
    let package = config.get(PACKAGE).unwrap_or_default();
    let edit = here()
        .and_then(|here| Addition::to(&here, &package, extension.as_deref()))
        .and_then(add)
        .and_then(Addition::edit)
        .map_err(refused)?;
    apply(cx, &[edit])
}
