//! Idle means: nothing queued, nothing active, at one and the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zaf_core::Result;
use zaf_core::message::{BusError, DispatcherKind};

use super::{CELLAR, Gate, KITCHEN, LONG, PING, PONG, bus};

#[test]
fn an_idle_bus_is_idle_without_waiting() -> Result<()> {
    let bus = bus();
    assert!(bus.is_idle());
    bus.wait_until_idle(Duration::ZERO)?;
    bus.wait_until_idle_at(KITCHEN, Duration::ZERO)?;
    Ok(())
}

#[test]
fn a25_f55_the_bus_is_never_idle_between_acceptance_and_the_end_of_the_handler() -> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let handled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&handled);
        bus.dispatcher(kind, "first")
            .endpoints([KITCHEN])
            .on(PING, |message, bus| {
                bus.trigger_event(PONG, KITCHEN, *message.data())?;
                Ok(())
            })
            .register()?;
        bus.dispatcher(kind, "second")
            .on(PONG, move |_, _| {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .register()?;
        for round in 1..=2000 {
            bus.trigger_event(PING, KITCHEN, 1)?;
            bus.wait_until_idle(LONG)?;
            assert_eq!(handled.load(Ordering::SeqCst), round, "{kind:?}");
        }
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a26_waiting_for_idleness_inside_a_handler_is_refused() -> Result<()> {
    for kind in [DispatcherKind::Callback, DispatcherKind::Sequential] {
        let bus = bus();
        let one = bus
            .dispatcher(kind, "one")
            .on(PING, |_, bus| {
                assert!(!bus.is_idle());
                assert!(matches!(
                    bus.wait_until_idle(Duration::MAX),
                    Err(BusError::WouldDeadlock { .. })
                ));
                Ok(())
            })
            .register()?;
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        assert_eq!(one.counters().failed, 0);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn f10_a_waiter_is_woken_when_the_last_handler_ends() -> Result<()> {
    for kind in [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let gate = Gate::new();
        let entry = gate.clone();
        bus.dispatcher(kind, "one")
            .on(PING, move |_, _| {
                entry.pass();
                Ok(())
            })
            .register()?;
        for _ in 0..50 {
            std::thread::scope(|scope| {
                scope.spawn(|| bus.trigger_event(PING, KITCHEN, 1).unwrap());
                gate.wait_for_arrival();
                assert!(!bus.is_idle());
                // Without a limit: if the wake-up is lost, the test hangs.
                let waiter = scope.spawn(|| bus.wait_until_idle(Duration::MAX));
                gate.let_through(1);
                waiter.join().unwrap().unwrap();
            });
        }
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn endpoints_and_buses_are_idle_for_themselves() -> Result<()> {
    let other = bus();
    let outer = bus();
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, CELLAR, 1)?;
    gate.wait_for_arrival();
    assert!(!bus.is_idle());
    assert!(!bus.is_idle_at(CELLAR)?);
    assert!(bus.is_idle_at(KITCHEN)?);
    assert!(other.is_idle());
    bus.wait_until_idle_at(KITCHEN, LONG)?;
    let busy = bus.wait_until_idle_at(CELLAR, Duration::from_millis(1));
    assert!(matches!(busy, Err(BusError::StillBusy { .. })));
    // A handler of one bus may wait for another.
    let inner = other.clone();
    outer
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, move |_, _| Ok(inner.wait_until_idle(LONG)?))
        .register()?;
    assert!(outer.trigger_event(PING, KITCHEN, 1)?.failed().is_empty());
    gate.let_through(1);
    bus.wait_until_idle_at(CELLAR, LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}
