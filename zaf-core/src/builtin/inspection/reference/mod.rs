//! The commands `docs` and `help`: everything that is declared, as pages of a book and in the terminal.
//!
//! ```text
//!  descriptors ─► collect ─┬─► Topics ─┬─► pages ───► files      docs
//!                          │           └─► terminal              help NAME
//!                          └─► routes ───► diagram ─► files      docs
//! ```
//!
//! The arrows are pure but for the last one of `docs`. The command `help` is run for what is no command: of commands the
//! command line shows the help itself.

mod collect;
mod diagram;
mod files;
mod markdown;
mod messages;
mod options;
mod pages;
mod routes;
mod terminal;
mod topic;

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use self::collect::{Sources, all_routes, topics};
use self::pages::pages;
use self::topic::{Topic, TopicKind};
use super::{Inspection, adding, command};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{Key, OptionId, nearest};
use crate::error::{Error, Result};
use crate::extension::ExtensionDescriptor;

/// Directory of the pages. `docs --dir`; default `reference`.
pub const DOCS_DIR: OptionId<Utf8PathBuf> =
    OptionId::path("dir").describe("Directory of the pages; `reference` if none is named.");

/// Where pages are written if nobody says where.
const FOLDER: &str = "reference";

/// Whether nothing is written, and pages that are out of date are an error. `docs --check`.
pub const DOCS_CHECK: OptionId<bool> =
    OptionId::flag("check").describe("Write nothing; end with 1 if a page is out of date.");

/// Names to explain.
pub const HELP_TOPIC: OptionId<Vec<String>> = OptionId::text("topic")
    .describe("Command, option, extension, message, endpoint or component.")
    .multiple()
    .argument();

/// `docs`: writes the reference as pages for mdBook.
pub const DOCS_COMMAND: CommandDescriptor = command(
    "docs",
    "Writes the reference of everything that is declared, as pages for mdBook.\n\nThe pages are about this application: its name, \
     its commands, its options. They depend on nothing but what is linked, so that they can be kept beside the code; `--check` says \
     whether they are up to date. `summary.md` has the lines for the summary of the book. Diagrams (SVG) show who sends what to whom: \
     `messages.svg` all endpoints, and one each their messages.",
    &[DOCS_DIR.optional(), DOCS_CHECK.optional()],
    docs,
    (file!(), line!()),
);

/// `help NAME`: explains names. The command line explains the names of commands itself.
pub const HELP_TOPIC_COMMAND: CommandDescriptor = CommandDescriptor {
    hidden: true,
    ..command(
        "help",
        "Explains a command, an option, an extension, a message, an endpoint or a component.",
        &[HELP_TOPIC.required()],
        help,
        (file!(), line!()),
    )
};

pub(super) const DOCS: ExtensionDescriptor = adding(
    "docscommand",
    "Adds the command that writes the reference.",
    &[&DOCS_COMMAND],
    (file!(), line!()),
);

pub(super) const HELP: ExtensionDescriptor = adding(
    "helpcommand",
    "Adds the command that explains names.",
    &[&HELP_TOPIC_COMMAND],
    (file!(), line!()),
);

fn sources<'a>(cx: &CommandContext<'a>, inspection: &'a Inspection) -> Sources<'a> {
    Sources {
        application: cx.application(),
        catalog: &inspection.catalog,
        components: cx.scope().registry(),
        bus: cx.bus(),
    }
}

fn docs(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::everywhere(cx)?;
    let directory = cx.config().get_optional(DOCS_DIR)?;
    let directory = directory.unwrap_or_else(|| FOLDER.into());
    let sources = sources(cx, &inspection);
    let folder = directory.file_name().unwrap_or(FOLDER);
    let program = &cx.application().program;
    let routes = all_routes(&sources);
    let pages = pages(program, &topics(&sources), &routes, folder);
    let changes = files::compare(&directory, &pages).map_err(wrong_use)?;
    let mut text = String::new();
    let is_check = cx.config().get_optional(DOCS_CHECK)?.unwrap_or(false);
    let (new, different, stale) = if is_check {
        ("is missing", "differs", "is stale")
    } else {
        files::apply(&directory, &pages, &changes)
            .map_err(|error| ExitCode::ReportFailed.with_error(error))?;
        ("written", "rewritten", "removed")
    };
    // Writing to a `String` cannot fail.
    for name in &changes.new {
        let _ = writeln!(text, "{}: {new}", directory.join(name));
    }
    for (name, line) in &changes.changed {
        let _ = writeln!(text, "{}:{line}: {different}", directory.join(name));
    }
    for name in &changes.stale {
        let _ = writeln!(text, "{}: {stale}", directory.join(name));
    }
    let _ = match (changes.is_empty(), is_check) {
        (true, _) => writeln!(text, "{} pages are up to date", pages.len()),
        (false, true) => writeln!(
            text,
            "the reference is out of date: `{} docs --dir {directory}` writes it",
            cx.application().program
        ),
        (false, false) => Ok(()),
    };
    inspection.write(&text)?;
    if is_check && !changes.is_empty() {
        return Ok(ExitCode::CasesFailed);
    }
    Ok(ExitCode::Success)
}

fn wrong_use(error: files::PagesError) -> Error {
    ExitCode::Usage.with_error(error)
}

fn help(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::everywhere(cx)?;
    let topics = topics(&sources(cx, &inspection));
    let prefix = &cx.application().environment_prefix;
    let mut text = String::new();
    for name in cx.config().get(HELP_TOPIC)? {
        let found = find(&topics, &name, prefix);
        if found.is_empty() {
            return Err(unknown(&topics, &name, &cx.application().program));
        }
        for topic in found {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&terminal::shown(topic, inspection.console.width()));
        }
    }
    inspection.write(&text)
}

/// The topics that a name means: those that are called so; else, letters of either case; else the option that is spelled so in any
/// way.
fn find<'a>(topics: &'a [Topic], name: &str, prefix: &str) -> Vec<&'a Topic> {
    let exact: Vec<&Topic> = topics.iter().filter(|topic| topic.name == name).collect();
    if !exact.is_empty() {
        return exact;
    }
    let folded = |topic: &&Topic| topic.name.eq_ignore_ascii_case(name);
    let any_case: Vec<&Topic> = topics.iter().filter(folded).collect();
    if !any_case.is_empty() {
        return any_case;
    }
    let variable = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    let spelled = [Some(name), variable].into_iter().flatten();
    let keys: Vec<Key> = spelled
        .map(|spelling| Key::fold(&spelling.to_lowercase()))
        .collect();
    topics
        .iter()
        .filter(|topic| topic.kind == TopicKind::Option && keys.contains(&Key::fold(&topic.name)))
        .collect()
}

fn unknown(topics: &[Topic], name: &str, program: &str) -> Error {
    let error = Error::msg(format_args!("nothing is called `{name}`"));
    let lower = name.to_lowercase();
    let names = || topics.iter().map(|topic| topic.name.as_str());
    let near = nearest(name, names()).map(str::to_owned).or_else(|| {
        let lowered: Vec<String> = names().map(str::to_lowercase).collect();
        let near = nearest(&lower, lowered.iter().map(String::as_str))?;
        names()
            .find(|name| name.to_lowercase() == near)
            .map(str::to_owned)
    });
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "`{program} commands`, `extensions`, `messages`, `endpoints` and `components` list what there is"
        ),
    };
    ExitCode::Usage.with_error(error.hint(hint))
}
