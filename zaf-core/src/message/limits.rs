//! How much a bus may hold.

use std::num::NonZeroUsize;

/// How much a bus may hold.
#[doc = include_str!("doc/limits.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusLimits {
    /// Messages that may wait in the queue of a dispatcher that says nothing else.
    pub queue_bound: NonZeroUsize,
    /// Handlers of concurrent dispatchers that may run at a time, all together. Sequential and thread pool dispatchers have
    /// their own workers on top of it.
    pub max_threads: NonZeroUsize,
    /// Bytes that the payload or the answer of a message may have where it is put into bytes or taken from them. See
    /// [`EncodedMessage`](super::EncodedMessage).
    pub encoded_bound: NonZeroUsize,
}

impl Default for BusLimits {
    /// 65 536 messages (some 5 MiB of small ones for each queue), 256 threads, 16 MiB for a payload: a long list of test cases is well
    /// below that, and a peer that lies about lengths cannot take more.
    fn default() -> Self {
        Self {
            queue_bound: const { NonZeroUsize::new(65_536).unwrap() },
            max_threads: const { NonZeroUsize::new(256).unwrap() },
            encoded_bound: const { NonZeroUsize::new(16 << 20).unwrap() },
        }
    }
}

impl BusLimits {
    /// Limits how many messages may wait for a dispatcher.
    #[must_use]
    pub fn queue_bound(mut self, bound: NonZeroUsize) -> Self {
        self.queue_bound = bound;
        self
    }

    /// Limits how many concurrent handlers may run at a time.
    #[must_use]
    pub fn max_threads(mut self, threads: NonZeroUsize) -> Self {
        self.max_threads = threads;
        self
    }

    /// Limits how many bytes a payload or an answer may have.
    #[must_use]
    pub fn encoded_bound(mut self, bytes: NonZeroUsize) -> Self {
        self.encoded_bound = bytes;
        self
    }
}
