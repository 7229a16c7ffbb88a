//! A fixed number of handlers at a time, in no order.

use std::num::NonZeroUsize;

use super::Shape;

/// `workers`: none for one per processor.
pub(crate) fn shape(workers: Option<NonZeroUsize>, bound: usize) -> Shape {
    let workers = workers
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    Shape { workers, bound }
}
