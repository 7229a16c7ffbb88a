//! Keys and their spellings: in files (`output.dir`), on the command line (`--output-dir`) and in the environment
//! (`ZK2_OUTPUT_DIR`).
//!
//! `.`, `-` and `_` are the same letter in a key, so `output-dir`, `output_dir` and `output.dir` are one key everywhere. The
//! case of letters matters in files and on the command line. An option that hangs at an entity option has the key
//! `<namespace>.<entity>.<name>`, where the namespace is the entity option's key without its last word (`suts.ids`: `suts`; an
//! entity option of one word is its own namespace).

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::option::OptionDescriptor;
use super::value::is_entity_name;
use crate::message::Entity;

/// A key in its one normal spelling, with dots. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key that is spelled like this in a file, with any separators.
    pub fn fold(spelling: &str) -> Self {
        if !spelling.bytes().any(|byte| matches!(byte, b'-' | b'_')) {
            return Self(spelling.into());
        }
        Self(spelling.replace(['-', '_'], ".").into())
    }

    /// Key of an option; of its entity if it hangs at an entity option. Without an entity such an option has the key
    /// `<namespace>.<entity option's last word>.<name>` in angle brackets, which no file can set.
    pub fn of(option: &OptionDescriptor, entity: Option<&Entity>) -> Self {
        match (option.at, entity) {
            (Some(at), Some(entity)) => Self::fold(&format!(
                "{}.{}.{}",
                namespace(at.key),
                entity.name(),
                option.key
            )),
            (Some(at), None) => Self::fold(&pattern(at, option)),
            (None, _) => Self::fold(option.key),
        }
    }

    /// The entity, if this is the key of an option that hangs at an entity option.
    pub fn entity_of(&self, option: &OptionDescriptor) -> Option<Entity> {
        let (before, after) = around_entity(option)?;
        let rest = self.0.strip_prefix(&*before)?.strip_prefix('.')?;
        let entity = rest.strip_suffix(&*after)?.strip_suffix('.')?;
        is_entity_name(entity).then(|| Entity::from(entity))
    }

    /// The key with dots.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What stands before and after the entity in the keys of an option that hangs at an entity option, without the dots beside it.
pub(super) fn around_entity(option: &OptionDescriptor) -> Option<(String, String)> {
    let at = Key::fold(option.at?.key);
    let after = Key::fold(option.key);
    Some((namespace(at.as_str()).to_owned(), after.to_string()))
}

fn pattern(at: &OptionDescriptor, option: &OptionDescriptor) -> String {
    let last = at.key.rsplit(['.', '-', '_']).next().unwrap_or(at.key);
    format!("{}.<{last}>.{}", namespace(at.key), option.key)
}

/// Everything but the last word; the word itself if there is only one.
fn namespace(key: &str) -> &str {
    key.rsplit_once(['.', '-', '_'])
        .map_or(key, |(namespace, _)| namespace)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How an option's key is written in documentation: `output.dir`, `suts.<ids>.ip`.
pub fn shown_key(option: &OptionDescriptor) -> String {
    match option.at {
        Some(at) => pattern(at, option),
        None => option.key.to_owned(),
    }
}

/// The long flag of an option without its dashes: `output-dir`, or `suts-box@ip` for the entity `box`. Without an entity the
/// flag of an option that hangs at one is `suts-<ids>@ip`, for documentation.
pub fn flag_name(option: &OptionDescriptor, entity: Option<&Entity>) -> String {
    let dashes = |text: &str| text.replace(['.', '_'], "-");
    match option.at {
        None => dashes(option.key),
        Some(at) => {
            let last = at.key.rsplit(['.', '-', '_']).next().unwrap_or(at.key);
            let entity =
                entity.map_or_else(|| format!("<{last}>"), |entity| entity.name().to_owned());
            format!(
                "{}-{entity}@{}",
                dashes(namespace(at.key)),
                dashes(option.key)
            )
        }
    }
}

/// The environment variable of an option: `<PREFIX>_OUTPUT_DIR`, `<PREFIX>_SUTS_BOX_IP`. Without an entity the word in its place
/// is the entity option's last word in angle brackets, for documentation.
pub fn environment_name(
    prefix: &str,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
) -> String {
    let key = Key::of(option, entity);
    format!(
        "{prefix}_{}",
        key.as_str().replace(['.', '-'], "_").to_ascii_uppercase()
    )
}
