//! What of a strand lies on which cache line. Not in `strand.rs`, because the models have other locks.

use std::mem::offset_of;

use super::ends::{Head, Tail};
use super::job::Jobs;
use super::lane::Queue;
use super::strand::Strand;
use super::worker::Intake;
use crate::sync::Arc;

const LINE: usize = 64;

#[test]
fn a_sender_touches_three_cache_lines_and_a_worker_one_more() {
    type Queued = Strand<Jobs, Intake>;
    assert_eq!(align_of::<Queued>() % LINE, 0);
    assert_eq!(offset_of!(Queued, tail), 0);
    // Behind what both read.
    assert_eq!(offset_of!(Queued, worked), 3 * LINE);
    let lock = 8;
    // What every push writes is on the first line.
    let queue = offset_of!(Tail<Jobs, Intake>, queue);
    assert_eq!(lock + queue + Queue::<Jobs>::HOT, LINE);
    // What a worker needs for a message that comes alone is on one.
    let (ahead, sources) = (8, offset_of!(Head<Jobs, Intake>, sources));
    assert_eq!(
        ahead + lock + sources + size_of::<Option<Option<Arc<Intake>>>>(),
        LINE
    );
}
