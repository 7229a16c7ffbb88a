//! Files that belong to an attempt at a case: how they are kept, and how what an executable leaves is taken over.
//!
//! ```text
//! outputs/7-1-suite.case-3f2a….attachments/     execution 7, first attempt
//!     screen.png                                a name that is safe, whatever the case said
//!     .part-2                                   being written; never in a report
//! ```
//!
//! Names and contents are those of the case, which may be hostile or broken: a file is written under another name and then moved,
//! nothing leaves the directory, no symbolic link is followed, and there is an end to number and size.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, openat, renameat_with};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::CaseRun;
use super::media_type;

/// Longest name of a file, in bytes: with a number behind it, short enough for every file system.
const LONGEST_NAME: usize = 80;

/// Longest name that reports show, in bytes.
const LONGEST_TITLE: usize = 200;

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// A file that belongs to an attempt at a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What the case calls it: any text.
    pub name: Arc<str>,
    /// Media type, such as `image/png`: as the case says, or by the name.
    pub media_type: Arc<str>,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, in hexadecimal digits.
    pub sha256: Arc<str>,
    /// The file, relative to the directory of the run; made of harmless characters.
    pub file: Utf8PathBuf,
}

/// How much one attempt at a case may attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentLimits {
    /// Most files.
    pub files: u64,
    /// Most bytes of all together.
    pub bytes: u64,
}

impl Default for AttachmentLimits {
    /// 100 files, 100 MiB.
    fn default() -> Self {
        Self {
            files: 100,
            bytes: 100 * 1024 * 1024,
        }
    }
}

/// A file could not be attached.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The case has its verdict already.
    #[error("nothing can be attached any more: the case is over")]
    Over,
    /// The context was made without a run.
    #[error("nothing can be attached: the case runs without a directory")]
    NoDirectory,
    /// What should be attached is no regular file.
    #[error("`{path}` cannot be attached: it is no regular file")]
    NotAFile {
        /// What was named.
        path: String,
    },
    /// It cannot be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Of what.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

fn io_error(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> AttachError {
    move |source| AttachError::Io {
        action,
        path: path.as_ref().display().to_string(),
        source,
    }
}

/// What is to be attached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Kept {
    File(Attachment),
    /// It is too much.
    LeftOut,
}

/// What of the limits is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl From<AttachmentLimits> for Room {
    fn from(AttachmentLimits { files, bytes }: AttachmentLimits) -> Self {
        Self { files, bytes }
    }
}

/// The attachments of one attempt.
#[derive(Debug)]
pub(super) struct Store {
    directory: Utf8PathBuf,
    /// The same, relative to the directory of the run.
    relative: Utf8PathBuf,
    open: Option<OwnedFd>,
    room: Room,
    /// Files so far, also those that were left out.
    count: u64,
}

impl Store {
    pub(super) fn new(run: &CaseRun, limits: AttachmentLimits) -> Self {
        let directory = run.attachments();
        let root = run.outputs.parent().unwrap_or(Utf8Path::new(""));
        let relative = directory.strip_prefix(root).unwrap_or(&directory);
        Self {
            relative: relative.to_owned(),
            directory,
            open: None,
            room: limits.into(),
            count: 0,
        }
    }

    /// Writes a file as a whole, or not at all.
    pub(super) fn keep(
        &mut self,
        name: &str,
        kind: &str,
        content: Content<'_>,
    ) -> Result<Kept, AttachError> {
        let source = match content {
            Content::Bytes(_) => None,
            Content::File(path) => Some((open_regular(path)?, path)),
        };
        self.count += 1;
        if self.room.files == 0 {
            return Ok(Kept::LeftOut);
        }
        let room = self.room.bytes;
        let part = format!(".part-{}", self.count);
        let directory = self.directory.clone();
        let directory_fd = self.directory()?;
        let create =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = openat(
            directory_fd,
            part.as_str(),
            create,
            Mode::from_raw_mode(0o644),
        );
        let mut target = File::from(
            target
                .map_err(|error| io_error("make the file", directory.join(&part))(error.into()))?,
        );
        let copied = match (source, content) {
            (Some((mut source, path)), _) => {
                copy(&mut source, &mut target, room).map_err(io_error("copy", path))
            }
            (None, Content::Bytes(mut bytes)) => copy(&mut bytes, &mut target, room)
                .map_err(io_error("write", directory.join(&part))),
            (None, Content::File(_)) => Ok(None),
        };
        let (bytes, sha256) = match copied {
            Ok(Some(copied)) => copied,
            other => {
                // What is left of it has a name that no report shows.
                drop(fs::remove_file(directory.join(&part)));
                return other.map(|_| Kept::LeftOut);
            }
        };
        let file = move_to(directory_fd, directory_fd, part.as_ref(), &safe_name(name))
            .map_err(io_error("name the file in", &directory))?;
        self.room.files -= 1;
        self.room.bytes -= bytes;
        Ok(Kept::File(Attachment {
            name: title(name),
            media_type: media_type::of(kind, name),
            bytes,
            sha256,
            file: self.relative.join(file),
        }))
    }

