//! One event log that several threads write to at the same time.
//!
//! Each puts its record into a line of those that wait, which takes next to no time, and then wants the file. Who gets it writes all that
//! wait with one write; the others find theirs written when their turn comes. So a record is in the file when
//! [`append`](GroupedLog::append) returns, as with one write for each, the file has them in the order of their numbers, and the busier a run
//! is, the fewer writes it takes.
//!
//! A write takes some microseconds, and to put a thread to sleep and wake it takes ten times as long. So who waits looks again for a
//! while before it sleeps: else workers with short cases would run one after another, each woken when the one before has gone to sleep.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

use super::{EncodedBody, EventLogWriter};
use crate::results::{EventLogState, Record, RunLog, Summary};

/// Most room that is kept for lines, in bytes: outputs that cases write can be long, and most are not.
const MOST_ROOM: usize = 1024 * 1024;

/// How often who waits looks again before it sleeps: some twenty microseconds, the time of a few writes.
const LOOKS: u32 = 400;

/// Pauses of the processor between two looks.
const PAUSES: u32 = 8;

/// The log. Whoever has the lock of the writer may take that of the queue, never the other way round.
#[derive(Debug)]
pub(super) struct GroupedLog {
    queue: Mutex<Queue>,
    writer: Mutex<Written>,
    /// Number of the last record that was written or kept.
    upto: AtomicU64,
}

/// Records that have a number and are not in the file.
#[derive(Debug)]
struct Queue {
    next_seq: u64,
    lines: Vec<u8>,
    count: u64,
    summary: Summary,
    last_time: Option<Timestamp>,
}

#[derive(Debug)]
struct Written {
    writer: EventLogWriter,
    /// What the queue gets in exchange for its lines.
    spare: Vec<u8>,
}

impl GroupedLog {
    /// Goes on with what `writer` has written; `summary` is what it adds up to.
    pub(super) fn new(writer: EventLogWriter, summary: Summary) -> Self {
        Self {
            queue: Mutex::new(Queue {
                next_seq: writer.next_seq(),
                lines: Vec::new(),
                count: 0,
                summary,
                last_time: None,
            }),
            upto: AtomicU64::new(writer.next_seq() - 1),
            writer: Mutex::new(Written {
                writer,
                spare: Vec::new(),
            }),
        }
    }

    /// Numbers and stamps `body` and appends it. When this returns, the record is in the file, with all before it, or kept because the
    /// file cannot be written. `after` is called by the thread that wrote it, once for all that it wrote.
    pub(super) fn append(
        &self,
        body: EncodedBody,
        after: impl FnOnce(&mut EventLogWriter),
    ) -> Record {
        let (record, put) = {
            let mut queue = self.queue.lock();
            let queue = &mut *queue;
            let seq = queue.next_seq;
            queue.next_seq += 1;
            let (record, put) = body.number(seq, &mut queue.lines);
            queue.count += u64::from(put.is_ok());
            queue.summary.add(&record.body);
            queue.last_time = Some(record.time);
            (record, put)
        };
        if let Err(error) = put {
            self.writer.lock().writer.lose(&record, &error);
        }
        if let Some(mut written) = self.turn(record.seq) {
            self.write(&mut written);
            after(&mut written.writer);
        }
        record
    }

    /// The writer, when it is free; none if the record with this number has been written by then.
    fn turn(&self, seq: u64) -> Option<MutexGuard<'_, Written>> {
        for _ in 0..LOOKS {
            if self.is_written(seq) {
                return None;
            }
            if let Some(written) = self.writer.try_lock() {
                return (!self.is_written(seq)).then_some(written);
            }
            for _ in 0..PAUSES {
                std::hint::spin_loop();
            }
        }
        let written = self.writer.lock();
        (!self.is_written(seq)).then_some(written)
    }

    fn is_written(&self, seq: u64) -> bool {
        self.upto.load(Ordering::Acquire) >= seq
    }

    /// Writes everything that waits.
    fn write(&self, written: &mut Written) {
        let Written { writer, spare } = written;
        let (upto, count) = {
            let mut queue = self.queue.lock();
            std::mem::swap(&mut queue.lines, spare);
            (queue.next_seq - 1, std::mem::take(&mut queue.count))
        };
        if count > 0 {
            writer.write_lines(spare, count);
        }
        // Behind the write: who sees the number goes on.
        self.upto.store(upto, Ordering::Release);
        spare.clear();
        spare.shrink_to(MOST_ROOM);
    }

    /// Brings everything to disk; says how it went so far.
    pub(super) fn sync(&self) -> EventLogState {
        let mut written = self.writer.lock();
        self.write(&mut written);
        written.writer.sync();
        written.writer.state()
    }

    /// What the log adds up to, as one would find it who reads it; none if not all of it is in the file.
    pub(super) fn to_run_log(&self) -> Option<RunLog> {
        let state = self.writer.lock().writer.state();
        let queue = self.queue.lock();
        let is_whole = state.is_complete() && queue.count == 0;
        let (summary, last) = (queue.summary.clone(), queue.last_time);
        is_whole.then(|| RunLog::known(state.path, summary, last))
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::messages::TestCaseFinished;
    use crate::results::RecordBody;
    use crate::results::event_log::EventLogReader;

    #[test]
    fn p2_a_record_is_in_the_file_when_append_returns_whoever_wrote_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("events.jsonl")).unwrap();
        std::fs::write(&path, "").unwrap();
        let log = GroupedLog::new(EventLogWriter::new(path.clone()), Summary::new());
        let writes = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let body = RecordBody::CaseFinished(TestCaseFinished::example());
                        let record = log.append(EncodedBody::new(body), |_| {
                            writes.fetch_add(1, Ordering::Relaxed);
                        });
                        let text = std::fs::read_to_string(&path).unwrap();
                        let line = text.lines().nth(usize::try_from(record.seq).unwrap() - 1);
                        assert_eq!(line, Some(&*serde_json::to_string(&record).unwrap()));
                    }
                });
            }
        });
        let seqs: Vec<u64> = EventLogReader::open(&path)
            .unwrap()
            .map(|record| record.unwrap().seq)
            .collect();
        assert_eq!(seqs, (1..=800).collect::<Vec<_>>());
        assert!(writes.into_inner() <= 800);
        assert_eq!(log.sync().written, 800);
        let (known, read) = (log.to_run_log().unwrap(), RunLog::open(&path).unwrap());
        assert_eq!(known.summary().counts(), read.summary().counts());
        assert_eq!(known.damages(), read.damages());
    }
}
