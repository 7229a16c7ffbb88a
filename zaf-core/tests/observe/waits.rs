//! Handlers that wait for each other are found and named. Row A21 of the catalogue of faults.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, ReplyError, RequestId};
use zaf_core::{Error, Result};

use crate::bus::{Gate, LONG, Log};

const RING: EndpointId = EndpointId::new("ring", "Where everybody waits for the next one.");
/// To one of them: who is asked by its name.
const ASK: [RequestId<(), String>; 3] = [
    RequestId::new("ASK_0", "Asks the first."),
    RequestId::new("ASK_1", "Asks the second."),
    RequestId::new("ASK_2", "Asks the third."),
];
const BEGIN: EventId<usize> = EventId::new("BEGIN", "Begins.");

/// `count` dispatchers of one worker each, called 0, 1 and so on. Each asks the next one in the ring when it is asked to
/// begin, after all of them have begun, and waits for as long as `waits` says; what it hears goes into the log.
fn ring(kind: DispatcherKind, waits: &[Duration]) -> (MessageBus, Log<(usize, String)>) {
    let bus = MessageBus::new();
    let count = waits.len();
    bus.define(RING, &[BEGIN.descriptor()]).unwrap();
    bus.define(RING, &ASK.map(|ask| ask.descriptor())).unwrap();
    let log = Log::new();
    let gate = Gate::new();
    for (own, &wait) in waits.iter().enumerate() {
        let (log, gate) = (log.clone(), gate.clone());
        let builder = bus.dispatcher(kind, own.to_string());
        let builder = match kind {
            DispatcherKind::Sequential => builder,
            _ => builder.workers(NonZeroUsize::MIN),
        };
        builder
            .on(BEGIN, move |_, bus| {
                gate.pass();
                let answer = bus
                    .send_request(ASK[(own + 1) % count], RING, ())?
                    .values(wait);
                let heard = answer.map_or_else(|error| error.to_string(), |all| all.concat());
                log.add((own, heard));
                Ok(())
            })
            .on(ASK[own], move |_, _| Ok(format!("I am {own}")))
            .register()
            .unwrap();
    }
    bus.trigger_event(BEGIN, RING, 0).unwrap();
    for _ in 0..count {
        gate.wait_for_arrival();
    }
    gate.let_through(count);
    (bus, log)
}

/// What each heard, in the order of their names.
fn heard(bus: &MessageBus, log: &Log<(usize, String)>) -> Result<Vec<String>> {
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    let mut all = log.take();
    all.sort();
    Ok(all.into_iter().map(|(_, heard)| heard).collect())
}

#[test]
fn a21_two_that_wait_for_each_other_are_named_and_the_one_that_would_give_up_first_goes_on()
-> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        // Nobody waits for so long: that the test ends says that the circle was found.
        let (bus, log) = ring(kind, &[LONG, Duration::MAX]);
        assert_eq!(
            heard(&bus, &log)?,
            [
                "waiting for `1` would never end: `0` waits for `1` waits for `0`",
                "I am 0"
            ],
            "{kind:?}"
        );
    }
    Ok(())
}

#[test]
fn a21_it_does_not_matter_who_closes_the_circle() -> Result<()> {
    let (bus, log) = ring(DispatcherKind::Sequential, &[Duration::MAX, LONG]);
    assert_eq!(
        heard(&bus, &log)?,
        [
            "I am 1",
            "waiting for `0` would never end: `1` waits for `0` waits for `1`"
        ]
    );
    // Equal deadlines: one of the two.
    let (bus, log) = ring(DispatcherKind::Sequential, &[Duration::MAX, Duration::MAX]);
    let heard = heard(&bus, &log)?;
    let ended = heard.iter().filter(|text| text.contains("would never end"));
    assert_eq!(ended.count(), 1, "{heard:?}");
    Ok(())
}

#[test]
fn a21_a_circle_of_three_is_named_in_its_order() -> Result<()> {
    let waits = [Duration::MAX, LONG, Duration::MAX];
    let (bus, log) = ring(DispatcherKind::Sequential, &waits);
    assert_eq!(
        heard(&bus, &log)?,
        [
            "I am 1",
            "waiting for `2` would never end: `1` waits for `2` waits for `0` waits for `1`",
            "I am 0"
        ]
    );
    Ok(())
}

