//! Completion: a shell asks the application what may come next.
//!
//! `completion bash` prints a script. With it, the shell starts the application with the words of the line so far,
//! `__complete bash run --lo`, for each time somebody wants to know; so what is offered is what this application knows at this
//! place, with the entities of the configuration files that hold there. The readings of the command line answer it: they end
//! the run before command extensions are loaded or anything is written. The answer is one line that says what follows, `words`
//! or `files`, and one line for each word: the word, a tab, and what it means.

mod engine;
mod shell;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;

use self::engine::{Offer, offer};
use self::shell::Shell;
use super::super::declare::Declaration;
use super::model::Model;
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor, PREVIEW};
use crate::config::{ConfigOption, OptionId};
use crate::error::{Error, Result};
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};

/// The shell that a script is printed for; a positional argument.
pub const COMPLETION_SHELL: OptionId<String> = OptionId::choice("completion.shell", Shell::NAMES)
    .argument()
    .describe("The shell.");

const OPTIONS: [ConfigOption; 1] = [COMPLETION_SHELL.required()];

/// `completion`: prints the script that completes words for a shell.
pub const COMPLETION_COMMAND: CommandDescriptor = CommandDescriptor {
    name: "completion",
    description: "Prints the script by which a shell completes words.\n\n\
        Its first lines say where it belongs. The shell then asks the application itself, so it knows extensions, commands, \
        options, choices, and the names in the configuration files of the place where the line is typed.",
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

/// Adds [`COMPLETION_COMMAND`].
#[derive(Debug)]
pub struct Completion;

pub(in super::super) const COMPLETION: ExtensionDescriptor = Declaration {
    name: "completion",
    description: "Completes words in shells.",
    load_order: 110,
    config_options: &[],
    commands: &[&COMPLETION_COMMAND],
    file: file!(),
    line: line!(),
}
.of::<Completion>();

impl Extension for Completion {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let name = cx.config().get(COMPLETION_SHELL)?;
    let shell = Shell::named(&name)
        .ok_or_else(|| Error::msg(format_args!("there is no completion for `{name}`")))?;
    let script = shell.script(&cx.application().program);
    cx.component::<Console>()?
        .stdout()
        .write_all(script.as_bytes())?;
    Ok(ExitCode::Success)
}

/// What a shell asks.
#[derive(Debug)]
pub(super) struct Question {
    /// The words before the one that is completed, without the program.
    pub(super) before: Vec<OsString>,
    /// What stands there before the cursor.
    current: String,
}

impl Question {
    /// The question in the arguments of the application; none if nobody asks.
    pub(super) fn of(arguments: &[OsString]) -> Option<Self> {
        let [first, shell, words @ ..] = arguments else {
            return None;
        };
        if first != "__complete" {
            return None;
        }
        let shell = Shell::named(shell.to_str()?)?;
        let unquoted = |word: &OsStr| match word.to_str() {
            Some(word) => shell.unquoted(word).into(),
            None => word.to_owned(),
        };
        let (current, before) = match words.split_last() {
            Some((current, before)) => (current.to_string_lossy(), before),
            None => ("".into(), words),
        };
        Some(Self {
            before: before.iter().map(|word| unquoted(word)).collect(),
            current: shell.unquoted(&current),
        })
    }

    /// The answer, in lines.
    pub(super) fn answer(&self, model: &Model) -> String {
        match offer(model, &self.before, &self.current) {
            Offer::Files => "files\n".to_owned(),
            Offer::Words(words) => {
                let mut text = "words\n".to_owned();
                for word in words {
                    text.extend([&one_line(&word.text), "\t", &one_line(&word.meaning), "\n"]);
                }
                text
            }
        }
    }
}

/// Without what would break a line of the answer.
fn one_line(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}

#[cfg(test)]
mod tests;
