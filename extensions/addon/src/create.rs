//! `addon create`.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use zaf_core::application::Console;
use zaf_core::extension::Catalog;
use zaf_core::prelude::*;

use super::ADDON_COMMAND;
use crate::answers::Answers;
use crate::ask::{self, Check, Known, Said, Topic};
use crate::error::AddonError;
use crate::kind::Kind;
use crate::name::AddonName;
use crate::options::{
    AUTHOR, DESCRIPTION, DRY_RUN, EXTENDS, LOAD_ORDER, NAME, ORIGIN, PARENT, PRODUCT, TEMPLATES,
    TYPE, YES,
};
use crate::origin::{Origin, packages};
use crate::plan::Plan;
use crate::template::Templates;
use crate::terminal::Terminal;
use crate::workspace::{Product, Workspace};

/// Directory of a product with templates of its own, for all addons that it links.
const OWN_TEMPLATES: &str = "addon-templates";

/// Writes a new addon, product or suite.
///
/// What is not said by options, or by a configuration file with answers, is asked for; with `--yes`, or without a terminal, nothing is
/// asked. What is written compiles and has a test that passes; it becomes a member of the workspace around it, and an extension of the
/// product there. Nothing is written if anything is in its place.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "create",
    parent = ADDON_COMMAND,
    config_options = [
        NAME.optional(), TYPE.optional(), EXTENDS.optional(), DESCRIPTION.optional(), AUTHOR.optional(),
        LOAD_ORDER.required(), ORIGIN.optional(), PARENT.optional(), PRODUCT.optional(), TEMPLATES.optional(),
        YES.required(), DRY_RUN.required()
    ],
)]
pub fn addon_create(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    let (answers, workspace) = answers(cx).map_err(refused)?;
    let plan = plan(cx, &answers, workspace.as_ref()).map_err(refused)?;
    if cx.config().get(DRY_RUN)? {
        write!(console.stdout(), "{}", plan.describe())?;
        return Ok(ExitCode::Success);
    }
    plan.write().map_err(refused)?;
    writeln!(console.stdout(), "{}", plan.directory)?;
    writeln!(
        console.stderr(),
        "{}",
        next_steps(&answers, &plan, workspace.as_ref())
    )?;
    Ok(ExitCode::Success)
}

const TYPE_UNSAID: &str = "the type";
const ORIGIN_UNSAID: &str = "where it gets k2 from";

