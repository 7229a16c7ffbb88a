//! What may come next on a command line. Pure.
//!
//! The words so far are taken apart as they will be when the line is run, so what is offered is what is accepted. Nothing here
//! complains: of a line that is wrong, what can be understood counts.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::super::help::first_line;
use super::super::line::HELP;
use super::super::model::{CliCommand, Model};
use super::super::options::{CliOption, RESERVED, positionals, table};
use super::super::scan::{Spelling, Takes, Token, scan};
use crate::builtin::{EXPLAIN, TARGET_COMMAND, WHY_EXTENSION};
use crate::config::{DefaultValue, Key, Kind, OptionDescriptor, shown_key};

/// What may stand in the place of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    /// Names of files, which the shell knows best.
    Files,
    /// These words; perhaps none.
    Words(Vec<Word>),
}

/// A word that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// All of it, with what is there already.
    pub(super) text: String,
    /// What it means, in a few words; may be empty.
    pub(super) meaning: String,
    /// Whether it is offered only if nothing else fits.
    hidden: bool,
}

impl Word {
    fn new(text: impl Into<String>, meaning: &str) -> Self {
        Self {
            text: text.into(),
            meaning: first_line(meaning).to_owned(),
            hidden: false,
        }
    }

    fn hidden(self, hidden: bool) -> Self {
        Self { hidden, ..self }
    }
}

/// What may stand in the place of `current`, of which the letters before the cursor are known, behind `before`.
pub(super) fn offer(model: &Model, before: &[OsString], current: &str) -> Offer {
    match possible(model, before, current) {
        Offer::Files => Offer::Files,
        Offer::Words(words) => {
            let (mut hidden, mut fitting): (Vec<Word>, Vec<Word>) = words
                .into_iter()
                .filter(|word| word.text.starts_with(current))
                .partition(|word| word.hidden);
            if fitting.is_empty() && !current.trim_start_matches('-').is_empty() {
                fitting.append(&mut hidden);
            }
            Offer::Words(fitting)
        }
    }
}

/// What may be meant, whether it fits to `current` or not.
fn possible(model: &Model, before: &[OsString], current: &str) -> Offer {
    let (common, all) = model.common();
    let by_all = scan(before, &common);
    let line: Vec<&str> = words(&by_all).collect();
    if line.first() == Some(&HELP) {
        let above = model.find(&line[1..]).map(|(command, _)| command);
        let mut below = commands(model, above);
        below.retain(|word| word.text != HELP);
        return Offer::Words(below);
    }
    let (command, count) = match model.find(&line) {
        Some((command, count)) => (Some(command), count),
        None => (None, 0),
    };
    let (tokens, options, known) = if command.is_some() {
        let options = model.options_of(command);
        let known = table(&options).0;
        (scan(before, &known), options, known)
    } else {
        (by_all.clone(), all, common)
    };
    let is_behind_dashes = tokens.iter().any(|token| matches!(token, Token::Rest(_)));
    let looks_like_option = current.len() > 1 && current.starts_with('-');
    if !looks_like_option
        && let Some(Token::Known {
            spelling,
            value: None,
            ..
        }) = tokens.last()
    {
        return values(model, &options[spelling.option].descriptor, "");
    }
    if !is_behind_dashes && current.starts_with('-') {
        if let Some((flag, _)) = current.split_once('=') {
            let spelling = known.long.get(flag.trim_start_matches('-'));
            return match spelling {
                Some(Spelling { option, takes, .. }) if *takes != Takes::Negation => {
                    values(model, &options[*option].descriptor, &format!("{flag}="))
                }
                _ => Offer::Words(Vec::new()),
            };
        }
        let shown = match command {
            Some(_) => options,
            None => model.main.clone(),
        };
        return Offer::Words(flags(&shown, &tokens, current));
    }
    if command.is_none() && !line.is_empty() {
        // Behind a word that is no command, nobody knows what is meant.
        return Offer::Words(Vec::new());
    }
    let below = commands(model, command);
    if !below.is_empty() || command.is_none() {
        return Offer::Words(below);
    }
    let behind_dashes = tokens.iter().map(|token| match token {
        Token::Rest(rest) => rest.len(),
        _ => 0,
    });
    let taken =
        words(&tokens).count() - count.min(words(&tokens).count()) + behind_dashes.sum::<usize>();
    let arguments = positionals(&options);
    let place = arguments
        .get(taken)
        .or_else(|| arguments.last().filter(|last| last.descriptor.multiple));
    match place {
        Some(option) => values(model, &option.descriptor, ""),
        None => Offer::Words(Vec::new()),
    }
}

fn words(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word) => word.to_str(),
        _ => None,
    })
}

