//! Reads an event log, also one whose writer was killed in the middle of a line.
//!
//! Records are read one by one; the memory needed is that of the longest line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

use super::decode::{self, Envelope, Wanted};
use crate::results::{Record, RecordBody, SCHEMA_VERSION, SchemaVersion};

/// Longest line that is read, in bytes: room for the ids of a few million cases in one record, and an end to a file that
/// is no event log.
pub(super) const LONGEST_LINE: u64 = 512 * 1024 * 1024;

/// Why a log cannot be read any further.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("event log `{path}` cannot be opened")]
    Open {
        /// The file.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read on.
    #[error("event log cannot be read after line {line}")]
    Read {
        /// Last line that could be read; 0 if none.
        line: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line is longer than any record.
    #[error("line {line} is longer than {LONGEST_LINE} bytes: this is no event log")]
    TooLong {
        /// Line, from 1.
        line: u64,
    },
    /// A whole line is not a record.
    #[error("line {line} is not a record of an event log")]
    Malformed {
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A later program wrote it, and would be misunderstood.
    #[error(
        "line {line} has schema version {found}, this program understands {}.x",
        SCHEMA_VERSION.major
    )]
    NewerSchema {
        /// Line, from 1.
        line: u64,
        /// The version of the record.
        found: SchemaVersion,
    },
}

/// The records of an event log, in the order in which they were written.
///
/// Ends after the first error. Once it has ended, it can tell what it left out.
#[derive(Debug)]
pub struct EventLogReader<R = File> {
    input: BufReader<R>,
    buffer: Vec<u8>,
    line: u64,
    /// Where the input is read on, and where the line of the last record began.
    position: u64,
    line_start: u64,
    last_seq: u64,
    whole_bytes: u64,
    torn_bytes: u64,
    unknown_kinds: u64,
    missing_records: u64,
    last_time: Option<Timestamp>,
    wanted: Wanted,
    ended: bool,
}

impl EventLogReader {
    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`ReadError::Open`].
    pub fn open(path: &Utf8Path) -> Result<Self, ReadError> {
        match File::open(path) {
            Ok(file) => Ok(Self::new(file)),
            Err(source) => Err(ReadError::Open {
                path: path.to_owned(),
                source,
            }),
        }
    }
}

impl<R: Read> EventLogReader<R> {
    /// Reads `input` from where it is.
    pub fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            buffer: Vec::new(),
            line: 0,
            position: 0,
            line_start: 0,
            last_seq: 0,
            whole_bytes: 0,
            torn_bytes: 0,
            unknown_kinds: 0,
            missing_records: 0,
            last_time: None,
            wanted: Wanted::All,
            ended: false,
        }
    }

    /// Leaves out the starts of cases, which costs less than to read them: who makes a report of a run that has ended needs
    /// none.
    #[must_use]
    pub fn without_starts(mut self) -> Self {
        self.wanted = Wanted::WithoutStarts;
        self
    }

    /// Leaves out everything but the ends of cases: the list of a million selected ones takes more than the rest of the log.
    #[must_use]
    pub(in crate::results) fn only_finished_cases(mut self) -> Self {
        self.wanted = Wanted::FinishedCases;
        self
    }

    /// Bytes of an unfinished last line that were cut off. 0 until the end has been reached.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Bytes of the whole lines read so far.
    pub fn whole_bytes(&self) -> u64 {
        self.whole_bytes
    }

    /// Where the line of the last record read begins: see [`record_at`](Self::record_at).
    pub fn line_start(&self) -> u64 {
        self.line_start
    }

    /// Number of the last record read; 0 if there is none.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Records left out so far because their kind is not known.
    pub fn unknown_kinds(&self) -> u64 {
        self.unknown_kinds
    }

    /// Records that are missing before the last one read, by the gaps in their numbers.
    pub fn missing_records(&self) -> u64 {
        self.missing_records
    }

    /// Time of the last record read, also of one that was left out; none before the first.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.last_time
    }

    fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            self.buffer.clear();
            let read = (&mut self.input)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| ReadError::Read {
                    line: self.line,
                    source,
                })?;
            self.line_start = self.position;
            self.position += read as u64;
            let Some((b'\n', line)) = self.buffer.split_last() else {
                if read as u64 == LONGEST_LINE {
                    return Err(ReadError::TooLong {
                        line: self.line + 1,
                    });
                }
                self.torn_bytes = read as u64;
                return Ok(None);
            };
            self.line += 1;
            self.whole_bytes += read as u64;
            let Envelope {
                schema,
                seq,
                time,
                is_known,
                body,
            } = parse(line, self.line, self.wanted)?;
            self.last_time = Some(time);
            self.missing_records += seq.saturating_sub(self.last_seq.saturating_add(1));
            self.last_seq = self.last_seq.max(seq);
            self.unknown_kinds += u64::from(!is_known);
            if let Some(body) = body {
                return Ok(Some(Record {
                    schema,
                    seq,
                    time,
                    body,
                }));
            }
        }
    }
}

