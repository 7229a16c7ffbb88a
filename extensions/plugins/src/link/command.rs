//! The command `plugin check`: what an author runs on a plugin.

use std::io::Write as _;
use std::path::Path;

use camino::Utf8PathBuf;
use thiserror::Error;
use zaf_core::application::Console;
use zaf_core::extension::Catalog;
use zaf_core::message::MessageKind;
use zaf_core::prelude::*;

use super::{CheckReport, Launch, check_library_plugin, check_program};
use crate::host;
use crate::package::{MANIFEST, Package, Program};
use crate::protocol::Kind;
use crate::trust::PROBE_PLUGIN_COMMAND;

/// What is checked: a program, a library, or the folder of a plugin.
pub const CHECKED_PLUGIN: OptionId<Utf8PathBuf> = OptionId::path("plugin.path")
    .argument()
    .describe("A program, a library, or the folder of a plugin.");

/// What cannot be checked.
#[derive(Debug, Error)]
#[error("`{path}` cannot be read")]
struct Unreadable {
    path: Utf8PathBuf,
    #[source]
    source: std::io::Error,
}

/// For authors of plugins.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "plugin")]
pub fn plugin(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Usage)
}

/// Drives a plugin through its protocol and says what is wrong.
///
/// It is started, asked what it is, given the samples of its messages, something that it cannot know and something that is no frame,
/// and stopped; a second time, its input ends. Each step is a line, with what helps where it failed. This runs the plugin:
/// name only what you would run.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "check", parent = PLUGIN_COMMAND, config_options = [CHECKED_PLUGIN.required()])]
pub fn plugin_check(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let path = cx.config().get(CHECKED_PLUGIN)?;
    let path = cx.application().invocation.directory.join(path);
    let report = check(cx, &path)?;
    let console = cx.component::<Console>()?;
    write!(console.stdout(), "{report}")?;
    Ok(if report.is_ok() {
        ExitCode::Success
    } else {
        ExitCode::ExtensionFailed
    })
}

fn check(cx: &CommandContext<'_>, path: &Utf8PathBuf) -> Result<CheckReport> {
    let unreadable = |source| {
        ExitCode::Usage.with_error(Unreadable {
            path: path.clone(),
            source,
        })
    };
    let path = std::fs::canonicalize(path).map_err(unreadable)?;
    let (file, arguments, is_library) = if path.join(MANIFEST).is_file() {
        // The author has named it: who else may write there is looked at when it is loaded.
        let package =
            Package::read(&path, true).map_err(|error| ExitCode::Usage.with_error(error))?;
        let is_library = matches!(package.manifest.program, Program::Library(_));
        (package.file.clone(), package.arguments(), is_library)
    } else {
        let is_library = path.extension().is_some_and(|extension| extension == "so");
        (path, Vec::new(), is_library)
    };
    let application = cx.application();
    let mut launch = Launch::new(file);
    launch.arguments = arguments;
    launch.directory = launch.file.parent().map(Path::to_owned);
    launch
        .environment
        .clone_from(&application.invocation.environment);
    // As where it is run: nothing is to appear in its folder.
    let quiet = ("PYTHONDONTWRITEBYTECODE".into(), "1".into());
    launch.environment.push(quiet);
    launch.host = (
        application.name.to_string(),
        application.version.to_string(),
    );
    // A library that crashes or hangs when it is opened does so in a child.
    let is_probe = |name| name == PROBE_PLUGIN_COMMAND.name;
    if let Ok(catalog) = cx.component::<Catalog>() {
        let mut commands = catalog.commands().iter();
        if commands.any(|(_, entry)| is_probe(entry.command.name)) {
            launch.probe = host::probe();
        }
        launch.deadlines.open = host::open_limit(catalog.store());
    }
    let messages = cx.bus().messages();
    let kind_of = |name: &str| {
        let (message, _) = messages.iter().find(|(message, _)| message.name == name)?;
        Some(match message.kind {
            MessageKind::Request => Kind::Request,
            _ => Kind::Event,
        })
    };
    Ok(if is_library {
        check_library_plugin(&launch, &kind_of)
    } else {
        check_program(&launch, &kind_of)
    })
}

/// Adds the command `plugin check`.
#[framework_extension(
    name = "plugincheck",
    load_order = 110,
    commands = [PLUGIN_COMMAND, PLUGIN_CHECK_COMMAND],
)]
#[derive(Debug)]
pub struct PluginCheck;

impl Extension for PluginCheck {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
