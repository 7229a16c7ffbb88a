//! Reads a whole command line: leniently while options are still becoming known, strictly at the end. Pure.

use std::ffi::OsString;

use anstyle::{AnsiColor, Style};

use super::options::{CliOption, table};
use super::parser::{Face, Purpose, VERSION_LETTER, parse, shown};
use super::refusal;
use super::scan::{Token, scan};
use crate::application::{EarlyEnd, ExitCode};
use crate::config::nearest;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Everything that the command line may say.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) face: Face,
    pub(super) version: String,
    /// Options of the application.
    pub(super) main: Vec<CliOption>,
    /// Sorted by path.
    pub(super) commands: Vec<CliCommand>,
}

/// A command as the command line shows it.
#[derive(Debug)]
pub(super) struct CliCommand {
    /// Words from the outermost parent, with blanks between.
    pub(super) path: String,
    pub(super) description: &'static str,
    pub(super) hidden: bool,
    /// Its own options and those of the extensions that extend it.
    pub(super) options: Vec<CliOption>,
}

/// A value that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// Key of the configuration, with dots.
    pub(super) key: String,
    /// As typed, with dashes; name of a positional argument.
    pub(super) flag: String,
    /// One value for a single option, all for a multiple one.
    pub(super) values: Vec<String>,
    pub(super) multiple: bool,
}

/// A command line that can be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selected {
    /// Path of the command.
    pub(super) command: String,
    pub(super) typed: Vec<Typed>,
}

impl Model {
    /// The command and the values that can be told so far. Never complains: that is the strict pass's.
    pub(super) fn lenient(&self, arguments: &[OsString]) -> (Option<&str>, Vec<Typed>) {
        let tokens = scan(arguments, &table(&self.all_options()).0);
        let command = self.find(&words(&tokens)).map(|(command, _)| command);
        let options = self.options_of(command);
        let tokens = scan(arguments, &table(&options).0);
        let typed = typed(&tokens, &options).unwrap_or_default();
        (command.map(|command| command.path.as_str()), typed)
    }

    /// The command and all values.
    ///
    /// # Errors
    /// [`EarlyEnd`]: help or version was asked for, or the line is wrong (exit code 2).
    pub(super) fn strict(&self, arguments: &[OsString]) -> Result<Selected, EarlyEnd> {
        let all = self.all_options();
        let tokens = scan(arguments, &table(&all).0);
        let line = words(&tokens);
        let asks_help = |tokens: &[Token]| {
            tokens.iter().find_map(|token| {
                if token.is_flag("--full-help") {
                    Some(Purpose::FullHelp)
                } else if token.is_flag("--help") || token.is_flag("-h") {
                    Some(Purpose::Help)
                } else {
                    None
                }
            })
        };
        let version_letter = format!("-{VERSION_LETTER}");
        let asks_version = |token: &Token| {
            // A letter that an option has is known and not this.
            token.is_flag("--version") || *token == Token::Unknown(version_letter.clone().into())
        };
        if tokens.iter().any(asks_version) {
            return Err(self.version());
        }
        let Some((command, count)) = self.find(&line) else {
            if line.first() == Some(&HELP) {
                let asked = &line[1..];
                if let Some(explained) = self.explaining(asked, arguments) {
                    return self.strict(&explained);
                }
                return Err(self.help_words(asked));
            }
            if let Some(purpose) = asks_help(&tokens) {
                return Err(self.root_help(purpose));
            }
            return Err(self.no_command(&tokens, &line));
        };
        let purpose = asks_help(&tokens);
        let parts: Vec<&str> = command.path.split(' ').collect();
        let options = self.options_of(Some(command));
        if let Some(purpose) = purpose {
            return Err(self.help(command, purpose));
        }
        if self.has_children(command) {
            return Err(self.no_command(&tokens, &line[count.min(line.len())..]));
        }
        let (known, conflicts) = table(&options);
        if !conflicts.is_empty() {
            let texts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            return Err(refused(&texts.join("\n"), None));
        }
        let tokens = scan(arguments, &known);
        let mut typed = typed(&tokens, &options).map_err(|problem| refused(&problem, None))?;
        let mut path = parts.iter().copied().peekable();
        let rest: Vec<OsString> = tokens
            .iter()
            .filter(|token| match token {
                Token::Word(word) => path.next_if(|part| word == *part).is_none(),
                _ => true,
            })
            .flat_map(Token::arguments)
            .collect();
        let parser = self
            .face
            .leaf(&parts, command.description, &options, Purpose::Parse);
        let parsed = parse(parser, &options, rest)
            .map_err(|error| self.wrong(&error, Some(command), &tokens))?;
        if parsed.help {
            return Err(self.help(command, Purpose::Help));
        }
        typed.extend(parsed.positionals.into_iter().map(|(index, values)| {
            let descriptor = &options[index].descriptor;
            Typed {
                key: descriptor.key.to_owned(),
                flag: descriptor.key.to_owned(),
                values,
                multiple: descriptor.multiple,
            }
        }));
        Ok(Selected {
            command: command.path.clone(),
            typed,
        })
    }

