//! `plugin.toml`: what of a folder is the plugin.
//!
//! ```toml
//! run = ["main.py"]        # a program in this folder, and its arguments
//! ```
//!
//! or `library = "libname.so"`. Everything else the plugin says itself. Decision 47 says why.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// Name of the manifest in the folder of a plugin.
pub const MANIFEST: &str = "plugin.toml";

/// Longest manifest in bytes: there are two keys.
const LONGEST: u64 = 64 * 1024;

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What is run or loaded.
    pub program: Program,
}

/// What of a folder is the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A program that speaks the protocol on its standard input and output: a file of the folder, then its arguments.
    Run(Vec<String>),
    /// A C library with the table of the protocol: a file of the folder.
    Library(String),
}

/// A manifest that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its text is wrong.
    #[error("`{}` is no manifest of a plugin: {problem}", path.display())]
    Wrong {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, with the line.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    run: Option<Vec<String>>,
    library: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`ManifestError`], with the place of a wrong text.
    pub fn read(directory: &Path) -> Result<Self, ManifestError> {
        let path = directory.join(MANIFEST);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| {
            let mut file = file.take(LONGEST + 1);
            file.read_to_string(&mut text)
        });
        match read {
            Err(source) => Err(ManifestError::Unreadable { path, source }),
            Ok(length) if length as u64 > LONGEST => Err(ManifestError::Wrong {
                path,
                problem: format!("it is longer than {LONGEST} bytes"),
            }),
            Ok(_) => Self::parse(&text).map_err(|problem| ManifestError::Wrong { path, problem }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let program = match written {
            Written {
                run: Some(words),
                library: None,
            } if !words.is_empty() => Program::Run(words),
            Written {
                run: None,
                library: Some(file),
            } => Program::Library(file),
            _ => {
                return Err(
                    "expected either `run`, a list with the program and its arguments, or `library`"
                        .to_owned(),
                );
            }
        };
        let manifest = Self { program };
        let file = Path::new(manifest.file());
        let mut parts = file.components().filter(|part| *part != Component::CurDir);
        let is_inside = parts
            .clone()
            .all(|part| matches!(part, Component::Normal(_)));
        if parts.next().is_none() || !is_inside {
            let file = manifest.file();
            let mut problem = format!(
                "`{file}` is no file of the folder: expected a path inside it; nothing is searched for"
            );
            if let Program::Run(words) = &manifest.program
                && let [program, script, ..] = &words[..]
            {
                // An interpreter and what it is to run, as a rule.
                write!(
                    problem,
                    "; for a script write `run = [\"{script}\"]`, give it the first line `#!{program}` and make it executable (`chmod +x {script}`)"
                )
                .expect("invariant: a text takes everything");
            }
            return Err(problem);
        }
        Ok(manifest)
    }

    /// The file that is run or loaded, from the folder on.
    pub fn file(&self) -> &str {
        match &self.program {
            Program::Run(words) => words.first().map_or("", String::as_str),
            Program::Library(file) => file,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_arguments_or_a_library() {
        let manifest = Manifest::parse("run = [\"bin/main.py\", \"--fast\"]\n").unwrap();
        assert_eq!(manifest.file(), "bin/main.py");
        let manifest = Manifest::parse("library = \"./libx.so\"").unwrap();
        assert_eq!(manifest.program, Program::Library("./libx.so".to_owned()));
    }

    #[test]
    fn everything_else_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("", "expected either `run`"),
            ("run = []", "expected either `run`"),
            ("run = [\"a\"]\nlibrary = \"b\"", "expected either `run`"),
            (
                "rum = [\"a\"]",
                "unknown field `rum`, expected `run` or `library`",
            ),
            ("run = \"a\"", "line 1"),
            ("run = [\"/usr/bin/python3\"]", "nothing is searched for"),
            (
                "run = [\"/usr/bin/python3\", \"main.py\"]",
                "for a script write `run = [\"main.py\"]`, give it the first line `#!/usr/bin/python3` and make it executable (`chmod +x main.py`)",
            ),
            ("run = [\"../other/main\"]", "expected a path inside it"),
            ("run = [\"\"]", "expected a path inside it"),
            ("library = \".\"", "expected a path inside it"),
        ] {
            let problem = Manifest::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text:?}: {problem}");
        }
    }
}
