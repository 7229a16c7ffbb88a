//! Keeps the output of a process within bounds.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Bytes of the beginning that are kept in memory.
const HEAD: usize = 64 * 1024;
/// Bytes of the end that are kept in memory.
const TAIL: usize = 64 * 1024;

/// What a process wrote to one of its outputs: at most 64 KiB of its beginning and 64 KiB of its end in memory, and all of
/// it, up to the limit, in a file if it was longer and a file was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapturedOutput {
    /// The beginning, as it was written.
    pub head: Vec<u8>,
    /// The end; follows `head` directly unless [`CapturedOutput::truncated`].
    pub tail: Vec<u8>,
    /// Bytes that were written altogether.
    pub bytes: u64,
    /// Something is missing between `head` and `tail`.
    pub truncated: bool,
    /// Some of it is not UTF-8; [`CapturedOutput::text`] replaces that.
    pub lossy: bool,
    /// File with the whole output.
    pub file: Option<PathBuf>,
    /// The file does not hold all of it: it reached its limit (a mark stands at its end) or could not be written.
    pub file_truncated: bool,
    /// Why the file could not be written, if it could not.
    pub file_error: Option<String>,
}

impl CapturedOutput {
    /// True when nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Head and tail as text, with a mark between them where something is missing. Invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        if !self.truncated {
            let mut all = self.head.clone();
            all.extend_from_slice(&self.tail);
            return String::from_utf8_lossy(&all).into_owned();
        }
        let missing = self.bytes - (self.head.len() + self.tail.len()) as u64;
        let (head, tail) = (
            String::from_utf8_lossy(&self.head),
            String::from_utf8_lossy(&self.tail),
        );
        let line = if head.ends_with('\n') { "" } else { "\n" };
        format!("{head}{line}... [{missing} bytes left out] ...\n{tail}")
    }

    /// All of it, for readers of a protocol: from memory or, when that does not hold all, from the file.
    ///
    /// # Errors
    /// When the file cannot be read, or neither holds everything that was written.
    pub fn complete(&self) -> io::Result<Cow<'_, [u8]>> {
        if !self.truncated {
            if self.tail.is_empty() {
                return Ok(Cow::Borrowed(&self.head));
            }
            return Ok(Cow::Owned([&self.head[..], &self.tail[..]].concat()));
        }
        match &self.file {
            Some(file) if !self.file_truncated => {
                let mut all = Vec::new();
                File::open(file)?.take(self.bytes).read_to_end(&mut all)?;
                Ok(Cow::Owned(all))
            }
            _ => Err(io::Error::other(format!(
                "{} bytes were written, which is more than is kept",
                self.bytes
            ))),
        }
    }
}

/// Takes output as it comes.
#[derive(Debug)]
pub(super) struct Capture {
    output: CapturedOutput,
    utf8: Utf8Check,
    path: Option<PathBuf>,
    limit: u64,
    always: bool,
    file: Option<File>,
    written: u64,
}

impl Capture {
    /// `path` is used as [`super::OutputFiles`] says.
    pub(super) fn new(path: Option<PathBuf>, limit: u64, always: bool) -> Self {
        Self {
            output: CapturedOutput::default(),
            utf8: Utf8Check::default(),
            path,
            limit,
            always,
            file: None,
            written: 0,
        }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.keep_in_file(chunk);
        self.output.bytes += chunk.len() as u64;
        self.utf8.push(chunk);
        let head = chunk.len().min(HEAD - self.output.head.len());
        self.output.head.extend_from_slice(&chunk[..head]);
        self.keep_in_tail(&chunk[head..]);
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> CapturedOutput {
        let output = &mut self.output;
        let excess = output.tail.len().saturating_sub(TAIL);
        output.tail.drain(..excess);
        output.truncated = output.bytes > (output.head.len() + output.tail.len()) as u64;
        output.lossy = self.utf8.finish();
        if self.file.is_some() && output.file_error.is_none() && output.bytes > self.limit {
            output.file_truncated = true;
            let mark = format!(
                "\n[cut here: {} bytes were written, the first {} are kept]\n",
                output.bytes, self.limit
            );
            self.write(mark.as_bytes());
        }
        self.output
    }

    fn keep_in_tail(&mut self, chunk: &[u8]) {
        let tail = &mut self.output.tail;
        if chunk.len() >= TAIL {
            tail.clear();
            tail.extend_from_slice(&chunk[chunk.len() - TAIL..]);
            return;
        }
        // The tail may grow to twice its size, so that each byte is moved once and not with every chunk.
        if tail.len() + chunk.len() > 2 * TAIL {
            let excess = tail.len() + chunk.len() - TAIL;
            tail.drain(..excess);
        }
        tail.extend_from_slice(chunk);
    }

    fn keep_in_file(&mut self, chunk: &[u8]) {
        let fits = self.output.bytes + chunk.len() as u64 <= (HEAD + TAIL) as u64;
        if self.file.is_none() {
            let Some(path) = self.path.take_if(|_| self.always || !fits) else {
                return;
            };
            match create(&path) {
                Ok(file) => self.file = Some(file),
                Err(error) => {
                    self.output.file_error = Some(format!("{}: {error}", path.display()));
                    self.output.file_truncated = true;
                    return;
                }
            }
            self.output.file = Some(path);
            // Until now everything fitted in memory, so memory holds the beginning of the file.
            let head = std::mem::take(&mut self.output.head);
            let tail = std::mem::take(&mut self.output.tail);
            self.write_limited(&head);
            self.write_limited(&tail);
            self.output.head = head;
            self.output.tail = tail;
        }
        self.write_limited(chunk);
    }

    fn write_limited(&mut self, bytes: &[u8]) {
        let left = usize::try_from(self.limit - self.written).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(left)];
        self.written += bytes.len() as u64;
        if !bytes.is_empty() {
            self.write(bytes);
        }
    }

