//! Builds the parser of one command at run time.
//!
//! The parser sees a line that [`super::scan`] has put in order: the words of the command are gone, every known option is
//! one argument (`--flag=value`). So options of the application may stand before and after the command's name. It only judges:
//! help is written from our own description of the options ([`super::help`]).

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Command};

use super::options::{CliOption, RESERVED, VERSION_LETTER, last_word, positionals, value_name};
use crate::config::Kind;

/// The parser of the options of one command; `name` is what a person types to get to it.
pub(super) fn parser(name: String, options: &[CliOption]) -> Command {
    let command = Command::new(name.clone())
        .bin_name(name)
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true);
    with_built_in(with_options(command, options), options)
}

fn with_built_in(command: Command, options: &[CliOption]) -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let version = flag("version");
    let is_free = options
        .iter()
        .all(|option| option.descriptor.short != Some(VERSION_LETTER));
    command
        .arg(flag("help").short('h'))
        .arg(flag("full-help"))
        .arg(if is_free {
            version.short(VERSION_LETTER)
        } else {
            version
        })
}

fn with_options(mut command: Command, options: &[CliOption]) -> Command {
    // Options that clash are refused before the parser is asked, or only the application's are in use; the first keeps the
    // spelling.
    let mut letters = BTreeSet::from(['h']);
    let mut names: BTreeSet<String> = RESERVED.map(str::to_owned).into();
    for option in positionals(options) {
        command = command.arg(positional(option));
    }
    for option in options {
        if option.descriptor.argument {
            continue;
        }
        let letter = option
            .descriptor
            .short
            .filter(|letter| letters.insert(*letter));
        for (index, (entity, flag)) in option.flags().into_iter().enumerate() {
            if !names.insert(flag.clone()) {
                continue;
            }
            let short = letter.filter(|_| index == 0);
            let aliases: Vec<String> = option
                .aliases(entity.as_ref())
                .into_iter()
                .filter(|alias| names.insert(alias.clone()))
                .collect();
            for flag in std::iter::once(&flag).chain(&aliases) {
                for (instruction, _) in option.instructions(flag) {
                    if names.insert(instruction.clone()) {
                        command = command.arg(named(option, instruction, None));
                    }
                }
            }
            command = command.arg(named(option, flag.clone(), short).aliases(aliases.clone()));
            let negation = format!("no-{flag}");
            if option.is_switch() && names.insert(negation.clone()) {
                command = command.arg(
                    Arg::new(negation.clone())
                        .long(negation)
                        .aliases(aliases.iter().map(|alias| format!("no-{alias}")))
                        .action(ArgAction::SetTrue)
                        .conflicts_with(flag),
                );
            }
        }
    }
    command
}

fn positional(option: &CliOption) -> Arg {
    let arg = Arg::new(option.descriptor.key)
        .value_name(last_word(option.descriptor.key).to_uppercase())
        .value_parser(NonEmptyStringValueParser::new())
        .allow_negative_numbers(true);
    if option.descriptor.multiple {
        arg.num_args(0..).action(ArgAction::Append)
    } else {
        arg.action(ArgAction::Set)
    }
}

fn named(option: &CliOption, flag: String, short: Option<char>) -> Arg {
    let descriptor = &option.descriptor;
    let mut arg = Arg::new(flag.clone()).long(flag);
    if let Some(letter) = short {
        arg = arg.short(letter);
    }
    let several = if descriptor.multiple {
        ArgAction::Append
    } else {
        ArgAction::Set
    };
    match descriptor.kind {
        Kind::Flag => arg
            .action(several)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        // Whether a value is right is the validation's to say, for the command line as for files.
        kind => arg
            .action(several)
            .value_name(value_name(kind))
            .value_parser(NonEmptyStringValueParser::new()),
    }
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
