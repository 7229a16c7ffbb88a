//! Writes an event log so that every record is in the file as a whole or not at all.
//!
//! A full disk does not end the run: records are kept in memory, up to a limit, and tried again from time to time. What
//! then cannot be kept is counted as lost, and the gap in the sequence numbers shows it in the file.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use rustix::fs::OFlags;

use crate::results::{EventLogState, Record, RecordBody, SCHEMA_VERSION};

/// How much is kept in memory while the file cannot be written, in bytes.
///
/// Source: reliability, F1.
const KEPT_BYTES: usize = 1024 * 1024;

/// How long to wait before the file is tried again.
///
/// Source: reliability, F1.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Room for the text of most bodies, in bytes.
const LIKELY_LENGTH: usize = 512;

/// What the writer needs of a file: appends, can be cut, can be brought to disk.
pub(super) trait LogFile: Write + Send {
    /// Cuts the file to its first `length` bytes.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// Brings to disk what was written.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file of an event log: opened with the first record, and tried again with a later one if that fails.
#[derive(Debug)]
pub struct File {
    path: Utf8PathBuf,
    open: Option<std::fs::File>,
}

impl File {
    fn get(&mut self) -> io::Result<&mut std::fs::File> {
        if self.open.is_none() {
            let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
            let file = OpenOptions::new()
                .append(true)
                .custom_flags(nofollow)
                .open(&self.path)?;
            self.open = Some(file);
        }
        self.open
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogFile for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        match &self.open {
            Some(file) => file.set_len(length),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.get()?.sync_data()
    }
}

/// Appends records to an event log. Not shared: callers that write from several threads put it behind a lock.
#[derive(Debug)]
pub struct EventLogWriter<F = File> {
    file: F,
    path: Utf8PathBuf,
    next_seq: u64,
    /// Length of the file up to the end of its last whole record.
    length: u64,
    line: Vec<u8>,
    kept: VecDeque<Vec<u8>>,
    kept_bytes: usize,
    retry_at: Option<Instant>,
    retry_after: Duration,
    /// Whether something was written that was not brought to disk.
    is_unsynced: bool,
    written: u64,
    lost: u64,
    problem: Option<Arc<str>>,
}

impl EventLogWriter {
    /// Writes the empty file `path`, which must exist by the first record: see
    /// [`RunDirectory`](crate::results::RunDirectory). A symbolic link in its place is not followed.
    pub fn new(path: Utf8PathBuf) -> Self {
        let file = File {
            path: path.clone(),
            open: None,
        };
        Self::with_file(file, path)
    }

    /// Goes on with the file `path`, whose last whole record is `last_seq` and ends at `length`: what stands behind that is a torn
    /// line, and is cut off.
    ///
    /// # Errors
    /// If the file cannot be opened or cut.
    pub fn resume(path: Utf8PathBuf, last_seq: u64, length: u64) -> io::Result<Self> {
        let mut writer = Self::new(path);
        writer.file.get()?;
        writer.file.cut(length)?;
        writer.next_seq = last_seq + 1;
        writer.length = length;
        Ok(writer)
    }
}

/// Longest line that is copied behind the others, in bytes, rather than taken over: the selection of a million cases is not held twice.
const MOST_COPIED: usize = 1024 * 1024;

/// The body of a record and its text. Made without the writer, so that threads that write to one log wait for each other only as
/// long as the write takes.
#[derive(Debug)]
pub struct EncodedBody {
    body: RecordBody,
    time: Timestamp,
    /// The line of the record from behind its number.
    line: serde_json::Result<Vec<u8>>,
}

impl EncodedBody {
    /// Makes text of `body`, which has happened now. That it cannot be done is told by the writer.
    pub fn new(body: RecordBody) -> Self {
        let time = Timestamp::now();
        let line = line_of(&body, time);
        Self { body, time, line }
    }

