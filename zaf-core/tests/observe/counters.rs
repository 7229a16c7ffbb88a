//! What is counted, and what only while somebody measures.

use std::time::Duration;

use zaf_core::Result;
use zaf_core::message::DispatcherKind;

use super::observe;
use crate::bus::{Gate, KITCHEN, LONG, PING, bus};

#[test]
fn a_callback_counts_only_while_somebody_measures() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    let before = one.counters();
    assert_eq!((before.handled, before.longest), (None, None));

    let measurement = bus.measure()?;
    bus.trigger_event(PING, KITCHEN, 2)?;
    bus.trigger_event(PING, KITCHEN, 3)?;
    drop(measurement);
    bus.trigger_event(PING, KITCHEN, 4)?;

    let after = one.counters();
    assert_eq!((after.accepted, after.handled), (0, Some(2)));
    assert!(after.longest.is_some_and(|time| time > Duration::ZERO));
    Ok(())
}

#[test]
fn a_queue_counts_always_and_measures_only_when_asked_to() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    let before = one.counters();
    assert_eq!(
        (before.accepted, before.handled, before.longest),
        (1, Some(1), None)
    );

    let measurement = bus.measure()?;
    bus.trigger_event(PING, KITCHEN, 2)?;
    bus.wait_until_idle(LONG)?;
    drop(measurement);
    let after = one.counters();
    assert_eq!((after.accepted, after.handled), (2, Some(2)));
    assert!(after.longest.is_some());
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn the_longest_handling_is_at_least_as_long_as_its_handler() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let inner = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::ThreadPool, "one")
        .on(PING, move |_, _| {
            inner.pass();
            Ok(())
        })
        .register()?;
    let measurement = bus.measure()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    gate.wait_for_arrival();
    let arrived = std::time::Instant::now();
    while arrived.elapsed() < Duration::from_millis(2) {
        std::thread::yield_now();
    }
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    drop(measurement);
    assert!(one.counters().longest >= Some(Duration::from_millis(2)));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn one_observation_ends_and_the_other_goes_on() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    let (first, second) = (observe(&bus), observe(&bus));
    bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!((first.take().len(), second.take().len()), (2, 2));
    drop(first);
    bus.trigger_event(PING, KITCHEN, 2)?;
    assert_eq!(second.take().len(), 2);
    Ok(())
}
