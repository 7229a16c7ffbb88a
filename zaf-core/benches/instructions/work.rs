//! The work whose instructions are counted.
//!
//! Only the functions marked as benchmarks are counted. What they need is made before, by functions named as their setup,
//! and used once, so that nothing is counted that only happens the first time. What they return is dropped after counting.
//! Each repeats its work [`REPETITIONS`] times: then the loop around it and the call of it weigh nothing.

#![expect(unused_qualifications, reason = "what the macros of gungraun write")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use zaf_core::message::{
    Dispatcher, DispatcherKind, EndpointId, Entity, EventId, MessageBus, MessageQueue, RequestId,
};

/// How often a benchmark does its work.
pub(super) const REPETITIONS: u32 = 100;

const HERE: EndpointId = EndpointId::new("here", "Where the benchmark is.");
const TICK: EventId<u64> = EventId::new("TICK", "Carries a number.");
const ASK: RequestId<u64, u64> = RequestId::new("ASK", "Wants a number.");

/// Longest wait for something that must happen; only a broken bus waits that long.
const LONG: Duration = Duration::from_mins(1);

/// What each handler does: next to nothing, but something.
fn add(sum: &AtomicU64, number: u64) {
    sum.store(
        sum.load(Ordering::Relaxed).wrapping_add(number),
        Ordering::Relaxed,
    );
}

fn repeat(mut work: impl FnMut()) {
    for _ in 0..REPETITIONS {
        work();
    }
}

fn defined() -> MessageBus {
    let bus = MessageBus::new();
    bus.define(HERE, &[TICK.descriptor(), ASK.descriptor()])
        .expect("nothing is defined yet");
    bus
}

fn listener(bus: &MessageBus, entity: Option<&Entity>) -> Dispatcher {
    let sum = AtomicU64::new(0);
    bus.dispatcher(DispatcherKind::Callback, "listener")
        .entities(entity.cloned())
        .on(TICK, move |message, _| {
            add(&sum, *message.data());
            Ok(())
        })
        .register()
        .expect("the event is defined")
}

/// A bus with `count` callback dispatchers for the event.
fn callbacks(count: usize) -> MessageBus {
    let bus = defined();
    for _ in 0..count {
        listener(&bus, None);
    }
    trigger(&bus, count);
    bus
}

/// A bus with `count` callback dispatchers for the request.
fn responders(count: usize) -> (MessageBus, usize) {
    let bus = defined();
    for _ in 0..count {
        let sum = AtomicU64::new(0);
        bus.dispatcher(DispatcherKind::Callback, "responder")
            .on(ASK, move |message, _| {
                add(&sum, *message.data());
                Ok(*message.data())
            })
            .register()
            .expect("the request is defined");
    }
    request(&bus, count);
    (bus, count)
}

fn trigger(bus: &MessageBus, receivers: usize) {
    let report = bus.trigger_event(TICK, HERE, black_box(1));
    assert!(report.is_ok_and(|report| report.delivered == receivers));
}

fn request(bus: &MessageBus, receivers: usize) {
    let replies = bus.send_request(ASK, HERE, black_box(1));
    let replies = replies.expect("somebody listens").all(LONG);
    assert!(black_box(replies).len() == receivers);
}

#[library_benchmark]
#[bench::n_1(args = (1), setup = counted_callbacks)]
#[bench::n_10(args = (10), setup = counted_callbacks)]
#[bench::n_100(args = (100), setup = counted_callbacks)]
#[bench::n_1600(args = (1600), setup = counted_callbacks)]
fn event_to_callbacks((bus, count): (MessageBus, usize)) -> MessageBus {
    repeat(|| trigger(&bus, count));
    bus
}

fn counted_callbacks(count: usize) -> (MessageBus, usize) {
    (callbacks(count), count)
}

#[library_benchmark]
#[bench::of_all(args = (0), setup = callbacks)]
fn event_to_nobody(bus: MessageBus) -> MessageBus {
    repeat(|| trigger(&bus, 0));
    bus
}

/// One dispatcher for the entity, one for another, one for all.
fn entities(_: ()) -> (MessageBus, Entity) {
    let bus = defined();
    let (own, other) = (Entity::new("own"), Entity::new("other"));
    for entity in [Some(&own), Some(&other), None] {
        listener(&bus, entity);
    }
    trigger_for(&bus, &own);
    (bus, own)
}

fn trigger_for(bus: &MessageBus, entity: &Entity) {
    let report = bus.trigger_event_for(TICK, HERE, entity, black_box(1));
    assert!(report.is_ok_and(|report| report.delivered == 2));
}

#[library_benchmark]
#[bench::to_2(args = (()), setup = entities)]
fn event_for_entity((bus, entity): (MessageBus, Entity)) -> (MessageBus, Entity) {
    repeat(|| trigger_for(&bus, &entity));
    (bus, entity)
}

