//! A bounded queue, its workers, and the end of its dispatcher.

use crate::message::dispatcher::accounts::Credit;
use crate::message::dispatcher::ends::Hand;
use crate::message::dispatcher::policy::{QueuePolicy, Refusal};
use crate::message::dispatcher::strand::Strand;
use crate::strand::{Endpoint, push, work};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::{activity, explore, explore_with, thread};

/// Two messages, a worker and one who destroys.
#[test]
fn a15_a16_each_message_is_handled_or_cancelled_once() {
    explore(|| {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 2));
        let endpoint = Arc::new(Endpoint::new());
        let handled = Arc::new(AtomicUsize::new(0));
        let destroyed = Arc::new(AtomicBool::new(false));
        assert!(push(&strand, &endpoint, ()).is_ok_and(|accepted| accepted.needs_worker));
        let worker = {
            let strand = Arc::clone(&strand);
            let (handled, destroyed) = (Arc::clone(&handled), Arc::clone(&destroyed));
            thread::start(move || {
                let mut cancelled = 0;
                let handle = |(), hand: &mut Hand<Endpoint>| {
                    if strand.is_closed() {
                        hand.cancelled();
                        cancelled += 1;
                    } else {
                        assert!(!destroyed.load(Ordering::SeqCst));
                        handled.fetch_add(1, Ordering::SeqCst);
                    }
                };
                work(&strand, handle, || unreachable!("one worker at most"));
                cancelled
            })
        };
        let mut accepted = 1;
        let mut unserved = 0;
        if let Ok(second) = push(&strand, &endpoint, ()) {
            accepted += 1;
            // The place was given up: here nobody sends a worker again.
            unserved = usize::from(second.needs_worker);
        }
        let mut cancelled = 0;
        let mut rest = strand.close();
        while let Some(line) = rest.pop(&mut Some(None)) {
            cancelled += 1;
            strand.finish(line);
        }
        assert!(strand.wait_for_rest(None));
        destroyed.store(true, Ordering::SeqCst);
        let refused = push(&strand, &endpoint, ());
        assert!(matches!(refused, Err(Refusal::Closed)));
        cancelled += worker.join().unwrap();
        let handled = handled.load(Ordering::SeqCst);
        assert_eq!(handled + cancelled, accepted);
        assert_eq!(strand.totals(), (accepted as u64, handled as u64));
        assert!(unserved <= 1);
        assert!(activity.busy.is_zero());
        assert!(endpoint.is_zero());
        // Nobody keeps what messages of the source have in common.
        assert_eq!(Arc::strong_count(&endpoint), 1);
    });
}

#[test]
fn a13_a_sender_that_waits_for_room_gets_it_or_learns_of_the_end() {
    explore(|| {
        let strand = Arc::new(Strand::new(activity(), 1, 1));
        let endpoint = Arc::new(Endpoint::new());
        assert!(push(&strand, &endpoint, ()).is_ok());
        let sender = {
            let (strand, endpoint) = (Arc::clone(&strand), Arc::clone(&endpoint));
            thread::start(move || {
                let policy = QueuePolicy::Block {
                    deadline: std::time::Duration::ZERO,
                };
                let accepted = strand.push(
                    &mut Some(()),
                    &endpoint,
                    policy,
                    &mut Credit::default(),
                    || false,
                    |_| (),
                );
                accepted.map(|accepted| usize::from(accepted.needs_worker))
            })
        };
        let mut handled = work(&strand, |(), _| (), || unreachable!("one worker at most"));
        if let Ok(needs_worker) = sender.join().unwrap() {
            if needs_worker == 1 {
                handled += work(&strand, |(), _| (), || unreachable!("one worker at most"));
            }
            assert_eq!(handled, 2);
        } else {
            assert_eq!(handled, 1);
        }
    });
}

#[test]
fn a13_of_a_full_queue_the_oldest_is_dropped_or_was_taken() {
    explore(|| {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 2));
        let endpoint = Arc::new(Endpoint::new());
        for number in 1..=2 {
            assert!(push(&strand, &endpoint, number).is_ok());
        }
        let worker = {
            let strand = Arc::clone(&strand);
            thread::start(move || {
                let mut handled = Vec::new();
                work(
                    &strand,
                    |number, _| handled.push(number),
                    || unreachable!("one worker at most"),
                );
                handled
            })
        };
        let third = strand.push(
            &mut Some(3),
            &endpoint,
            QueuePolicy::DropOldest,
            &mut Credit::default(),
            || false,
            |_| (),
        );
        let third = third.unwrap();
        let mut handled = worker.join().unwrap();
        if third.needs_worker {
            work(
                &strand,
                |number, _| handled.push(number),
                || unreachable!("one worker at most"),
            );
        }
        // In order, and nothing is lost.
        let dropped = third.dropped.flatten();
        handled.extend(dropped);
        let mut sorted = handled.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [1, 2, 3]);
        let kept = handled.len() - usize::from(dropped.is_some());
        assert!(handled[..kept].is_sorted());
        assert!(activity.busy.is_zero());
        assert!(endpoint.is_zero());
    });
}

