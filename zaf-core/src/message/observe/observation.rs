//! Turning observation on and off, and reading what was written down.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use super::super::BusError;
use super::super::bus::{Inner, MessageBus};
use super::Observed;
use super::tap::{Sink, Tap};

impl MessageBus {
    /// Writes down every message from now on, until the observation is dropped.
    ///
    /// At most `bound` entries wait to be read; what does not fit is [counted](Observation::lost), senders never wait. A
    /// message that is sent while this call runs may be missing. Several observations do not disturb each other.
    ///
    /// While a bus is observed, each message costs some microseconds more, and the counters are those of
    /// [`measure`](Self::measure).
    ///
    /// # Errors
    /// [`BusError::Closed`] after the end of the bus.
    pub fn observe(&self, bound: NonZeroUsize) -> Result<Observation, BusError> {
        let (sender, entries) = bounded(bound.get());
        let sink = Arc::new(Sink::recording(sender));
        let measurement = self.add_sink(&sink)?;
        Ok(Observation {
            entries,
            measurement,
        })
    }

    /// Counts what callback handlers do and how long handlers take, until the measurement is dropped. Nothing is written down.
    ///
    /// See [`Counters::handled`](crate::message::Counters::handled) and
    /// [`Counters::longest`](crate::message::Counters::longest).
    ///
    /// # Errors
    /// [`BusError::Closed`] after the end of the bus.
    pub fn measure(&self) -> Result<Measurement, BusError> {
        self.add_sink(&Arc::new(Sink::measuring()))
    }

    fn add_sink(&self, sink: &Arc<Sink>) -> Result<Measurement, BusError> {
        self.change(|registry, garbage| {
            let old = registry.tap.clone();
            registry.set_tap(Some(Tap::with(old.as_deref(), sink)), garbage);
            Ok(())
        })?;
        Ok(Measurement {
            bus: self.downgrade(),
            sink: Arc::clone(sink),
        })
    }
}

/// A measurement that goes on until this is dropped. See [`MessageBus::measure`].
#[must_use = "a measurement ends when it is dropped"]
pub struct Measurement {
    bus: Weak<Inner>,
    sink: Arc<Sink>,
}

impl Drop for Measurement {
    fn drop(&mut self) {
        let Some(inner) = self.bus.upgrade() else {
            return;
        };
        let ended = MessageBus::from_inner(inner).change(|registry, garbage| {
            let old = registry.tap.clone();
            let tap = old.and_then(|tap| tap.without(&self.sink));
            registry.set_tap(tap, garbage);
            Ok(())
        });
        // On a closed bus there is nothing left to observe.
        debug_assert!(matches!(ended, Ok(()) | Err(BusError::Closed { .. })));
    }
}

impl fmt::Debug for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measurement").finish_non_exhaustive()
    }
}

/// What was written down and has not been read. Ends when dropped. See [`MessageBus::observe`].
///
/// Entries come in the order in which they were written down; those of one thread in the order in which things happened.
#[must_use = "an observation ends when it is dropped"]
pub struct Observation {
    entries: Receiver<Observed>,
    measurement: Measurement,
}

impl Observation {
    /// The next entry if there is one.
    pub fn try_next(&self) -> Option<Observed> {
        self.entries.try_recv().ok()
    }

    /// The next entry, waiting at most `timeout` for it.
    pub fn next_timeout(&self, timeout: Duration) -> Option<Observed> {
        self.entries.recv_timeout(timeout).ok()
    }

    /// All entries that are there.
    pub fn take(&self) -> Vec<Observed> {
        self.entries.try_iter().collect()
    }

    /// What is read, for who waits for something else too.
    pub(crate) fn entries(&self) -> &Receiver<Observed> {
        &self.entries
    }

    /// Number of entries that found no room.
    pub fn lost(&self) -> u64 {
        self.measurement.sink.lost()
    }

    /// Number of entries that wait to be read.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("len", &self.len())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