#[test]
fn a21_a_circle_that_is_not_seen_ends_with_the_time_out() -> Result<()> {
    // The one worker waits by means of its own, which the bus knows nothing of.
    let (bus, log) = (MessageBus::new(), Log::new());
    bus.define(RING, &[BEGIN.descriptor(), ASK[0].descriptor()])?;
    let gate = Gate::new();
    let (inner, heard) = (gate.clone(), log.clone());
    bus.dispatcher(DispatcherKind::Sequential, "stuck")
        .on(ASK[0], move |_, _| {
            inner.pass();
            Ok(String::new())
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Sequential, "asks")
        .on(BEGIN, move |_, bus| {
            let replies = bus.send_request(ASK[0], RING, ())?;
            let error = replies.values(Duration::from_millis(200)).err();
            heard.add(matches!(error, Some(ReplyError::TimedOut { .. })));
            Ok(())
        })
        .register()?;
    bus.trigger_event(BEGIN, RING, 0)?;
    gate.wait_for_arrival();
    while log.len() == 0 {
        std::thread::yield_now();
    }
    gate.let_through(1);
    assert_eq!(log.take(), [true]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_pool_with_a_free_worker_answers_who_it_waits_for() -> Result<()> {
    let (bus, log) = (MessageBus::new(), Log::new());
    bus.define(RING, &[BEGIN.descriptor()])?;
    bus.define(RING, &[ASK[0].descriptor(), ASK[1].descriptor()])?;
    let heard = log.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(BEGIN, move |_, bus| {
            heard.add(bus.send_request(ASK[0], RING, ())?.values(LONG)?.concat());
            Ok(())
        })
        .register()?;
    bus.dispatcher(DispatcherKind::ThreadPool, "two")
        .workers(NonZeroUsize::MIN.saturating_add(1))
        .on(ASK[0], |_, bus| {
            // Asks its own pool, whose other worker is free.
            Ok(bus.send_request(ASK[1], RING, ())?.values(LONG)?.concat())
        })
        .on(ASK[1], |_, _| Ok("free".to_owned()))
        .register()?;
    bus.trigger_event(BEGIN, RING, 0)?;
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), ["free"]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_pool_all_of_whose_workers_wait_for_it_is_a_circle() -> Result<()> {
    let (bus, log) = (MessageBus::new(), Log::new());
    bus.define(RING, &[BEGIN.descriptor(), ASK[0].descriptor()])?;
    let gate = Gate::new();
    let (inner, heard) = (gate.clone(), log.clone());
    bus.dispatcher(DispatcherKind::ThreadPool, "pool")
        .workers(NonZeroUsize::MIN.saturating_add(1))
        .on(BEGIN, move |_, bus| {
            inner.pass();
            let replies = bus.send_request(ASK[0], RING, ())?;
            let answers: Vec<_> = replies.as_completed(Duration::MAX).collect();
            heard.add(
                answers[0]
                    .result
                    .as_ref()
                    .map_or_else(ToString::to_string, Clone::clone),
            );
            Ok(())
        })
        .on(ASK[0], |_, _| Ok("free".to_owned()))
        .register()?;
    bus.trigger_event(BEGIN, RING, 0)?;
    bus.trigger_event(BEGIN, RING, 0)?;
    gate.wait_for_arrival();
    gate.wait_for_arrival();
    gate.let_through(2);
    bus.wait_until_idle(LONG)?;
    let mut heard = log.take();
    heard.sort();
    assert_eq!(
        heard,
        [
            "free",
            "waiting for `pool` would never end: `pool` waits for `pool`"
        ]
    );
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a21_who_waits_for_the_dispatcher_that_it_was_called_by_goes_on() -> Result<()> {
    // Its own thread is the only worker that could answer: a circle of one.
    let bus = MessageBus::new();
    let log = Log::new();
    bus.define(RING, &[BEGIN.descriptor(), ASK[0].descriptor()])?;
    bus.define(RING, &[ASK[1].descriptor()])?;
    bus.dispatcher(DispatcherKind::Sequential, "outer")
        .on(BEGIN, |_, bus| {
            bus.send_request(ASK[1], RING, ())?.values(LONG)?;
            Ok(())
        })
        .on(ASK[0], |_, _| Ok("I am 0".to_owned()))
        .register()?;
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Callback, "inner")
        .on(ASK[1], move |_, bus| {
            let answer = bus.send_request(ASK[0], RING, ())?.values(Duration::MAX);
            let heard = answer.map_or_else(|error| error.to_string(), |all| all.concat());
            entries.add((0, heard));
            Ok(String::new())
        })
        .register()?;
    bus.trigger_event(BEGIN, RING, 0)?;
    assert_eq!(
        heard(&bus, &log)?,
        ["waiting for `outer` on its own worker would never end"]
    );
    Ok(())
}

#[test]
fn a_wait_that_has_ended_keeps_no_answer() -> Result<()> {
    const TAKE: RequestId<(), Arc<()>> = RequestId::new("TAKE", "Takes one.");
    const DONE: EventId<usize> = EventId::new("DONE", "Has one.");
    let bus = MessageBus::new();
    bus.define(RING, &[BEGIN.descriptor(), DONE.descriptor()])?;
    bus.define(RING, &[TAKE.descriptor()])?;
    let token = Arc::new(());
    let gates = [Gate::new(), Gate::new()];
    for (number, gate) in gates.iter().enumerate() {
        let (gate, token) = (gate.clone(), Arc::clone(&token));
        bus.dispatcher(DispatcherKind::Sequential, number.to_string())
            .on(TAKE, move |_, _| {
                gate.pass();
                Ok(Arc::clone(&token))
            })
            .register()?;
    }
    bus.dispatcher(DispatcherKind::Sequential, "asks")
        .on(BEGIN, |_, bus| {
            let replies = bus.send_request(TAKE, RING, ())?;
            let first = replies.as_completed(LONG).next();
            let first = first.ok_or(Error::msg("no answer"))?;
            bus.trigger_event(DONE, RING, first.result.is_ok().into())?;
            Ok(())
        })
        .register()?;
    let done = bus.message_queue(DONE, RING)?;
    bus.trigger_event(BEGIN, RING, 0)?;
    // It waits for both; the answer that it gets is not the only one that there will be.
    for gate in &gates {
        gate.wait_for_arrival();
    }
    gates[1].let_through(1);
    assert_eq!(*done.recv_timeout(LONG)?.data(), 1);
    gates[0].let_through(1);
    bus.wait_until_idle(LONG)?;
    // Ours, and one in each of the two handlers.
    assert_eq!(Arc::strong_count(&token), 3);
    bus.shutdown(LONG)?;
    Ok(())
}
