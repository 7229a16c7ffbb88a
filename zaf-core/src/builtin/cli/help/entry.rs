//! How one option is spelled and described in help.

use anstyle::{AnsiColor, Style};

use super::super::model::Model;
use super::super::options::{CliOption, last_word, value_name};
use super::Purpose;
use super::columns::{Piece, Row};
use crate::config::{
    DefaultValue, Key, Kind, OptionDescriptor, Outcome, Priority, Source, Value, environment_name,
    flag_name, shown_key,
};
use crate::message::Entity;

/// What is typed as it is shown.
pub(super) const TYPED: Style = Style::new().bold();
const NOTE: Style = Style::new().dimmed();
/// A value that is not the default.
const SET: Style = AnsiColor::Cyan.on_default();

/// So many entities are shown one by one; of more, one line says it for all.
const ENTITIES_SHOWN: usize = 8;
/// Notes up to this length stay in one piece.
const UNBROKEN: usize = 36;
/// Choices up to this length stand in the place of the value.
const CHOICES_SHOWN: usize = 16;
/// A value that is longer is cut.
const LONGEST_VALUE: usize = 40;

/// What stands for the value: `PATH`, `table|json`; nothing for a flag.
pub(super) fn placeholder(option: &OptionDescriptor) -> Option<String> {
    match option.kind {
        Kind::Flag => None,
        Kind::Choice(words) if is_short(words) => Some(words.join("|")),
        kind => Some(value_name(kind).to_owned()),
    }
}

fn is_short(words: &[&str]) -> bool {
    words.iter().map(|word| word.len() + 1).sum::<usize>() <= CHOICES_SHOWN + 1
}

/// How a positional argument is written: `[SOURCES]...`, `EXTENSION`.
pub(super) fn positional(option: &CliOption) -> String {
    let name = last_word(option.descriptor.key).to_uppercase();
    match (option.is_missing_without(), option.descriptor.multiple) {
        (true, false) => name,
        (true, true) => format!("{name}..."),
        (false, false) => format!("[{name}]"),
        (false, true) => format!("[{name}]..."),
    }
}

/// The rows of an option: one, or one for each of a few entities.
pub(super) fn rows(option: &CliOption, model: &Model, purpose: Purpose) -> Vec<Row> {
    if option.descriptor.argument {
        let typed = vec![Piece::plain("  "), Piece::styled(positional(option), TYPED)];
        let meaning = meaning(option, None, model, purpose);
        return vec![Row { typed, meaning }];
    }
    let flags = match option.flags() {
        flags
            if option.descriptor.at.is_some()
                && (purpose == Purpose::Manual || !(1..=ENTITIES_SHOWN).contains(&flags.len())) =>
        {
            let name = Entity::from("NAME");
            vec![(None, flag_name(&option.descriptor, Some(&name)))]
        }
        flags => flags,
    };
    flags
        .into_iter()
        .enumerate()
        .map(|(index, (entity, flag))| Row {
            typed: spelled(option, &flag, index == 0, purpose),
            meaning: meaning(option, entity.as_ref(), model, purpose),
        })
        .collect()
}

fn spelled(option: &CliOption, flag: &str, is_first: bool, purpose: Purpose) -> Vec<Piece> {
    let descriptor = &option.descriptor;
    let mut typed = match descriptor.short.filter(|_| is_first) {
        Some(letter) => vec![
            Piece::plain("  "),
            Piece::styled(format!("-{letter}"), TYPED),
            Piece::plain(", "),
        ],
        None => vec![Piece::plain("      ")],
    };
    let is_on = matches!(descriptor.default, Some(DefaultValue::Flag(true)));
    let shows_negation = option.is_switch() && (is_on || purpose != Purpose::Help);
    let dashes = if shows_negation { "--[no-]" } else { "--" };
    typed.push(Piece::styled(format!("{dashes}{flag}"), TYPED));
    if let Some(placeholder) = placeholder(descriptor) {
        typed.push(Piece::plain(format!(" {placeholder}")));
        if descriptor.multiple {
            typed.push(Piece::plain("..."));
        }
    }
    typed
}

