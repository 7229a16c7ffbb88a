//! Whose turn it is to read what a plugin writes.
//!
//! ```text
//!             nobody waits              somebody waits for an answer
//!  stdout ──► the thread of the link    ──► the one who waits: no thread in between has to be woken
//! ```
//!
//! Who waits for something takes the turn while he waits, if nobody has it, and reads for everybody: what is not his he gives to
//! whom it belongs. The thread of the link is told of nothing that comes meanwhile and is there again for what comes when nobody
//! waits. So an answer wakes one thread, or none if the one who waits has not gone to sleep yet.
//!
//! Whoever has the turn never waits for anything but the plugin, and gives it back before he does what the plugin asks for. What must
//! hold whoever comes and goes when is shown by the models of this crate, which compile this very file again.

use super::sync::{Mutex, MutexGuard};

/// What there is to read.
pub(super) trait Source {
    /// To whom what was read belongs.
    type Readers;

    /// From now on the thread of the link is told of nothing that comes; false if there is nothing to read any more.
    fn take_over(&mut self) -> bool;

    /// From now on it is told again, also of what is there already.
    fn give_back(&mut self);

    /// Reads once, without waiting, and gives what is whole to whom it belongs.
    fn read(&mut self, readers: &Self::Readers) -> Got;

    /// Nothing is read from here on.
    fn close(&mut self);

    /// Whether the end has been reached.
    fn is_over(&self) -> bool;
}

/// What came out of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    Bytes(usize),
    Nothing,
    End,
}

/// A source, and who has the turn to read it.
#[derive(Debug)]
pub(super) struct Turns<S> {
    source: Mutex<S>,
}

impl<S: Source> Turns<S> {
    pub(super) fn new(source: S) -> Self {
        Self {
            source: Mutex::new(source),
        }
    }

    /// Reads once for everybody, if nobody has the turn; `until_end` waits for it. Returns whether there may be more.
    pub(super) fn read_once(&self, readers: &S::Readers, until_end: bool) -> bool {
        let source = if until_end {
            Some(self.source.lock())
        } else {
            self.source.try_lock()
        };
        // Who has the turn reads it.
        let Some(mut source) = source else {
            return true;
        };
        match source.read(readers) {
            Got::Bytes(_) => true,
            Got::Nothing => false,
            Got::End => {
                source.close();
                false
            }
        }
    }

    /// Whether the end has been reached; not while somebody has the turn.
    pub(super) fn is_over(&self) -> bool {
        let source = self.source.try_lock();
        source.is_some_and(|source| source.is_over())
    }

    /// Nothing is read from here on.
    pub(super) fn close(&self) {
        self.source.lock().close();
    }

    /// Reads until something has arrived for the one who calls, if nobody else has the turn. `wait` waits for the source, and says false
    /// if nothing will come or the time is up. None if he has to wait for what others read.
    pub(super) fn read_until<A>(
        &self,
        readers: &S::Readers,
        mut arrived: impl FnMut() -> Option<A>,
        mut wait: impl FnMut(&mut S) -> bool,
    ) -> Option<A> {
        let mut turn = self.take()?;
        loop {
            // Whoever had the turn before may have read it.
            if let Some(arrival) = arrived() {
                return Some(arrival);
            }
            match turn.0.read(readers) {
                Got::Bytes(_) => {}
                // The thread of the link sees the same, and ends it.
                Got::End => return None,
                Got::Nothing => {
                    if !wait(&mut turn.0) {
                        return None;
                    }
                }
            }
        }
    }

    /// The turn, if nobody has it and there is something to read.
    fn take(&self) -> Option<Turn<'_, S>> {
        let mut source = self.source.try_lock()?;
        source.take_over().then_some(Turn(source))
    }
}

/// The right to read, until it is dropped.
struct Turn<'a, S: Source>(MutexGuard<'a, S>);

impl<S: Source> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
