//! A strand that models fill and serve themselves, without a pool.

use crate::message::activity::Busy;
use crate::message::dispatcher::ends::{Hand, Source};
use crate::message::dispatcher::policy::{QueuePolicy, Refusal};
use crate::message::dispatcher::strand::{Accepted, Strand};
use crate::sync::Arc;

/// A source is nothing but the count of its endpoint.
impl Source for Busy {
    fn busy(&self) -> &Busy {
        self
    }
}

type Pushed<J> = Result<Accepted<J>, (Refusal, Box<J>)>;

/// Sends something to a queue that rejects when it is full.
pub(crate) fn push<J>(strand: &Strand<J, Busy>, source: &Arc<Busy>, job: J) -> Pushed<J> {
    strand.push(job, source, QueuePolicy::Reject, || false, || ())
}

/// As `dispatcher::worker` does it: handles messages until there are none, and leaves. Returns how many it handled.
/// `more_workers` is called when another one has to be sent.
pub(crate) fn work<J>(
    strand: &Strand<J, Busy>,
    mut handle: impl FnMut(J, &mut Hand<Busy>),
    more_workers: impl Fn(),
) -> usize {
    let mut hand = Hand::new();
    let mut taken = 0;
    loop {
        match strand.next(&mut hand) {
            Some(one) => {
                if one.needs_worker {
                    more_workers();
                }
                handle(one.job, &mut hand);
                taken += 1;
            }
            None if strand.leave(&mut hand) => return taken,
            None => {}
        }
    }
}
