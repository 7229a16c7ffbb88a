//! Files that cases make in their own directories (a workspace, say): which of them are kept with the results.
//!
//! ```text
//! outputs/7-1-suite.case-3f2a…/         execution 7, first attempt
//!     workspace/                        what a component made there, and what the case did in it
//! ```
//!
//! What is kept is listed as an attachment of the media type `inode/directory`. What is not kept is deleted as soon as the case has its
//! verdict, so that a run of many cases needs the room of a few.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;

use super::{Attachment, Verdict};

/// Media type of a directory. Source: the shared MIME database of freedesktop.org.
const DIRECTORY: &str = "inode/directory";

/// What reports call the directory of a case.
const NAME: &str = "files of the case";

/// Which cases keep their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepRule {
    Always,
    /// Those that neither passed nor were skipped.
    Failure,
    Never,
}

impl KeepRule {
    fn keeps(self, verdict: Verdict) -> bool {
        let is_well = matches!(
            verdict,
            Verdict::Passed | Verdict::Skipped | Verdict::Ignored
        );
        match self {
            Self::Always => true,
            Self::Failure => !is_well,
            Self::Never => false,
        }
    }
}

/// The files of all cases of a run.
#[derive(Debug)]
pub(crate) struct Artefacts {
    rule: KeepRule,
    /// Most bytes that are kept.
    most: u64,
    kept: AtomicU64,
}

/// What became of the files of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// There are none any more, if there were any.
    Gone,
    /// They are kept.
    Kept(Attachment),
    /// They were deleted, because with these many bytes there would have been too many.
    TooMuch(u64),
}

impl Artefacts {
    pub(crate) fn new(rule: KeepRule, most: u64) -> Self {
        Self {
            rule,
            most,
            kept: AtomicU64::new(0),
        }
    }

    /// Keeps or deletes the `directory` of a case that has ended like this; it need not exist. `root` is the directory of the run.
    ///
    /// # Errors
    /// If what is to be deleted cannot be.
    pub(crate) fn settle(
        &self,
        directory: &Utf8Path,
        root: &Utf8Path,
        verdict: Verdict,
    ) -> io::Result<Settled> {
        match fs::symlink_metadata(directory) {
            Ok(metadata) if metadata.is_dir() => {}
            // It was put there instead; a link is deleted, not what it leads to.
            Ok(_) => return fs::remove_file(directory).map(|()| Settled::Gone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settled::Gone),
            Err(error) => return Err(error),
        }
        if !self.rule.keeps(verdict) {
            return remove(directory.as_std_path()).map(|()| Settled::Gone);
        }
        let Some(bytes) = size(directory.as_std_path()) else {
            // Directories without a file tell nothing.
            return remove(directory.as_std_path()).map(|()| Settled::Gone);
        };
        let fits = |kept: u64| {
            let kept = kept.saturating_add(bytes);
            (kept <= self.most).then_some(kept)
        };
        let order = Ordering::Relaxed;
        if self.kept.fetch_update(order, order, fits).is_err() {
            return remove(directory.as_std_path()).map(|()| Settled::TooMuch(bytes));
        }
        let file = directory.strip_prefix(root).unwrap_or(directory);
        Ok(Settled::Kept(Attachment {
            name: NAME.into(),
            media_type: DIRECTORY.into(),
            bytes,
            sha256: "".into(),
            file: file.to_owned(),
        }))
    }
}