    /// The help of the application without a command.
    pub(super) fn root_help(&self, purpose: Purpose) -> EarlyEnd {
        EarlyEnd::new(ExitCode::Success, self.root_text(purpose))
    }

    fn root_text(&self, purpose: Purpose) -> String {
        let commands: Vec<(&str, &str, bool)> = self
            .commands
            .iter()
            .filter(|command| !command.path.contains(' '))
            .map(|command| (command.path.as_str(), command.description, command.hidden))
            .collect();
        let root = self.face.root(&self.main, &commands, purpose);
        shown(root)
    }

    fn help(&self, command: &CliCommand, purpose: Purpose) -> EarlyEnd {
        let parts: Vec<&str> = command.path.split(' ').collect();
        let options = self.options_of(Some(command));
        let leaf = self
            .face
            .leaf(&parts, command.description, &options, purpose);
        EarlyEnd::new(ExitCode::Success, shown(leaf))
    }

    /// The line that explains the words behind `help`, if they name no command and somebody explains others.
    fn explaining(&self, asked: &[&str], arguments: &[OsString]) -> Option<Vec<OsString>> {
        let names_command = asked.is_empty() || self.find(asked).is_some();
        if names_command || self.find(&[EXPLAINS]).is_none() {
            return None;
        }
        let known = table(&self.all_options()).0;
        let places = arguments.iter().enumerate();
        let places = places.filter(|(_, word)| *word == HELP);
        // The value of an option may be called so, too.
        let mut lines = places.map(|(place, _)| {
            let mut line = arguments.to_vec();
            line[place] = EXPLAINS.into();
            line
        });
        lines.find(|line| words(&scan(line, &known)).first() == Some(&EXPLAINS))
    }

    /// `help run`: the words behind `help` name a command.
    fn help_words(&self, line: &[&str]) -> EarlyEnd {
        match self.find(line) {
            _ if line.is_empty() => self.help_alone(),
            Some((command, _)) => self.help(command, Purpose::Help),
            None => self.unknown_command(line[0]),
        }
    }

    /// The help of the application, and what else can be explained.
    fn help_alone(&self) -> EarlyEnd {
        if self.find(&[EXPLAINS]).is_none() {
            return self.root_help(Purpose::Help);
        }
        let help = self.root_text(Purpose::Help);
        let more = format!(
            "`{} help NAME` explains an option, extension, message, endpoint or component.\n",
            self.face.program
        );
        EarlyEnd::new(ExitCode::Success, format!("{}\n{more}", help.trim_end()))
    }

    fn version(&self) -> EarlyEnd {
        let text = format!("{} {}", self.face.program, self.version);
        EarlyEnd::new(ExitCode::Success, text)
    }

    /// What is wrong with a line that names no command.
    fn no_command(&self, tokens: &[Token], line: &[&str]) -> EarlyEnd {
        let before_word = tokens
            .iter()
            .take_while(|token| !matches!(token, Token::Word(_)));
        let wrong_option = before_word
            .filter(|token| matches!(token, Token::Unknown(_) | Token::Known { value: None, .. }))
            .flat_map(Token::arguments)
            .next();
        if let Some(option) = wrong_option {
            let root = self.face.root(&self.main, &[], Purpose::Parse);
            if let Err(error) = parse(root, &self.main, vec![option]) {
                return self.wrong(&error, None, tokens);
            }
        }
        match line.first() {
            Some(word) => self.unknown_command(word),
            None => refused(
                "a command is missing",
                Some(&format!("`{} --help` lists them", self.face.program)),
            ),
        }
    }

    fn unknown_command(&self, word: &str) -> EarlyEnd {
        let names = self
            .commands
            .iter()
            .flat_map(|command| command.path.split(' '));
        let hint = match nearest(word, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`{} --help` lists the commands", self.face.program),
        };
        refused(&format!("unknown command `{word}`"), Some(&hint))
    }

