//! Says what is wrong with a line in the words of all other messages: the parser's own speak of usage, not of what to do.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::line::refused;
use super::options::CliOption;
use super::scan::Token;
use crate::application::EarlyEnd;
use crate::config::{flag_name, nearest};
use crate::message::Entity;

/// So many options that begin with what was typed are named; of more, none.
const NAMED: usize = 5;

/// The refusal of a line that the parser refused. `typed` is the program and the command, `options` are those that it accepts;
/// `elsewhere` says which commands have an option that this one has not, `switched_off` whose it is if that is not loaded,
/// `is_incomplete` whether something could not be loaded.
pub(super) fn of<'a>(
    error: &clap::Error,
    typed: &str,
    options: &[CliOption],
    tokens: &[Token],
    elsewhere: impl Fn(&str) -> Vec<&'a str>,
    switched_off: impl Fn(&str) -> Option<String>,
    is_incomplete: bool,
) -> EarlyEnd {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let name = name_of(argument);
    let help = format!("`{typed} --help` shows what is accepted");
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') && argument != "-" => {
            let hint = waiting_for_value(tokens, argument)
                .map(|flag| format!("a value that begins with `-` is joined: `{flag}={argument}`"))
                .or_else(|| Some(format!("it is an option of {}", switched_off(name)?)))
                // Exactly the name of another command's option is no slip of the finger.
                .or_else(|| match elsewhere(name).as_slice() {
                    [] => None,
                    commands => Some(format!("it is an option of `{}`", commands.join("`, `"))),
                })
                .or_else(|| meant(name, options))
                .or_else(|| {
                    // The parser's own resembles it in a few letters only.
                    let near = name_of(text(error, ContextKind::SuggestedArg)?);
                    let near = nearest(name, [near])?;
                    Some(format!("did you mean `{near}`?"))
                })
                .or_else(|| {
                    let hint = "it may belong to what could not be loaded; that is told besides";
                    is_incomplete.then(|| hint.to_owned())
                });
            let problem = format!("unknown option `{name}`");
            refused(&problem, Some(&hint.unwrap_or(help)))
        }
        ErrorKind::UnknownArgument => {
            let problem = format!("`{typed}` has no place for the argument `{argument}`");
            refused(&problem, Some(&help))
        }
        ErrorKind::InvalidValue if name.starts_with('-') => {
            let problem = format!("option `{name}` needs a value");
            let wanted = argument.trim_start_matches(name).trim();
            let hint = if wanted.is_empty() {
                help
            } else {
                format!("write `{name} {}`", wanted.trim_matches(['<', '>']))
            };
            refused(&problem, Some(&hint))
        }
        ErrorKind::InvalidValue => refused("an argument is empty", Some(&help)),
        ErrorKind::ArgumentConflict => {
            let prior = text(error, ContextKind::PriorArg).map_or(name, name_of);
            if prior == name {
                let hint =
                    "its value can be given once; the command line wins over files and environment";
                refused(&format!("option `{name}` is given twice"), Some(hint))
            } else {
                let problem = format!("options `{name}` and `{prior}` contradict each other");
                refused(&problem, Some("leave one of them out"))
            }
        }
        ErrorKind::TooManyValues => {
            let problem = format!("option `{name}` takes no value");
            let hint = match name.strip_prefix("--no-") {
                Some(rest) => format!("`--{rest}=true` and `--{rest}=false` are accepted"),
                None => help,
            };
            refused(&problem, Some(&hint))
        }
        _ => EarlyEnd::new(
            crate::application::ExitCode::Usage,
            error.render().ansi().to_string(),
        ),
    }
}

/// What an unknown flag may be meant for: the beginning of another, an entity that has another name, a slip of the finger.
fn meant(name: &str, options: &[CliOption]) -> Option<String> {
    let flags: Vec<String> = options
        .iter()
        .filter(|option| !option.descriptor.argument)
        .flat_map(|option| {
            let is_switch = option.is_switch();
            option.flags().into_iter().flat_map(move |(_, flag)| {
                let negation = is_switch.then(|| format!("--no-{flag}"));
                std::iter::once(format!("--{flag}")).chain(negation)
            })
        })
        .collect();
    let longer: Vec<&str> = flags
        .iter()
        .map(String::as_str)
        .filter(|flag| name.len() > 2 && flag.starts_with(name))
        .collect();
    match longer.as_slice() {
        [] => {}
        [one] => return Some(format!("did you mean `{one}`?")),
        several if several.len() <= NAMED => {
            return Some(format!(
                "options are typed in full: `{}`",
                several.join("`, `")
            ));
        }
        _ => return None,
    }
    other_entity(name, options).or_else(|| {
        let near = nearest(name, flags.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean `{near}`?"));
        near.or_else(|| last_words(name, &flags))
    })
}

/// The options that end as what was typed does, `--parallel-workers` for `--workers`; of several those with the fewest words.
fn last_words(name: &str, flags: &[String]) -> Option<String> {
    let end = name.strip_prefix('-').filter(|end| end.len() > 3)?;
    let words = |flag: &str| flag.matches('-').count();
    let found = || flags.iter().filter(|flag| flag.ends_with(end));
    let fewest = found().map(|flag| words(flag)).min()?;
    let found: Vec<&str> = found()
        .filter(|flag| words(flag) == fewest)
        .map(String::as_str)
        .collect();
    match found.as_slice() {
        [one] => Some(format!("did you mean `{one}`?")),
        several if several.len() <= NAMED => {
            Some(format!("did you mean one of `{}`?", several.join("`, `")))
        }
        _ => None,
    }
}

/// Which entities have the option that `name` sets for one that nobody named.
fn other_entity(name: &str, options: &[CliOption]) -> Option<String> {
    let name = name.strip_prefix("--")?;
    options.iter().find_map(|option| {
        let at = option.descriptor.at?;
        // The place of the entity in the flag, by a name that cannot be typed.
        let pattern = flag_name(&option.descriptor, Some(&Entity::from("\0")));
        let (before, behind) = pattern.split_once('\0')?;
        let typed = name.strip_prefix(before).or_else(|| {
            let rest = name.strip_prefix("no-")?.strip_prefix(before)?;
            option.is_switch().then_some(rest)
        })?;
        let typed = typed.strip_suffix(behind)?;
        let known: Vec<&str> = option.entities.iter().map(Entity::name).collect();
        let by = flag_name(at, None);
        Some(match nearest(typed, known.iter().copied()) {
            Some(near) => format!("did you mean `--{before}{near}{behind}`?"),
            None if known.is_empty() => format!("name it first: `--{by} {typed}`"),
            None => format!("`{by}` names `{}`", known.join("`, `")),
        })
    })
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// The flag without what the parser's usage shows behind it: `--output-dir <PATH>`, `--abort[=<abort>]`.
fn name_of(argument: &str) -> &str {
    match argument.find([' ', '[', '=']) {
        Some(end) if argument.starts_with('-') => &argument[..end],
        _ => argument,
    }
}

/// The option before `argument` that has no value, because `argument` looks like an option.
fn waiting_for_value<'a>(tokens: &'a [Token], argument: &str) -> Option<&'a str> {
    tokens.windows(2).find_map(|pair| match pair {
        [
            Token::Known {
                flag, value: None, ..
            },
            Token::Unknown(next),
        ] if next == argument => Some(flag.as_str()),
        _ => None,
    })
}