/// Everything that goes wrong here is something that the user can put right: with other words, unless it is the machine that fails.
pub(crate) fn refused(error: AddonError) -> Error {
    let hint = match &error {
        AddonError::Unknown { what } => Some(match *what {
            TYPE_UNSAID => {
                "say `--type` with one of command, framework, components, report, test-kind, suite, product; and `--name`"
            }
            ORIGIN_UNSAID => {
                "say `--addon-origin path:DIRECTORY`, with the directory of its sources, or `git:URL`"
            }
            _ => "say `--name`, for example `--name my_probe`",
        }),
        AddonError::Exists { .. } => {
            Some("choose another `--name` or `--addon-parent`, or take away what is there")
        }
        _ => None,
    };
    let code = match &error {
        AddonError::Write { source, .. } if !is_wrong_place(source.kind()) => {
            ExitCode::ReportFailed
        }
        _ => ExitCode::Usage,
    };
    let failure = code.with_error(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Whether nothing can be written there at all, so that another place has to be named; else the disk is full or fails.
fn is_wrong_place(kind: ErrorKind) -> bool {
    use ErrorKind::{
        AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    matches!(
        kind,
        AlreadyExists
            | InvalidFilename
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
    )
}

fn answers(
    cx: &CommandContext<'_>,
) -> std::result::Result<(Answers, Option<Workspace>), AddonError> {
    let config = cx.config();
    let text = |option| config.get_optional(option).ok().flatten();
    let topics = [
        (Topic::Type, text(TYPE)),
        (Topic::Name, text(NAME)),
        (Topic::Description, text(DESCRIPTION)),
        (Topic::Extends, text(EXTENDS)),
        (Topic::Origin, text(ORIGIN)),
    ];
    let mut said = Said(
        topics
            .into_iter()
            .filter_map(|(topic, text)| Some((topic, text?)))
            .collect(),
    );
    let here = here()?;
    let named_parent = match config.get_optional(PARENT).ok().flatten() {
        Some(parent) => {
            let parent = here.join(parent);
            let found = parent.canonicalize_utf8();
            Some(found.map_err(|source| AddonError::Write {
                path: parent,
                source,
            })?)
        }
        None => None,
    };
    let there = there(cx, &here, named_parent.as_deref())?;
    let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if is_terminal && !config.get(YES).unwrap_or(false) {
        said = ask::ask_the_rest(said, &there, &mut Terminal::new(cx.bus(), cx.abort())?)?;
    }
    let kind = said
        .0
        .get(&Topic::Type)
        .ok_or(AddonError::Unknown { what: TYPE_UNSAID })?;
    let kind = Kind::of(kind).ok_or(AddonError::Unknown { what: TYPE_UNSAID })?;
    let name = said
        .0
        .get(&Topic::Name)
        .ok_or(AddonError::Unknown { what: "the name" })?;
    let name = AddonName::free(name, &there.extensions)?;
    let extends = said
        .0
        .remove(&Topic::Extends)
        .unwrap_or_else(|| ask::EXTENDS_UNSAID.to_owned());
    if kind == Kind::Command {
        let check = Check::Words("a command or a capability of one", there.extended.clone());
        check
            .check(&extends)
            .map_err(|expected| AddonError::Answer {
                what: "thing to extend",
                answer: extends.escape_debug().to_string(),
                expected,
            })?;
    }
    let around = Workspace::around(&here)?;
    let parent = named_parent.unwrap_or_else(|| {
        let home = around
            .as_ref()
            .filter(|_| kind.is_linked())
            .and_then(Workspace::home_of_addons);
        home.unwrap_or_else(|| here.clone())
    });
    let workspace = Workspace::around(&parent)?;
    let origin = origin(&said, &there, workspace.as_ref())?;
    let answers = Answers {
        kind,
        name,
        description: said
            .0
            .remove(&Topic::Description)
            .unwrap_or_else(|| ask::DESCRIPTION_UNSAID.to_owned()),
        author: text(AUTHOR).unwrap_or_default(),
        extends,
        load_order: u16::try_from(config.get(LOAD_ORDER).unwrap_or(101)).unwrap_or(1000),
        origin,
        parent,
    };
    let workspace = workspace.filter(|_| answers.origin == Origin::Workspace);
    Ok((answers, workspace))
}

/// The current directory, without links.
pub(crate) fn here() -> std::result::Result<Utf8PathBuf, AddonError> {
    let dot = Utf8Path::new(".");
    dot.canonicalize_utf8()
        .map_err(|error| AddonError::Workspace {
            path: dot.to_owned(),
            reason: format!("the current directory: {error}"),
        })
}

/// Where it gets k2 from: what was said, else what is known.
///
/// There is no release to fall back on: a registry has another package by the name of k2.
fn origin(
    said: &Said,
    there: &Known,
    workspace: Option<&Workspace>,
) -> std::result::Result<Origin, AddonError> {
    let Some(text) = said.0.get(&Topic::Origin) else {
        return there.origin.clone().ok_or(AddonError::Unknown {
            what: ORIGIN_UNSAID,
        });
    };
    let is_offered = workspace.is_some_and(|workspace| workspace.offers(&packages()));
    let origin = Origin::parse(text).map(|origin| origin.seen_from(&there.here));
    origin
        .and_then(|origin| origin.check(is_offered).map(|()| origin))
        .map_err(|expected| AddonError::Answer {
            what: "origin of k2",
            answer: text.escape_debug().to_string(),
            expected,
        })
}

/// All that a command extension can extend, the names that are taken, and where k2 comes from.
fn there(
    cx: &CommandContext<'_>,
    here: &Utf8Path,
    parent: Option<&Utf8Path>,
) -> std::result::Result<Known, AddonError> {
    let workspace = Workspace::around(parent.unwrap_or(here))?;
    let is_offered = workspace.is_some_and(|workspace| workspace.offers(&packages()));
    let origin = if is_offered {
        Some(Origin::Workspace)
    } else {
        let program = std::env::current_exe().ok();
        let program = program.and_then(|program| Utf8PathBuf::from_path_buf(program).ok());
        program.and_then(|program| Origin::of_program(&program))
    };
    let mut known = Known {
        here: here.to_owned(),
        origin,
        ..Known::default()
    };
    let Ok(catalog) = cx.component::<Catalog>() else {
        return Ok(known);
    };
    known.extended = catalog
        .commands()
        .iter()
        .flat_map(|(_, entry)| {
            std::iter::once(entry.command.name).chain(entry.command.uses.iter().copied())
        })
        .map(str::to_owned)
        .collect();
    known.extended.sort();
    known.extended.dedup();
    let extensions = catalog.extensions().iter();
    known.extensions = extensions
        .map(|entry| entry.descriptor.name.to_owned())
        .collect();
    Ok(known)
}

fn plan(
    cx: &CommandContext<'_>,
    answers: &Answers,
    workspace: Option<&Workspace>,
) -> std::result::Result<Plan, AddonError> {
    let directory = answers.directory();
    let mut edits = Vec::new();
    let (mut product_templates, mut linked_by) = (None, None);
    if let Some(workspace) = workspace {
        edits.extend(workspace.admit(&answers.name, &directory)?);
        if let Some(product) = product(cx, answers, workspace)? {
            product.take_in(workspace, &answers.name, &directory, &mut edits)?;
            let own = product.directory.join(OWN_TEMPLATES);
            product_templates = own.is_dir().then_some(own);
            linked_by = Some(product.package);
        }
    }
    let named = cx.config().get_optional(TEMPLATES).ok().flatten();
    let templates = match named.or(product_templates) {
        Some(root) => Templates::of_directory(&root, answers.kind)?,
        None => Templates::built_in(answers.kind),
    };
    Ok(Plan {
        directory,
        files: templates.render(answers)?,
        edits,
        product: linked_by,
    })
}

/// The product that links it: the one that is named, or the only one.
fn product(
    cx: &CommandContext<'_>,
    answers: &Answers,
    workspace: &Workspace,
) -> std::result::Result<Option<Product>, AddonError> {
    let wanted = cx.config().get_optional(PRODUCT).ok().flatten();
    if !answers.kind.is_linked() || wanted.as_deref() == Some("none") {
        return Ok(None);
    }
    let mut products = workspace.products();
    let Some(wanted) = wanted else {
        return Ok(if products.len() == 1 {
            products.pop()
        } else {
            None
        });
    };
    let names: Vec<String> = products
        .iter()
        .map(|product| product.package.clone())
        .collect();
    let found = products
        .into_iter()
        .find(|product| product.package == wanted);
    found.map(Some).ok_or_else(|| {
        let near = zaf_core::config::nearest(&wanted, names.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        AddonError::Answer {
            what: "product",
            answer: wanted.escape_debug().to_string(),
            expected: match names.as_slice() {
                [] => "none: no package of the workspace has `src/link.rs`".to_owned(),
                names => format!("one of `{}`{near}", names.join("`, `")),
            },
        }
    })
}

/// What is left to do.
fn next_steps(answers: &Answers, plan: &Plan, workspace: Option<&Workspace>) -> String {
    let package = answers.name.package();
    let test = match workspace {
        Some(_) => format!("cargo test -p {package}"),
        None => format!("cd {} && cargo test", plan.directory),
    };
    let krate = answers.name.krate();
    match (answers.kind, &plan.product) {
        (kind, None) if kind.is_linked() => format!(
            "Test it: {test}\nNo product links it yet: it needs the dependency `{package}`, and `use {krate} as _;` in `src/link.rs`."
        ),
        // Its tests are not its cases.
        (Kind::Suite, Some(product)) => format!(
            "Test it: {test}\nRun its cases: cargo run -p {product} -- run --tests-include {krate}"
        ),
        _ => format!("Test it: {test}"),
    }
}
