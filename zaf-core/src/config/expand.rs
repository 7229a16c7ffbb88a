//! Replaces the references in values: what each stands for in the store.

use super::error::ReferenceError;
use super::key::Key;
use super::kind::Kind;
use super::option::OptionDescriptor;
use super::reference::{Expander, Found, has_references};
use super::source::Source;
use super::store::{ConfigStore, Entry, Outcome};
use super::value::Value;

/// The nearest key is looked for among so many: for people's files, not for generated ones.
const NEAREST_AMONG: usize = 10_000;

impl ConfigStore {
    /// The value with all references replaced.
    ///
    /// # Errors
    ///
    /// The first reference that cannot be replaced.
    pub(super) fn expand_value(
        &self,
        option: &OptionDescriptor,
        key: &Key,
        value: &Value,
        expander: &mut Expander,
    ) -> Result<Value, ReferenceError> {
        // The elements of a list share the bound on the work.
        let mut work = 0;
        let mut expand_one = |value: &Value| match value {
            Value::Text(text) | Value::Raw(text) if has_references(text) => expander
                .expand(Some(key), text, &mut work, |key| {
                    self.find(key, option.is_secret())
                })
                .map(Value::Raw)
                .map_err(|error| match error {
                    // What looks like a reference may be a part of the secret.
                    _ if option.is_secret() => ReferenceError::Hidden,
                    error => error,
                }),
            other => Ok(other.clone()),
        };
        match value {
            Value::List(items) => items
                .iter()
                .map(expand_one)
                .collect::<Result<_, _>>()
                .map(Value::List),
            one => expand_one(one),
        }
    }

    /// What a reference to a key stands for, its own references not yet replaced. Only a secret may hold secrets.
    fn find(&self, key: &Key, by_secret: bool) -> Found {
        let Some((known, entity)) = self.lookup(key) else {
            let value = self.explain(key);
            let winner = value.iter().find(|value| value.outcome == Outcome::Wins);
            return match winner {
                Some(winner) => Found::Text(referenced_text(None, &winner.value, &winner.source)),
                None => Found::Unknown(self.nearest_value(key)),
            };
        };
        let option = known.option;
        if option.is_secret() && !by_secret {
            return Found::Secret;
        }
        let merge = self.merge(&option, entity.as_ref());
        let has_default = merge.has_default;
        if option.multiple {
            let parts_of = |entry: &Entry| -> Vec<String> {
                let items = match &entry.value {
                    Value::List(items) => items.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let text = |item| referenced_text(Some(option), item, &entry.source);
                items.iter().map(text).collect()
            };
            let removed: Vec<_> = merge
                .with(Outcome::Removes)
                .map(|by| (Some(by.rank()), parts_of(by.entry)))
                .collect();
            let default = option.default.filter(|_| has_default);
            let default = default.map(|default| (None, vec![Value::from(default).plain()]));
            let parts: Vec<String> = merge
                .with(Outcome::Adds)
                .map(|from| (Some(from.rank()), parts_of(from.entry)))
                .chain(default)
                .flat_map(|(rank, parts)| {
                    let stays = |part: &String| {
                        let takes_out =
                            |(by, removed): &(_, Vec<String>)| *by > rank && removed.contains(part);
                        !removed.iter().any(takes_out)
                    };
                    parts.into_iter().filter(stays).collect::<Vec<_>>()
                })
                .collect();
            return Found::Text(parts.join(","));
        }
        match (merge.winner(), option.default) {
            (Some(winner), _) => {
                Found::Text(referenced_text(Some(option), &winner.value, &winner.source))
            }
            (None, Some(default)) => Found::Text(Value::from(default).plain()),
            (None, None) => Found::Unset,
        }
    }

    /// The nearest key that a reference could mean.
    fn nearest_value(&self, key: &Key) -> Option<String> {
        let declared = self.options().map(|known| Key::of(&known.option, None));
        let keys: Vec<_> = declared
            .chain(self.keys().cloned())
            .take(NEAREST_AMONG)
            .collect();
        let keys = keys.iter().map(Key::as_str);
        super::nearest(key.as_str(), keys).map(str::to_owned)
    }
}

fn referenced_text(option: Option<OptionDescriptor>, value: &Value, source: &Source) -> String {
    let text = value.plain();
    let is_path = option.is_some_and(|option| option.kind == Kind::Path);
    match source.directory() {
        Some(directory) if is_path && !text.starts_with("${") => directory.join(text).into_string(),
        _ => text,
    }
}
