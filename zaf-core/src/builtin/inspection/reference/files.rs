//! Pages in a directory: what differs, and how it is brought up to date.
//!
//! Only files directly in the directory are looked at. Replaced and removed are only those whose first line says that they are
//! generated; anything else of that name is left alone and said to be in the way. A page is replaced in one step.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::pages::{MARK, Pages};

/// Why pages could not be compared or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum PagesError {
    /// Somebody else's file has the name of a page.
    #[error("`{path}` is in the way: it is no generated page, and is left alone")]
    InTheWay {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The system refuses something.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// What has to be done to a directory. Names are sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Pages that are missing.
    pub(super) new: Vec<String>,
    /// Pages that are there and different, each with the number of its first line that differs, from 1.
    pub(super) changed: Vec<(String, usize)>,
    /// Generated pages that no longer exist.
    pub(super) stale: Vec<String>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares the directory with what it should contain. A directory that is not there is empty.
pub(super) fn compare(directory: &Utf8Path, pages: &Pages) -> Result<Changes, PagesError> {
    let mut changes = Changes::default();
    for (name, wanted) in pages {
        match read(&directory.join(name))? {
            None => changes.new.push(name.clone()),
            Some(found) if found == *wanted => {}
            Some(found) => {
                let same = found
                    .lines()
                    .zip(wanted.lines())
                    .take_while(|(found, wanted)| found == wanted)
                    .count();
                changes.changed.push((name.clone(), same + 1));
            }
        }
    }
    for name in names(directory)? {
        if !pages.contains_key(&name)
            && read(&directory.join(&name)).is_ok_and(|text| text.is_some())
        {
            changes.stale.push(name);
        }
    }
    Ok(changes)
}

/// Makes the changes; nothing else is touched.
pub(super) fn apply(
    directory: &Utf8Path,
    pages: &Pages,
    changes: &Changes,
) -> Result<(), PagesError> {
    let failed = |action, path: &Utf8Path| {
        let path = path.to_owned();
        move |source| PagesError::Io {
            action,
            path,
            source,
        }
    };
    if !(changes.new.is_empty() && changes.changed.is_empty()) {
        std::fs::create_dir_all(directory).map_err(failed("create", directory))?;
    }
    let different = changes.changed.iter().map(|(name, _)| name);
    for name in changes.new.iter().chain(different) {
        let path = directory.join(name);
        let text = pages.get(name).map_or("", String::as_str);
        replace(directory, &path, text).map_err(failed("write", &path))?;
    }
    for name in &changes.stale {
        let path = directory.join(name);
        std::fs::remove_file(&path).map_err(failed("remove", &path))?;
    }
    Ok(())
}

fn replace(directory: &Utf8Path, path: &Utf8Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".docs.")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Text of a generated page; none if there is no file of this name.
fn read(path: &Utf8Path) -> Result<Option<String>, PagesError> {
    let failed = |source| PagesError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let in_the_way = || PagesError::InTheWay {
        path: path.to_owned(),
    };
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        // Not through links: they may lead anywhere.
        Ok(found) if !found.is_file() => return Err(in_the_way()),
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.starts_with(MARK) => Ok(Some(text)),
        _ => Err(in_the_way()),
    }
}

/// Names of the files that may be pages.
fn names(directory: &Utf8Path) -> Result<BTreeSet<String>, PagesError> {
    let failed = |source| PagesError::Io {
        action: "list",
        path: directory.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        // What is not UTF-8 is not ours.
        if let Ok(name) = name.into_string()
            && matches!(Utf8Path::new(&name).extension(), Some("md" | "svg"))
        {
            names.insert(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(list: &[(&str, &str)]) -> Pages {
        let page = |(name, text): &(&str, &str)| ((*name).to_owned(), format!("{MARK}\n{text}\n"));
        list.iter().map(page).collect()
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    fn bring_up_to_date(directory: &Utf8Path, wanted: &Pages) -> Changes {
        let changes = compare(directory, wanted).unwrap();
        apply(directory, wanted, &changes).unwrap();
        assert!(compare(directory, wanted).unwrap().is_empty());
        changes
    }

    #[test]
    fn only_what_differs_is_written_and_only_what_is_ours_removed() {
        let (_dir, path) = scratch();
        let directory = path.join("a/b");
        let wanted = pages(&[("x.md", "1"), ("y.md", "2")]);
        let changes = bring_up_to_date(&directory, &wanted);
        assert_eq!(changes.new, ["x.md", "y.md"]);
        std::fs::write(directory.join("mine.md"), "mine").unwrap();
        std::fs::write(directory.join("notes.txt"), format!("{MARK}\n")).unwrap();
        let before = directory
            .join("x.md")
            .metadata()
            .unwrap()
            .modified()
            .unwrap();

        let wanted = pages(&[("x.md", "1"), ("z.md", "3")]);
        let changes = bring_up_to_date(&directory, &wanted);
        assert_eq!(
            (changes.new, changes.stale),
            (vec!["z.md".to_owned()], vec!["y.md".to_owned()])
        );
        assert_eq!(
            directory
                .join("x.md")
                .metadata()
                .unwrap()
                .modified()
                .unwrap(),
            before
        );
        assert!(directory.join("mine.md").exists() && directory.join("notes.txt").exists());

        let wanted = pages(&[("x.md", "other"), ("z.md", "3")]);
        let changes = bring_up_to_date(&directory, &wanted);
        assert_eq!(changes.changed, [("x.md".to_owned(), 2)]);
        assert_eq!(
            std::fs::read_dir(&directory).unwrap().count(),
            4,
            "nothing temporary is left"
        );
    }

    #[test]
    fn what_is_somebody_elses_is_left_alone() {
        let (_dir, path) = scratch();
        let wanted = pages(&[("x.md", "1")]);
        std::fs::write(path.join("outside"), format!("{MARK}\nold")).unwrap();
        std::os::unix::fs::symlink("outside", path.join("x.md")).unwrap();
        assert!(matches!(
            compare(&path, &wanted),
            Err(PagesError::InTheWay { .. })
        ));
        std::fs::remove_file(path.join("x.md")).unwrap();
        std::fs::write(path.join("x.md"), "written by hand").unwrap();
        let error = compare(&path, &wanted).unwrap_err();
        assert!(error.to_string().contains("x.md` is in the way"), "{error}");
        assert_eq!(
            std::fs::read_to_string(path.join("x.md")).unwrap(),
            "written by hand"
        );
    }
}
