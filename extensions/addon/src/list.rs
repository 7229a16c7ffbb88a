//! `addon list`.

use std::io::Write as _;

use zaf_core::application::Console;
use zaf_core::builtin::LIST_FORMAT;
use zaf_core::prelude::*;

use super::ADDON_COMMAND;
use crate::create::here;
use crate::error::AddonError;
use crate::survey::Found;
use crate::workspace::Workspace;

/// Version of the fields in JSON: a new field is a new minor version, another meaning a new major one.
const SCHEMA: &str = "1.0";

/// Lists the addons of the workspace around the current directory.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "list", parent = ADDON_COMMAND, config_options = [LIST_FORMAT.required()])]
pub fn addon_list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let found = survey()?;
    let console = cx.component::<Console>()?;
    if cx.config().get(LIST_FORMAT)? == "json" {
        let document = serde_json::json!({ "schema": SCHEMA, "addons": found });
        writeln!(console.stdout(), "{document:#}")?;
        return Ok(ExitCode::Success);
    }
    let width = found
        .iter()
        .map(|addon| addon.package.len())
        .max()
        .unwrap_or(0);
    for addon in &found {
        let linked = match addon.linked_by.as_slice() {
            [] => "linked by nobody".to_owned(),
            products => format!("linked by {}", products.join(", ")),
        };
        writeln!(
            console.stdout(),
            "{:width$}  {}  ({linked})",
            addon.package,
            addon.description
        )?;
    }
    if found.is_empty() {
        writeln!(console.stderr(), "no package of the workspace is an addon")?;
    }
    Ok(ExitCode::Success)
}

/// The addons of the workspace around the current directory.
pub(crate) fn survey() -> Result<Vec<Found>> {
    let usage = |error: AddonError| ExitCode::Usage.with_error(error);
    let here = here().map_err(usage)?;
    let Some(workspace) = Workspace::around(&here).map_err(usage)? else {
        return Err(usage(AddonError::Workspace {
            path: here,
            reason: "there is no workspace around it: no Cargo.toml with `[workspace]`".to_owned(),
        }));
    };
    Found::of(&workspace).map_err(usage)
}
