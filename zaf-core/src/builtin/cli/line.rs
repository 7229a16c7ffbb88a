//! Reads a whole command line: leniently while options are still becoming known, strictly at the end. Pure.

use std::collections::BTreeSet;
use std::ffi::OsString;

use anstyle::{AnsiColor, Style};

use super::super::disabled_options;
use super::help::{self, Purpose};
use super::model::{CliCommand, Model};
use super::options::{CliOption, VERSION_LETTER, table};
use super::parser::{parse, parser};
use super::refusal;
use super::scan::{Token, scan};
use crate::application::{EarlyEnd, ExitCode};
use crate::config::{Key, nearest};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

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
    /// The values that can be told so far: of options that are known and mean the same whatever the command is. A reading that
    /// knows more never finds another value for the same key in a line that can be run. Never complains: that is the strict
    /// reading's.
    pub(super) fn lenient(&self, arguments: &[OsString]) -> Vec<Typed> {
        let (table, options) = self.common_on(arguments);
        typed(&scan(arguments, &table), &options).unwrap_or_default()
    }

    /// The command and all values.
    ///
    /// # Errors
    /// [`EarlyEnd`]: help or version was asked for, or the line is wrong (exit code 2).
    pub(super) fn strict(&self, arguments: &[OsString]) -> Result<Selected, EarlyEnd> {
        let common = scan(arguments, &self.common_on(arguments).0);
        let line = words(&common);
        if line.first() == Some(&HELP) {
            let named = &line[1..];
            // Commands win; what else `help` may explain is up to a command of this name.
            if self.find(&[HELP]).is_none() || self.names_command(named) {
                let purpose = asked_for(&common).unwrap_or(Purpose::Help);
                return Err(self.help_words(named, purpose));
            }
        }
        let Some((command, count)) = self.find(&line) else {
            if asks_version(&common) {
                return Err(self.version());
            }
            return Err(match asked_for(&common) {
                Some(purpose) => self.help(None, purpose),
                None => self.no_command(&common, None, &line),
            });
        };
        let options = self.options_of(Some(command));
        let (known, conflicts) = table(&options);
        let tokens = scan(arguments, &known);
        if asks_version(&tokens) {
            return Err(self.version());
        }
        if let Some(purpose) = asked_for(&tokens) {
            return Err(self.help(Some(command), purpose));
        }
        if self.children(Some(command)).next().is_some() {
            return Err(self.no_command(&tokens, Some(command), &line[count..]));
        }
        if !conflicts.is_empty() {
            let texts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            return Err(refused(&texts.join("\n"), None));
        }
        let mut typed = typed(&tokens, &options).map_err(|problem| refused(&problem, None))?;
        let mut path = command.path.split(' ').peekable();
        let rest: Vec<OsString> = tokens
            .iter()
            .filter(|token| match token {
                Token::Word(word) => path.next_if(|part| word == *part).is_none(),
                _ => true,
            })
            .flat_map(Token::arguments)
            .collect();
        let name = self.typed_path(Some(command));
        // The parser looks at each of its options many times, so it gets those that are on the line; a line that it refuses is
        // judged again with all of them, which it may mean.
        let few = parser(name.clone(), &on_the_line(&tokens, &options));
        let parsed = parse(few, &options, rest.clone())
            .or_else(|_| parse(parser(name, &options), &options, rest))
            .map_err(|error| self.wrong(&error, Some(command), &tokens))?;
        if parsed.help {
            return Err(self.help(Some(command), Purpose::Help));
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

    /// Whether these words are the path of a command.
    fn names_command(&self, line: &[&str]) -> bool {
        line.is_empty() || matches!(self.find(line), Some((_, count)) if count == line.len())
    }

    fn help(&self, command: Option<&CliCommand>, purpose: Purpose) -> EarlyEnd {
        EarlyEnd::new(ExitCode::Success, help::page(self, command, purpose))
    }

    /// The help of the application, and what else can be explained.
    fn help_alone(&self, purpose: Purpose) -> EarlyEnd {
        let page = help::page(self, None, purpose);
        if self.find(&[HELP]).is_none() {
            return EarlyEnd::new(ExitCode::Success, page);
        }
        let more = format!(
            "`{} help NAME` explains an option, extension, message, endpoint or component.\n",
            self.program
        );
        EarlyEnd::new(ExitCode::Success, format!("{}\n{more}", page.trim_end()))
    }

    /// `help addon create`: the words behind `help` name a command.
    fn help_words(&self, line: &[&str], purpose: Purpose) -> EarlyEnd {
        match self.find(line) {
            None if line.is_empty() => self.help_alone(purpose),
            Some((command, count)) if count == line.len() => self.help(Some(command), purpose),
            Some((command, count)) => self.unknown_command(Some(command), line[count]),
            None => self.unknown_command(None, line[0]),
        }
    }

    fn version(&self) -> EarlyEnd {
        let text = format!("{} {}", self.program, self.version);
        EarlyEnd::new(ExitCode::Success, text)
    }

    /// What is wrong with a line that names no command, or only one that has others below it. `line` are the words behind it.
    fn no_command(&self, tokens: &[Token], above: Option<&CliCommand>, line: &[&str]) -> EarlyEnd {
        let before_word = tokens
            .iter()
            .take_while(|token| !matches!(token, Token::Word(_)));
        let wrong_option = before_word
            .filter(|token| matches!(token, Token::Unknown(_) | Token::Known { value: None, .. }))
            .flat_map(Token::arguments)
            .next();
        if let Some(option) = wrong_option {
            let root = parser(self.program.clone(), &self.main);
            if let Err(error) = parse(root, &self.main, vec![option]) {
                return self.wrong(&error, None, tokens);
            }
        }
        match line.first() {
            Some(word) => self.unknown_command(above, word),
            None => self.missing_command(above),
        }
    }

    fn missing_command(&self, above: Option<&CliCommand>) -> EarlyEnd {
        let problem = match above {
            Some(above) => format!("`{}` needs a command below it", above.path),
            None => "a command is missing".to_owned(),
        };
        let below = self.children(above).filter(|command| !command.hidden);
        let below: Vec<&str> = below.map(CliCommand::name).collect();
        let hint = format!(
            "one of {}; `{} --help` says what each does",
            below.join(", "),
            self.typed_path(above)
        );
        refused(&problem, Some(&hint))
    }

    fn unknown_command(&self, above: Option<&CliCommand>, word: &str) -> EarlyEnd {
        let below = self
            .children(above)
            .filter(|command| !command.hidden)
            .map(CliCommand::name);
        // Whoever forgets the first word means a command that belongs to another one.
        let elsewhere = || {
            let commands = || self.commands.iter().filter(|command| !command.hidden);
            let near = nearest(word, commands().map(CliCommand::name))?;
            let found = commands().find(|command| command.name() == near)?;
            Some(found.path.as_str())
        };
        let switched_off = || {
            let path = above.map_or_else(String::new, |above| format!("{} ", above.path)) + word;
            let owner = disabled_options::owner_of_command(self.catalog.as_ref()?, &path)?;
            Some(format!("it is a command of {owner}"))
        };
        let near = || {
            let near = nearest(word, below).or_else(elsewhere)?;
            Some(format!("did you mean `{near}`?"))
        };
        let hint = switched_off()
            .or_else(near)
            .unwrap_or_else(|| format!("`{} --help` lists the commands", self.typed_path(above)));
        let problem = match above {
            Some(above) => format!("`{}` has no command `{word}`", above.path),
            None => format!("unknown command `{word}`"),
        };
        refused(&problem, Some(&hint))
    }

    /// What the parser finds wrong with a line, in the words of all other messages.
    fn wrong(
        &self,
        error: &clap::Error,
        command: Option<&CliCommand>,
        tokens: &[Token],
    ) -> EarlyEnd {
        let typed = self.typed_path(command);
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
        let switched_off = |flag: &str| {
            let name = flag.trim_start_matches('-').replace('@', ".");
            let owner = |name| disabled_options::owner_of(self.catalog.as_ref()?, &Key::fold(name));
            owner(&name).or_else(|| owner(name.strip_prefix("no-")?))
        };
        let options = self.options_of(command);
        let is_incomplete = self.catalog.as_ref().is_some_and(|one| one.is_incomplete);
        refusal::of(
            error,
            &typed,
            &options,
            tokens,
            elsewhere,
            switched_off,
            is_incomplete,
        )
    }
}

/// The word that shows the help of the words behind it, unless a command has this name.
pub(super) const HELP: &str = "help";

/// Which help a line asks for.
fn asked_for(tokens: &[Token]) -> Option<Purpose> {
    tokens.iter().find_map(|token| {
        if token.is_flag("--full-help") {
            Some(Purpose::FullHelp)
        } else if token.is_flag("--help") || token.is_flag("-h") {
            Some(Purpose::Help)
        } else {
            None
        }
    })
}

/// Whether a line asks for the version. A letter that an option has is known and not this.
fn asks_version(tokens: &[Token]) -> bool {
    let letter = Token::Unknown(format!("-{VERSION_LETTER}").into());
    tokens
        .iter()
        .any(|token| token.is_flag("--version") || *token == letter)
}

/// The options that are typed, and all positional ones.
fn on_the_line(tokens: &[Token], options: &[CliOption]) -> Vec<CliOption> {
    let typed: BTreeSet<usize> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Known { spelling, .. } => Some(spelling.option),
            _ => None,
        })
        .collect();
    options
        .iter()
        .enumerate()
        .filter(|(index, option)| option.descriptor.argument || typed.contains(index))
        .map(|(_, option)| option.clone())
        .collect()
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
        let key = Key::of(descriptor, spelling.entity.as_ref());
        let key = spelling.operation.key_for(&key);
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
