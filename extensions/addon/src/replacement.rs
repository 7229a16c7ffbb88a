//! Files that change: each is replaced by a complete one, all of them or none.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};

use camino::Utf8Path;
use tempfile::NamedTempFile;
use zaf_core::application::Console;
use zaf_core::prelude::*;

use crate::create::refused;
use crate::error::AddonError;
use crate::options::DRY_RUN;
use crate::staging;
use crate::workspace::Edit;

/// Complete files beside those that they are to replace. Dropping it takes them away again.
#[derive(Debug)]
pub(crate) struct Replacements<'a>(Vec<(&'a Edit, Held)>);

/// A file that others leave alone.
#[derive(Debug)]
struct Held {
    file: NamedTempFile,
    _lock: File,
}

impl<'a> Replacements<'a> {
    /// Writes what the files are to hold, to disk. None of them has changed yet.
    ///
    /// # Errors
    /// [`AddonError::Write`]; also if a file is no longer what it was when the edit was made.
    pub(crate) fn prepared(edits: &'a [Edit]) -> std::result::Result<Self, AddonError> {
        let prepared = edits.iter().map(|edit| {
            prepared(edit)
                .map(|file| (edit, file))
                .map_err(unwritten(&edit.path))
        });
        prepared.collect::<std::result::Result<_, _>>().map(Self)
    }

    /// Puts them in place, in order. If one cannot be, those before it are put back.
    ///
    /// # Errors
    /// [`AddonError::Write`].
    pub(crate) fn commit(self) -> std::result::Result<(), AddonError> {
        let mut done: Vec<&Edit> = Vec::new();
        for (edit, held) in self.0 {
            if let Err(error) = held.file.persist(&edit.path) {
                for edit in done {
                    put_back(edit);
                }
                return Err(unwritten(&edit.path)(error.error));
            }
            done.push(edit);
        }
        Ok(())
    }
}

/// As it was, whole: by a file that replaces it.
fn put_back(edit: &Edit) {
    let back = Edit {
        path: edit.path.clone(),
        before: edit.after.clone(),
        after: edit.before.clone(),
    };
    let outcome =
        prepared(&back).and_then(|held| held.file.persist(&edit.path).map_err(|e| e.error));
    if let Err(error) = outcome {
        tracing::error!(%error, "`{}` could not be put back as it was", edit.path);
    }
}

fn unwritten(path: &Utf8Path) -> impl Fn(io::Error) -> AddonError {
    let path = path.to_owned();
    move |source| AddonError::Write {
        path: path.clone(),
        source,
    }
}

/// A complete file beside the one that changes, with its mode.
fn prepared(edit: &Edit) -> io::Result<Held> {
    let now = std::fs::read_to_string(&edit.path)?;
    if now != edit.before {
        return Err(io::Error::other("it has changed meanwhile"));
    }
    let parent = edit.path.parent().unwrap_or(Utf8Path::new("/"));
    staging::sweep(parent);
    let mut file = tempfile::Builder::new()
        .prefix(staging::PREFIX)
        .tempfile_in(parent)?;
    let path = Utf8Path::from_path(file.path());
    let lock = staging::hold(path.ok_or_else(|| io::Error::other("its path is no text"))?)?;
    file.write_all(edit.after.as_bytes())?;
    file.as_file()
        .set_permissions(std::fs::metadata(&edit.path)?.permissions())?;
    file.as_file().sync_all()?;
    Ok(Held { file, _lock: lock })
}

/// Makes edits, or says what they are if that is what is wanted.
pub(crate) fn apply(cx: &CommandContext<'_>, edits: &[Edit]) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    if cx.config().get(DRY_RUN)? {
        write!(console.stdout(), "{}", changes(edits))?;
        return Ok(ExitCode::Success);
    }
    let done = Replacements::prepared(edits).and_then(Replacements::commit);
    done.map_err(refused)?;
    for edit in edits {
        writeln!(console.stdout(), "{}", edit.path)?;
    }
    Ok(ExitCode::Success)
}

/// The lines that edits add and take away.
pub(crate) fn changes(edits: &[Edit]) -> String {
    let mut text = String::new();
    for edit in edits {
        let _ = writeln!(text, "change  {}", edit.path);
        let before: Vec<&str> = edit.before.lines().collect();
        let after: Vec<&str> = edit.after.lines().collect();
        for (sign, line) in difference(&before, &after) {
            let _ = writeln!(text, "        {sign} {line}");
        }
    }
    text
}

/// The fewest lines to take away and to add, by their longest common subsequence. For files of people: the work grows with the product of the
/// lines that differ in the middle.
fn difference<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(char, &'a str)> {
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = before.iter().zip(after).take_while(same).count();
    let (before, after) = (&before[head..], &after[head..]);
    let tail = before.iter().rev().zip(after.iter().rev());
    let tail = tail.take_while(same).count();
    let (before, after) = (&before[..before.len() - tail], &after[..after.len() - tail]);
    let width = after.len() + 1;
    let mut common = vec![0_u32; (before.len() + 1) * width];
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let longest = if old == new {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
            common[i * width + j] = longest;
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == after.len()
            || (i < before.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push(('-', before[i]));
            i += 1;
        } else {
            lines.push(('+', after[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_only_the_lines_that_differ() {
        let before = ["a", "}", "b", "}", "z"];
        let after = ["a", "}", "new {", "}", "c", "}", "z"];
        let shown = difference(&before, &after).into_iter();
        let shown: Vec<_> = shown.map(|(sign, line)| format!("{sign}{line}")).collect();
        assert_eq!(shown, ["-b", "+new {", "+}", "+c"]);
        assert_eq!(difference(&before, &before), []);
        assert_eq!(difference(&[], &["x"]), [('+', "x")]);
    }

    #[test]
    fn a_file_that_changed_meanwhile_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(directory.path()).unwrap().join("x");
        std::fs::write(&path, "mine").unwrap();
        let edit = Edit {
            path: path.clone(),
            before: "other".to_owned(),
            after: "new".to_owned(),
        };
        let error = Replacements::prepared(std::slice::from_ref(&edit)).unwrap_err();
        assert!(matches!(error, AddonError::Write { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn i5_what_was_replaced_is_put_back_if_a_later_one_cannot_be() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let edit = |name: &str| Edit {
            path: root.join(name),
            before: "old".to_owned(),
            after: "new".to_owned(),
        };
        let edits = [edit("a"), edit("b")];
        for edit in &edits {
            std::fs::write(&edit.path, "old").unwrap();
        }
        let replacements = Replacements::prepared(&edits).unwrap();
        // A directory cannot be replaced by a file, whoever tries.
        std::fs::remove_file(&edits[1].path).unwrap();
        std::fs::create_dir(&edits[1].path).unwrap();
        assert!(replacements.commit().is_err());
        assert_eq!(std::fs::read_to_string(&edits[0].path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(root).unwrap().count(), 2);
    }
}