impl<R: Read + Seek> EventLogReader<R> {
    /// Reads the record whose line begins there, and goes on behind it. What is counted of records that are missing means nothing then.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn record_at(&mut self, line_start: u64) -> Result<Option<RecordBody>, ReadError> {
        let forward = line_start
            .cast_signed()
            .wrapping_sub(self.position.cast_signed());
        self.input
            .seek_relative(forward)
            .map_err(|source| ReadError::Read {
                line: self.line,
                source,
            })?;
        self.position = line_start;
        Ok(self.next_record()?.map(|record| record.body))
    }
}

impl<R: Read> Iterator for EventLogReader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_record().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

pub(super) fn parse(text: &[u8], line: u64, wanted: Wanted) -> Result<Envelope, ReadError> {
    match decode::envelope(text, wanted) {
        Ok(envelope) if envelope.schema.major > SCHEMA_VERSION.major => {
            Err(ReadError::NewerSchema {
                line,
                found: envelope.schema,
            })
        }
        Ok(envelope) => Ok(envelope),
        // A later major version may have changed anything: then the version explains more than what is missing.
        Err(source) => {
            Err(newer_schema(text, line).unwrap_or(ReadError::Malformed { line, source }))
        }
    }
}

fn newer_schema(text: &[u8], line: u64) -> Option<ReadError> {
    #[derive(Deserialize)]
    struct Version {
        schema: SchemaVersion,
    }
    let Version { schema: found } = serde_json::from_slice(text).ok()?;
    (found.major > SCHEMA_VERSION.major).then_some(ReadError::NewerSchema { line, found })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zaf_core::application::ExitCode;

    use super::*;
    use crate::messages::TestCaseFinished;

    const STARTED: &str = r#"{"schema":"1.0","seq":1,"time":"2026-11-21T02:10:00Z","kind":"case-started","data":{"execution":1,"case":"a","attempt":1,"started":"2026-11-21T02:10:00Z","worker":1}}"#;

    fn record(seq: u64, reason: &str) -> Record {
        Record {
            schema: SCHEMA_VERSION,
            seq,
            time: Timestamp::UNIX_EPOCH,
            body: RecordBody::CaseFinished(TestCaseFinished {
                reason: Some(reason.into()),
                stdout: reason.into(),
                ..TestCaseFinished::example()
            }),
        }
    }

    fn log(records: &[Record]) -> Vec<u8> {
        let mut log = Vec::new();
        for record in records {
            serde_json::to_writer(&mut log, record).unwrap();
            log.push(b'\n');
        }
        log
    }

    fn only_error(text: &str) -> ReadError {
        let mut reader = EventLogReader::new(text.as_bytes());
        let error = reader.next().unwrap().unwrap_err();
        assert!(reader.next().is_none(), "ends after an error");
        error
    }

    proptest! {
        #[test]
        fn f6_any_prefix_of_a_log_reads_as_a_prefix_of_its_records(
            reasons in prop::collection::vec(any::<String>(), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let records: Vec<_> = (1..).zip(&reasons).map(|(seq, text)| record(seq, text)).collect();
            let whole = log(&records);
            let prefix = &whole[..cut.index(whole.len() + 1)];
            let mut reader = EventLogReader::new(prefix);
            let read: Vec<_> = reader.by_ref().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(&read[..], &records[..read.len()]);
            prop_assert_eq!(read.len(), prefix.split(|&byte| byte == b'\n').count() - 1);
            let rest = prefix.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
            prop_assert_eq!(reader.torn_bytes(), rest.len() as u64);
        }

        #[test]
        fn no_input_makes_the_reader_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _count = EventLogReader::new(text.as_slice()).count();
        }
    }

    #[test]
    fn f19_unknown_fields_are_left_out() {
        let text = STARTED.replace(r#""execution""#, r#""colour":"red","execution""#);
        let text = text
            .replace(r#""1.0""#, r#""1.7""#)
            .replace(r#""seq""#, r#""extra":{},"seq""#);
        let records: Vec<_> = EventLogReader::new(format!("{text}\n").as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].schema, SchemaVersion { major: 1, minor: 7 });
    }

    #[test]
    fn f19_unknown_kinds_are_counted_and_left_out() {
        let unknown = STARTED
            .replace("case-started", "weather")
            .replace(r#""seq":1"#, r#""seq":2"#);
        let text = format!("{STARTED}\n{unknown}\n");
        let mut reader = EventLogReader::new(text.as_bytes());
        assert_eq!(reader.by_ref().flatten().count(), 1);
        assert_eq!((reader.unknown_kinds(), reader.missing_records()), (1, 0));
    }

    #[test]
    fn the_order_of_the_fields_of_a_line_means_nothing() {
        let line = STARTED.replace(r#""kind":"case-started","#, "");
        let (head, tail) = line.split_at(line.len() - 1);
        let turned = format!("{head},\"kind\":\"case-started\"{tail}\n");
        let straight = format!("{STARTED}\n");
        let read = |text: &str| {
            let records: Result<Vec<_>, _> = EventLogReader::new(text.as_bytes()).collect();
            records.unwrap()
        };
        assert_eq!(read(&turned), read(&straight));
        assert_eq!(read(&turned).len(), 1);
    }

    #[test]
    fn starts_can_be_left_out_and_are_no_gap() {
        let finished = log(&[record(2, "x")]);
        let text = [STARTED.as_bytes(), b"\n", &finished].concat();
        let mut reader = EventLogReader::new(text.as_slice()).without_starts();
        let records: Vec<_> = reader.by_ref().collect::<Result<_, _>>().unwrap();
        assert_eq!(records, [record(2, "x")]);
        assert_eq!((reader.unknown_kinds(), reader.missing_records()), (0, 0));
    }

    #[test]
    fn f19_a_newer_major_version_is_refused_whatever_it_looks_like() {
        for text in [
            STARTED.replace("1.0", "2.0"),
            r#"{"schema":"2.3","body":7}"#.to_owned(),
        ] {
            let error = only_error(&format!("{text}\n"));
            assert!(
                matches!(error, ReadError::NewerSchema { line: 1, .. }),
                "{error}"
            );
            assert!(
                error.to_string().ends_with("this program understands 1.x"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_whole_line_that_is_no_record_is_an_error_with_its_line() {
        let mut reader = EventLogReader::new(&b"{}\n"[..]);
        assert!(matches!(
            reader.next(),
            Some(Err(ReadError::Malformed { line: 1, .. }))
        ));
        let error = only_error(&format!("{}\n", STARTED.replace(r#""case":"a","#, "")));
        assert!(
            matches!(error, ReadError::Malformed { line: 1, .. }),
            "{error}"
        );
    }

    #[test]
    fn f19_the_first_version_of_each_record_stays_readable() {
        for golden in [
            include_str!("golden-1.0.jsonl"),
            include_str!("golden-1.2.jsonl"),
            include_str!("golden-1.3.jsonl"),
            include_str!("golden-1.3-merged.jsonl"),
            include_str!("golden-1.4.jsonl"),
            include_str!("golden-1.4-merged.jsonl"),
            include_str!("golden-1.5.jsonl"),
            include_str!("golden-1.5-merged.jsonl"),
            include_str!("golden-1.6.jsonl"),
            include_str!("golden-1.6-merged.jsonl"),
        ] {
            let records: Vec<_> = EventLogReader::new(golden.as_bytes())
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(records.len(), golden.lines().count());
            let written = String::from_utf8(log(&records)).unwrap();
            assert_eq!(written, golden, "what was read is written in the same way");
        }
    }

    #[test]
    fn f19_what_1_5_added_is_read_and_an_exit_code_of_later_is_none() {
        let ends = |log: &str| {
            let records = EventLogReader::new(log.as_bytes());
            let ends = records.filter_map(|record| match record.unwrap().body {
                RecordBody::RunFinished(end) => Some(end.exit_code),
                _ => None,
            });
            ends.collect::<Vec<_>>()
        };
        let failed = ExitCode::ExtensionFailed;
        assert_eq!(ends(include_str!("golden-1.5.jsonl")), [Some(failed)]);
        assert_eq!(
            ends(include_str!("golden-1.5-merged.jsonl")),
            [Some(failed)]
        );
        let later =
            include_str!("golden-1.5.jsonl").replace("\"exit_code\":7", "\"exit_code\":701");
        assert_eq!(ends(&later), [None]);
    }

    #[test]
    fn f19_what_1_4_added_is_read() {
        let golden = include_str!("golden-1.4.jsonl");
        let (mut recoveries, mut clocks) = (Vec::new(), 0);
        for record in EventLogReader::new(golden.as_bytes()) {
            match record.unwrap().body {
                RecordBody::SutRecovery(told) => {
                    recoveries.push((told.sut.to_string(), told.duration.is_some()));
                }
                RecordBody::CaseStarted(case) => clocks += usize::from(case.clock.is_some()),
                _ => {}
            }
        }
        let attempt = [("box".to_owned(), false), ("box".to_owned(), true)];
        assert_eq!(recoveries, [attempt.clone(), attempt].concat());
        assert_eq!(clocks, golden.matches("\"case-started\"").count());
    }
}
