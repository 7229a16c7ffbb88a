//! Manual pages: what help says, for `man`.
//!
//! `man` prints the page of the application, `man run` that of a command; with `--man-dir` all pages are written into a
//! directory, for those who make packages. Hidden commands and options are not in them.

mod page;

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::declare::Declaration;
use super::model::Model;
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor, PREVIEW};
use crate::config::{ConfigOption, OptionId, nearest};
use crate::error::{Error, Result};
use crate::extension::{Catalog, Extension, ExtensionContext, ExtensionDescriptor};

/// The command that a page is about, one word for each command on the way to it; without one, the application. Positional
/// arguments.
pub const MAN_COMMAND: OptionId<Vec<String>> = OptionId::text("man.command")
    .multiple()
    .argument()
    .describe("The command that the page is about; none: the application");

/// Directory that all pages are written into. `--man-dir`; made if it is missing.
pub const MAN_DIR: OptionId<Utf8PathBuf> =
    OptionId::path("man.dir").describe("Write all pages into this directory.");

const OPTIONS: [ConfigOption; 2] = [MAN_COMMAND.optional(), MAN_DIR.optional()];

/// `man`: prints a manual page, or writes all of them.
pub const MAN_COMMAND_COMMAND: CommandDescriptor = CommandDescriptor {
    name: "man",
    description: "Prints a manual page, or writes all of them.\n\n\
        `man -l -` shows what is printed. A package has the pages in share/man/man1.",
    parent: None,
    uses: &[PREVIEW],
    config_options: &OPTIONS,
    hidden: false,
    requirements: &[],
    run,
    krate: env!("CARGO_PKG_NAME"),
    file: file!(),
    line: line!(),
};

/// Adds the command `man`.
#[derive(Debug)]
pub struct Man;

pub(in super::super) const MAN: ExtensionDescriptor = Declaration {
    name: "mancommand",
    description: "Adds the command that writes manual pages.",
    load_order: 110,
    config_options: &[],
    commands: &[&MAN_COMMAND_COMMAND],
    file: file!(),
    line: line!(),
}
.of::<Man>();

impl Extension for Man {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// The pages cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the manual page `{path}` cannot be written")]
struct WriteError {
    path: Utf8PathBuf,
    #[source]
    cause: std::io::Error,
}

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let model = Model::new(&*cx.component::<Catalog>()?, cx.application());
    let console = cx.component::<Console>()?;
    let words = cx.config().get(MAN_COMMAND)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(directory) = cx.config().get_optional(MAN_DIR)? else {
        let command = match model.find(&words) {
            Some((command, count)) if count == words.len() => Some(command),
            None if words.is_empty() => None,
            _ => return Err(unknown(&model, &words.join(" "))),
        };
        let page = page::roff(&model, command);
        console.stdout().write_all(page.as_bytes())?;
        return Ok(ExitCode::Success);
    };
    if !words.is_empty() {
        let error = Error::msg("a command and --man-dir contradict each other");
        let error = error.hint("with --man-dir the pages of all commands are written");
        return Err(ExitCode::Usage.with_error(error));
    }
    let directory = cx.application().invocation.directory.join(directory);
    let count =
        write_all(&model, &directory).map_err(|error| ExitCode::ReportFailed.with_error(error))?;
    writeln!(console.stderr(), "{count} manual pages in {directory}")?;
    Ok(ExitCode::Success)
}

/// Writes the pages of the application and of all commands that are not hidden; says how many these are.
fn write_all(model: &Model, directory: &Utf8Path) -> Result<usize, WriteError> {
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |cause| WriteError { path, cause }
    };
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let commands = model.commands.iter().filter(|command| !command.hidden);
    let mut count = 0;
    for command in std::iter::once(None).chain(commands.map(Some)) {
        let path = directory.join(page::file_name(model, command));
        std::fs::write(&path, page::roff(model, command)).map_err(failed(&path))?;
        count += 1;
    }
    Ok(count)
}

fn unknown(model: &Model, path: &str) -> Error {
    let error = Error::msg(format_args!("there is no command `{path}`"));
    let paths = model.commands.iter().map(|command| command.path.as_str());
    let hint = match nearest(path, paths) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`{} --help` lists the commands", model.program),
    };
    ExitCode::Usage.with_error(error.hint(hint))
}