    /// The command that the first words name, the longest path that fits, and how many words it takes.
    fn find(&self, line: &[&str]) -> Option<(&CliCommand, usize)> {
        let deepest = self
            .commands
            .iter()
            .map(|command| command.path.split(' ').count())
            .max()
            .unwrap_or(0);
        (1..=line.len().min(deepest)).rev().find_map(|count| {
            let path = line[..count].join(" ");
            let index = self
                .commands
                .binary_search_by(|command| command.path.as_str().cmp(&path))
                .ok()?;
            Some((&self.commands[index], count))
        })
    }

    /// What the parser finds wrong with a line, in the words of all other messages.
    fn wrong(
        &self,
        error: &clap::Error,
        command: Option<&CliCommand>,
        tokens: &[Token],
    ) -> EarlyEnd {
        let typed = match command {
            Some(command) => format!("{} {}", self.face.program, command.path),
            None => self.face.program.clone(),
        };
        let elsewhere = |flag: &str| {
            self.commands
                .iter()
                .filter(|command| {
                    let own = &command.options;
                    table(own).0.long.contains_key(flag.trim_start_matches('-'))
                })
                .map(|command| command.path.as_str())
                .collect()
        };
        refusal::of(error, &typed, tokens, elsewhere)
    }

    fn has_children(&self, command: &CliCommand) -> bool {
        self.commands.iter().any(|other| {
            other
                .path
                .strip_prefix(&command.path)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    }

    fn options_of(&self, command: Option<&CliCommand>) -> Vec<CliOption> {
        let own = command.map(|command| command.options.as_slice());
        merged(std::iter::once(self.main.as_slice()).chain(own))
    }

    fn all_options(&self) -> Vec<CliOption> {
        let commands = self
            .commands
            .iter()
            .map(|command| command.options.as_slice());
        merged(std::iter::once(self.main.as_slice()).chain(commands))
    }
}

/// The word that shows the help of the words behind it, unless a command has this name.
const HELP: &str = "help";

/// The command that explains what is no command.
const EXPLAINS: &str = "help-topic";

/// Each option once, required if anybody requires it.
fn merged<'a>(lists: impl Iterator<Item = &'a [CliOption]>) -> Vec<CliOption> {
    let mut all: Vec<CliOption> = Vec::new();
    let mut index = std::collections::BTreeMap::new();
    for option in lists.flatten() {
        let identity = (option.descriptor.key, option.descriptor.at.map(|at| at.key));
        match index.get(&identity) {
            None => {
                index.insert(identity, all.len());
                all.push(option.clone());
            }
            Some(&known) => {
                let known: &mut CliOption = &mut all[known];
                known.required |= option.required;
            }
        }
    }
    all
}

/// The words, up to the first that is not UTF-8.
fn words(tokens: &[Token]) -> Vec<&str> {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(word),
            _ => None,
        })
        .map_while(|word| word.to_str())
        .collect()
}

/// The values of the known options, in the order in which each is first typed.
///
/// # Errors
/// A sentence, if a value is not UTF-8.
fn typed(tokens: &[Token], options: &[CliOption]) -> Result<Vec<Typed>, String> {
    let mut all: Vec<Typed> = Vec::new();
    for token in tokens {
        let (flag, spelling, value) = match token {
            Token::Known {
                spelling,
                flag,
                value: Some(value),
            } => (flag, spelling, value),
            Token::Word(word) if word.to_str().is_none() => {
                return Err(format!("the argument `{}` is not UTF-8", word.display()));
            }
            Token::Rest(rest) => match rest.iter().find(|word| word.to_str().is_none()) {
                Some(word) => {
                    return Err(format!("the argument `{}` is not UTF-8", word.display()));
                }
                None => continue,
            },
            _ => continue,
        };
        let Some(value) = value.to_str() else {
            return Err(format!(
                "the value `{}` of `{flag}` is not UTF-8",
                value.display()
            ));
        };
        let descriptor = &options[spelling.option].descriptor;
        let key = crate::config::Key::of(descriptor, spelling.entity.as_ref());
        match all.iter_mut().find(|typed| typed.key == key.as_str()) {
            Some(typed) if descriptor.multiple => typed.values.push(value.to_owned()),
            // The strict pass refuses the repetition.
            Some(_) => {}
            None => all.push(Typed {
                key: key.as_str().to_owned(),
                flag: flag.clone(),
                values: vec![value.to_owned()],
                multiple: descriptor.multiple,
            }),
        }
    }
    Ok(all)
}

pub(super) fn refused(problem: &str, hint: Option<&str>) -> EarlyEnd {
    let mut text = format!("{ERROR}error{ERROR:#}: {problem}\n");
    if let Some(hint) = hint {
        text = format!("{text}  {HINT}hint{HINT:#}: {hint}\n");
    }
    EarlyEnd::new(ExitCode::Usage, text)
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