fn commands(model: &Model, above: Option<&CliCommand>) -> Vec<Word> {
    let mut words: Vec<Word> = model
        .children(above)
        .map(|command| Word::new(command.name(), command.description).hidden(command.hidden))
        .collect();
    if above.is_none() && model.find(&[HELP]).is_none() {
        words.push(Word::new(HELP, "Shows the help of a command"));
    }
    words
}

/// The options that are not on the line yet, and those that may be there again.
fn flags(options: &[CliOption], tokens: &[Token], current: &str) -> Vec<Word> {
    let used: BTreeSet<(usize, Option<String>)> = {
        // The table of the line knows options by their place in another list.
        let spelled = table(options).0;
        tokens
            .iter()
            .filter_map(|token| match token {
                Token::Known { flag, .. } => match flag.strip_prefix("--") {
                    Some(long) => spelled.long.get(long),
                    None => spelled.short.get(&flag.chars().nth(1)?),
                },
                _ => None,
            })
            .map(|spelling| {
                let entity = spelling.entity.as_ref();
                (
                    spelling.option,
                    entity.map(|entity| entity.name().to_owned()),
                )
            })
            .collect()
    };
    let mut words = Vec::new();
    for (index, option) in options.iter().enumerate() {
        let descriptor = &option.descriptor;
        if descriptor.argument {
            continue;
        }
        for (entity, flag) in option.flags() {
            let entity = entity.map(|entity| entity.name().to_owned());
            if !descriptor.multiple && used.contains(&(index, entity)) {
                continue;
            }
            let word =
                |text: String| Word::new(text, descriptor.description).hidden(descriptor.hidden);
            words.push(word(format!("--{flag}")));
            let is_on = matches!(descriptor.default, Some(DefaultValue::Flag(true)));
            if option.is_switch() && (is_on || current.starts_with("--no-")) {
                words.push(word(format!("--no-{flag}")));
            }
        }
    }
    let meanings = [
        "Shows the help",
        "Shows the help with everything in it",
        "Shows the version",
    ];
    let own = RESERVED.into_iter().zip(meanings);
    words.extend(own.map(|(name, meaning)| Word::new(format!("--{name}"), meaning)));
    words
}

/// The values of an option, each behind `head`.
fn values(model: &Model, option: &OptionDescriptor, head: &str) -> Offer {
    let words: Vec<Word> = match option.kind {
        Kind::Flag => ["true", "false"]
            .iter()
            .map(|word| Word::new(*word, ""))
            .collect(),
        Kind::Choice(choices) => choices.iter().map(|word| Word::new(*word, "")).collect(),
        kind @ Kind::ChoiceOf(_) => {
            // Values that cannot be read are a problem that the validation finds.
            let choices = model.store.choices(kind).ok().flatten().unwrap_or_default();
            choices.iter().map(|word| Word::new(word, "")).collect()
        }
        Kind::Entity => entities(model, option),
        Kind::Path | Kind::Glob => return Offer::Files,
        Kind::Text if option.key == TARGET_COMMAND.key() => model
            .commands
            .iter()
            .map(|command| Word::new(&command.path, command.description).hidden(command.hidden))
            .collect(),
        Kind::Text if option.key == WHY_EXTENSION.key() => model
            .extensions
            .iter()
            .map(|(name, description)| Word::new(*name, description))
            .collect(),
        Kind::Text if option.key == EXPLAIN.key() => keys(model),
        Kind::Text if option.argument => return Offer::Files,
        _ => Vec::new(),
    };
    Offer::Words(
        words
            .into_iter()
            .map(|word| Word {
                text: format!("{head}{}", word.text),
                ..word
            })
            .collect(),
    )
}

/// The entities that an option names, and those that have values but are not named yet.
fn entities(model: &Model, option: &OptionDescriptor) -> Vec<Word> {
    let mut names: BTreeSet<String> = model
        .store
        .entities(option)
        .unwrap_or_default()
        .iter()
        .map(|entity| entity.name().to_owned())
        .collect();
    let hanging: Vec<&OptionDescriptor> = model
        .store
        .options()
        .map(|known| &known.option)
        .filter(|known| known.at == Some(option))
        .collect();
    for key in model.store.keys() {
        let of_key = hanging.iter().filter_map(|hanging| key.entity_of(hanging));
        names.extend(of_key.map(|entity| entity.name().to_owned()));
    }
    names.into_iter().map(|name| Word::new(name, "")).collect()
}

/// The keys that may be asked about.
fn keys(model: &Model) -> Vec<Word> {
    let mut words = Vec::new();
    for known in model.store.options() {
        let option = &known.option;
        let keys = match option.at {
            None => vec![shown_key(option)],
            Some(at) => {
                let entities = model.store.entities(at).unwrap_or_default();
                entities
                    .iter()
                    .map(|entity| Key::of(option, Some(entity)).to_string())
                    .collect()
            }
        };
        let word = |key: String| Word::new(key, option.description).hidden(option.hidden);
        words.extend(keys.into_iter().map(word));
    }
    words
}
