//! Checks everything that anybody wrote, and finds all problems at once.

use std::sync::Arc;

use super::declaration::flag_usage;
use super::error::ConfigError;
use super::key::{Key, shown_key};
use super::option::OptionDescriptor;
use super::problem::{Problem, Severity};
use super::read::transformed;
use super::reference::Expander;
use super::secret::Written;
use super::source::{Priority, Source};
use super::store::{ConfigStore, Entry, KnownOption};
use super::value::{Mismatch, TypedValue, expected};
use crate::message::Entity;

/// What to do about keys that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownKeys {
    /// They are errors.
    #[default]
    Refuse,
    /// They are warnings.
    Warn,
}

/// For so many unknown keys the nearest right one is looked for; a file with more is not a list of typing mistakes.
const SUGGESTIONS: usize = 100;

impl ConfigStore {
    /// All problems of all values of all layers, also of those that do not win: unknown keys, wrong types, values out of range,
    /// references that lead nowhere. Those in files come first, by file and position. Empty if everything is right.
    pub fn validate(&self, unknown: UnknownKeys) -> Vec<Problem> {
        let mut found: Vec<(Option<(String, usize)>, Problem)> = Vec::new();
        let mut suggestions = SUGGESTIONS;
        let mut expander = Expander::default();
        let mut hidden = Vec::new();
        for (key, entry) in self.entries() {
            if let Some(place) = entry.place.as_ref().filter(|_| self.may_be_secret(key)) {
                hidden.push((Arc::clone(&place.document), place.value.clone()));
            }
            for problem in self.check(key, entry, unknown, &mut suggestions, &mut expander) {
                let place = entry.place.as_ref();
                found.push((
                    place.map(|place| (place.document.path().to_string(), place.key.start)),
                    problem,
                ));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(b)));
        // A line with a secret may be drawn because of something else in it.
        let hide = |problem: Problem| problem.hiding(&hidden);
        found
            .into_iter()
            .map(|(_, problem)| hide(problem))
            .collect()
    }

    /// Whether a key is that of a secret, or one that nobody knows whose nearest is.
    fn may_be_secret(&self, key: &Key) -> bool {
        if let Some((known, _)) = self.lookup(key) {
            return known.option.is_secret();
        }
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let words: Vec<String> = self
            .options()
            .filter(|known| known.option.is_secret())
            .map(|known| last(Key::fold(known.option.key).as_str()))
            .collect();
        super::nearest(&last(key.as_str()), words.iter().map(String::as_str)).is_some()
    }

    /// All required options of a list that have no value, as problems, in the order of the list.
    pub fn missing<'a>(
        &self,
        required: impl IntoIterator<Item = (&'a OptionDescriptor, Option<&'a Entity>, &'a str)>,
    ) -> Vec<Problem> {
        let is_missing =
            |option: &OptionDescriptor, entity: Option<&Entity>| match self.read(option, entity) {
                Ok(None) => true,
                Ok(Some(TypedValue::List(items))) => items.is_empty(),
                // A value that is wrong is a problem of its own, found by `validate`.
                Ok(Some(_)) | Err(_) => false,
            };
        required
            .into_iter()
            .filter(|(option, entity, _)| is_missing(option, *entity))
            .map(|(option, entity, owner)| {
                let key = Key::of(option, entity);
                Problem::error(format!("option `{key}` has no value"))
                    .detail(format!("{owner} needs {}", expected(option.kind)))
                    .detail(format!(
                        "set it with {}, or in a file as `{key}`",
                        flag_usage(option, entity)
                    ))
            })
            .collect()
    }

    fn check(
        &self,
        key: &Key,
        entry: &Entry,
        unknown: UnknownKeys,
        suggestions: &mut usize,
        expander: &mut Expander,
    ) -> Vec<Problem> {
        let Some((known, entity)) = self.lookup(key) else {
            let problem = self.unknown_key(entry, suggestions);
            return vec![match unknown {
                UnknownKeys::Refuse => problem,
                UnknownKeys::Warn => problem.into_warning(),
            }];
        };
        if entry.value == super::Value::Unset {
            return Vec::new();
        }
        let option = &known.option;
        let is_seen = matches!(&entry.source, Source::CommandLine { .. });
        if option.is_secret() && is_seen && !is_in_file(&entry.value) {
            return vec![seen_secret(key, option, entity.as_ref())];
        }
        let read = self.read_value(option, key, &entry.value, &entry.source, expander);
        let wrong = match read {
            Ok(value) => refused(option, key, value, &entry.source),
            Err(error) => vec![error],
        };
        if wrong.is_empty() {
            let unnamed = entity.and_then(|entity| self.unnamed_entity(known, &entity, entry));
            return unnamed.into_iter().collect();
        }
        let problem = |error| match error {
            ConfigError::Wrong { mismatch, .. } => {
                wrong_value(key, known, entity.as_ref(), entry, &mismatch)
            }
            ConfigError::Reference { error, .. } => {
                let problem = Problem::error(format!(
                    "option `{key}` has a reference that cannot be replaced"
                ));
                placed(problem, entry, None, &error.to_string())
            }
            other => Problem::error(other.to_string()),
        };
        wrong.into_iter().map(problem).collect()
    }

    fn unknown_key(&self, entry: &Entry, suggestions: &mut usize) -> Problem {
        let problem = Problem::error(format!("unknown key `{}`", entry.spelling));
        let nearest = if *suggestions > 0 {
            *suggestions -= 1;
            self.nearest_key(&entry.spelling)
        } else {
            None
        };
        let label = match nearest {
            Some((near, owner)) => format!("did you mean `{near}` ({owner})?"),
            None => "no extension or command has an option of this name".to_owned(),
        };
        match &entry.place {
            Some(place) => problem.at(&place.document, place.key.clone(), label),
            None => problem
                .detail(format!("set by {}", described(entry)))
                .detail(label),
        }
    }

