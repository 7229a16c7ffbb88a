//! The queue of cases that wait for a worker.
//!
//! Pure; the extension in [`super`] puts it behind a lock and on the bus.

use std::collections::VecDeque;
use std::sync::Arc;

use super::filter::Filter;
use crate::case::TestCase;

/// Cases that wait, in the order in which they are handed out.
#[derive(Debug, Default)]
pub struct RunQueue {
    waiting: VecDeque<Arc<TestCase>>,
    closed: bool,
}

impl RunQueue {
    /// Takes the selected cases of `found`, in their order; returns how many were filtered out.
    pub fn fill(&mut self, found: Vec<TestCase>, filter: &Filter) -> usize {
        let before = found.len();
        self.waiting = found
            .into_iter()
            .filter(|case| filter.selects(case))
            .map(Arc::new)
            .collect();
        before - self.waiting.len()
    }

    /// The cases that wait, next one first.
    pub fn waiting(&self) -> impl Iterator<Item = &Arc<TestCase>> {
        self.waiting.iter()
    }

    /// Hands out the next case; none when the queue is empty or closed.
    pub fn hand_out(&mut self) -> Option<Arc<TestCase>> {
        if self.closed {
            None
        } else {
            self.waiting.pop_front()
        }
    }

    /// Closes the queue: nothing is handed out any more. Returns what was left, in order; empty the second time.
    pub fn close(&mut self) -> Vec<Arc<TestCase>> {
        self.closed = true;
        self.waiting.drain(..).collect()
    }
}
