//! Destroying a dispatcher while a sender is about to call its handler.

use crate::thread;

use crate::message::activity::Activity;
use crate::message::presence::{Place, Presence, Record, Records};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, wait_until};
use crate::{activity, explore, explore_with};

const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};
const DISPATCHER: u64 = 7;

/// As `dispatcher::callback` does it for an event: `calm` is of the snapshot.
fn send(record: &Record, activity: &Activity, mark: &AtomicBool, calm: u64, handler: &dyn Fn()) {
    let presence = record.enter(PLACE, activity).unwrap();
    let run = presence.succession(calm).announce::<true>(DISPATCHER) || {
        presence.attend();
        !mark.load(Ordering::Acquire)
    };
    if run {
        handler();
    }
    // The next handler of the event takes its place.
    if !presence.succession(calm).announce::<true>(DISPATCHER + 1) {
        presence.attend();
    }
}

/// As `dispatcher::callback` does it for an event with one handler, which is announced with the frame.
fn send_to_the_only_one(
    record: &Record,
    activity: &Activity,
    mark: &AtomicBool,
    calm: u64,
    handler: &dyn Fn(),
) {
    let stay = record.stay(PLACE, activity, DISPATCHER).unwrap();
    let run = stay.succession(calm).is_announced::<true>() || {
        stay.attend();
        !mark.load(Ordering::Acquire)
    };
    if run {
        handler();
    }
    stay.withdraw();
}

/// As for a request.
fn ask(record: &Record, activity: &Activity, mark: &AtomicBool, handler: impl FnOnce()) {
    let presence = record.enter(PLACE, activity).unwrap();
    presence.announce(DISPATCHER);
    if !mark.load(Ordering::Acquire) {
        handler();
    }
    presence.withdraw();
}

/// As `Registry::snapshot` does it.
fn calm(activity: &Activity, mark: &AtomicBool) -> u64 {
    activity.calm(|| mark.load(Ordering::SeqCst))
}

/// As `Core::close` and `Core::wait_for_end` do it.
fn destroy(records: &Records, activity: &Activity, mark: &AtomicBool) {
    mark.store(true, Ordering::SeqCst);
    activity.marked();
    assert!(activity.wait(None, || records.running(DISPATCHER) == 0));
}

/// A way to send an event to a handler.
type Way = fn(&Record, &Activity, &AtomicBool, u64, &dyn Fn());

/// Destroys the dispatcher while somebody sends twice.
fn destroy_while_somebody_sends(send: Way) {
    explore(move || {
        let activity = activity();
        let records = Arc::new(Records::new());
        let mark = Arc::new(AtomicBool::new(false));
        let running = Arc::new(AtomicUsize::new(0));
        let destroyed = Arc::new(AtomicBool::new(false));
        let record = Arc::new(Record::new());
        records.add(Arc::clone(&record));
        let sender = {
            let (activity, mark) = (Arc::clone(&activity), Arc::clone(&mark));
            let (running, destroyed) = (Arc::clone(&running), Arc::clone(&destroyed));
            thread::start(move || {
                let calm = calm(&activity, &mark);
                for _ in 0..2 {
                    send(&record, &activity, &mark, calm, &|| {
                        running.fetch_add(1, Ordering::SeqCst);
                        assert!(!destroyed.load(Ordering::SeqCst));
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            })
        };
        destroy(&records, &activity, &mark);
        assert_eq!(running.load(Ordering::SeqCst), 0);
        destroyed.store(true, Ordering::SeqCst);
        sender.join().unwrap();
    });
}

#[test]
fn no_handler_runs_or_starts_after_destroy_and_no_wake_up_is_lost() {
    destroy_while_somebody_sends(send);
}

#[test]
fn a15_the_only_handler_neither_runs_nor_starts_after_destroy() {
    destroy_while_somebody_sends(send_to_the_only_one);
}

#[test]
fn destroy_waits_for_two_senders() {
    // Three threads: two preemptions are as much as ends within seconds.
    explore_with(2, || {
        let activity = activity();
        let records = Arc::new(Records::new());
        let mark = Arc::new(AtomicBool::new(false));
        let running = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let record = Arc::new(Record::new());
                records.add(Arc::clone(&record));
                let (activity, mark) = (Arc::clone(&activity), Arc::clone(&mark));
                let running = Arc::clone(&running);
                thread::start(move || {
                    ask(&record, &activity, &mark, || {
                        running.fetch_add(1, Ordering::SeqCst);
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                })
            })
            .collect();
        destroy(&records, &activity, &mark);
        assert_eq!(running.load(Ordering::SeqCst), 0);
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

/// A sender whose first handler has ended and whose next one waits until the first one's dispatcher is destroyed: nothing
/// but the end of the first announcement can wake who destroys.
fn destroy_while_the_sender_goes_on(
    goes_on: impl Fn(&Presence<'_>, u64) + Copy + Send + Sync + 'static,
) {
    explore(move || {
        let activity = activity();
        let records = Arc::new(Records::new());
        let mark = Arc::new(AtomicBool::new(false));
        let destroyed = Arc::new((Mutex::new(false), Condvar::new()));
        let record = Arc::new(Record::new());
        records.add(Arc::clone(&record));
        let calm = calm(&activity, &mark);
        let sender = {
            let (activity, mark) = (Arc::clone(&activity), Arc::clone(&mark));
            let destroyed = Arc::clone(&destroyed);
            thread::start(move || {
                let presence = record.enter(PLACE, &activity).unwrap();
                presence.announce(DISPATCHER);
                if !mark.load(Ordering::Acquire) {
                    // Its handler.
                    goes_on(&presence, calm);
                    let mut is_destroyed = destroyed.0.lock();
                    while !*is_destroyed {
                        wait_until(&destroyed.1, &mut is_destroyed, None);
                    }
                }
            })
        };
        destroy(&records, &activity, &mark);
        *destroyed.0.lock() = true;
        destroyed.1.notify_all();
        sender.join().unwrap();
    });
}

#[test]
fn a15_destroy_does_not_wait_for_what_its_sender_does_next() {
    destroy_while_the_sender_goes_on(|presence, _| presence.withdraw());
}

#[test]
fn a15_destroy_does_not_wait_for_the_next_handler_of_the_event() {
    destroy_while_the_sender_goes_on(|presence, calm| {
        let succession = presence.succession(calm);
        if !succession.announce::<true>(DISPATCHER + 1) {
            presence.attend();
        }
    });
}
