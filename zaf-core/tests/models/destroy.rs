//! Destroying a dispatcher while a sender is about to call its handler.

use crate::thread;

use crate::message::activity::Activity;
use crate::message::presence::{Place, Record, Records};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering};
use crate::{activity, explore, explore_with};

const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};
const DISPATCHER: u64 = 7;

/// As `dispatcher::callback` does it for an event: `calm` is of the snapshot.
fn send(
    record: &Record,
    activity: &Activity,
    mark: &AtomicBool,
    calm: u64,
    handler: impl FnOnce(),
) {
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

#[test]
fn no_handler_runs_or_starts_after_destroy_and_no_wake_up_is_lost() {
    explore(|| {
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
                    send(&record, &activity, &mark, calm, || {
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
