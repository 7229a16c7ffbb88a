//! Constants that describe commands.

use crate::application::ExitCode;
use crate::command::CommandContext;
use crate::component::Requirement;
use crate::config::ConfigOption;
use crate::error::Result;

/// Capability of commands that show what there is. They run although extensions are broken, whose problems are a component of
/// theirs: [`LoadProblems`](crate::extension::LoadProblems).
pub const INSPECTION: &str = "inspection";

/// Capability of commands that show what another command would do, or write about the program: extensions that are programs of
/// their own are not run for them, nor for those that [inspect](INSPECTION).
pub const PREVIEW: &str = "preview";

/// Everything about a command: emitted by `#[command]` as the constant `<FUNCTION>_COMMAND`.
///
/// Identity is the path of names from the outermost parent.
#[derive(Debug, Clone, Copy)]
pub struct CommandDescriptor {
    /// Word on the command line: `[a-z][a-z0-9-]*`.
    pub name: &'static str,
    /// Documentation of the function; its first line is the short help.
    pub description: &'static str,
    /// The command it is a sub-command of.
    pub parent: Option<&'static Self>,
    /// Capabilities that it uses; its own name always belongs to them.
    pub uses: &'static [&'static str],
    /// Options of its own.
    pub config_options: &'static [ConfigOption],
    /// Whether only the full help lists it.
    pub hidden: bool,
    /// Components that its function asks for; they are checked before anything is started, and made when it runs.
    pub requirements: &'static [Requirement],
    /// Runs it, on the main thread.
    pub run: fn(&CommandContext<'_>) -> Result<ExitCode>,
    /// Crate that declares it.
    pub krate: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

impl PartialEq for CommandDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.parent == other.parent
    }
}

impl Eq for CommandDescriptor {}

impl CommandDescriptor {
    /// Names from the outermost parent to this command, with blanks between: `addon create`. Identity of the command, value of
    /// the internal key `internal.command`.
    pub fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{} {}", parent.path(), self.name),
            None => self.name.to_owned(),
        }
    }

    /// First line of the documentation, without the full stop.
    pub fn short_description(&self) -> &'static str {
        self.description
            .trim()
            .lines()
            .next()
            .unwrap_or("")
            .trim_end_matches('.')
    }
}