#[test]
fn a_worker_never_leaves_a_message_behind() {
    explore(|| {
        let strand = Arc::new(Strand::new(activity(), 1, 8));
        let endpoint = Arc::new(Endpoint::new());
        assert!(push(&strand, &endpoint, ()).is_ok());
        let worker = {
            let strand = Arc::clone(&strand);
            thread::start(move || work(&strand, |(), _| (), || unreachable!("one worker at most")))
        };
        let accepted = push(&strand, &endpoint, ());
        let needs_worker = accepted.is_ok_and(|accepted| accepted.needs_worker);
        let handled = worker.join().unwrap();
        // Either the worker has seen the second message, or another one was asked for.
        assert_eq!(handled + usize::from(needs_worker), 2);
    });
}

#[test]
fn a_worker_that_is_blocked_keeps_no_message_from_the_others() {
    // The first message is handled only after the second has been.
    explore_with(2, || {
        let strand = Arc::new(Strand::new(activity(), 2, 8));
        let endpoint = Arc::new(Endpoint::new());
        let second = Arc::new(AtomicBool::new(false));
        // How many workers were sent.
        let sent = Arc::new(AtomicUsize::new(0));
        let ordered = Arc::clone(&sent);
        let order = move |needs_worker: bool| {
            ordered.fetch_add(usize::from(needs_worker), Ordering::SeqCst);
        };
        order(push(&strand, &endpoint, 1).is_ok_and(|accepted| accepted.needs_worker));
        assert_eq!(sent.load(Ordering::SeqCst), 1);
        let workers: Vec<_> = (0..2)
            .map(|number| {
                let (strand, sent) = (Arc::clone(&strand), Arc::clone(&sent));
                let second = Arc::clone(&second);
                thread::start(move || {
                    // The pool sends it when it has been asked for.
                    while sent.load(Ordering::SeqCst) <= number {
                        thread::yield_now();
                    }
                    let handle = |message, _: &mut Hand<Endpoint>| {
                        if message == 2 {
                            second.store(true, Ordering::SeqCst);
                        }
                        while !second.load(Ordering::SeqCst) {
                            thread::yield_now();
                        }
                    };
                    work(&strand, handle, || {
                        sent.fetch_add(1, Ordering::SeqCst);
                    })
                })
            })
            .collect();
        order(push(&strand, &endpoint, 2).is_ok_and(|accepted| accepted.needs_worker));
        // Whoever sees the second message while the first is being handled sends for the second worker.
        let handled: usize = workers.into_iter().map(|one| one.join().unwrap()).sum();
        assert_eq!(handled, 2);
        assert!(endpoint.is_zero());
    });
}

#[test]
fn a13_a15_a_sender_that_waits_for_room_without_limit_is_woken_by_the_end() {
    for drains in [false, true] {
        explore(move || {
            let strand = Arc::new(Strand::new(activity(), 1, 1));
            let endpoint = Arc::new(Endpoint::new());
            assert!(push(&strand, &endpoint, ()).is_ok());
            let sender = {
                let (strand, endpoint) = (Arc::clone(&strand), Arc::clone(&endpoint));
                thread::start(move || {
                    let policy = QueuePolicy::Block {
                        deadline: std::time::Duration::MAX,
                    };
                    // A lost wake-up is a deadlock.
                    let pushed = strand.push(
                        &mut Some(()),
                        &endpoint,
                        policy,
                        &mut Credit::default(),
                        || false,
                        |_| (),
                    );
                    pushed.err()
                })
            };
            if drains {
                strand.drain();
            } else {
                let mut rest = strand.close();
                while let Some(line) = rest.pop(&mut Some(None)) {
                    strand.finish(line);
                }
            }
            let refused = sender.join().unwrap();
            assert_eq!(refused, Some(Refusal::Closed));
        });
    }
}

#[test]
fn a25_the_end_is_told_of_each_registration_whose_messages_lie_between_others() {
    explore_with(2, || {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 8));
        let endpoints = [Arc::new(Endpoint::new()), Arc::new(Endpoint::new())];
        for (number, endpoint) in (1..).zip(&endpoints) {
            assert!(push(&strand, endpoint, number).is_ok());
        }
        let worker = {
            let strand = Arc::clone(&strand);
            thread::start(move || {
                let mut handled = Vec::new();
                let handle = |number, _: &mut Hand<Endpoint>| handled.push(number);
                work(&strand, handle, || unreachable!("one worker at most"));
                handled
            })
        };
        let third = push(&strand, &endpoints[0], 3).unwrap();
        let mut handled = worker.join().unwrap();
        if third.needs_worker {
            let handle = |number, _: &mut Hand<Endpoint>| handled.push(number);
            work(&strand, handle, || unreachable!("one worker at most"));
        }
        assert_eq!(handled, [1, 2, 3]);
        assert!(activity.busy.is_zero());
        for endpoint in &endpoints {
            assert!(endpoint.is_zero());
            // Kept for the next message, until its registration ends.
            assert_eq!(Arc::strong_count(endpoint), 2);
            strand.forget(endpoint);
            assert_eq!(Arc::strong_count(endpoint), 1);
        }
    });
}