    /// Gives the body its number, and adds its line to `lines`, unless it cannot be made text. It has happened all
    /// the same, so there is a record of it.
    pub(in crate::results) fn number(
        self,
        seq: u64,
        lines: &mut Vec<u8>,
    ) -> (Record, serde_json::Result<()>) {
        let Self { body, time, line } = self;
        let record = Record {
            schema: SCHEMA_VERSION,
            seq,
            time,
            body,
        };
        let put = line.map(|mut line| {
            let schema = SCHEMA_VERSION;
            let head = format!(r#"{{"schema":"{schema}","seq":{seq}"#);
            if lines.is_empty() && line.len() > MOST_COPIED {
                line.splice(..0, head.into_bytes());
                *lines = line;
            } else {
                lines.extend_from_slice(head.as_bytes());
                lines.extend_from_slice(&line);
            }
        });
        (record, put)
    }
}

/// The line of a record from behind its number: time, and body as an object, put into the object of the record as
/// `#[serde(flatten)]` would.
fn line_of(body: &RecordBody, time: Timestamp) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(LIKELY_LENGTH);
    write!(line, r#","time":"{time}""#).map_err(serde_json::Error::io)?;
    let brace = line.len();
    serde_json::to_writer(&mut line, body)?;
    if let Some(brace) = line.get_mut(brace) {
        *brace = b',';
    }
    line.push(b'\n');
    Ok(line)
}

#[expect(
    private_bounds,
    reason = "only files and the tests' double are written to"
)]
impl<F: LogFile> EventLogWriter<F> {
    fn with_file(file: F, path: Utf8PathBuf) -> Self {
        Self {
            file,
            path,
            next_seq: 1,
            length: 0,
            line: Vec::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            retry_at: None,
            retry_after: RETRY_AFTER,
            is_unsynced: false,
            written: 0,
            lost: 0,
            problem: None,
        }
    }

    /// Numbers and stamps `body` and appends it. Blocks for one `write(2)`.
    ///
    /// Does not fail: if the file cannot be written, the record is kept and tried again later, see
    /// [`EventLogWriter::state`].
    pub fn append(&mut self, body: RecordBody) -> Record {
        self.append_encoded(EncodedBody::new(body))
    }

    /// As [`EventLogWriter::append`], of a body that was made text before: what is left to do takes little more than the write.
    pub fn append_encoded(&mut self, body: EncodedBody) -> Record {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let (record, put) = body.number(self.next_seq, &mut line);
        self.next_seq += 1;
        match put {
            Ok(()) => self.write_lines(&line, 1),
            Err(error) => self.lose(&record, &error),
        }
        self.line = line;
        record
    }

    /// Number of the next record.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Length of the file up to the end of its last whole record, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Notes that `record` cannot be made text.
    pub(super) fn lose(&mut self, record: &Record, error: &serde_json::Error) {
        self.lost += 1;
        self.note(format_args!(
            "record {} cannot be written as JSON: {error}",
            record.seq
        ));
    }

    /// Appends `count` lines, each with its end, with one write. If the file does not take them all, as many whole lines as
    /// it takes are written, and the rest is kept.
    pub(super) fn write_lines(&mut self, lines: &[u8], count: u64) {
        if self.kept.is_empty() && count > 1 && self.write_whole(lines, count).is_ok() {
            return;
        }
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if self.kept.is_empty() {
                if let Err(error) = self.write_whole(line, 1) {
                    self.failed(&error);
                    self.keep(line.to_vec());
                }
            } else {
                self.keep(line.to_vec());
                if self.retry_at.is_none_or(|at| at <= Instant::now()) {
                    self.write_kept();
                }
            }
        }
    }

    /// Writes what was kept, if anything, and brings the file to disk. A file that could not be brought to disk once is
    /// incomplete for good: the system may have dropped what it could not write.
    pub fn sync(&mut self) {
        self.write_kept();
        if !self.is_unsynced {
            return;
        }
        self.is_unsynced = false;
        if let Err(error) = self.file.sync() {
            self.note(format_args!("cannot be brought to disk: {error}"));
        }
    }

