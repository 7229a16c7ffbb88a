//! Waiting for a line of a log.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use regex::Regex;
use zaf_core::prelude::*;

use crate::WaitError;
use crate::wait::{Look, Matched, WaitFor, regex, tail};

/// Bytes that are read at each look; the rest waits for the next.
const CHUNK: u64 = 16 * 1024 * 1024;

/// Follows a log file, from where it ended when this was made by [`WaitFor::log`]. Each line is looked at once: a wait goes on behind the
/// line that the one before it found. A file that is replaced by a new one (rotated), or made shorter, is followed from its beginning.
///
/// Make it *before* what causes the line.
#[derive(Debug)]
pub struct WaitForLogLine {
    wait: WaitFor,
    path: PathBuf,
    file: Option<File>,
    /// Which file that is: device and inode.
    identity: Option<(u64, u64)>,
    position: u64,
    /// Read and not looked at yet; complete lines and the beginning of the next.
    pending: Vec<u8>,
    last: String,
}

impl WaitForLogLine {
    pub(crate) fn new(wait: WaitFor, path: PathBuf) -> Result<Self> {
        let mut log = Self {
            wait,
            path,
            file: None,
            identity: None,
            position: 0,
            pending: Vec::new(),
            last: "no line came".to_owned(),
        };
        match log.open() {
            Ok(Some(metadata)) => log.position = metadata.len(),
            Ok(None) => {}
            Err(error) => {
                let path = log.path.display().to_string();
                return Err(WaitError::Log {
                    path,
                    source: error,
                }
                .into());
            }
        }
        Ok(log)
    }

    /// Also looks at what the file holds already.
    #[must_use]
    pub fn from_the_beginning(mut self) -> Self {
        self.position = 0;
        self
    }

    /// Waits for the next line that matches a regular expression.
    ///
    /// # Errors
    /// When the pattern is none, the time is over, or the case is asked to end.
    pub fn line(&mut self, pattern: &str) -> Result<Matched> {
        let regex = regex(pattern)?;
        let what = format!(
            "a line that matches `{pattern}` in `{}`",
            self.path.display()
        );
        let wait = self.wait.clone();
        wait.until(&what, |_| self.look(&regex))
    }

    fn look(&mut self, pattern: &Regex) -> Look<Matched> {
        loop {
            if let Some(found) = self.next_match(pattern) {
                return Look::There(found);
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return Look::NotYet(self.last.clone()),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Look::NotYet("there is no such file".to_owned());
                }
                Err(error) => return Look::NotYet(error.to_string()),
            }
        }
    }

    /// Looks at the complete lines that were read.
    fn next_match(&mut self, pattern: &Regex) -> Option<Matched> {
        let mut from = 0;
        let mut found = None;
        while let Some(length) = self.pending[from..].iter().position(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(&self.pending[from..from + length]);
            from += length + 1;
            self.last = format!("the last line is: {}", tail(&line));
            found = Matched::in_text(pattern, &line);
            if found.is_some() {
                break;
            }
        }
        self.pending.drain(..from);
        found
    }

    /// Reads on; false if there is nothing new.
    fn read(&mut self) -> std::io::Result<bool> {
        // The rest of a file that was replaced is read before the new one is begun.
        if let Some(file) = &mut self.file {
            if file.metadata()?.len() < self.position {
                self.position = 0;
                self.pending.clear();
            }
            file.seek(SeekFrom::Start(self.position))?;
            let read = file.take(CHUNK).read_to_end(&mut self.pending)?;
            self.position += read as u64;
            if read > 0 {
                return Ok(true);
            }
        }
        let before = self.identity;
        self.open()?;
        Ok(self.identity != before)
    }

    /// Opens what is at the path now, unless it is open already.
    fn open(&mut self) -> std::io::Result<Option<Metadata>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        if self.identity != Some(identity) {
            self.identity = Some(identity);
            self.file = Some(file);
            self.position = 0;
            self.pending.clear();
        }
        Ok(Some(metadata))
    }
}