/// A sequential dispatcher whose handler is held at the gate until that is dropped: the sender only queues and wakes nobody,
/// so the count does not depend on when a thread gets its turn.
fn sequential(_: ()) -> (MessageBus, Sender<()>) {
    let bus = defined();
    let (gate, closed) = crossbeam_channel::bounded::<()>(0);
    let (began, beginning) = crossbeam_channel::unbounded::<()>();
    bus.dispatcher(DispatcherKind::Sequential, "listener")
        .on(TICK, move |_, _| {
            // Nobody listens after the first one; the gate never says anything but its end.
            let (_unheard, _end) = (began.send(()), closed.recv());
            Ok(())
        })
        .register()
        .expect("the event is defined");
    trigger(&bus, 1);
    beginning.recv().expect("the handler begins");
    trigger(&bus, 1);
    (bus, gate)
}

#[library_benchmark]
#[bench::sender(args = (()), setup = sequential)]
fn event_to_sequential((bus, gate): (MessageBus, Sender<()>)) -> (Sender<()>, MessageBus) {
    repeat(|| trigger(&bus, 1));
    (gate, bus)
}

#[library_benchmark]
#[bench::n_1(args = (1), setup = responders)]
#[bench::n_10(args = (10), setup = responders)]
fn request_to_callbacks((bus, count): (MessageBus, usize)) -> MessageBus {
    repeat(|| request(&bus, count));
    bus
}

#[library_benchmark]
#[bench::among_1(args = (1), setup = changed)]
#[bench::among_100(args = (100), setup = changed)]
fn register_and_destroy(bus: MessageBus) -> MessageBus {
    repeat(|| listener(&bus, None).destroy());
    bus
}

fn changed(count: usize) -> MessageBus {
    let bus = callbacks(count);
    listener(&bus, None).destroy();
    bus
}

/// A bus with `count` messages, one of them defined and one handler registered before the others.
fn messages(count: usize) -> MessageBus {
    let bus = callbacks(1);
    for number in 2..count {
        let name: &'static str = format!("MESSAGE_{number}").leak();
        let event = EventId::<u64>::new(name, "One of many.");
        bus.define(HERE, &[event.descriptor()])
            .expect("its name is new");
    }
    define(&bus);
    bus
}

fn define(bus: &MessageBus) {
    let defined = bus.define(HERE, &[TICK.descriptor()]);
    assert!(defined.is_ok());
}

// To define what is defined changes nothing and publishes all routes again.
#[library_benchmark]
#[bench::of_2(args = (2), setup = messages)]
#[bench::of_100(args = (100), setup = messages)]
fn snapshot(bus: MessageBus) -> MessageBus {
    repeat(|| {
        define(&bus);
        // The first that looks for something has the snapshot made.
        let report = bus.trigger_event(TICK, HERE, black_box(1));
        assert!(report.is_ok());
    });
    bus
}

#[library_benchmark]
#[bench::among_1(args = (1), setup = callbacks)]
#[bench::among_100(args = (100), setup = callbacks)]
fn is_idle(bus: MessageBus) -> MessageBus {
    repeat(|| assert!(black_box(&bus).is_idle()));
    bus
}

fn queue(_: ()) -> (MessageBus, MessageQueue<u64>) {
    let bus = defined();
    let bound = NonZeroUsize::new(16).expect("not zero");
    let queue = bus
        .message_queue_of([TICK])
        .bound(bound)
        .open()
        .expect("the event is defined");
    pass(&bus, &queue);
    (bus, queue)
}

fn pass(bus: &MessageBus, queue: &MessageQueue<u64>) {
    trigger(bus, 1);
    let message = queue.recv_timeout(LONG).expect("it was sent");
    assert!(*black_box(message).data() == 1);
}

#[library_benchmark]
#[bench::there_and_out(args = (()), setup = queue)]
fn message_queue((bus, queue): (MessageBus, MessageQueue<u64>)) -> (MessageBus, MessageQueue<u64>) {
    repeat(|| pass(&bus, &queue));
    (bus, queue)
}

library_benchmark_group!(
    name = bus;
    benchmarks =
        event_to_callbacks,
        event_to_nobody,
        event_for_entity,
        event_to_sequential,
        request_to_callbacks,
        register_and_destroy,
        snapshot,
        is_idle,
        message_queue
);

main!(
    config = LibraryBenchmarkConfig::default()
        // glibc would choose its copying of memory by the processor.
        .env("GLIBC_TUNABLES", PLAIN_COPIES)
        .tool(Callgrind::with_args(["--cache-sim=no"]));
    library_benchmark_groups = bus
);

/// Switches off what glibc has beside its general variants for x86-64.
const PLAIN_COPIES: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,-BMI2,-RTM";

/// What a benchmark of gungraun does with the arguments of the program: starts the runner, or is counted itself.
pub(super) fn run() {
    main();
}
