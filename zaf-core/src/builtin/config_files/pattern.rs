//! Finds the files that a pattern of a person names.
//!
//! A text without `*`, `?`, `[` and `{` is a path and nothing is searched. Symbolic links to directories are not followed
//! while searching, so a search always ends.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use globset::{GlobBuilder, GlobMatcher};

use crate::config::{Problem, Problems};

/// Most files and directories that are looked at for one pattern: more is a pattern that went wrong, like `/**`.
const LOOKED_AT: usize = 10_000;

/// The files that match, sorted; relative ones start at `directory`.
///
/// # Errors
/// If it is no pattern, if nothing matches, or if too much had to be looked at.
pub(super) fn expand(pattern: &str, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Problems> {
    if !has_wildcard(pattern) {
        return Ok(vec![join(directory, Utf8Path::new(pattern))]);
    }
    let whole = join(directory, Utf8Path::new(pattern));
    let matcher = GlobBuilder::new(whole.as_str())
        .literal_separator(true)
        .build()
        .map_err(|error| {
            Problem::error(format!("`{pattern}` is not a pattern")).detail(error.kind().to_string())
        })
        .map_err(Problems::from)?
        .compile_matcher();
    let base: Utf8PathBuf = whole
        .components()
        .take_while(|component| !has_wildcard(component.as_str()))
        .collect();
    let deep = pattern.contains("**");
    let depth = whole.components().count() - base.components().count();
    let mut search = Search {
        matcher,
        left: LOOKED_AT,
        found: Vec::new(),
    };
    let start = if base == "" {
        Utf8Path::new(".")
    } else {
        &base
    };
    search
        .look_into(start, if deep { usize::MAX } else { depth })
        .map_err(|TooMany| {
            Problem::error(format!(
                "the pattern `{pattern}` makes more than {LOOKED_AT} files be looked at"
            ))
            .detail("name the directory more exactly")
        })
        .map_err(Problems::from)?;
    if search.found.is_empty() {
        return Err(
            Problem::error(format!("no configuration file matches `{pattern}`"))
                .detail(format!("looked in `{start}`"))
                .into(),
        );
    }
    search.found.sort();
    Ok(search.found)
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn join(directory: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    if directory == "" {
        path.to_owned()
    } else {
        directory.join(path)
    }
}

struct TooMany;

struct Search {
    matcher: GlobMatcher,
    left: usize,
    found: Vec<Utf8PathBuf>,
}

impl Search {
    /// Adds what matches in `start` and, as deep as `depth` levels, below. What cannot be read has no files.
    fn look_into(&mut self, start: &Utf8Path, depth: usize) -> Result<(), TooMany> {
        let mut directories = vec![(start.to_owned(), depth)];
        while let Some((directory, depth)) = directories.pop() {
            let Ok(entries) = directory.read_dir_utf8() else {
                continue;
            };
            for entry in entries.filter_map(io::Result::ok) {
                self.left = self.left.checked_sub(1).ok_or(TooMany)?;
                let path = entry.path();
                let path = path.strip_prefix("./").unwrap_or(path);
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if kind.is_dir() {
                    if depth > 1 {
                        directories.push((path.to_owned(), depth - 1));
                    }
                } else if self.matcher.is_match(path) {
                    self.found.push(path.to_owned());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        for file in [
            "b.yaml",
            "a.yaml",
            "sub/c.yaml",
            "sub/deep/d.yaml",
            "e.toml",
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, "").expect("a file");
        }
        expand(pattern, root)
            .map(|paths| {
                paths
                    .iter()
                    .map(|path| path.strip_prefix(root).expect("inside").to_string())
                    .collect()
            })
            .map_err(|problems| problems.list()[0].title().to_owned())
    }

    #[test]
    fn f58_matches_are_sorted() {
        assert_eq!(
            names("*.yaml").as_deref(),
            Ok(&["a.yaml".to_owned(), "b.yaml".to_owned()][..])
        );
        assert_eq!(names("**/*.yaml").expect("files").len(), 4);
        assert_eq!(names("sub/*.yaml").expect("files"), ["sub/c.yaml"]);
        assert_eq!(names("{e,x}.toml").expect("files"), ["e.toml"]);
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_pattern_must_match() {
        assert_eq!(names("missing.yaml").expect("a path"), ["missing.yaml"]);
        assert_eq!(
            names("*.json"),
            Err("no configuration file matches `*.json`".to_owned())
        );
        assert!(names("[").is_err());
    }

    #[test]
    fn h25_a_search_is_bounded() {
        let mut search = Search {
            matcher: globset::Glob::new("*")
                .expect("a pattern")
                .compile_matcher(),
            left: 3,
            found: Vec::new(),
        };
        assert!(search.look_into(Utf8Path::new("/"), usize::MAX).is_err());
    }
}
