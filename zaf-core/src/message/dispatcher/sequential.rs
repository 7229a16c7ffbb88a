//! One handler at a time, in the order received.

use super::Shape;

pub(crate) fn shape(bound: usize) -> Shape {
    Shape { workers: 1, bound }
}
