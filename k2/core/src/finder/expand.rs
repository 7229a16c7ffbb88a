//! From sources to files whose kind is known.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Problem, SourceKind, SourceSpec, detect};

/// Directories deeper than this are reported instead of searched.
const DEEPEST: usize = 64;

/// A file that holds test cases, as far as can be told without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as it was typed or found below the typed one.
    pub path: PathBuf,
    /// What it is; neither [`SourceKind::Auto`] nor [`SourceKind::Linked`].
    pub kind: SourceKind,
    /// The source that it belongs to.
    pub source: SourceSpec,
}

/// Files, and what could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The files, in the order of the sources and of their names.
    pub files: Vec<SourceFile>,
    /// Missing, unreadable and unsuitable files.
    pub problems: Vec<Problem>,
}

/// Looks at the files that sources stand for. Sources of [`SourceKind::Linked`] have none.
///
/// In directories, everything that is not hidden is searched in the order of the names, links are followed, and files that
/// are not executable are taken for what tests need. A file that was named itself must be executable.
pub fn expand(sources: &[SourceSpec]) -> Expanded {
    let mut expanded = Expanded::default();
    for source in sources {
        if source.kind != SourceKind::Linked {
            Expansion {
                source,
                expanded: &mut expanded,
                visited: BTreeSet::new(),
            }
            .top(&source.path);
        }
    }
    expanded
}

struct Expansion<'a> {
    source: &'a SourceSpec,
    expanded: &'a mut Expanded,
    /// Directories by device and inode: a link may lead back to one.
    visited: BTreeSet<(u64, u64)>,
}

impl Expansion<'_> {
    fn top(&mut self, path: &Path) {
        if path.as_os_str().is_empty() {
            self.problem(Problem::new(self.source, "a source has no path"));
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                let problem = self.missing(path, &error);
                self.problem(problem);
                return;
            }
        };
        if metadata.is_dir() {
            self.directory(path, &metadata, 0);
        } else if !metadata.is_file() {
            self.problem(Problem::new(
                self.source,
                format!("`{}` is neither a file nor a directory", path.display()),
            ));
        } else if !is_executable(&metadata) {
            self.problem(
                Problem::new(
                    self.source,
                    format!("`{}` is not executable", path.display()),
                )
                .hint(format!("chmod +x {}", path.display())),
            );
        } else {
            self.file(path);
        }
    }

    fn directory(&mut self, path: &Path, metadata: &Metadata, depth: usize) {
        if !self.visited.insert((metadata.dev(), metadata.ino())) {
            return;
        }
        if depth > DEEPEST {
            self.problem(Problem::new(
                self.source,
                format!(
                    "`{}` is more than {DEEPEST} directories deep",
                    path.display()
                ),
            ));
            return;
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut names: Vec<_> = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.file_name()).collect(),
            Err(error) => {
                let text = format!("cannot read the directory `{}`: {error}", path.display());
                self.problem(Problem::new(self.source, text));
                return;
            }
        };
        names.sort();
        for name in names.iter().filter(|name| !is_passed_over(name)) {
            let path = path.join(name);
            // A link to nowhere or to itself is no test.
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                self.directory(&path, &metadata, depth + 1);
            } else if metadata.is_file() && is_executable(&metadata) {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let kind = match self.source.kind {
            SourceKind::Auto => match detect::detect(path) {
                Ok(kind) => kind,
                Err(error) => {
                    let text = format!("cannot read `{}`: {error}", path.display());
                    self.problem(Problem::new(self.source, text));
                    return;
                }
            },
            kind => kind,
        };
        self.expanded.files.push(SourceFile {
            path: path.to_owned(),
            kind,
            source: self.source.clone(),
        });
    }

    fn problem(&mut self, problem: Problem) {
        self.expanded.problems.push(problem);
    }

    fn missing(&self, path: &Path, error: &io::Error) -> Problem {
        let shown = path.display();
        if error.kind() != io::ErrorKind::NotFound {
            return Problem::new(self.source, format!("cannot look at `{shown}`: {error}"));
        }
        let problem = Problem::new(self.source, format!("`{shown}` does not exist"));
        if let Some(hint) = nearest_prefix(path) {
            return problem.hint(hint);
        }
        if let Some(nearest) = nearest_path(path) {
            return problem.hint(format!("did you mean `{}`?", nearest.display()));
        }
        if path.to_str().is_some_and(is_like_a_flag) {
            return problem.hint(
                "it is taken for a source: what a flag takes behind it is `true` or `false`",
            );
        }
        problem
    }
}

/// Words that people say to flags, which know others.
fn is_like_a_flag(word: &str) -> bool {
    let words = ["yes", "no", "on", "off", "1", "0", "y", "n"];
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
        || ["true", "false"]
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one))
}

/// For `tpa:file` where `file` exists: the prefix that was meant.
fn nearest_prefix(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let (word, rest) = text.split_once(':')?;
    if !Path::new(rest).exists() {
        return None;
    }
    let prefixes = SourceKind::PREFIXED.map(SourceKind::prefix);
    Some(match zaf_core::config::nearest(word, prefixes) {
        Some(prefix) => format!("did you mean `{prefix}:{rest}`?"),
        None => format!("kinds of sources are {}", prefixes.join(", ")),
    })
}

/// The nearest name in the deepest directory that exists.
fn nearest_path(path: &Path) -> Option<PathBuf> {
    let mut wrong = path;
    loop {
        let parent = wrong.parent()?;
        let directory = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        if directory.is_dir() {
            let names: Vec<String> = fs::read_dir(directory)
                .ok()?
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .collect();
            let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.sort_unstable();
            let word = wrong.file_name()?.to_str()?;
            return Some(parent.join(zaf_core::config::nearest(word, names)?));
        }
        wrong = parent;
    }
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

/// Hidden files, and shared libraries, which builds mark as executable although they cannot be run.
fn is_passed_over(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is_library = name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.");
    name.starts_with(b".") || is_library
}
