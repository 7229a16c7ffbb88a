//! Whether plugins may run, guessed by what was typed. Pure.
//!
//! When plugins are looked for, the command line has not been read: their options belong to what is needed for that. A plugin whose
//! description is known need not be run by then. One that was never asked what it is may be only if the command surely is one that does
//! more than look.

use std::ffi::OsString;

use zaf_core::command::CommandDescriptor;

use super::instance::looks_only;

/// Whether the words of a command line surely select a command that does more than look: one of them names such a command, none
/// names one that only looks, and none asks for help.
pub(super) fn surely_run(arguments: &[OsString], commands: &[&'static CommandDescriptor]) -> bool {
    let words: Vec<&str> = arguments
        .iter()
        .map_while(|word| (word != "--").then(|| word.to_str().unwrap_or_default()))
        .collect();
    let wants_help = words
        .iter()
        .any(|word| matches!(*word, "--help" | "-h" | "--version" | "-V"));
    let mut named = commands
        .iter()
        .filter(|command| command.parent.is_none() && words.contains(&command.name))
        .peekable();
    !wants_help && named.peek().is_some() && named.all(|command| !looks_only(Some(command)))
}

#[cfg(test)]
mod tests {
    use zaf_core::builtin::{CONFIG_COMMAND, NOOP_COMMAND, PLUGINS_COMMAND};

    use super::*;

    #[test]
    fn only_a_command_that_does_more_than_look_and_no_other_word() {
        let commands = [&NOOP_COMMAND, &CONFIG_COMMAND, &PLUGINS_COMMAND];
        for (line, expected) in [
            ("noop", true),
            ("--log-level debug noop", true),
            ("noop -- config", true),
            ("", false),
            ("config", false),
            ("plugins --target-command noop", false),
            ("noop --help", false),
            ("-h noop", false),
            ("--version", false),
            ("noop config", false),
            ("-- noop", false),
        ] {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(surely_run(&arguments, &commands), expected, "{line}");
        }
    }
}
