//! Whether plugins may run, by what was typed. Pure.
//!
//! When plugins are looked for, the command line has not been read: their options belong to what is needed for that. A plugin whose
//! description is known need not be run by then. One that was never asked what it is may be only if the command surely is one that does
//! more than look.

use std::collections::BTreeMap;
use std::ffi::OsString;

use zaf_core::command::CommandDescriptor;
use zaf_core::config::{Kind, OptionDescriptor, flag_name};

use super::object::looks_only;

/// What a command line may say, as far as it is linked.
pub(super) struct Words<'a> {
    commands: &'a [&'static CommandDescriptor],
    /// Flags without dashes, and whether a value follows.
    flags: BTreeMap<String, bool>,
    letters: BTreeMap<char, bool>,
}

impl<'a> Words<'a> {
    pub(super) fn new<'o>(
        commands: &'a [&'static CommandDescriptor],
        options: impl IntoIterator<Item = &'o OptionDescriptor>,
    ) -> Self {
        let mut words = Self {
            commands,
            flags: BTreeMap::new(),
            letters: BTreeMap::new(),
        };
        for option in options {
            let takes_value = option.kind != Kind::Flag;
            // Other names of options are unknown flags here: rather ask too little than too much.
            if option.at.is_none() && !option.argument {
                let flag = flag_name(option, None);
                if !takes_value {
                    words.flags.insert(format!("no-{flag}"), false);
                }
                words.flags.insert(flag, takes_value);
            }
            if let Some(letter) = option.short {
                words.letters.insert(letter, takes_value);
            }
        }
        words
    }

    /// Whether a command line surely selects a command that does more than look. Not if help is asked for, and not if a word after
    /// an unknown flag, which may be its value, may as well be a command that only looks.
    pub(super) fn surely_run(&self, arguments: &[OsString]) -> bool {
        let mut line: Vec<&str> = arguments
            .iter()
            .map_while(|word| (word != "--").then(|| word.to_str().unwrap_or_default()))
            .collect();
        if line.iter().any(|word| asks_for_help(word)) {
            return false;
        }
        line.reverse();
        let mut may_be_run = false;
        let mut may_be_value = false;
        while let Some(word) = line.pop() {
            let after_unknown = std::mem::replace(&mut may_be_value, false);
            match self.follows(word) {
                Follows::Nothing => {}
                Follows::Switch => {
                    if matches!(line.last(), Some(&("true" | "false"))) {
                        line.pop();
                    }
                }
                Follows::Value => {
                    line.pop();
                }
                Follows::Anything => may_be_value = true,
                Follows::Word => match self.command(word) {
                    Some(command) if looks_only(Some(command)) => return false,
                    // It may be a value as well; then the command is still to come.
                    Some(_) if after_unknown => may_be_run = true,
                    Some(_) => return true,
                    None if after_unknown => {}
                    // Behind a command that it may be, a source.
                    None => return may_be_run,
                },
            }
        }
        may_be_run
    }

    fn command(&self, word: &str) -> Option<&'static CommandDescriptor> {
        let mut commands = self.commands.iter();
        let found = commands.find(|command| command.parent.is_none() && command.name == word);
        found.copied()
    }

    fn follows(&self, word: &str) -> Follows {
        let known = |takes_value: Option<&bool>| match takes_value {
            Some(true) => Follows::Value,
            Some(false) => Follows::Switch,
            None => Follows::Anything,
        };
        if let Some(flag) = word.strip_prefix("--") {
            if flag.contains('=') {
                return Follows::Nothing;
            }
            known(self.flags.get(flag))
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            match letters.chars().collect::<Vec<_>>()[..] {
                [letter] => known(self.letters.get(&letter)),
                _ => Follows::Anything,
            }
        } else {
            Follows::Word
        }
    }
}

/// What may stand behind a word.
enum Follows {
    /// It has its value.
    Nothing,
    /// `true` or `false`, if at all.
    Switch,
    /// Its value.
    Value,
    /// Nobody knows.
    Anything,
    /// It is no flag.
    Word,
}

fn asks_for_help(word: &str) -> bool {
    let is_short = word.starts_with('-') && !word.starts_with("--");
    matches!(word, "--help" | "--version") || is_short && word.contains(['h', 'V'])
}

#[cfg(test)]
mod tests {
    use zaf_core::builtin::{CONFIG_COMMAND, LOG_LEVEL, NOOP_COMMAND, PLUGINS_COMMAND};

    use super::*;
    use crate::host::options::{ALLOW_INSECURE, PATHS};

    #[test]
    fn only_a_command_that_surely_does_more_than_look() {
        let commands = [&NOOP_COMMAND, &CONFIG_COMMAND, &PLUGINS_COMMAND];
        let options = [
            LOG_LEVEL.descriptor(),
            PATHS.descriptor(),
            ALLOW_INSECURE.descriptor(),
        ];
        let words = Words::new(&commands, &options);
        for (line, expected) in [
            ("noop", true),
            ("--log-level debug noop", true),
            ("--plugins-paths plugins noop", true),
            ("--plugins-paths=plugins noop", true),
            ("noop --plugins-paths plugins", true),
            ("--allow-insecure-plugins noop", true),
            ("--allow-insecure-plugins true noop", true),
            ("--no-allow-insecure-plugins noop config", true),
            ("noop -- config", true),
            ("noop config", true),
            ("--unknown noop", true),
            ("--unknown value noop", true),
            ("", false),
            ("config", false),
            ("--plugins-paths noop config", false),
            ("--plugins-paths plugins", false),
            ("--plugins-paths noop", false),
            ("--allow-insecure-plugins config", false),
            ("plugins --target-command noop", false),
            ("--unknown config noop", false),
            ("--unknown noop config", false),
            ("noop --help", false),
            ("-h noop", false),
            ("-qh noop", false),
            ("--version", false),
            ("-- noop", false),
            ("mistake noop", false),
            ("--unknown noop source", true),
        ] {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(words.surely_run(&arguments), expected, "{line}");
        }
    }
}
