//! Makes layers of files (YAML, TOML, JSON) and of the environment.
//!
//! Each text becomes a [`config::Source`] of its own that is collected by itself: the `config` crate is the border where
//! formats meet, and the store of this module's parent does the merging, because `config` forgets who lost and where a value
//! was written. Every value carries its bytes in the text over that border, so each problem can show its line.
//!
//! Nested mappings and dotted keys mean the same. Whatever the bytes are, loading ends with a layer or with problems: sizes,
//! nodes, nesting and aliases are bounded, and nothing recurses deeper than [`DEPTH_LIMIT`].

mod collect;
mod env;
mod file;
mod json;
mod secret;
mod toml;
mod yaml;
mod yaml_tree;

use std::sync::Arc;

pub(in crate::config) use env::key_of as environment_key;
pub use env::{environment, process_environment, variable};
pub use file::{LoadError, file, file_with_secrets};
pub(in crate::config) use secret::secret;

use super::layer::ConfigLayer;
use super::problem::Problems;
use super::source::{Document, Priority};

/// Largest file, in bytes: far above what people write, far below what hurts.
pub const SIZE_LIMIT: u64 = 10_000_000;
/// Most values, keys and lists of a file, those of aliases counted each time.
pub const NODE_LIMIT: usize = 100_000;
/// Deepest nesting of mappings and lists.
pub const DEPTH_LIMIT: usize = 64;
/// Most aliases of a file.
pub const ALIAS_LIMIT: usize = 1_000;

/// Most problems of one file that are collected: who has more will fix these first, and each costs a search for its line.
const PROBLEM_LIMIT: usize = 100;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON, as RFC 8259 has it.
    Json,
}

impl Format {
    /// The format of a file by the end of its name: `.toml` is TOML, `.json` is JSON, everything else YAML.
    pub fn of_path(path: &camino::Utf8Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("toml") => Self::Toml,
            Some(extension) if extension.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Yaml,
        }
    }
}

/// Makes a layer of a text. The entries are in the order written. An empty text is an empty layer.
///
/// # Errors
///
/// All problems with the text; one only, if it cannot be parsed at all.
pub fn text(
    document: Document,
    format: Format,
    priority: Priority,
) -> Result<ConfigLayer, Problems> {
    let document = Arc::new(document);
    let entries = match format {
        Format::Yaml => collect::entries(&document, yaml::SpannedYaml::new(&document)),
        Format::Toml => collect::entries(&document, toml::SpannedToml::new(&document)),
        Format::Json => collect::entries(&document, json::SpannedJson::new(&document)),
    }?;
    Ok(ConfigLayer::from_document(priority, document, entries))
}
