//! What a bus holds in memory when there is much of something. A binary of its own: the allocator that counts is the
//! process's, and so are its figures.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; the lint's exception knows test functions only"
)]

use std::alloc::System;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use parking_lot::Mutex;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use zaf_core::message::{
    BusLimits, DispatcherKind, EndpointId, Entity, EventId, MessageBus, RequestId,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time: what the others allocate would be counted too.
static ONE: Mutex<()> = Mutex::new(());

const HERE: EndpointId = EndpointId::new("here", "Where the test is.");
const TICK: EventId<u64> = EventId::new("TICK", "Carries a number.");
const STOP: EventId<()> = EventId::new("STOP", "Holds the queue up.");
const ASK: RequestId<u64, u64> = RequestId::new("ASK", "Wants a number.");
const LONG: Duration = Duration::from_mins(1);

/// How many are sent to a crowd. Without optimisation a million takes half a minute and shows nothing that these do not.
const EVENTS: u64 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

/// Bytes that were allocated and not freed while `work` ran, and what it returned.
fn kept<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let region = Region::new(ALLOCATOR);
    let value = work();
    let change = region.change();
    // What is freed in the meantime may be older.
    let bytes = change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated);
    (bytes, value)
}

/// What a bus takes with `count` dispatchers, each for an entity of its own; the bus, and how many events were handled.
fn crowd(count: u64) -> (usize, (MessageBus, Arc<AtomicU64>)) {
    kept(|| {
        let limits = BusLimits::default().queue_bound(NonZeroUsize::MIN);
        let bus = MessageBus::with_limits(limits);
        bus.define(HERE, &[TICK.descriptor()]).unwrap();
        let handled = Arc::new(AtomicU64::new(0));
        for number in 0..count {
            let kind = if number % 2 == 0 {
                DispatcherKind::Callback
            } else {
                DispatcherKind::Sequential
            };
            bus.dispatcher(kind, "one")
                .entities([number.to_string().as_str()])
                .on(TICK, {
                    let handled = Arc::clone(&handled);
                    move |_, _| {
                        handled.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    }
                })
                .register()
                .unwrap();
        }
        // What is only made when somebody sends is made now.
        let report = bus.trigger_event_for(TICK, HERE, &Entity::from("0"), 0);
        assert_eq!(report.unwrap().delivered, 1);
        (bus, handled)
    })
}

#[test]
fn a32_memory_grows_with_the_number_of_dispatchers_and_no_faster() {
    let _alone = ONE.lock();
    let (small, _few) = crowd(400);
    let (large, (bus, handled)) = crowd(10_000);
    let (each, each_of_many) = (small / 400, large / 10_000);
    assert!(
        each_of_many <= each * 5 / 4,
        "{each} bytes for each of 400 dispatchers, {each_of_many} for each of 10 000"
    );
    assert!(each_of_many <= 4_096, "{each_of_many} bytes for each");
    // One is found among all of them, none is tried in vain: sending allocates as little as to one that is alone.
    let entities: Vec<Entity> = (0..5_000)
        .map(|number: u32| Entity::from((number * 2).to_string().as_str()))
        .collect();
    let before = handled.load(Ordering::Relaxed);
    let region = Region::new(ALLOCATOR);
    for number in 0..EVENTS / 5_000 {
        for entity in &entities {
            let report = bus.trigger_event_for(TICK, HERE, entity, number).unwrap();
            assert_eq!(report.delivered, 1);
        }
    }
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
    assert_eq!(handled.load(Ordering::Relaxed) - before, EVENTS);
    let nobody = bus.trigger_event_for(TICK, HERE, &Entity::from("10000"), 1);
    assert_eq!(nobody.unwrap().delivered, 0);
    bus.shutdown(LONG).unwrap();
}

/// Bytes that an outstanding reply may take.
const MOST: usize = 200;

/// How many answers are outstanding at a time.
const OUTSTANDING: u64 = 100_000;

/// Bytes for each of many messages that wait behind a handler that blocks, with what `send` returns. All of it is then
/// handed to `finish`, while the handlers run.
fn waiting<T>(send: impl Fn(&MessageBus, u64) -> T, finish: impl FnOnce(Vec<T>)) -> usize {
    let bound = usize::try_from(OUTSTANDING).unwrap() + 1;
    let limits = BusLimits::default().queue_bound(NonZeroUsize::new(bound).unwrap());
    let bus = MessageBus::with_limits(limits);
    bus.define(
        HERE,
        &[STOP.descriptor(), TICK.descriptor(), ASK.descriptor()],
    )
    .unwrap();
    let (open, gate) = bounded::<()>(0);
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(STOP, move |_, _| {
            // Until the other end is dropped.
            assert!(gate.recv().is_err());
            Ok(())
        })
        .on(TICK, |_, _| Ok(()))
        .on(ASK, |message, _| Ok(*message.data() + 1))
        .register()
        .unwrap();
    bus.trigger_event(STOP, HERE, ()).unwrap();
    let (bytes, all) = kept(|| {
        let numbers = 0..OUTSTANDING;
        numbers.map(|number| send(&bus, number)).collect::<Vec<T>>()
    });
    drop(open);
    finish(all);
    bus.shutdown(LONG).unwrap();
    bytes / usize::try_from(OUTSTANDING).unwrap()
}

#[test]
fn b8_an_outstanding_reply_is_small() {
    let _alone = ONE.lock();
    // The queue's own share: the same number of messages that nobody answers.
    let event = waiting(
        |bus, number| assert_eq!(bus.trigger_event(TICK, HERE, number).unwrap().delivered, 1),
        drop,
    );
    let request = waiting(
        |bus, number| bus.send_request(ASK, HERE, number).unwrap(),
        |sent| {
            for (number, mut replies) in sent.into_iter().enumerate() {
                let reply = replies.next(LONG).unwrap();
                assert_eq!(reply.result.unwrap(), number as u64 + 1);
            }
        },
    );
    let reply = request - event;
    assert!(
        reply < MOST,
        "{reply} bytes for each reply, besides {event} for the message in the queue"
    );
}

#[test]
fn a32_threads_that_have_ended_leave_nothing() {
    let _one = ONE.lock();
    let bus = MessageBus::new();
    bus.define(HERE, &[TICK.descriptor()]).unwrap();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(TICK, |_, _| Ok(()))
        .register()
        .unwrap();
    let come_and_go = |count: u64| {
        for number in 0..count {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    for _ in 0..3 {
                        bus.trigger_event(TICK, HERE, number).unwrap();
                    }
                });
                // The scope waits for what it does; this waits for its end.
                thread.join().unwrap();
            });
        }
    };
    // What one thread leaves to the next is there, and lists have the size that they need.
    come_and_go(100);
    let (bytes, ()) = kept(|| come_and_go(1000));
    assert!(bytes < 4096, "{bytes} bytes after 1000 threads");
}
