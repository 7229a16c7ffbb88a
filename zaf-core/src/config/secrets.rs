//! All secrets of a store, for whoever hides them.

use super::load::environment_key;
use super::option::OptionDescriptor;
use super::read::revealed;
use super::secret::Secret;
use super::source::Source;
use super::store::ConfigStore;
use super::value::{TypedValue, Value};
use crate::message::Entity;

impl ConfigStore {
    /// The texts of all options of the kind secret, each once: the values that hold, and those that others override, because
    /// they may hold elsewhere. What cannot be read is left out. Reads the files that secrets are in; free where no option is a secret.
    pub fn secret_texts(&self) -> Vec<Secret> {
        let mut texts = Vec::new();
        for known in self.options().filter(|known| known.option.is_secret()) {
            let option = &known.option;
            let entities: Vec<Option<Entity>> = match option.at {
                None => vec![None],
                // Names that cannot be read are a problem that the validation finds.
                Some(at) => self
                    .entities(at)
                    .unwrap_or_default()
                    .into_iter()
                    .map(Some)
                    .collect(),
            };
            for entity in entities {
                self.add_secrets(option, entity.as_ref(), &mut texts);
            }
        }
        texts
    }

    fn add_secrets(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
        texts: &mut Vec<Secret>,
    ) {
        let mut add = |value: TypedValue| {
            let items = match value {
                TypedValue::List(items) => items,
                one => vec![one],
            };
            for item in items {
                if let TypedValue::Secret(secret) = item
                    && !texts.contains(&secret)
                {
                    texts.push(secret);
                }
            }
        };
        if let Ok(Some(value)) = self.read(option, entity) {
            add(value);
        }
        for (candidate, _) in &self.merge(option, entity).candidates {
            let entry = candidate.entry;
            for secret in written(&entry.value, &entry.source) {
                add(secret);
            }
        }
    }

    /// Whether an environment variable of this name gives a secret, to whatever entity.
    pub fn is_secret_variable(&self, prefix: &str, name: &str) -> bool {
        environment_key(prefix, name)
            .and_then(|key| self.lookup(&key))
            .is_some_and(|(known, _)| known.option.is_secret())
    }
}

/// What a source says, references not replaced.
fn written(value: &Value, source: &Source) -> Vec<TypedValue> {
    match value {
        Value::Text(text) | Value::Raw(text) => {
            let said = TypedValue::Secret(Secret::new(text.as_str()));
            revealed(said, source).into_iter().collect()
        }
        Value::List(items) => items
            .iter()
            .flat_map(|item| written(item, source))
            .collect(),
        _ => Vec::new(),
    }
}