/// The bytes of all files below `directory`, without following links; none if there is nothing but directories.
fn size(directory: &Path) -> Option<u64> {
    let mut bytes = None;
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        // What cannot be read is not known to be empty.
        let Ok(entries) = fs::read_dir(&directory) else {
            bytes = bytes.or(Some(0));
            continue;
        };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => left.push(entry.path()),
                Ok(metadata) => bytes = Some(bytes.unwrap_or(0_u64).saturating_add(metadata.len())),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Deletes a directory with all that is in it, also what a case has made unreadable.
fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(directory);
            fs::remove_dir_all(directory)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Gives this user back the right to change all directories below this one.
fn open_up(directory: &Path) {
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        // What this does not help shows itself when it is deleted.
        drop(fs::set_permissions(
            &directory,
            Permissions::from_mode(0o700),
        ));
        let entries = fs::read_dir(&directory).into_iter().flatten();
        for entry in entries.flatten() {
            // Of the entry itself: a link is not followed.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use camino::Utf8PathBuf;

    use super::*;

    struct Place {
        _scratch: tempfile::TempDir,
        root: Utf8PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let scratch = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(scratch.path().to_owned()).unwrap();
            Self {
                _scratch: scratch,
                root,
            }
        }

        fn directory(&self) -> Utf8PathBuf {
            self.root.join("outputs/1-1-a")
        }

        fn fill(&self, bytes: usize) {
            let inner = self.directory().join("workspace/deep");
            fs::create_dir_all(&inner).unwrap();
            fs::write(inner.join("file"), vec![b'x'; bytes]).unwrap();
        }

        fn settle(&self, artefacts: &Artefacts, verdict: Verdict) -> Settled {
            let settled = artefacts.settle(&self.directory(), &self.root, verdict);
            let settled = settled.unwrap();
            let is_kept = matches!(settled, Settled::Kept(_));
            assert_eq!(self.directory().exists(), is_kept);
            settled
        }
    }

    #[test]
    fn the_rule_and_the_verdict_decide() {
        for (rule, of_passed, of_failed) in [
            (KeepRule::Always, true, true),
            (KeepRule::Failure, false, true),
            (KeepRule::Never, false, false),
        ] {
            for (verdict, is_kept) in [
                (Verdict::Passed, of_passed),
                (Verdict::Skipped, of_passed),
                (Verdict::Failed, of_failed),
                (Verdict::Error, of_failed),
                (Verdict::TimedOut, of_failed),
                (Verdict::Aborted, of_failed),
            ] {
                let place = Place::new();
                let artefacts = Artefacts::new(rule, 1000);
                assert_eq!(place.settle(&artefacts, verdict), Settled::Gone, "none yet");
                place.fill(7);
                match place.settle(&artefacts, verdict) {
                    Settled::Kept(attachment) => {
                        assert!(is_kept, "{rule:?} {verdict}");
                        assert_eq!(attachment.file, "outputs/1-1-a");
                        assert_eq!(attachment.bytes, 7);
                    }
                    other => assert_eq!((other, is_kept), (Settled::Gone, false), "{rule:?}"),
                }
            }
        }
    }

    #[test]
    fn p8_all_that_is_kept_has_a_limit() {
        let artefacts = Artefacts::new(KeepRule::Always, 20);
        let places: Vec<Place> = (0..4).map(|_| Place::new()).collect();
        let mut settled = Vec::new();
        for (place, bytes) in places.iter().zip([15, 6, 5, 1]) {
            place.fill(bytes);
            settled.push(match place.settle(&artefacts, Verdict::Failed) {
                Settled::Kept(kept) => (true, kept.bytes),
                Settled::TooMuch(bytes) => (false, bytes),
                Settled::Gone => panic!("it was there"),
            });
        }
        assert_eq!(settled, [(true, 15), (false, 6), (true, 5), (false, 1)]);
    }

    #[test]
    fn empty_directories_are_not_kept_and_links_lead_nowhere() {
        let place = Place::new();
        let artefacts = Artefacts::new(KeepRule::Always, 1000);
        fs::create_dir_all(place.directory().join("workspace/empty")).unwrap();
        assert_eq!(place.settle(&artefacts, Verdict::Failed), Settled::Gone);

        let precious = place.root.join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), vec![b'x'; 5000]).unwrap();
        fs::create_dir_all(place.directory()).unwrap();
        symlink(&precious, place.directory().join("link")).unwrap();
        let Settled::Kept(kept) = place.settle(&artefacts, Verdict::Failed) else {
            panic!("a link is something");
        };
        assert!(kept.bytes < 1000, "{kept:?}");
        let never = Artefacts::new(KeepRule::Never, 0);
        assert_eq!(place.settle(&never, Verdict::Failed), Settled::Gone);
        symlink(&precious, place.directory()).unwrap();
        assert_eq!(place.settle(&artefacts, Verdict::Failed), Settled::Gone);
        assert!(precious.join("file").exists());
    }

    #[test]
    fn e20_what_a_case_has_made_unreadable_is_deleted_too() {
        let place = Place::new();
        place.fill(5);
        for directory in ["workspace/deep", "workspace", ""] {
            let directory = place.directory().join(directory);
            fs::set_permissions(directory, Permissions::from_mode(0o000)).unwrap();
        }
        let never = Artefacts::new(KeepRule::Never, 0);
        assert_eq!(place.settle(&never, Verdict::Passed), Settled::Gone);
    }
}
