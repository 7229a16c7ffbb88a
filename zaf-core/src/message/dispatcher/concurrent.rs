//! A handler at once for each message.

use std::num::NonZeroUsize;

use super::Shape;

/// `workers`: none for as many as the bus has threads for this.
pub(crate) fn shape(workers: Option<NonZeroUsize>, bound: usize, max_threads: usize) -> Shape {
    Shape {
        workers: workers.map_or(max_threads, |workers| workers.get().min(max_threads)),
        bound,
    }
}
