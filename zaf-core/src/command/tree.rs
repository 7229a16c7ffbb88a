//! The tree of command names.

use std::collections::BTreeMap;

use thiserror::Error;

use super::CommandDescriptor;

/// All commands of an application by path. Sorted by path; the order of what it was made from does not show.
#[derive(Debug, Clone, Default)]
pub struct CommandTree {
    by_path: BTreeMap<String, CommandEntry>,
}

/// A command and the extension that adds it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CommandEntry {
    /// The command.
    pub command: &'static CommandDescriptor,
    /// Name of the extension.
    pub extension: &'static str,
}

/// A command cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Two commands have one path.
    #[error(
        "command `{path}` is added twice: by extension `{}` ({}) and by extension `{}` ({}); disable one of them",
        extensions[0], places[0], extensions[1], places[1]
    )]
    Duplicate {
        /// The path.
        path: String,
        /// Names of the extensions.
        extensions: [&'static str; 2],
        /// Crate, file and line of the commands, in the order of the extensions.
        places: [String; 2],
    },
    /// A command's parent is not added by any extension.
    #[error(
        "command `{path}` of extension `{extension}` ({place}) belongs under `{parent}`, which no enabled extension adds"
    )]
    NoParent {
        /// Path of the command.
        path: String,
        /// Path of the parent.
        parent: String,
        /// Name of the extension.
        extension: &'static str,
        /// Crate, file and line of the command.
        place: String,
    },
    /// A name that nobody could type.
    #[error(
        "`{name}` of extension `{extension}` ({place}) is no name for a command: expected a lower-case letter, then lower-case letters, digits and dashes"
    )]
    BadName {
        /// The name.
        name: &'static str,
        /// Name of the extension.
        extension: &'static str,
        /// Crate, file and line of the command.
        place: String,
    },
}

impl CommandTree {
    /// The tree of these commands, each with the name of the extension that adds it, and all problems, sorted. A command with a
    /// problem is left out; of two with one path the one that is declared first by (crate, file, line) stays, so that help can
    /// be shown.
    pub fn new(
        commands: impl IntoIterator<Item = (&'static str, &'static CommandDescriptor)>,
    ) -> (Self, Vec<CommandError>) {
        let mut sorted: Vec<CommandEntry> = commands
            .into_iter()
            .map(|(extension, command)| CommandEntry { command, extension })
            .collect();
        sorted.sort_by_key(|entry| {
            let command = entry.command;
            (
                command.path(),
                command.krate,
                command.file,
                command.line,
                entry.extension,
            )
        });
        let mut by_path: BTreeMap<String, CommandEntry> = BTreeMap::new();
        let mut problems = Vec::new();
        // Parents sort before their children: their path is a prefix.
        for entry in sorted {
            let CommandEntry { command, extension } = entry;
            let path = command.path();
            if !is_command_name(command.name) {
                problems.push(CommandError::BadName {
                    name: command.name,
                    extension,
                    place: place(command),
                });
            } else if let Some(first) = by_path.get(&path) {
                problems.push(CommandError::Duplicate {
                    extensions: [first.extension, extension],
                    places: [place(first.command), place(command)],
                    path,
                });
            } else if let Some(parent) = command
                .parent
                .filter(|parent| !by_path.contains_key(&parent.path()))
            {
                problems.push(CommandError::NoParent {
                    parent: parent.path(),
                    extension,
                    place: place(command),
                    path,
                });
            } else {
                by_path.insert(path, entry);
            }
        }
        (Self { by_path }, problems)
    }

    /// The command with this path: names with blanks between.
    pub fn find(&self, path: &str) -> Option<&CommandEntry> {
        self.by_path.get(path)
    }

    /// All commands with their paths, sorted by path, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CommandEntry)> {
        self.by_path
            .iter()
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// Commands directly below `parent`, or the outermost ones, sorted by name.
    pub fn children(
        &self,
        parent: Option<&CommandDescriptor>,
    ) -> impl Iterator<Item = &CommandEntry> {
        self.by_path
            .values()
            .filter(move |entry| entry.command.parent == parent)
    }

    /// Whether there is no command.
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }
}

fn is_command_name(name: &str) -> bool {
    let mut letters = name.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase())
        && letters
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
}

fn place(command: &CommandDescriptor) -> String {
    format!(
        "crate `{}`, {}:{}",
        command.krate, command.file, command.line
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ExitCode;

    const fn command(
        name: &'static str,
        parent: Option<&'static CommandDescriptor>,
        krate: &'static str,
    ) -> CommandDescriptor {
        CommandDescriptor {
            name,
            description: "Does something.\nMore.",
            parent,
            uses: &[],
            config_options: &[],
            hidden: false,
            requirements: &[],
            run: |_| Ok(ExitCode::Success),
            krate,
            file: "src/lib.rs",
            line: 7,
        }
    }

    static ADDON: CommandDescriptor = command("addon", None, "one");
    static CASE: CommandDescriptor = command("case", None, "one");
    static ADDON_CREATE: CommandDescriptor = command("create", Some(&ADDON), "one");
    static CASE_CREATE: CommandDescriptor = command("create", Some(&CASE), "two");

    #[test]
    fn f33_a_name_below_two_parents_is_two_commands() {
        let (tree, problems) = CommandTree::new([
            ("two", &CASE_CREATE),
            ("one", &ADDON_CREATE),
            ("one", &CASE),
            ("one", &ADDON),
        ]);
        assert_eq!(problems, []);
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["addon", "addon create", "case", "case create"]);
        assert_eq!(
            tree.find("case create").map(|found| found.extension),
            Some("two")
        );
        assert_eq!(tree.find("create").map(|found| found.extension), None);
        let names = |parent| -> Vec<_> {
            tree.children(parent)
                .map(|entry| entry.command.name)
                .collect()
        };
        assert_eq!(names(None), ["addon", "case"]);
        assert_eq!(names(Some(&CASE)), ["create"]);
        assert_eq!(ADDON.short_description(), "Does something");
    }

    #[test]
    fn c4_two_extensions_with_one_command_are_named_with_their_crates() {
        static OTHER: CommandDescriptor = command("addon", None, "other");
        let (tree, problems) = CommandTree::new([("late", &OTHER), ("early", &ADDON)]);
        assert_eq!(
            tree.find("addon").map(|found| found.extension),
            Some("early")
        );
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "command `addon` is added twice: by extension `early` (crate `one`, src/lib.rs:7) and by \
              extension `late` (crate `other`, src/lib.rs:7); disable one of them"
            ]
        );
    }

    #[test]
    fn f32_a_bad_name_or_a_missing_parent_costs_only_that_command() {
        static BAD: CommandDescriptor = command("Run_it", None, "one");
        let (tree, problems) = CommandTree::new([("x", &BAD), ("x", &ADDON_CREATE), ("x", &CASE)]);
        assert_eq!(tree.iter().count(), 1);
        assert!(matches!(
            problems.as_slice(),
            [CommandError::BadName { .. }, CommandError::NoParent { .. }]
        ));
    }
}
