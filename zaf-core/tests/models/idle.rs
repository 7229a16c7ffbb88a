//! Waiting for the bus to become idle.

use std::collections::VecDeque;

use crate::message::dispatcher::ends::Hand;
use crate::message::dispatcher::strand::Strand;
use crate::message::presence::{Place, Record, Records};
use crate::strand::{Endpoint, push, work};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering};
use crate::{activity, explore, explore_with, thread};

const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};

#[test]
fn a25_the_bus_is_idle_only_when_what_was_accepted_has_been_handled() {
    explore(|| {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 8));
        let endpoint = Arc::new(Endpoint::new());
        let handled = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            assert!(push(&strand, &endpoint, ()).is_ok());
        }
        let worker = {
            let (strand, handled) = (Arc::clone(&strand), Arc::clone(&handled));
            thread::start(move || {
                let handle = |(), _: &mut Hand<Endpoint>| {
                    handled.fetch_add(1, Ordering::SeqCst);
                };
                work(&strand, handle, || unreachable!("one worker at most"));
            })
        };
        assert!(activity.wait(None, || activity.busy.is_zero()));
        assert_eq!(handled.load(Ordering::SeqCst), 2);
        assert!(endpoint.is_zero());
        worker.join().unwrap();
    });
}

#[test]
fn a25_work_that_a_callback_hands_to_a_queue_is_never_out_of_sight() {
    explore(|| {
        let activity = activity();
        let records = Arc::new(Records::new());
        let record = Arc::new(Record::new());
        records.add(Arc::clone(&record));
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 8));
        let handled = Arc::new(AtomicUsize::new(0));
        let begun = Arc::new(AtomicUsize::new(0));
        let endpoint = Arc::new(Endpoint::new());
        // The sender is inside a callback before anybody waits, and queues something from there.
        let sender = {
            let (activity, strand) = (Arc::clone(&activity), Arc::clone(&strand));
            let (handled, begun) = (Arc::clone(&handled), Arc::clone(&begun));
            thread::start(move || {
                let presence = record.enter(PLACE, &activity).unwrap();
                begun.store(1, Ordering::SeqCst);
                assert!(push(&strand, &endpoint, ()).is_ok());
                drop(presence);
                // Then it is the worker itself.
                let handle = |(), _: &mut Hand<Endpoint>| {
                    handled.fetch_add(1, Ordering::SeqCst);
                };
                work(&strand, handle, || unreachable!("one worker at most"));
            })
        };
        let accepted = begun.load(Ordering::SeqCst) == 1;
        assert!(activity.wait(None, || records.quiet(1, None, || activity.busy.is_zero())));
        if accepted {
            assert_eq!(handled.load(Ordering::SeqCst), 1);
        }
        sender.join().unwrap();
    });
}

#[test]
fn a25_a_hand_over_outside_of_the_bus_does_not_look_idle() {
    explore(|| {
        let activity = activity();
        let records = Arc::new(Records::new());
        let (first, second) = (Arc::new(Record::new()), Arc::new(Record::new()));
        // The one that takes over is looked at first.
        records.add(Arc::clone(&second));
        records.add(Arc::clone(&first));
        let channel = Arc::new(Mutex::new(VecDeque::new()));
        let ended = Arc::new(AtomicUsize::new(0));
        let presence = first.enter(PLACE, &activity).unwrap();
        let other = {
            let (activity, channel) = (Arc::clone(&activity), Arc::clone(&channel));
            let (records, ended) = (Arc::clone(&records), Arc::clone(&ended));
            thread::start(move || {
                let quiet = records.quiet(1, None, || activity.busy.is_zero());
                // Idle only if both had ended.
                assert!(!quiet || ended.load(Ordering::SeqCst) == 2);
                drop(channel);
            })
        };
        // The second is entered before the first is left.
        let taken_over = second.enter(PLACE, &activity).unwrap();
        channel.lock().push_back(());
        ended.fetch_add(1, Ordering::SeqCst);
        drop(presence);
        ended.fetch_add(1, Ordering::SeqCst);
        drop(taken_over);
        other.join().unwrap();
    });
}

#[test]
fn a25_what_came_and_went_between_two_readings_makes_it_read_again() {
    explore(|| {
        let activity = activity();
        let records = Records::new();
        let (own, other) = (Arc::new(Record::new()), Arc::new(Record::new()));
        records.add(Arc::clone(&own));
        records.add(Arc::clone(&other));
        let beside = {
            let activity = Arc::clone(&activity);
            thread::start(move || drop(other.enter(PLACE, &activity)))
        };
        let looks = AtomicUsize::new(0);
        // Whoever was there in the meantime may have had its work from one that was read before, and have handed it to one
        // that is read later.
        let nothing_queued = || {
            if looks.fetch_add(1, Ordering::SeqCst) == 0 {
                drop(own.enter(PLACE, &activity));
            }
            true
        };
        if records.quiet(1, None, nothing_queued) {
            assert!(looks.load(Ordering::SeqCst) > 1);
        }
        beside.join().unwrap();
    });
}

#[test]
fn a25_work_of_another_bus_neither_hides_idleness_nor_delays_it() {
    const ELSEWHERE: Place = Place {
        bus: 2,
        endpoint: 1,
        message: 0,
    };
    explore_with(2, || {
        let own = activity();
        let foreign = activity();
        let records = Arc::new(Records::new());
        let (first, second) = (Arc::new(Record::new()), Arc::new(Record::new()));
        records.add(Arc::clone(&first));
        records.add(Arc::clone(&second));
        let handled = Arc::new(AtomicUsize::new(0));
        // Busy elsewhere for as long as the model lasts: nobody tells this bus when that ends.
        let presence = first.enter(ELSEWHERE, &foreign).unwrap();
        presence.announce(7);
        let other = {
            let (own, foreign) = (Arc::clone(&own), Arc::clone(&foreign));
            let handled = Arc::clone(&handled);
            let here = second.enter(PLACE, &own).map(drop);
            assert!(here.is_some());
            thread::start(move || {
                drop(second.enter(ELSEWHERE, &foreign));
                let presence = second.enter(PLACE, &own).unwrap();
                handled.fetch_add(1, Ordering::SeqCst);
                drop(presence);
                drop(second.enter(ELSEWHERE, &foreign));
            })
        };
        // Hangs if work elsewhere is seen, or if a change elsewhere hides that this bus is idle.
        assert!(own.wait(None, || records.quiet(1, None, || own.busy.is_zero())));
        assert!(!records.quiet(2, None, || foreign.busy.is_zero()));
        other.join().unwrap();
        drop(presence);
        assert!(records.quiet(2, None, || foreign.busy.is_zero()));
        assert_eq!(handled.load(Ordering::SeqCst), 1);
    });
}
