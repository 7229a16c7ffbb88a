//! One reading of a log for several threads that go through it at the same time.
//!
//! To read a record costs as much as to write it into a report, and a run may have many reports. So the log is cut into blocks of whole lines,
//! and what the executions of some blocks say is kept for all: who is ahead takes the next block and reads it, beside others who read those
//! before and behind it, or waits as long as somebody needs the oldest. Nobody waits for long: who falls too far behind, or hangs, is left
//! behind and reads for itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::event_log::{Blocks, EventLogReader, ReadError, finished_in};
use super::{Execution, RecordBody, TestCaseFinished};

/// How many blocks are kept, those that are just being read among them: two megabytes of the log. With fewer, who is ahead waits more
/// often for who is behind, although both would be done at the same time.
pub(super) const KEPT: usize = 32;

/// How long the others wait for one that is behind. It costs as much to leave one behind for no reason.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who comes so many blocks late reads those by itself, while the others wait; who comes later reads everything.
pub(super) const LATEST: usize = 64;

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
            reader: EventLogReader::open(path)?.only_finished_cases(),
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

/// What the threads share. Whoever has the source does not take the state.
#[derive(Default)]
pub(super) struct SharedRead {
    /// Where blocks come from, and how many were taken.
    source: Mutex<(Option<Blocks>, usize)>,
    state: Mutex<State>,
    moved: Condvar,
}

/// The executions of a block, in order.
type Chunk = Arc<[Execution]>;

#[derive(Default)]
struct State {
    is_open: bool,
    /// How many blocks somebody has taken, or is about to.
    claimed: usize,
    /// What blocks say that were read before one in front of them.
    early: BTreeMap<usize, Vec<TestCaseFinished>>,
    /// Attempts that are followed by another, in blocks that were read.
    attempts: BTreeMap<u64, Vec<TestCaseFinished>>,
    chunks: VecDeque<Chunk>,
    /// Number of the first chunk that is kept.
    first: usize,
    /// Executions in the chunks before that.
    before: usize,
    /// Number of the first block that there is not.
    end: Option<usize>,
    /// The log cannot be read: each finds out for itself why.
    is_broken: bool,
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

    /// Says that one of those will not.
    pub(super) fn expect_one_less(&self) {
        let mut state = self.state.lock();
        state.expected = state.expected.saturating_sub(1);
        drop(state);
        self.moved.notify_all();
    }

    /// A reader of the executions behind the first few, which nobody has any more: as a rule none. No reader if it is too late
    /// for that, or there is nothing to read from.
    pub(super) fn join(&self, path: &Utf8Path) -> Option<(Reader<'_>, usize)> {
        let mut state = self.state.lock();
        if state.first > LATEST || state.is_broken {
            return None;
        }
        if !state.is_open {
            let blocks = Blocks::open(path).ok()?;
            state.is_open = true;
            self.source.lock().0 = Some(blocks);
        }
        let id = state.joined;
        state.joined += 1;
        let first = state.first;
        state.readers.insert(id, first);
        Some((Reader { shared: self, id }, state.before))
    }
}

/// One of those who read.
pub(super) struct Reader<'a> {
    shared: &'a SharedRead,
    id: u64,
}

/// What comes next.
pub(super) enum Next {
    /// Some executions; perhaps none.
    Chunk(Chunk),
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
            let known = state.first + state.chunks.len();
            let place = wanted - state.first;
            if let Some(chunk) = state.chunks.get(place) {
                let chunk = Arc::clone(chunk);
                state.readers.insert(self.id, wanted + 1);
                let unneeded = state.forget();
                drop(state);
                if !unneeded.is_empty() {
                    self.shared.moved.notify_all();
                }
                return Next::Chunk(chunk);
            }
            if state.is_broken {
                return Next::Lost;
            }
            if state.end == Some(known) {
                return Next::End;
            }
            if state.end.is_none() && state.claimed - state.first < KEPT {
                state.claimed += 1;
                MutexGuard::unlocked(&mut state, || self.read_block());
            } else if state.claimed > known {
                let pause = self.shared.moved.wait_for(&mut state, PATIENCE);
                if pause.timed_out() && known == state.first + state.chunks.len() {
                    // The disk hangs, or the one who reads has gone: no reason to hang, too.
                    return Next::Lost;
                }
            } else {
                self.wait(&mut state);
            }
        }
    }

    /// Reads the next block, while others read theirs.
    fn read_block(&self) {
        let (number, block) = {
            let mut source = self.shared.source.lock();
            let (blocks, taken) = &mut *source;
            let number = *taken;
            *taken += 1;
            (number, blocks.as_mut().map_or(Ok(None), Blocks::next))
        };
        let read = block.and_then(|block| block.as_deref().map(finished_in).transpose());
        let mut state = self.shared.state.lock();
        match read {
            Ok(Some(cases)) => {
                state.early.insert(number, cases);
                state.assemble();
            }
            Ok(None) => state.end = Some(state.end.map_or(number, |end| end.min(number))),
            Err(_) => state.is_broken = true,
        }
        drop(state);
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
            drop(state.forget());
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.readers.remove(&self.id);
        let unneeded = state.forget();
        drop(state);
        drop(unneeded);
        self.shared.moved.notify_all();
    }
}

impl State {
    /// Makes chunks of the blocks that follow the last one.
    fn assemble(&mut self) {
        while let Some(cases) = self.early.remove(&(self.first + self.chunks.len())) {
            if self.attempts.is_empty() && cases.iter().all(|case| !case.retried) {
                let alone = cases.into_iter().map(|last| Execution {
                    last,
                    earlier: Vec::new(),
                });
                self.chunks.push_back(alone.collect());
                continue;
            }
            let mut executions = Vec::with_capacity(cases.len());
            for case in cases {
                if case.retried {
                    self.attempts.entry(case.execution).or_default().push(case);
                    continue;
                }
                let earlier = self.attempts.remove(&case.execution).unwrap_or_default();
                executions.push(Execution {
                    last: case,
                    earlier,
                });
            }
            self.chunks.push_back(executions.into());
        }
    }

    /// Takes out the chunks that nobody needs any more, to be dropped without the lock.
    fn forget(&mut self) -> Vec<Chunk> {
        if self.expected > 0 {
            return Vec::new();
        }
        let needed = self.readers.values().copied().min().unwrap_or(usize::MAX);
        let count = needed.saturating_sub(self.first).min(self.chunks.len());
        self.first += count;
        let unneeded: Vec<Chunk> = self.chunks.drain(..count).collect();
        self.before += unneeded.iter().map(|chunk| chunk.len()).sum::<usize>();
        unneeded
    }
}

impl std::fmt::Debug for SharedRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedRead").finish_non_exhaustive()
    }
}
