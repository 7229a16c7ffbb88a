//! Looking at a bus that works: what is written down, what is counted, who is slow, who waits for whom. And the tests of the
//! bus once more, on a bus that is observed: nothing may be different.

mod counters;
mod records;
mod refused;
mod semantics;
mod slow;
mod trace;
mod waits;

use std::num::NonZeroUsize;

use zaf_core::message::{Delivery, MessageBus, Observation, Observed};

/// Begins to observe, with room for whatever a test sends.
pub(crate) fn observe(bus: &MessageBus) -> Observation {
    bus.observe(NonZeroUsize::new(100_000).unwrap()).unwrap()
}

/// What was delivered, of what was written down.
pub(crate) fn deliveries(observation: &Observation) -> Vec<Delivery> {
    let entries = observation.take().into_iter();
    let delivered = entries.filter_map(|entry| match entry {
        Observed::Delivered(delivery) => Some(delivery),
        _ => None,
    });
    delivered.collect()
}
