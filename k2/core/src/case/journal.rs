//! What a function in the runner tells, in a file beside its outputs as long as it runs.
//!
//! ```text
//! outputs/7-1-suite.case-3f2a….told     one line for each thing that was told
//! ```
//!
//! It is there for whoever comes after a runner that died: the next one, or the guard. Most cases tell nothing and have no file. It
//! is written at once, since nobody knows which line is the last; it is not brought to disk, for it has to outlive a process, not the
//! machine. Removed as soon as the event log has what was told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;

use super::{CaseId, CaseRun, Entry, Told};

/// Longest file that is read: no case tells that much.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The open file of one attempt.
#[derive(Debug)]
pub(super) struct Journal {
    path: Utf8PathBuf,
    file: File,
}

/// Which attempt at which case: what its files are named by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CaseFiles<'a> {
    /// Number of the execution.
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    pub(crate) case: &'a CaseId,
}

impl CaseFiles<'_> {
    /// What its files are called, without an ending.
    pub(crate) fn name(self) -> String {
        let Self {
            number,
            attempt,
            case,
        } = self;
        format!("{number}-{attempt}-{}", case.file_name())
    }

    fn file(self, outputs: &Utf8Path) -> Utf8PathBuf {
        outputs.join(format!("{}.told", self.name()))
    }
}

impl Journal {
    /// A new file for this attempt.
    pub(super) fn create(run: &CaseRun) -> io::Result<Self> {
        fs::create_dir_all(&run.outputs)?;
        let path = run.which().file(&run.outputs);
        let mut options = OpenOptions::new();
        options.append(true).create(true).truncate(false);
        let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
        let file = options.mode(0o600).custom_flags(nofollow).open(&path)?;
        Ok(Self { path, file })
    }

    /// Adds a line.
    pub(super) fn note(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        (&self.file).write_all(&line)
    }

    /// Removes the file: what is in it is told.
    pub(super) fn remove(&self) {
        // Without it nothing is lost; a file that stays is read by nobody.
        drop(fs::remove_file(&self.path));
    }
}

/// What an attempt has told that ended with its runner; nothing if it had told nothing. A line that is torn is left out.
pub(crate) fn read(outputs: &Utf8Path, attempt: CaseFiles<'_>) -> Told {
    let mut told = Told::default();
    let nofollow = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nofollow)
        .open(attempt.file(outputs));
    let mut text = Vec::new();
    if let Ok(file) = file {
        // What can be read counts.
        drop(file.take(LONGEST).read_to_end(&mut text));
    }
    let lines = text.split(|&byte| byte == b'\n');
    for entry in lines.filter_map(|line| serde_json::from_slice(line).ok()) {
        told.add(entry);
    }
    told
}

/// Removes what an attempt has told, when the event log has it.
pub(crate) fn forget(outputs: &Utf8Path, attempt: CaseFiles<'_>) {
    // Mostly there is none.
    drop(fs::remove_file(attempt.file(outputs)));
}

#[cfg(test)]
mod tests {
    use super::super::Evidence;
    use super::*;
    use crate::case::{AttachmentLimits, Location};
    use crate::supervisor::Cancellation;

    #[test]
    fn e31_what_was_told_is_in_a_file_until_it_is_told_elsewhere() {
        let scratch = tempfile::tempdir().unwrap();
        let outputs = Utf8Path::from_path(scratch.path()).unwrap().join("outputs");
        let id = CaseId::new("a::b");
        let attempt = CaseFiles {
            number: 1,
            attempt: 1,
            case: &id,
        };
        let run = CaseRun::new(
            id.clone(),
            "r",
            outputs.clone(),
            Cancellation::new().unwrap(),
        );
        let limits = AttachmentLimits::default();
        let evidence = Evidence::in_runner(run.into(), limits, None);
        assert!(!outputs.exists());
        evidence.attach("a b", "text/x-odd", b"text").unwrap();
        for _ in 0..150 {
            evidence.failed_check("1 > 2", "", Location::line("x.rs", 1));
        }
        let mut file = OpenOptions::new()
            .append(true)
            .open(attempt.file(&outputs))
            .unwrap();
        file.write_all(b"{\"check\":{\"na").unwrap();
        let told = read(&outputs, attempt);
        assert_eq!((told.checks.len(), told.more_checks), (100, 1));
        assert_eq!(&*told.attachments[0].media_type, "text/x-odd");
        assert_eq!(evidence.close().more_checks, 50);
        assert!(attempt.file(&outputs).exists());
        evidence.forget();
        assert!(!attempt.file(&outputs).exists());
        assert_eq!(read(&outputs, attempt), Told::default());
        forget(&outputs, attempt);
    }
}