    /// The nearest right key to a wrong one, and who owns it. For options of entities, the entity that was written is kept.
    pub fn nearest_key(&self, spelling: &str) -> Option<(String, String)> {
        let wrong = Key::fold(spelling);
        let candidates: Vec<(Key, String, &KnownOption)> = self
            .options()
            .map(|known| {
                // The word where the entity stands, if there is one.
                let pattern = Key::of(&known.option, None);
                let index = pattern
                    .as_str()
                    .split('.')
                    .position(|word| word.starts_with('<'));
                let entity = index
                    .and_then(|index| wrong.as_str().split('.').nth(index))
                    .filter(|word| super::is_entity_name(word))
                    .map(Entity::from);
                let key = Key::of(&known.option, entity.as_ref());
                let shown = entity.map_or_else(|| shown_key(&known.option), |_| key.to_string());
                (key, shown, known)
            })
            .collect();
        let near = super::nearest(
            wrong.as_str(),
            candidates.iter().map(|(key, ..)| key.as_str()),
        )?;
        let (_, shown, known) = candidates.iter().find(|(key, ..)| key.as_str() == near)?;
        Some((shown.clone(), owner(known)))
    }

    fn unnamed_entity(
        &self,
        known: &KnownOption,
        entity: &Entity,
        entry: &Entry,
    ) -> Option<Problem> {
        let at = known.option.at?;
        let entities = self.entities(at).ok()?;
        if entities.contains(entity) {
            return None;
        }
        let problem = Problem::warning(format!(
            "`{}` sets an option of `{entity}`, which nobody named",
            entry.spelling
        ));
        let label = match super::nearest(entity.name(), entities.iter().map(Entity::name)) {
            Some(near) => format!(
                "`{}` does not have `{entity}`; did you mean `{near}`?",
                at.key
            ),
            None => format!("`{}` does not have `{entity}`", at.key),
        };
        Some(match &entry.place {
            Some(place) => problem.at(&place.document, place.key.clone(), label),
            None => problem
                .detail(format!("set by {}", described(entry)))
                .detail(label),
        })
    }
}

/// What the author's function says about every value that it does not accept.
fn refused(
    option: &OptionDescriptor,
    key: &Key,
    value: TypedValue,
    source: &Source,
) -> Vec<ConfigError> {
    let TypedValue::List(items) = value else {
        return transformed(option, key, value, source)
            .err()
            .into_iter()
            .collect();
    };
    let mut wrong = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        if let Err(mut error) = transformed(option, key, item, source) {
            if let ConfigError::Wrong { mismatch, .. } = &mut error {
                mismatch.element = Some(index);
            }
            wrong.push(error);
        }
    }
    wrong
}

/// Whether all texts of a secret's value are in files.
fn is_in_file(value: &super::Value) -> bool {
    match value {
        super::Value::Text(text) | super::Value::Raw(text) => {
            matches!(Written::of(text), Written::File(_))
        }
        super::Value::List(items) => items.iter().all(is_in_file),
        _ => false,
    }
}

/// A secret that everybody can see.
fn seen_secret(key: &Key, option: &OptionDescriptor, entity: Option<&Entity>) -> Problem {
    let usage = flag_usage(option, entity);
    Problem::error(format!(
        "option `{key}` has a secret on the command line, where everybody can see it"
    ))
    .detail(format!(
        "write `{usage}`, or set it in a file or in the environment"
    ))
}

fn placed(problem: Problem, entry: &Entry, element: Option<usize>, label: &str) -> Problem {
    match &entry.place {
        Some(place) => {
            let span = element
                .and_then(|index| place.items.get(index))
                .unwrap_or(&place.value);
            problem.at(&place.document, span.clone(), label)
        }
        None => problem.detail(label),
    }
}

fn owner(known: &KnownOption) -> String {
    match &*known.owners[0] {
        "application" => "the application".to_owned(),
        name => format!("extension {name}"),
    }
}

fn wrong_value(
    key: &Key,
    known: &KnownOption,
    entity: Option<&Entity>,
    entry: &Entry,
    mismatch: &Mismatch,
) -> Problem {
    let blame = if mismatch.is_range {
        "a value that is not accepted"
    } else {
        "the wrong type"
    };
    let label = match &entry.place {
        Some(_) => format!("expected {}", mismatch.expected),
        None => mismatch.to_string(),
    };
    let mut problem = placed(
        Problem::error(format!("option `{key}` has {blame}")),
        entry,
        mismatch.element,
        &label,
    );
    if let Some(help) = &mismatch.help {
        problem = problem.detail(help.as_str());
    }
    let mut set_by = format!("set by {}", described(entry));
    if entry.priority < Priority::COMMAND_LINE {
        set_by = format!(
            "{set_by}; the command line would win: {}",
            flag_usage(&known.option, entity)
        );
    }
    problem.detail(set_by)
}

/// ``the local file k2.yaml``, ``the environment variable K2_OUTPUT_DIR``.
fn described(entry: &Entry) -> String {
    match &entry.source {
        Source::File { path, .. } if entry.priority.depth() > 0 => {
            format!("the included file {path}")
        }
        Source::File { path, .. } => format!("the {} {path}", entry.priority.name()),
        Source::Environment { name } => format!("the environment variable {name}"),
        Source::CommandLine { flag } => format!("{flag} on the command line"),
        Source::Default { extension } => format!("the default of extension {extension}"),
        Source::Extension { name } => format!("extension {name}"),
        Source::Fixed => "the application".to_owned(),
    }
}

/// Whether problems stop the start: whether one of them is an error.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems
        .iter()
        .any(|problem| problem.severity() == Severity::Error)
}
