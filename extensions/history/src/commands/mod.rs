//! The commands that show the history, and what is the same for all of them.

mod cases;
mod diff;
mod import;
mod list;
mod rerun;
mod show;
mod trend;

use std::io::Write as _;

use camino::Utf8PathBuf;
use k2::command::print_list;
use serde::Serialize;
use serde_json::{Map, Value};
use zaf_core::application::Console;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::prelude::*;

pub use self::cases::{
    RESULTS_FLAKY_COMMAND, RESULTS_SLOWEST_COMMAND, results_flaky, results_slowest,
};
pub use self::diff::{DIFF_RUNS, RESULTS_DIFF_COMMAND, results_diff};
pub use self::import::{IMPORT_DIRECTORY, RESULTS_IMPORT_COMMAND, results_import};
pub use self::list::{RESULTS_COMMAND, RESULTS_LIST_COMMAND, results, results_list};
pub use self::rerun::{FAILED, RERUN_COMMAND, RERUN_RUN, UNFINISHED, rerun};
pub use self::show::{ALL_CASES, OUTCOME, RESULTS_SHOW_COMMAND, RUN, results_show};
pub use self::trend::{CASE, RESULTS_TREND_COMMAND, results_trend};
use crate::database::{Database, HISTORY_FILE};
use crate::error::HistoryError;
use crate::query::{self, RunRow};
use crate::reference;

/// How many of the newest runs are looked at. `--last`; 0 for all.
pub const LAST: OptionId<u64> = OptionId::count("last")
    .describe("How many of the newest runs are looked at; 0 for all")
    .default(20);

/// How many lines are shown at most. `--limit`; 0 for all.
pub const LIMIT: OptionId<u64> = OptionId::count("limit")
    .describe("How many rows are shown at most; 0 for all")
    .default(20);

/// Version of the fields of all lists in JSON: a new field is a new minor version, another meaning a new major one.
const SCHEMA: &str = "1.0";

/// Adds the command `results` and what belongs to it.
#[framework_extension(
    name = "resultscommand",
    load_order = 110,
    commands = [
        RESULTS_COMMAND, RESULTS_LIST_COMMAND, RESULTS_SHOW_COMMAND, RESULTS_DIFF_COMMAND,
        RESULTS_TREND_COMMAND, RESULTS_FLAKY_COMMAND, RESULTS_SLOWEST_COMMAND, RESULTS_IMPORT_COMMAND
    ],
)]
#[derive(Debug)]
pub struct ResultsCommand;

impl Extension for ResultsCommand {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Adds the command `rerun`.
#[framework_extension(name = "reruncommand", load_order = 110, commands = [RERUN_COMMAND])]
#[derive(Debug)]
pub struct RerunCommand;

impl Extension for RerunCommand {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// The history that a command looks at.
struct Kept {
    output: Utf8PathBuf,
    /// None if nothing was ever recorded.
    database: Option<Database>,
}

impl Kept {
    /// The history of the output directory.
    fn open(cx: &CommandContext<'_>) -> Result<Self> {
        let output = cx.config().get(OUTPUT_DIR)?;
        let database = Database::read(&output).map_err(unusable)?;
        Ok(Self { output, database })
    }

    /// The newest runs, newest first; 0 for all.
    fn newest(&self, most: u64) -> Result<Vec<RunRow>> {
        match &self.database {
            Some(database) => query::newest_runs(database, most).map_err(unusable),
            None => Ok(Vec::new()),
        }
    }

    /// The runs that these words mean.
    ///
    /// # Errors
    /// With exit code 2 and the nearest word.
    fn find(&self, words: &[&str]) -> Result<Vec<RunRow>> {
        let runs = self.newest(0)?;
        let found = words.iter().map(|word| {
            let row = reference::find(&runs, word).map_err(|error| {
                ExitCode::Usage.with_error(error).hint(format!(
                    "`results list` shows the runs in `{}`: an id or a part of it, `latest`, `-1` for the one before, and so on",
                    self.output.join(HISTORY_FILE)
                ))
            })?;
            Ok(row.clone())
        });
        found.collect()
    }

    /// The open database; there is one wherever a run was found.
    fn database(&self) -> &Database {
        self.database
            .as_ref()
            .expect("invariant: a run was found in it")
    }

    /// Says on standard error that there is nothing.
    fn say_empty(&self, cx: &CommandContext<'_>) -> Result<()> {
        let console = cx.component::<Console>()?;
        let path = self.output.join(HISTORY_FILE);
        writeln!(
            console.stderr(),
            "no run is recorded in {}",
            k2::results::printable_line(path.as_str())
        )?;
        Ok(())
    }
}

/// A history that cannot be read: nothing is changed by looking.
fn unusable(error: HistoryError) -> Error {
    let is_damage = error.is_damage();
    let failure = ExitCode::Usage.with_error(error);
    if is_damage {
        failure.hint("the next run, or `results import`, puts it aside and begins a new one")
    } else {
        failure
    }
}

/// Writes what was found: for programs the parts with their names, for people the text.
fn show<const N: usize>(
    cx: &CommandContext<'_>,
    parts: [(&str, &dyn ErasedPart); N],
    text: impl FnOnce() -> String,
) -> Result<ExitCode> {
    let text = if cx.config().get(LIST_FORMAT)? == "json" {
        let mut document = Map::new();
        document.insert("schema".to_owned(), SCHEMA.into());
        for (name, part) in parts {
            document.insert(name.to_owned(), part.value()?);
        }
        serde_json::to_string_pretty(&Value::Object(document))? + "\n"
    } else {
        text()
    };
    print_list(cx, &text)
}

/// A part of a document, of any type.
trait ErasedPart {
    fn value(&self) -> serde_json::Result<Value>;
}

impl<T: Serialize> ErasedPart for T {
    fn value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// Keeps the first `limit`, all if 0; says how many were left out.
fn cut<T>(rows: &mut Vec<T>, limit: u64) -> usize {
    let limit = match usize::try_from(limit).unwrap_or(usize::MAX) {
        0 => usize::MAX,
        limit => limit,
    };
    let more = rows.len().saturating_sub(limit);
    rows.truncate(limit);
    more
}

/// The line below a table that was cut.
fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!("and {more} more: --limit 0 shows all\n"),
    }
}

/// Whole microseconds, as programs get them.
fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The same as a field; none stays none.
#[expect(
    clippy::ref_option,
    reason = "the signature that the derive macro calls"
)]
fn as_micros<S: serde::Serializer>(
    duration: &Option<std::time::Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    duration.map(micros).serialize(serializer)
}
