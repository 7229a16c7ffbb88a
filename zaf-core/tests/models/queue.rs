//! A bounded queue, its worker, and the end of its dispatcher.

use crate::thread;

use crate::message::activity::Busy;
use crate::message::dispatcher::strand::{QueuePolicy, Queued, Refusal, Strand};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::{activity, explore};

/// A message of the one endpoint.
fn item() -> Queued<()> {
    Queued {
        job: (),
        endpoint: 1,
    }
}

/// Two messages, a worker and one who destroys, for one worker that takes ahead or not.
fn close_against_send_and_work(batch: usize) {
    explore(move || {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 2, batch));
        let endpoint = Arc::new(Busy::new());
        let handled = Arc::new(AtomicUsize::new(0));
        let destroyed = Arc::new(AtomicBool::new(false));
        let accepted = strand.push(item(), &endpoint, QueuePolicy::Reject, false);
        assert!(accepted.is_ok_and(|accepted| accepted.needs_worker));
        let worker = {
            let strand = Arc::clone(&strand);
            let (handled, destroyed) = (Arc::clone(&handled), Arc::clone(&destroyed));
            thread::start(move || {
                let mut cancelled = 0;
                while let Some(item) = strand.take() {
                    if strand.is_closed() {
                        cancelled += 1;
                    } else {
                        assert!(!destroyed.load(Ordering::SeqCst));
                        handled.fetch_add(1, Ordering::SeqCst);
                    }
                    strand.finish(item.endpoint, 1);
                }
                cancelled
            })
        };
        let second = strand.push(item(), &endpoint, QueuePolicy::Reject, false);
        let (mut taken, mut unserved) = (1, 0);
        if let Ok(accepted) = second {
            taken += 1;
            // The place was given up: here nobody sends a worker again.
            unserved = usize::from(accepted.needs_worker);
        }
        let mut cancelled = 0;
        for queued in strand.close() {
            cancelled += 1;
            strand.finish(queued.endpoint, 1);
        }
        assert!(strand.wait_for_rest(None));
        destroyed.store(true, Ordering::SeqCst);
        let refused = strand.push(item(), &endpoint, QueuePolicy::Reject, false);
        assert!(matches!(refused, Err((Refusal::Closed, _))));
        cancelled += worker.join().unwrap();
        assert_eq!(handled.load(Ordering::SeqCst) + cancelled, taken);
        assert!(unserved <= 1);
        assert!(activity.busy.is_zero());
        assert!(endpoint.is_zero());
    });
}

#[test]
fn a15_a16_each_message_is_handled_or_cancelled_once() {
    close_against_send_and_work(1);
}

#[test]
fn a15_a16_also_if_the_worker_takes_ahead() {
    close_against_send_and_work(2);
}

#[test]
fn a13_a_sender_that_waits_for_room_gets_it_or_learns_of_the_end() {
    explore(|| {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 1, 1));
        let endpoint = Arc::new(Busy::new());
        assert!(
            strand
                .push(item(), &endpoint, QueuePolicy::Reject, false)
                .is_ok()
        );
        let sender = {
            let (strand, endpoint) = (Arc::clone(&strand), Arc::clone(&endpoint));
            thread::start(move || {
                let policy = QueuePolicy::Block {
                    deadline: std::time::Duration::ZERO,
                };
                strand.push(item(), &endpoint, policy, false).is_ok()
            })
        };
        let first = strand.take().unwrap();
        strand.finish(first.endpoint, 1);
        let accepted = sender.join().unwrap();
        assert_eq!(strand.take().is_some(), accepted);
    });
}

#[test]
fn a_worker_never_leaves_a_message_behind() {
    explore(|| {
        let strand = Arc::new(Strand::new(activity(), 1, 8, 4));
        let endpoint = Arc::new(Busy::new());
        assert!(
            strand
                .push(item(), &endpoint, QueuePolicy::Reject, false)
                .is_ok()
        );
        let worker = {
            let strand = Arc::clone(&strand);
            thread::start(move || {
                let mut handled = 0;
                while let Some(item) = strand.take() {
                    strand.finish(item.endpoint, 1);
                    handled += 1;
                }
                handled
            })
        };
        let accepted = strand.push(item(), &endpoint, QueuePolicy::Reject, false);
        let needs_worker = accepted.is_ok_and(|accepted| accepted.needs_worker);
        let handled = worker.join().unwrap();
        // Either the worker has seen the second message, or another one was asked for.
        assert_eq!(handled + usize::from(needs_worker), 2);
    });
}

#[test]
fn a13_a15_a_sender_that_waits_for_room_without_limit_is_woken_by_the_end() {
    for drains in [false, true] {
        explore(move || {
            let strand = Arc::new(Strand::new(activity(), 1, 1, 1));
            let endpoint = Arc::new(Busy::new());
            let first = strand.push(item(), &endpoint, QueuePolicy::Reject, false);
            assert!(first.is_ok());
            let sender = {
                let (strand, endpoint) = (Arc::clone(&strand), Arc::clone(&endpoint));
                thread::start(move || {
                    let policy = QueuePolicy::Block {
                        deadline: std::time::Duration::MAX,
                    };
                    // A lost wake-up is a deadlock.
                    strand.push(item(), &endpoint, policy, false).err()
                })
            };
            if drains {
                strand.drain();
            } else {
                for queued in strand.close() {
                    strand.finish(queued.endpoint, 1);
                }
            }
            let refused = sender.join().unwrap().map(|(refusal, _)| refusal);
            assert_eq!(refused, Some(Refusal::Closed));
        });
    }
}
