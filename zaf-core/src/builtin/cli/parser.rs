//! Builds the parser of one command at run time, and its help.
//!
//! The parser sees a line that [`super::scan`] has put in order: the words of the command are gone, every known option is
//! one argument (`--flag=value`). So options of the application may stand before and after the command's name.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::{NonEmptyStringValueParser, Styles};
use clap::{Arg, ArgAction, Command};

use super::options::{CliOption, Owner, RESERVED};
use crate::config::{DefaultValue, Kind, Value, flag_name};
use crate::message::Entity;

/// What a parser is built for: the help shows less than the parser accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Parse,
    Help,
    /// Help with everything that is hidden.
    FullHelp,
}

/// What is the same for all parsers of an application.
#[derive(Debug, Clone)]
pub(super) struct Face {
    /// Word that the person typed to start the application.
    pub(super) program: String,
    pub(super) about: String,
    /// Columns of the terminal.
    pub(super) width: usize,
}

/// Heading of what every command understands.
const GENERAL: &str = "General options";

/// Also shows the version, unless an option has this letter.
pub(super) const VERSION_LETTER: char = 'V';

/// So many entities are shown in the help one by one; of more, one line says it for all.
const ENTITIES_SHOWN: usize = 8;

/// Stands for a blank where a line must not break; [`shown`] makes it one.
const NO_BREAK: char = '\u{a0}';

/// The text of a help page, with colour sequences.
pub(super) fn shown(mut command: Command) -> String {
    let text = command.render_help().ansi().to_string();
    text.replace(NO_BREAK, " ")
}

/// Columns beyond which help is harder to read, not easier.
const WIDEST_HELP: usize = 100;

impl Face {
    fn command(&self, name: String) -> Command {
        Command::new(name.clone())
            .bin_name(name)
            .no_binary_name(true)
            .disable_help_flag(true)
            .disable_version_flag(true)
            .disable_help_subcommand(true)
            .term_width(self.width.clamp(40, WIDEST_HELP))
            .styles(Styles::styled())
            .next_help_heading("Options")
    }

    /// The parser for what stands around no command.
    pub(super) fn root(
        &self,
        options: &[CliOption],
        commands: &[(&str, &str, bool)],
        purpose: Purpose,
    ) -> Command {
        let mut root = self
            .command(self.program.clone())
            .about(self.about.clone())
            .subcommand_value_name("COMMAND")
            .override_usage(format!("{} [OPTIONS] <COMMAND>", self.program));
        for &(name, about, hidden) in commands {
            if !hidden || purpose == Purpose::FullHelp {
                let about = first_line(about).to_owned();
                root = root.subcommand(Command::new(name.to_owned()).about(about));
            }
        }
        let root = with_options(root, options, purpose);
        with_built_in(root, options).after_help(format!(
            "`{program} COMMAND --help` shows the options of a command,\n\
             `--full-help` also those that are hidden.",
            program = self.program
        ))
    }

    /// The parser of one command; `path` are its words.
    pub(super) fn leaf(
        &self,
        path: &[&str],
        about: &str,
        options: &[CliOption],
        purpose: Purpose,
    ) -> Command {
        let name = format!("{} {}", self.program, path.join(" "));
        let leaf = self.command(name).about(first_line(about).to_owned());
        let leaf = with_options(leaf, options, purpose);
        with_built_in(leaf, options).after_help("`--full-help` also shows hidden options.")
    }
}

fn with_built_in(command: Command, options: &[CliOption]) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
            .help_heading(GENERAL)
            .display_order(usize::MAX)
    };
    let version = flag("version", "Show the version");
    let is_free = options
        .iter()
        .all(|option| option.descriptor.short != Some(VERSION_LETTER));
    command
        .arg(flag("help", "Show this help").short('h'))
        .arg(flag("full-help", "Show this help with what is hidden"))
        .arg(if is_free {
            version.short(VERSION_LETTER)
        } else {
            version
        })
}

fn with_options(mut command: Command, options: &[CliOption], purpose: Purpose) -> Command {
    // Headings appear in the order of their first option: the command's own first, what is always the same last.
    let mut sorted: Vec<&CliOption> = options.iter().collect();
    sorted.sort_by_key(|option| (!option.descriptor.argument, option.owner));
    // Help is shown in spite of options that clash; loading reports them. The first keeps the spelling.
    let mut letters = BTreeSet::from(['h']);
    let mut names: BTreeSet<String> = RESERVED.map(str::to_owned).into();
    for option in sorted {
        if option.descriptor.argument {
            command = command.arg(positional(option));
            continue;
        }
        let mut flags: Vec<String> = option.flags().into_iter().map(|(_, flag)| flag).collect();
        let in_one_line =
            option.descriptor.at.is_some() && !(1..=ENTITIES_SHOWN).contains(&flags.len());
        if purpose != Purpose::Parse && in_one_line {
            flags = vec![flag_name(&option.descriptor, Some(&Entity::from("NAME")))];
        }
        let letter = option
            .descriptor
            .short
            .filter(|letter| letters.insert(*letter));
        for (index, flag) in flags.into_iter().enumerate() {
            if !names.insert(flag.clone()) {
                continue;
            }
            let short = letter.filter(|_| index == 0);
            command = command.arg(named(option, flag.clone(), short, purpose));
            let negation = format!("no-{flag}");
            if option.is_switch() && names.insert(negation.clone()) {
                command = command.arg(
                    Arg::new(negation.clone())
                        .long(negation)
                        .action(ArgAction::SetTrue)
                        .conflicts_with(flag)
                        .hide(true),
                );
            }
        }
    }
    command
}