    /// The directory, which is made now at the latest.
    fn directory(&mut self) -> Result<&OwnedFd, AttachError> {
        let open = if let Some(open) = self.open.take() {
            open
        } else {
            fs::create_dir_all(&self.directory)
                .map_err(io_error("make the directory", &self.directory))?;
            open_directory(&self.directory)
                .map_err(io_error("open the directory", &self.directory))?
        };
        Ok(self.open.insert(open))
    }
}

/// Opens a directory; a symbolic link in its place is none.
pub(super) fn open_directory(path: &Utf8Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(CWD, path.as_std_path(), flags, Mode::empty())?)
}

/// Opens a regular file. Nothing else is waited for, and no symbolic link is followed.
fn open_regular(path: &Path) -> Result<File, AttachError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let no_file = || AttachError::NotAFile {
        path: path.display().to_string(),
    };
    let open = match openat(CWD, path, flags, Mode::empty()) {
        Ok(open) => File::from(open),
        // What a symbolic link, and a socket, are answered with.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => return Err(no_file()),
        Err(error) => return Err(io_error("open", path)(error.into())),
    };
    match open.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(open),
        Ok(_) => Err(no_file()),
        Err(error) => Err(io_error("look at", path)(error)),
    }
}

/// Copies at most `room` bytes; none if there are more. Otherwise how many, and their checksum.
pub(super) fn copy(
    source: &mut dyn Read,
    target: &mut dyn Write,
    room: u64,
) -> io::Result<Option<(u64, Arc<str>)>> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0_u64;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes += read as u64;
        if bytes > room {
            return Ok(None);
        }
        let chunk = buffer.get(..read).unwrap_or_default();
        sum.update(chunk);
        target.write_all(chunk)?;
    }
    let mut digits = String::with_capacity(64);
    for byte in sum.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(Some((bytes, digits.into())))
}

/// Moves a file into `to` under the name, or under one with a number if that is taken; says which.
pub(super) fn move_to(from: &OwnedFd, to: &OwnedFd, old: &Path, name: &str) -> io::Result<String> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut candidate = name.to_owned();
    for number in 2_u64.. {
        match renameat_with(from, old, to, candidate.as_str(), RenameFlags::NOREPLACE) {
            Ok(()) => break,
            Err(rustix::io::Errno::EXIST) => candidate = format!("{stem}-{number}{extension}"),
            // File systems that cannot do it in one step.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                let exists = rustix::fs::statat(
                    to,
                    candidate.as_str(),
                    rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
                );
                if exists.is_err() {
                    rustix::fs::renameat(from, old, to, candidate.as_str())?;
                    break;
                }
                candidate = format!("{stem}-{number}{extension}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(candidate)
}

/// A name for a file that is harmless everywhere, and lets one recognise what the case called it: letters and digits of ASCII, `.`,
/// `_`, `-`; not hidden, no option.
pub(super) fn safe_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len().min(LONGEST_NAME));
    for c in name.trim().chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            safe.push(c);
        } else if !safe.ends_with('_') {
            safe.push('_');
        }
    }
    let safe = safe
        .trim_start_matches(['.', '-', '_'])
        .trim_end_matches('.');
    if safe.is_empty() {
        return "attachment".to_owned();
    }
    if safe.len() <= LONGEST_NAME {
        return safe.to_owned();
    }
    let extension = safe.rsplit_once('.').map_or("", |(_, extension)| extension);
    match safe.get(..LONGEST_NAME - extension.len().min(LONGEST_NAME) - 1) {
        Some(stem) if extension.len() <= 10 && !extension.is_empty() => {
            format!("{stem}.{extension}")
        }
        _ => safe.get(..LONGEST_NAME).unwrap_or_default().to_owned(),
    }
}

/// The name as reports show it.
pub(super) fn title(name: &str) -> Arc<str> {
    let end = name.floor_char_boundary(LONGEST_TITLE);
    let name = name.get(..end).unwrap_or_default();
    if name.trim().is_empty() {
        "attachment".into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn i10_the_file_of_an_attachment_leads_nowhere_whatever_the_case_calls_it(
            name in r"(\.\./|\.\.|/|~|\\|\x00|\n|:|-|_| |[a-z]|ü|\.[a-z]{1,12}){0,40}",
        ) {
            let safe = safe_name(&name);
            let file = Path::new("run/attachments").join(&safe);
            prop_assert_eq!(file.components().count(), 3, "{:?}", file);
            prop_assert_eq!(file.parent(), Some(Path::new("run/attachments")));
            prop_assert!(safe.len() <= LONGEST_NAME && !safe.starts_with(['.', '-']), "{}", safe);
            prop_assert!(safe.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
        }
    }
}