/// What an option is for, and what holds without it.
fn meaning(
    option: &CliOption,
    entity: Option<&Entity>,
    model: &Model,
    purpose: Purpose,
) -> Vec<Piece> {
    let descriptor = &option.descriptor;
    let is_full = purpose != Purpose::Help;
    let text = if is_full {
        let text = descriptor.description.trim();
        match text.strip_suffix('.') {
            // One sentence is no sentence among others: notes follow it.
            Some(sentence) if !sentence.contains(['.', '\n']) => sentence.to_owned(),
            _ => text.to_owned(),
        }
    } else {
        super::first_line(descriptor.description).to_owned()
    };
    let mut pieces: Vec<Piece> = Piece::words(&text, Style::new()).collect();
    let mut note = |text: String, style: Style| {
        let text = format!("[{text}]");
        if text.chars().count() <= UNBROKEN {
            pieces.push(Piece::styled(text, style));
        } else {
            pieces.extend(Piece::words(&text, style));
        }
    };
    if let Kind::Choice(words) = descriptor.kind
        && (descriptor.argument || !is_short(words))
    {
        note(words.join(", "), NOTE);
    }
    if let Kind::ChoiceOf(other) = descriptor.kind {
        note(format!("a value of --{}", flag_name(other, None)), NOTE);
    }
    let default = model.default_of(descriptor, entity);
    if let Some(default) = &default {
        note(format!("default: {default}"), NOTE);
    }
    let set = match purpose {
        Purpose::Manual => None,
        Purpose::Help | Purpose::FullHelp => model.set_by(descriptor, entity),
    };
    if let Some((value, source)) = &set {
        note(format!("now: {value}, by {source}"), SET);
    }
    if option.is_missing_without() && default.is_none() && set.is_none() {
        note("required".to_owned(), NOTE);
    }
    if descriptor.multiple && !descriptor.argument {
        note("repeatable".to_owned(), NOTE);
    }
    if is_full {
        let prefix = &model.environment_prefix;
        let key = match entity {
            Some(_) => Key::of(descriptor, entity).to_string(),
            None => shown_key(descriptor),
        };
        let variable = environment_name(prefix, descriptor, entity);
        pieces.push(Piece::line_break());
        pieces.push(Piece::styled(format!("[key: {key}]"), NOTE));
        pieces.push(Piece::styled(format!("[env: {variable}]"), NOTE));
    }
    pieces
}

/// A flag that is not set.
const OFF: &str = "off";

/// A value in the words of help.
fn said(option: &OptionDescriptor, value: &Value) -> String {
    match (option.kind, value.plain()) {
        (Kind::Flag, text) if text == "true" => "on".to_owned(),
        (Kind::Flag, text) if text == "false" => OFF.to_owned(),
        (_, text) => text,
    }
}

impl CliOption {
    /// Whether a line that does not say it may lack it.
    fn is_missing_without(&self) -> bool {
        self.required && self.descriptor.default.is_none()
    }
}

impl Model {
    /// What holds if nobody says anything: what the application presets, else the default. Nothing for a flag that is off.
    pub(in super::super) fn default_of(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
    ) -> Option<String> {
        let preset = self
            .store
            .explain(&Key::of(option, entity))
            .into_iter()
            .find(|value| value.priority.level() == Priority::APPLICATION.level())
            .map(|value| value.value);
        let value = preset.or_else(|| option.default.map(Value::from))?;
        match said(option, &value) {
            text if text.is_empty() || text == OFF => None,
            text => Some(text),
        }
    }

    /// The value that somebody set in a file or the environment, and where: what was typed stands before everybody's eyes.
    fn set_by(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
    ) -> Option<(String, String)> {
        let values: Vec<_> = self
            .store
            .explain(&Key::of(option, entity))
            .into_iter()
            .filter(|value| matches!(value.outcome, Outcome::Wins | Outcome::Adds))
            .filter(|value| {
                !matches!(
                    value.source,
                    Source::Default { .. } | Source::Fixed | Source::CommandLine { .. }
                )
            })
            .collect();
        let source = values.first()?.source.to_string();
        let texts: Vec<String> = values
            .iter()
            .map(|value| said(option, &value.value))
            .collect();
        let mut text = texts.join(",");
        if let Some((end, _)) = text.char_indices().nth(LONGEST_VALUE) {
            text.truncate(end);
            text.push_str("...");
        }
        Some((text, source))
    }
}