    /// Whether something has gone wrong so far.
    pub fn has_problem(&self) -> bool {
        self.problem.is_some()
    }

    /// How it went so far. What is still kept counts as lost.
    pub fn state(&self) -> EventLogState {
        let lost = self.lost + self.kept.len() as u64;
        EventLogState {
            path: self.path.clone(),
            written: self.written,
            lost,
            problem: self.problem.clone(),
        }
    }

    /// Writes `count` lines as a whole. If that fails, the file is as before.
    fn write_whole(&mut self, lines: &[u8], count: u64) -> io::Result<()> {
        // `write_all` is one write(2) unless the disk is full or a signal comes: only then it takes a second one.
        if let Err(error) = self.file.write_all(lines) {
            self.file.cut(self.length)?;
            return Err(error);
        }
        self.length += lines.len() as u64;
        self.is_unsynced = true;
        self.written += count;
        Ok(())
    }

    fn write_kept(&mut self) {
        while let Some(line) = self.kept.pop_front() {
            match self.write_whole(&line, 1) {
                Ok(()) => self.kept_bytes -= line.len(),
                Err(error) => {
                    self.kept.push_front(line);
                    self.failed(&error);
                    return;
                }
            }
        }
    }

    /// Keeps `line`; drops the oldest ones if that is too much.
    fn keep(&mut self, line: Vec<u8>) {
        self.kept_bytes += line.len();
        self.kept.push_back(line);
        while self.kept_bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.kept_bytes -= oldest.len();
            self.lost += 1;
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.retry_at = Some(Instant::now() + self.retry_after);
        self.note(format_args!("{error}"));
    }

