//! The bus at work.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, RequestId};

pub(crate) const HERE: EndpointId = EndpointId::new("here", "Where the benchmark is.");
pub(crate) const TICK: EventId<u64> = EventId::new("TICK", "Carries a number.");
pub(crate) const ASK: RequestId<u64, u64> = RequestId::new("ASK", "Wants a number.");

/// Longest wait for something that must happen; only a broken bus waits that long.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// What handlers work on.
pub(crate) type Sum = Arc<AtomicU64>;

/// What each handler does: next to nothing, but something. For handlers that run one at a time.
pub(crate) fn add(sum: &AtomicU64, number: u64) {
    sum.store(
        sum.load(Ordering::Relaxed).wrapping_add(number),
        Ordering::Relaxed,
    );
}

/// A bus where the event and the request are defined.
pub(crate) fn empty_bus() -> MessageBus {
    let bus = MessageBus::new();
    bus.define(HERE, &[TICK.descriptor(), ASK.descriptor()])
        .expect("nothing is defined yet");
    bus
}

/// A bus with dispatchers that add what they get to the sum, and answer with it.
pub(crate) fn bus_with(count: usize, kind: DispatcherKind, sum: &Sum) -> MessageBus {
    let bus = empty_bus();
    for number in 0..count {
        let (events, requests) = (Arc::clone(sum), Arc::clone(sum));
        bus.dispatcher(kind, format!("handler {number}"))
            .on(TICK, move |message, _| {
                add(&events, *message.data());
                Ok(())
            })
            .on(ASK, move |message, _| {
                add(&requests, *message.data());
                Ok(*message.data())
            })
            .register()
            .expect("both messages are defined");
    }
    bus
}

/// A bus with callbacks each of which adds to a sum of its own.
///
/// With one sum for all each handler would read what the one before has just written. A processor takes several cycles for that, more than for the
/// call, and the sum is what would be measured, on both sides.
pub(crate) fn bus_of_callbacks(count: usize) -> MessageBus {
    let bus = empty_bus();
    for number in 0..count {
        register(&bus, number, counting());
    }
    bus
}

/// Adds what it gets to a sum of its own.
pub(crate) fn counting() -> impl Fn(u64) + Send + Sync + 'static {
    let sum = Sum::default();
    move |number| add(&sum, number)
}

/// What one of ten handlers of different types does, with a sum of its own.
pub(crate) fn addition<const TYPE: u64>() -> impl Fn(u64) + Send + Sync + 'static {
    let sum = Sum::default();
    // A code of its own, too: equal ones might be merged.
    move |number| add(&sum, number.wrapping_add(TYPE))
}

/// Calls `$each` with each of ten functions that make handlers, of different types.
macro_rules! of_ten_types {
    ($each:ident) => {
        [
            $each(addition::<0>),
            $each(addition::<1>),
            $each(addition::<2>),
            $each(addition::<3>),
            $each(addition::<4>),
            $each(addition::<5>),
            $each(addition::<6>),
            $each(addition::<7>),
            $each(addition::<8>),
            $each(addition::<9>),
        ]
    };
}
pub(crate) use of_ten_types;

/// A bus with callbacks of ten types by turns.
pub(crate) fn bus_of_ten_types(count: usize) -> MessageBus {
    fn registration<H: Fn(u64) + Send + Sync + 'static>(
        make: impl Fn() -> H + 'static,
    ) -> Register {
        Box::new(move |bus, number| register(bus, number, make()))
    }
    let bus = empty_bus();
    let registers = of_ten_types!(registration);
    for (number, register) in (0..count).zip(registers.iter().cycle()) {
        register(&bus, number);
    }
    bus
}

fn register(bus: &MessageBus, number: usize, handle: impl Fn(u64) + Send + Sync + 'static) {
    bus.dispatcher(DispatcherKind::Callback, format!("handler {number}"))
        .on(TICK, move |message, _| {
            handle(*message.data());
            Ok(())
        })
        .register()
        .expect("the event is defined");
}

type Register = Box<dyn Fn(&MessageBus, usize)>;

/// A bus with callbacks that share nothing: for several senders, who would meet at a sum and not at the bus.
pub(crate) fn bus_that_shares_nothing(count: usize) -> MessageBus {
    let bus = empty_bus();
    for number in 0..count {
        bus.dispatcher(DispatcherKind::Callback, format!("handler {number}"))
            .on(TICK, |message, _| {
                black_box(*message.data());
                Ok(())
            })
            .register()
            .expect("the event is defined");
    }
    bus
}

pub(crate) fn trigger(bus: &MessageBus) {
    let report = bus.trigger_event(TICK, HERE, black_box(1));
    assert!(report.is_ok_and(|report| report.delivered > 0));
}

/// Sends a request to the only one who answers.
pub(crate) fn ask_one(bus: &MessageBus) {
    let mut replies = bus
        .send_request(ASK, HERE, black_box(1))
        .expect("somebody answers");
    let reply = replies.next(LONG).expect("one answer is expected");
    assert_eq!(black_box(reply.result.expect("the handler answers")), 1);
}

pub(crate) fn finish(bus: &MessageBus) {
    bus.wait_until_idle(LONG).expect("handlers end");
}
