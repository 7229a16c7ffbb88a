//! An event log in blocks of whole lines, so that several threads can read it at the same time.

use std::fs::File;
use std::io::Read;

use camino::Utf8Path;

use super::decode::Wanted;
use super::read::{LONGEST_LINE, ReadError, parse};
use crate::messages::TestCaseFinished;
use crate::results::RecordBody;

/// Size of a block in bytes; one with a longer line is longer.
const BLOCK: usize = 64 * 1024;

/// What the line of a start has in it, if this crate wrote it. It stands behind texts that cannot hold quotes.
const START: &[u8] = br#","kind":"case-started","#;

/// Where that ends at the latest.
const START_END: usize = 160;

/// The blocks of a log, in order.
#[derive(Debug)]
pub(in crate::results) struct Blocks {
    file: File,
    /// The beginning of a line whose end was not in the last block.
    rest: Vec<u8>,
}

impl Blocks {
    /// Those of the file `path`.
    ///
    /// # Errors
    /// [`ReadError::Open`].
    pub(in crate::results) fn open(path: &Utf8Path) -> Result<Self, ReadError> {
        match File::open(path) {
            Ok(file) => Ok(Self {
                file,
                rest: Vec::new(),
            }),
            Err(source) => Err(ReadError::Open {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// The next one; none behind the last whole line.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub(in crate::results) fn next(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut block = std::mem::take(&mut self.rest);
        block.reserve(BLOCK);
        loop {
            let searched = block.len();
            let room = u64::try_from(BLOCK.saturating_sub(searched).max(BLOCK / 2));
            let read = (&mut self.file)
                .take(room.unwrap_or(u64::MAX))
                .read_to_end(&mut block)
                .map_err(|source| ReadError::Read { line: 0, source })?;
            if read == 0 {
                return Ok(None);
            }
            let new = block.get(searched..).unwrap_or_default();
            if let Some(end) = new.iter().rposition(|&byte| byte == b'\n') {
                self.rest = block.split_off(searched + end + 1);
                return Ok(Some(block));
            }
            if block.len() as u64 > LONGEST_LINE {
                return Err(ReadError::TooLong { line: 0 });
            }
        }
    }
}

/// The attempts that have ended by what `block` says, in order. Lines of errors are not known here.
///
/// # Errors
/// If a line is no record.
pub(in crate::results) fn finished_in(block: &[u8]) -> Result<Vec<TestCaseFinished>, ReadError> {
    let mut cases = Vec::new();
    for line in block.split_inclusive(|&byte| byte == b'\n') {
        if is_start(line) {
            continue;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(RecordBody::CaseFinished(case)) = parse(line, 0, Wanted::FinishedCases)?.body {
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Whether `line` says that a case began, as this crate writes that. Looked for from comma to comma: there are few of them, and half of
/// the lines of a log are starts.
fn is_start(line: &[u8]) -> bool {
    let beginning = line.get(..START_END).unwrap_or(line);
    let commas = beginning.iter().enumerate();
    let mut commas = commas.filter(|(_, byte)| **byte == b',');
    commas.any(|(at, _)| {
        let rest = beginning.get(at..).unwrap_or_default();
        rest.starts_with(START)
    })
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use jiff::Timestamp;

    use super::*;
    use crate::case::{CaseId, Verdict};
    use crate::messages::TestCaseStarted;
    use crate::results::event_log::{EventLogReader, EventLogWriter};

    fn case(execution: u64, reason: &str) -> TestCaseFinished {
        TestCaseFinished {
            reason: Some(reason.into()),
            ..TestCaseFinished::new(
                execution,
                CaseId::new(r#"a","kind":"case-started","b"#),
                Verdict::Failed,
                Timestamp::UNIX_EPOCH,
            )
        }
    }

    #[test]
    fn blocks_have_every_whole_line_once_however_long_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("events.jsonl")).unwrap();
        std::fs::write(&path, "").unwrap();
        let mut log = EventLogWriter::new(path.clone());
        for execution in 1..=3000 {
            log.append(RecordBody::CaseStarted(TestCaseStarted {
                execution,
                case: CaseId::new("a"),
                attempt: 1,
                started: Timestamp::UNIX_EPOCH,
                worker: 1,
                in_process: true,
                clock: None,
            }));
            let reason = "x".repeat(if execution % 1000 == 7 { 3 * BLOCK } else { 9 });
            log.append(RecordBody::CaseFinished(case(execution, &reason)));
        }
        log.sync();
        let mut content = std::fs::read(&path).unwrap();
        content.extend_from_slice(br#"{"schema":"1.0","seq":"#);
        std::fs::write(&path, &content).unwrap();
        let mut blocks = Blocks::open(&path).unwrap();
        let (mut found, mut count) = (Vec::new(), 0);
        while let Some(block) = blocks.next().unwrap() {
            found.extend(finished_in(&block).unwrap());
            count += 1;
        }
        assert!(count > 5, "{count}");
        let records = EventLogReader::open(&path).unwrap();
        let expected = records.filter_map(|record| match record.unwrap().body {
            RecordBody::CaseFinished(case) => Some(case),
            _ => None,
        });
        assert!(found.into_iter().eq(expected));
    }

    #[test]
    fn a_line_that_is_no_record_is_an_error() {
        assert!(finished_in(b"{}\n").is_err());
        assert!(finished_in(b"").unwrap().is_empty());
    }
}
