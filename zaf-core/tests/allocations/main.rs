//! What sending allocates. A binary of its own: the allocator that counts is the process's, and so are its figures.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, RequestId};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HERE: EndpointId = EndpointId::new("here", "Where the test is.");
const TICK: EventId<u64> = EventId::new("TICK", "Carries a number.");
/// Declared portable, and nobody wants it as bytes.
const TOCK: EventId<u64> = EventId::new("TOCK", "Carries a number.").portable();
const ASK: RequestId<u64, u64> = RequestId::new("ASK", "Wants a number.");

/// How often each is sent: more than once, so that an allocation now and then shows too.
const COUNT: u64 = 100;

fn allocations(mut work: impl FnMut(u64)) -> usize {
    // What a thread allocates once, it has after this.
    work(0);
    let region = Region::new(ALLOCATOR);
    for number in 0..COUNT {
        work(number);
    }
    region.change().allocations
}

// One test: a second one at the same time would be counted too.
#[test]
fn neither_callbacks_nor_an_event_to_one_queue_allocate() {
    let bus = MessageBus::new();
    bus.define(
        HERE,
        &[TICK.descriptor(), TOCK.descriptor(), ASK.descriptor()],
    )
    .unwrap();
    for name in ["first", "second", "third"] {
        bus.dispatcher(DispatcherKind::Callback, name)
            .on(TICK, |message, _| {
                black_box(message.data());
                Ok(())
            })
            .on(TOCK, |message, _| {
                black_box(message.data());
                Ok(())
            })
            .register()
            .unwrap();
    }
    bus.dispatcher(DispatcherKind::Callback, "answers")
        .on(ASK, |message, _| Ok(*message.data() + 1))
        .register()
        .unwrap();
    let events = allocations(|number| {
        let report = bus.trigger_event(TICK, HERE, number).unwrap();
        assert_eq!(report.delivered, 3);
    });
    assert_eq!(events, 0);
    let portable_events = allocations(|number| {
        let report = bus.trigger_event(TOCK, HERE, number).unwrap();
        assert_eq!(report.delivered, 3);
    });
    assert_eq!(portable_events, 0);
    let requests = allocations(|number| {
        let mut replies = bus.send_request(ASK, HERE, number).unwrap();
        let reply = replies.next(Duration::ZERO).unwrap();
        assert!(reply.result.is_ok_and(|answer| answer == number + 1));
    });
    assert_eq!(requests, 0);
    let quiet = MessageBus::new();
    quiet.define(HERE, &[TICK.descriptor()]).unwrap();
    quiet
        .dispatcher(DispatcherKind::Sequential, "queued")
        .on(TICK, |message, _| {
            black_box(message.data());
            Ok(())
        })
        .register()
        .unwrap();
    // The least of some rounds: a thread that the pool starts now and then is not the event's.
    let queued = (0..10).map(|_| {
        allocations(|number| {
            let report = quiet.trigger_event(TICK, HERE, number).unwrap();
            assert_eq!(report.delivered, 1);
            quiet.wait_until_idle(Duration::MAX).unwrap();
        })
    });
    assert_eq!(queued.min(), Some(0));
    quiet.shutdown(Duration::from_mins(1)).unwrap();
}
