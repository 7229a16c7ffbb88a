//! Files that files include: `include.files: [base.yaml, machines/*.yaml]`.
//!
//! Paths and patterns start at the file that includes. An included file counts just less than the one that includes it, and
//! never less than files of the next lower class; of files included by one, the later wins. The key is an instruction to the
//! loader and no option of its own.
//!
//! `suts.box.include.files` includes for one entity: every key of those files, and of the files that they include, has `suts.box.`
//! in front of it. The words before `include.files` may be any; whether they name an entity is asked when all options are known.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::pattern;
use crate::config::{
    ConfigLayer, FileId, Kind, LayerEntry, Priority, Problem, Problems, TypedValue, load,
};

/// The key, folded.
pub(super) const INCLUDE_FILES: &str = "include.files";
/// Deepest inclusion.
const DEEPEST: usize = 16;
/// Most files that those of one class include together. Files may be included several times, and files that include each
/// other twice grow as powers of two.
const MOST: usize = 1_000;

/// Reads included files, and counts them.
#[derive(Debug)]
pub(super) struct Includes {
    left: usize,
    layers: Vec<ConfigLayer>,
    problems: Vec<Problem>,
    /// Last words of the keys of secrets.
    secrets: BTreeSet<String>,
}

/// A file on the way from the outermost to the one that is read.
struct Step {
    id: Option<FileId>,
    path: String,
}

impl Includes {
    pub(super) fn new(secrets: BTreeSet<String>) -> Self {
        Self {
            left: MOST,
            layers: Vec::new(),
            problems: Vec::new(),
            secrets,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`load::file`].
    pub(super) fn load(
        &self,
        path: &Utf8Path,
        priority: Priority,
    ) -> Result<ConfigLayer, load::LoadError> {
        load::file_with_secrets(path, priority, &self.secrets)
    }

    /// Adds a file that was read, and all that it includes.
    pub(super) fn add(&mut self, layer: ConfigLayer) {
        self.add_nested(layer, "", &mut Vec::new());
    }

    /// Adds a file that was read, and all that it includes, with `prefix` and a dot in front of every key.
    pub(super) fn add_below(&mut self, prefix: &str, layer: ConfigLayer) {
        self.add_nested(layer, prefix, &mut Vec::new());
    }

    /// Adds what is wrong with a file that could not be read.
    pub(super) fn refuse(&mut self, problems: Problems) {
        self.problems.extend(problems.into_list());
    }

    /// All layers, in the order in which they were written: what a file includes before the file.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files.
    pub(super) fn finish(self) -> Result<Vec<ConfigLayer>, Problems> {
        Problems::from_list(self.problems).map_or(Ok(self.layers), Err)
    }

    fn add_nested(&mut self, mut layer: ConfigLayer, prefix: &str, way: &mut Vec<Step>) {
        let instructions = layer.extract(|entry| below(entry).is_some());
        way.push(Step {
            id: layer.file_id(),
            path: path_of(&layer),
        });
        for entry in &instructions {
            let own = below(entry).unwrap_or_default();
            let prefix = match (prefix, own) {
                (prefix, "") => prefix.to_owned(),
                ("", own) => own.to_owned(),
                (prefix, own) => format!("{prefix}.{own}"),
            };
            for (index, pattern) in self.patterns(entry).into_iter().enumerate() {
                self.include(&layer, entry, index, &pattern, &prefix, way);
            }
        }
        way.pop();
        self.layers.push(if prefix.is_empty() {
            layer
        } else {
            layer.prefixed(prefix)
        });
    }

    fn patterns(&mut self, entry: &LayerEntry) -> Vec<String> {
        match entry.value.read(Kind::Glob, true) {
            Ok(TypedValue::List(items)) => items
                .into_iter()
                .filter_map(|item| match item {
                    TypedValue::Text(text) => Some(text),
                    _ => None,
                })
                .collect(),
            Ok(_) => Vec::new(),
            Err(mismatch) => {
                let problem = Problem::error(format!("`{}` has the wrong type", entry.spelling))
                    .detail("expected the path of a file, or a list of them");
                self.problems.push(placed(
                    problem,
                    entry,
                    mismatch.element.unwrap_or(0),
                    &mismatch.to_string(),
                ));
                Vec::new()
            }
        }
    }

    fn include(
        &mut self,
        layer: &ConfigLayer,
        entry: &LayerEntry,
        index: usize,
        pattern: &str,
        prefix: &str,
        way: &mut Vec<Step>,
    ) {
        if pattern.contains("${") {
            let problem = Problem::error(format!("`{}` cannot have references", entry.spelling));
            let label = "files are read before the values are known";
            self.problems.push(placed(problem, entry, index, label));
            return;
        }
        let including = path_of(layer);
        let directory = Utf8Path::new(&including)
            .parent()
            .unwrap_or(Utf8Path::new(""));
        let paths = match pattern::expand(pattern, directory) {
            Ok(paths) => paths,
            Err(found) => return self.refuse_at(found, entry, index),
        };
        for path in paths {
            if way.len() > DEEPEST {
                let problem =
                    Problem::error(format!("files include each other more than {DEEPEST} deep"))
                        .detail(chain(way, path.as_str()));
                self.problems
                    .push(placed(problem, entry, index, "too deep"));
                return;
            }
            let Some(left) = self.left.checked_sub(1) else {
                let problem = Problem::error(format!("more than {MOST} files are included"));
                self.problems
                    .push(placed(problem, entry, index, "one too many"));
                return;
            };
            self.left = left;
            match self.load(&path, layer.priority().included()) {
                Ok(included) if is_on_way(way, included.file_id()) => {
                    let problem = Problem::error("files include each other in a circle")
                        .detail(chain(way, path.as_str()));
                    let label = "included already";
                    self.problems.push(placed(problem, entry, index, label));
                }
                Ok(included) => self.add_nested(included, prefix, way),
                Err(error) => self.refuse_at(error.into_problems(), entry, index),
            }
        }
    }

    /// Problems with a file that have no place in it get that of the instruction.
    fn refuse_at(&mut self, found: Problems, entry: &LayerEntry, index: usize) {
        for problem in found.into_list() {
            let problem = match problem.position() {
                Some(_) => problem,
                None => placed(problem, entry, index, "included here"),
            };
            self.problems.push(problem);
        }
    }
}

/// What the keys of the included files get in front, if the entry is an instruction to include; empty for none.
fn below(entry: &LayerEntry) -> Option<&str> {
    let before = entry.key.as_str().strip_suffix(INCLUDE_FILES)?;
    if before.is_empty() {
        return Some("");
    }
    before.strip_suffix('.')
}

fn is_on_way(way: &[Step], id: Option<FileId>) -> bool {
    id.is_some() && way.iter().any(|step| step.id == id)
}

/// `a.yaml → b.yaml → a.yaml`.
fn chain(way: &[Step], last: &str) -> String {
    let mut paths: Vec<&str> = way.iter().map(|step| step.path.as_str()).collect();
    paths.push(last);
    paths.join(" → ")
}

fn path_of(layer: &ConfigLayer) -> String {
    layer
        .document()
        .map_or_else(String::new, |document| document.path().to_string())
}

fn placed(problem: Problem, entry: &LayerEntry, index: usize, label: &str) -> Problem {
    match &entry.place {
        Some(place) => {
            let span = place.items.get(index).unwrap_or(&place.value);
            problem.at(&place.document, span.clone(), label)
        }
        None => problem,
    }
}

#[cfg(test)]
#[path = "include_tests.rs"]
mod tests;