    /// Keeps the first thing that went wrong.
    pub(super) fn note(&mut self, problem: std::fmt::Arguments<'_>) {
        if self.problem.is_none() {
            self.problem = Some(problem.to_string().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::TestCaseFinished;
    use crate::results::event_log::EventLogReader;

    /// A disk of limited size.
    #[derive(Debug, Default)]
    struct Disk {
        content: Vec<u8>,
        size: usize,
        writes: usize,
        sync_fails: bool,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            let room = self.size - self.content.len();
            if room == 0 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            let taken = bytes.len().min(room);
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogFile for Disk {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.content.truncate(usize::try_from(length).unwrap());
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            if self.sync_fails {
                Err(io::Error::other("input/output error"))
            } else {
                Ok(())
            }
        }
    }

    fn writer(size: usize) -> EventLogWriter<Disk> {
        let disk = Disk {
            size,
            ..Disk::default()
        };
        EventLogWriter::with_file(disk, "events.jsonl".into())
    }

    fn body() -> RecordBody {
        RecordBody::CaseFinished(TestCaseFinished::example())
    }

    fn numbers(writer: &EventLogWriter<Disk>) -> Vec<u64> {
        EventLogReader::new(writer.file.content.as_slice())
            .map(|record| record.unwrap().seq)
            .collect()
    }

    #[test]
    fn f6_each_record_is_one_write() {
        let mut writer = writer(usize::MAX);
        for _ in 0..10 {
            writer.append(body());
        }
        assert_eq!(writer.file.writes, 10);
        assert_eq!(numbers(&writer), (1..=10).collect::<Vec<_>>());
        assert!(writer.state().is_complete());
    }

    #[test]
    fn f6_several_records_are_one_write() {
        let mut writer = writer(usize::MAX);
        let mut lines = Vec::new();
        for seq in 1..=5 {
            EncodedBody::new(body()).number(seq, &mut lines).1.unwrap();
        }
        writer.write_lines(&lines, 5);
        assert_eq!((writer.file.writes, writer.state().written), (1, 5));
        assert_eq!(numbers(&writer), (1..=5).collect::<Vec<_>>());
    }

    #[test]
    fn f1_of_several_records_on_a_full_disk_those_that_fit_are_written_and_the_rest_is_kept() {
        let mut lines = Vec::new();
        for seq in 1..=10 {
            EncodedBody::new(body()).number(seq, &mut lines).1.unwrap();
        }
        let room = lines.len() / 2;
        let mut writer = writer(room);
        writer.write_lines(&lines, 10);
        let fit = numbers(&writer);
        assert_eq!(fit, (1..=fit.len() as u64).collect::<Vec<_>>());
        assert!((3..=5).contains(&fit.len()), "{fit:?}");
        assert_eq!(writer.file.content.last(), Some(&b'\n'));
        assert_eq!(writer.state().lost, 10 - fit.len() as u64);
        writer.file.size = usize::MAX;
        writer.sync();
        assert_eq!(numbers(&writer), (1..=10).collect::<Vec<_>>());
        assert_eq!(writer.state().lost, 0);
    }

    #[test]
    fn a_line_is_its_record_as_json() {
        let mut writer = writer(usize::MAX);
        for body in [
            body(),
            RecordBody::RunFinished(crate::results::RunFinished {
                finished: Timestamp::UNIX_EPOCH,
                duration: Duration::from_secs(1),
                end: crate::results::RunEnd::Completed,
                exit_code: Some(zaf_core::application::ExitCode::ExtensionFailed),
            }),
        ] {
            writer.file.content.clear();
            let record = writer.append(body);
            let expected = serde_json::to_string(&record).unwrap() + "\n";
            assert_eq!(String::from_utf8_lossy(&writer.file.content), expected);
        }
    }

    #[test]
    fn f1_on_a_full_disk_whole_records_stay_and_the_rest_comes_when_there_is_room() {
        let mut writer = writer(1000);
        for _ in 0..10 {
            writer.append(body());
        }
        let on_disk = numbers(&writer);
        assert!(!on_disk.is_empty() && on_disk.len() < 10);
        assert_eq!(
            writer.file.content.last(),
            Some(&b'\n'),
            "no torn record is left"
        );
        assert_eq!(writer.state().lost, 10 - on_disk.len() as u64);
        assert!(writer.state().problem.is_some());

        writer.file.size = usize::MAX;
        writer.sync();
        assert_eq!(numbers(&writer), (1..=10).collect::<Vec<_>>());
        assert_eq!(writer.state().lost, 0);
    }

    #[test]
    fn f1_the_file_is_tried_again_after_a_while_and_not_at_every_record() {
        let mut writer = writer(10);
        writer.append(body());
        let before = writer.file.writes;
        for _ in 0..100 {
            writer.append(body());
        }
        assert_eq!(writer.file.writes, before);

        writer.retry_at = None;
        writer.file.size = usize::MAX;
        writer.append(body());
        assert_eq!(numbers(&writer).len(), 102);
    }

    #[test]
    fn f1_what_is_kept_is_limited_and_what_is_dropped_is_a_gap_in_the_numbers() {
        let mut writer = writer(0);
        let count = 10_000;
        for _ in 0..count {
            writer.append(body());
        }
        assert!(writer.kept_bytes <= KEPT_BYTES);
        assert!(writer.lost > 0);
        writer.file.size = usize::MAX;
        writer.sync();
        let mut reader = EventLogReader::new(writer.file.content.as_slice());
        let read = reader.by_ref().count() as u64;
        assert_eq!(reader.missing_records(), writer.state().lost);
        assert_eq!(read + reader.missing_records(), count);
    }

    #[test]
    fn f13_a_failed_sync_is_final() {
        let mut writer = writer(usize::MAX);
        writer.append(body());
        writer.file.sync_fails = true;
        writer.sync();
        writer.file.sync_fails = false;
        writer.sync();
        assert!(!writer.state().is_complete());
    }
}