fn positional(option: &CliOption) -> Arg {
    let arg = Arg::new(option.descriptor.key)
        .value_name(last_word(option.descriptor.key).to_uppercase())
        .help_heading("Arguments")
        .value_parser(NonEmptyStringValueParser::new())
        .help(help_text(option));
    if option.descriptor.multiple {
        arg.num_args(0..).action(ArgAction::Append)
    } else {
        arg.action(ArgAction::Set)
    }
}

fn named(option: &CliOption, flag: String, short: Option<char>, purpose: Purpose) -> Arg {
    let descriptor = &option.descriptor;
    let mut arg = Arg::new(flag.clone()).long(flag).help(help_text(option));
    if let Some(letter) = short {
        arg = arg.short(letter);
    }
    arg = match option.owner {
        Owner::Command => arg.help_heading("Options"),
        Owner::Extension(name) => arg.help_heading(format!("Options of {name}")),
        Owner::Application => arg.help_heading(GENERAL),
    };
    if descriptor.hidden && purpose != Purpose::FullHelp {
        arg = arg.hide(true);
    }
    let several = if descriptor.multiple {
        ArgAction::Append
    } else {
        ArgAction::Set
    };
    match descriptor.kind {
        Kind::Flag if purpose == Purpose::Parse => arg
            .action(several)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Flag => arg.action(ArgAction::SetTrue),
        // Whether a value is right is the validation's to say, for the command line as for files.
        kind => arg
            .action(several)
            .value_name(value_name(kind))
            .value_parser(NonEmptyStringValueParser::new()),
    }
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer | Kind::Count => "N",
        Kind::Float => "NUMBER",
        Kind::Duration => "TIME",
        Kind::Size => "BYTES",
        Kind::Path => "PATH",
        Kind::Glob => "PATTERN",
        Kind::Choice(_) => "WORD",
        Kind::Entity => "NAME",
        _ => "TEXT",
    }
}

fn help_text(option: &CliOption) -> String {
    let descriptor = &option.descriptor;
    let mut notes = Vec::new();
    if let Kind::Choice(words) = descriptor.kind {
        notes.push(words.join(", "));
    }
    match descriptor.default {
        Some(DefaultValue::Flag(true)) => {
            let flag = flag_name(descriptor, None);
            notes.push(format!("on by default, --no-{flag} turns it off"));
        }
        Some(DefaultValue::Flag(false)) | None => {}
        Some(default) => notes.push(format!("default: {}", Value::from(default).plain())),
    }
    if option.required && descriptor.default.is_none() {
        notes.push("required".to_owned());
    }
    if descriptor.multiple && !descriptor.argument {
        notes.push("may be repeated".to_owned());
    }
    notes.into_iter().fold(
        first_line(descriptor.description).to_owned(),
        |text, note| {
            // Short ones stay in one piece.
            let note = if note.len() <= 24 {
                note.replace(' ', NO_BREAK.encode_utf8(&mut [0; 2]))
            } else {
                note
            };
            format!("{text} [{note}]")
        },
    )
}

/// First line of a documentation without its full stop, for lists.
fn first_line(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    line.trim().trim_end_matches('.')
}

fn last_word(key: &str) -> &str {
    key.rsplit(['.', '-', '_']).next().unwrap_or(key)
}

/// What the parser alone can tell about a line that is right.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Index of a positional option and its values, in the order typed.
    pub(super) positionals: Vec<(usize, Vec<String>)>,
    /// Whether help was asked for among clustered short flags.
    pub(super) help: bool,
}

/// Judges a line.
///
/// # Errors
/// What the parser finds wrong with it.
pub(super) fn parse(
    command: Command,
    options: &[CliOption],
    arguments: Vec<OsString>,
) -> Result<Parsed, clap::Error> {
    let matches = command.try_get_matches_from(arguments)?;
    let positionals = options
        .iter()
        .enumerate()
        .filter(|(_, option)| option.descriptor.argument)
        .filter_map(|(index, option)| {
            let values = matches.get_many::<String>(option.descriptor.key)?;
            Some((index, values.cloned().collect()))
        })
        .collect();
    Ok(Parsed {
        positionals,
        help: matches.get_flag("help"),
    })
}
