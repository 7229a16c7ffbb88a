//! One handler at a time, in the order received.

use super::Shape;

/// How many messages a worker takes at a time from a long queue. Those it holds count as finished together, so with a
/// short queue it takes one at a time and the bound is exact.
const BATCH: usize = 64;

/// Queues from this bound on are long.
const LONG: usize = 1024;

pub(crate) fn shape(bound: usize) -> Shape {
    Shape {
        workers: 1,
        batch: if bound >= LONG { BATCH } else { 1 },
        bound,
    }
}