    /// After the first error the file is left as it is: a full disk must not stop the test.
    fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        if self.output.file_error.is_some() {
            return;
        }
        if let Err(error) = file.write_all(bytes) {
            self.output.file_error = Some(error.to_string());
            self.output.file_truncated = true;
        }
    }
}

/// A new file; never through a link that a test may have planted.
fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Whether a stream is UTF-8, with characters that are cut by a chunk's border.
#[derive(Debug, Default)]
struct Utf8Check {
    /// Beginning of a character whose rest is in the next chunk; at most three bytes.
    pending: Vec<u8>,
    invalid: bool,
}

impl Utf8Check {
    fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !self.invalid && !self.pending.is_empty() && !rest.is_empty() {
            self.pending.push(rest[0]);
            rest = &rest[1..];
            match std::str::from_utf8(&self.pending) {
                Ok(_) => self.pending.clear(),
                Err(error) => self.invalid = error.error_len().is_some(),
            }
        }
        if self.invalid {
            return;
        }
        if let Err(error) = std::str::from_utf8(rest) {
            match error.error_len() {
                Some(_) => self.invalid = true,
                None => self.pending.extend_from_slice(&rest[error.valid_up_to()..]),
            }
        }
    }

    /// True when something was not UTF-8.
    fn finish(&self) -> bool {
        self.invalid || !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture(chunks: &[&[u8]]) -> CapturedOutput {
        let mut capture = Capture::new(None, 0, false);
        for chunk in chunks {
            capture.push(chunk);
        }
        capture.finish()
    }

    #[test]
    fn the_middle_of_long_output_is_left_out_and_counted() {
        let all: Vec<u8> = (0..300_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
        let output = capture(&all.chunks(1000).collect::<Vec<_>>());
        assert_eq!(output.bytes, 300_000);
        assert!(output.truncated);
        assert_eq!(output.head, all[..HEAD]);
        assert_eq!(output.tail, all[all.len() - TAIL..]);
        assert!(output.text().contains("... [168928 bytes left out] ..."));
        assert!(output.complete().is_err());
    }

    #[test]
    fn a_file_is_written_only_when_memory_does_not_suffice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/stdout");
        let mut small = Capture::new(Some(path.clone()), 1 << 20, false);
        small.push(&vec![b'x'; HEAD + TAIL]);
        assert_eq!(small.finish().file, None);
        assert!(!path.exists());

        let all = vec![b'y'; HEAD + TAIL + 1];
        let mut large = Capture::new(Some(path.clone()), 1 << 20, false);
        for chunk in all.chunks(777) {
            large.push(chunk);
        }
        let output = large.finish();
        assert_eq!(output.file.as_deref(), Some(path.as_path()));
        assert_eq!(fs::read(&path).unwrap(), all);
        assert_eq!(output.complete().unwrap(), all);
    }

    #[test]
    fn a_file_stops_at_its_limit_with_a_mark() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stdout");
        let mut capture = Capture::new(Some(path.clone()), 10, true);
        capture.push(b"0123456");
        capture.push(b"789abc");
        let output = capture.finish();
        assert!(output.file_truncated);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "0123456789\n[cut here: 13 bytes were written, the first 10 are kept]\n"
        );
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (target, path) = (
            directory.path().join("target"),
            directory.path().join("out"),
        );
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let mut capture = Capture::new(Some(path), 10, true);
        capture.push(b"x");
        let output = capture.finish();
        assert!(output.file_error.is_some() && output.file.is_none());
        assert_eq!(fs::read_to_string(target).unwrap(), "precious");
    }

    proptest! {
        #[test]
        fn how_output_is_cut_into_chunks_does_not_matter(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "\\PC{0,40}",
            size in 1_usize..9,
        ) {
            for all in [bytes.as_slice(), text.as_bytes()] {
                let output = capture(&all.chunks(size).collect::<Vec<_>>());
                prop_assert_eq!(&*output.complete().unwrap(), all);
                prop_assert_eq!(output.lossy, std::str::from_utf8(all).is_err());
            }
        }
    }
}
