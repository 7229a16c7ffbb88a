//! Says what is wrong with a line in the words of all other messages: the parser's own speak of usage, not of what to do.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::line::refused;
use super::scan::Token;
use crate::application::EarlyEnd;

/// The refusal of a line that the parser refused. `typed` is the program and the command; `elsewhere` says which commands
/// have an option that this one has not, `switched_off` whose it is if that is not loaded.
pub(super) fn of<'a>(
    error: &clap::Error,
    typed: &str,
    tokens: &[Token],
    elsewhere: impl Fn(&str) -> Vec<&'a str>,
    switched_off: impl Fn(&str) -> Option<String>,
) -> EarlyEnd {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let name = name_of(argument);
    let help = format!("`{typed} --help` shows what is accepted");
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') && argument != "-" => {
            let hint = waiting_for_value(tokens, argument)
                .map(|flag| format!("a value that begins with `-` is joined: `{flag}={argument}`"))
                .or_else(|| Some(format!("it is an option of {}", switched_off(name)?)))
                .or_else(|| {
                    let near = text(error, ContextKind::SuggestedArg)?;
                    Some(format!("did you mean `{}`?", name_of(near)))
                })
                .or_else(|| match elsewhere(name).as_slice() {
                    [] => None,
                    commands => Some(format!("it is an option of `{}`", commands.join("`, `"))),
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
