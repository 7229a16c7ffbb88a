//! In which process an application runs: decided before anything of it is loaded.
//!
//! [`Application::before_start`](super::Application::before_start) takes a function that is asked on the main thread while there is
//! no other, with nothing loaded and nothing written. It may start the same program again and wait for it; that process is then
//! the application, and this one ends as it did.
//!
//! All that can be known by then is what was typed and what is linked: [`Start::may_select`] guesses by the words, and rather
//! says yes once too often.

use std::fmt;
use std::fs::File;
use std::process::ExitCode;

use crate::command::{ApplicationInfo, CommandDescriptor};
use crate::extension::ExtensionKind;
use crate::private::{BUILT_IN_EXTENSIONS, ZAF_EXTENSIONS};

use super::builder::Parts;

/// Decides in which process an application runs.
pub type BeforeStart = fn(&Start<'_>) -> Front;

/// In which process an application runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Front {
    /// In this one.
    Here {
        /// Another process through which signals come as well.
        relay: Option<SignalRelay>,
        /// What is to be said as a warning once there is a log.
        warning: Option<String>,
    },
    /// It has run in another one: this process ends with that code.
    Elsewhere(ExitCode),
}

/// Another process in front of this one, that hands on the signals it gets.
///
/// A signal can reach both processes (a terminal signals all of its foreground group, an init system all processes of a
/// service) or only the one in front, whose number is the one that people know. So of each signal those that came
/// directly and those that were handed on are counted apart, and the larger number counts.
#[derive(Debug)]
pub struct SignalRelay {
    /// Each byte is the number of a signal that the process in front got. Reading does not block.
    pub numbers: File,
    /// Gets an empty line once signals are watched; until then they have their default action, and are to be sent as signals.
    pub watching: File,
}

/// What is known before the start.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    pub(super) application: &'a ApplicationInfo,
    pub(super) parts: &'a Parts,
    /// Path of the command that the program itself has chosen.
    pub(super) chosen: Option<&'a str>,
}

impl Start<'_> {
    /// The application, with what it was started with.
    pub fn application(&self) -> &ApplicationInfo {
        self.application
    }

    /// Whether the command may be one that uses `capability`. False if help is asked for.
    pub fn may_select(&self, capability: &str) -> bool {
        let commands = self.commands();
        let mut able = commands
            .iter()
            .filter(|command| command.name == capability || command.uses.contains(&capability));
        if let Some(chosen) = self.chosen {
            return able.any(|command| command.path() == chosen);
        }
        let words: Vec<&str> = self
            .application
            .invocation
            .arguments
            .iter()
            .map_while(|word| (word != "--").then(|| word.to_str().unwrap_or_default()))
            .collect();
        let wants_help = words.iter().any(|word| matches!(*word, "--help" | "-h"));
        !wants_help && able.any(|command| words.contains(&command.name))
    }

    fn commands(&self) -> Vec<&'static CommandDescriptor> {
        let of = |kind: ExtensionKind| match kind {
            ExtensionKind::Framework { commands, .. } => commands,
            ExtensionKind::Command { .. } => &[],
        };
        let commands: Vec<&[&CommandDescriptor]> = match self.parts {
            Parts::Linked => {
                let all = ZAF_EXTENSIONS.iter().chain(BUILT_IN_EXTENSIONS);
                all.map(|extension| of(extension.kind)).collect()
            }
            Parts::Listed { extensions, .. } => extensions
                .iter()
                .map(|extension| of(extension.kind))
                .collect(),
        };
        commands.concat()
    }
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("application", self.application)
            .field("chosen", &self.chosen)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::EXTENSIONS;
    use crate::command::Invocation;

    fn may_select(arguments: &[&str], chosen: Option<&str>, capability: &str) -> bool {
        let application = ApplicationInfo::new("demo", "1").invocation(Invocation::new(arguments));
        let parts = Parts::Listed {
            extensions: EXTENSIONS.to_vec(),
            dispatchers: Vec::new(),
            components: Vec::new(),
        };
        let start = Start {
            application: &application,
            parts: &parts,
            chosen,
        };
        start.may_select(capability)
    }

    #[test]
    fn the_words_of_the_line_say_which_command_it_may_be() {
        for (arguments, expected) in [
            (vec!["noop"], true),
            (vec!["--log-level", "info", "noop", "--x"], true),
            // Rather once too often.
            (vec!["config", "noop"], true),
            (vec!["config"], false),
            (vec![], false),
            (vec!["noop", "--help"], false),
            (vec!["-h", "noop"], false),
            (vec!["config", "--", "noop"], false),
            (vec!["noop", "--", "--help"], true),
        ] {
            assert_eq!(
                may_select(&arguments, None, "noop"),
                expected,
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn a_command_that_the_program_chooses_needs_no_words() {
        assert!(may_select(&["--help"], Some("noop"), "noop"));
        assert!(!may_select(&["noop"], Some("config"), "noop"));
    }
}
