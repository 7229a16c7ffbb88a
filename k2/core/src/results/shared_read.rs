//! One reading of a log for several threads that go through it at the same time.
//!
//! To read a record costs as much as to write it into a report, and a run may have many reports. So the executions are read in chunks, and
//! some of the last chunks are kept: who is ahead reads the next one for all, or waits as long as somebody needs the oldest. Nobody waits
//! for long: who falls too far behind, or hangs, is left behind and reads for itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::event_log::{EventLogReader, ReadError};
use super::{Execution, RecordBody, TestCaseFinished};

/// How many executions are read at once.
const CHUNK: usize = 256;

/// How many chunks are kept: some two megabytes of plain cases.
const KEPT: usize = 8;

/// How long the others wait for one that is behind. It costs as much to leave one behind for no reason.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long they wait for those who said that they would come.
const PATIENCE_AT_START: Duration = Duration::from_millis(100);

/// The executions of a log in the order in which they ended, each with its earlier attempts.
pub(super) struct Executions {
    reader: EventLogReader,
    attempts: BTreeMap<u64, Vec<TestCaseFinished>>,
}

impl Executions {
    pub(super) fn open(path: &Utf8Path) -> Result<Self, ReadError> {
        Ok(Self {
            reader: EventLogReader::open(path)?.without_starts(),
            attempts: BTreeMap::new(),
        })
    }
}

impl Iterator for Executions {
    type Item = Result<Execution, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let case = match self.reader.next()? {
                Ok(record) => match record.body {
                    RecordBody::CaseFinished(case) => case,
                    _ => continue,
                },
                Err(error) => return Some(Err(error)),
            };
            if case.retried {
                self.attempts.entry(case.execution).or_default().push(case);
            } else {
                let earlier = self.attempts.remove(&case.execution).unwrap_or_default();
                return Some(Ok(Execution {
                    last: case,
                    earlier,
                }));
            }
        }
    }
}

/// What the threads share.
#[derive(Default)]
pub(super) struct SharedRead {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    source: Option<Executions>,
    /// Somebody has the source and reads the next chunk.
    is_reading: bool,
    has_ended: bool,
    chunks: VecDeque<Arc<[Execution]>>,
    /// Number of the first chunk that is kept.
    first: usize,
    /// Those who read, with the number of the chunk that each needs next.
    readers: BTreeMap<u64, usize>,
    /// Those who said that they would.
    expected: usize,
    joined: u64,
}

impl SharedRead {
    /// Says that somebody will [`join`](Self::join).
    pub(super) fn expect_one(&self) {
        self.state.lock().expected += 1;
    }

    /// A reader from the beginning; none if it is too late for that, or there is nothing to read from.
    pub(super) fn join(&self, path: &Utf8Path) -> Option<Reader<'_>> {
        let mut state = self.state.lock();
        state.expected = state.expected.saturating_sub(1);
        if state.first > 0 || state.has_ended {
            return None;
        }
        if state.source.is_none() && !state.is_reading {
            state.source = Some(Executions::open(path).ok()?);
        }
        let id = state.joined;
        state.joined += 1;
        state.readers.insert(id, 0);
        Some(Reader { shared: self, id })
    }
}

/// One of those who read.
pub(super) struct Reader<'a> {
    shared: &'a SharedRead,
    id: u64,
}

/// What comes next.
pub(super) enum Next {
    /// Some executions; not empty.
    Chunk(Arc<[Execution]>),
    /// Nothing more.
    End,
    /// Nobody knows here: the reader was left behind, or the log cannot be read on.
    Lost,
}

impl Reader<'_> {
    /// The executions behind those that came last.
    pub(super) fn next(&self) -> Next {
        let mut state = self.shared.state.lock();
        loop {
            let Some(&wanted) = state.readers.get(&self.id) else {
                return Next::Lost;
            };
            let place = wanted - state.first;
            if let Some(chunk) = state.chunks.get(place) {
                let chunk = Arc::clone(chunk);
                state.readers.insert(self.id, wanted + 1);
                self.shared.moved.notify_all();
                return Next::Chunk(chunk);
            }
            if state.has_ended {
                return if state.source.is_some() {
                    Next::End
                } else {
                    Next::Lost
                };
            }
            state.forget();
            if state.is_reading {
                let pause = self.shared.moved.wait_for(&mut state, PATIENCE);
                if pause.timed_out() && state.is_reading {
                    // The disk hangs, or the one who reads has gone: no reason to hang, too.
                    return Next::Lost;
                }
            } else if state.chunks.len() < KEPT {
                self.read_chunk(&mut state);
            } else {
                self.wait(&mut state);
            }
        }
    }

    /// Reads the next chunk, while others go through those that are kept; without a source if that fails.
    fn read_chunk(&self, state: &mut MutexGuard<'_, State>) {
        let Some(mut source) = state.source.take() else {
            state.has_ended = true;
            return;
        };
        state.is_reading = true;
        let chunk = MutexGuard::unlocked(state, || {
            let chunk: Result<Vec<Execution>, ReadError> = source.by_ref().take(CHUNK).collect();
            chunk
        });
        state.is_reading = false;
        match chunk {
            Ok(chunk) => {
                state.source = Some(source);
                if chunk.is_empty() {
                    state.has_ended = true;
                } else {
                    state.chunks.push_back(chunk.into());
                }
            }
            // Each finds out for itself what is wrong.
            Err(_) => state.has_ended = true,
        }
        self.shared.moved.notify_all();
    }

    /// Waits until those who are behind have moved, or leaves them behind.
    fn wait(&self, state: &mut MutexGuard<'_, State>) {
        let first = state.first;
        let somebody_is_behind = state.readers.values().any(|&next| next == first);
        let patience = if somebody_is_behind {
            PATIENCE
        } else {
            PATIENCE_AT_START
        };
        if self.shared.moved.wait_for(state, patience).timed_out() && state.first == first {
            state.expected = 0;
            state.readers.retain(|_, next| *next > first);
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.shared.state.lock().readers.remove(&self.id);
        self.shared.moved.notify_all();
    }
}

impl State {
    /// Drops the chunks that nobody needs any more.
    fn forget(&mut self) {
        if self.expected > 0 {
            return;
        }
        let needed = self.readers.values().copied().min().unwrap_or(usize::MAX);
        while self.first < needed && self.chunks.pop_front().is_some() {
            self.first += 1;
        }
    }
}

impl std::fmt::Debug for SharedRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedRead").finish_non_exhaustive()
    }
}
