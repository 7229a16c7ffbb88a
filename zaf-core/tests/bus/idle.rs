//! Idle means: nothing queued, nothing active, at one and the same moment.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zaf_core::Result;
use zaf_core::message::{BusError, DispatcherKind, MessageBus};

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

#[test]
fn who_is_still_busy_is_named_and_nobody_else() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    for (name, endpoint) in [("idle", KITCHEN), ("busy", CELLAR)] {
        let entry = gate.clone();
        bus.dispatcher(DispatcherKind::Sequential, name)
            .endpoints([endpoint])
            .on(PING, move |_, _| {
                entry.pass();
                Ok(())
            })
            .register()?;
    }
    let who = || match bus.wait_until_idle(Duration::from_millis(1)) {
        Err(BusError::StillBusy { busy, .. }) => busy,
        other => panic!("{other:?}"),
    };
    bus.trigger_event(PING, CELLAR, 1)?;
    gate.wait_for_arrival();
    assert_eq!(who(), [("busy".into(), 0, 1)]);
    bus.trigger_event(PING, CELLAR, 2)?;
    assert_eq!(who(), [("busy".into(), 1, 1)]);
    gate.let_through(2);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

/// A dispatcher that handles messages of both endpoints, each with a gate: the kitchen's and the cellar's.
fn of_both_endpoints(bus: &MessageBus, workers: usize) -> Result<[Gate; 2]> {
    let gates = [Gate::new(), Gate::new()];
    let [kitchen, cellar] = gates.clone();
    bus.dispatcher(DispatcherKind::ThreadPool, "both")
        .workers(NonZeroUsize::new(workers).unwrap())
        .endpoints([KITCHEN])
        .on(PING, move |_, _| {
            kitchen.pass();
            Ok(())
        })
        .register()?
        .also()
        .endpoints([CELLAR])
        .on(PING, move |_, _| {
            cellar.pass();
            Ok(())
        })
        .register()?;
    Ok(gates)
}

#[test]
fn a25_an_endpoint_is_idle_while_its_worker_is_blocked_by_a_message_of_another_one() -> Result<()> {
    let bus = bus();
    let [kitchen, cellar] = of_both_endpoints(&bus, 1)?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    kitchen.wait_for_arrival();
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.trigger_event(PING, CELLAR, 2)?;
    kitchen.let_through(1);
    kitchen.wait_for_arrival();
    assert!(!bus.is_idle_at(KITCHEN)?);
    kitchen.let_through(1);
    cellar.wait_for_arrival();
    bus.wait_until_idle_at(KITCHEN, LONG)?;
    assert!(!bus.is_idle_at(CELLAR)?);
    cellar.let_through(1);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a25_two_workers_of_one_queue_count_at_the_endpoints_of_their_own_messages() -> Result<()> {
    let bus = bus();
    let [kitchen, cellar] = of_both_endpoints(&bus, 2)?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    kitchen.wait_for_arrival();
    bus.trigger_event(PING, CELLAR, 1)?;
    cellar.wait_for_arrival();
    // The worker of the kitchen goes from one message to the next, and has told of none when that of the cellar ends.
    for number in 2..8 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    kitchen.let_through(4);
    for _ in 0..4 {
        kitchen.wait_for_arrival();
    }
    cellar.let_through(1);
    bus.wait_until_idle_at(CELLAR, LONG)?;
    kitchen.wait_for_arrival();
    assert!(!bus.is_idle_at(KITCHEN)?);
    kitchen.let_through(3);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn callbacks_are_called_while_somebody_waits_for_idleness() -> Result<()> {
    const MESSAGES: u32 = 20_000;
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    bus.dispatcher(DispatcherKind::Sequential, "busy")
        .endpoints([KITCHEN])
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PONG, move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    gate.wait_for_arrival();
    std::thread::scope(|scope| -> Result<()> {
        let (said, has_begun) = crossbeam_channel::bounded(0);
        let own = bus.clone();
        let waiter = scope.spawn(move || {
            said.send(()).unwrap();
            own.wait_until_idle(LONG)
        });
        has_begun.recv_timeout(LONG).unwrap();
        // It begins to wait somewhere among these.
        for number in 0..MESSAGES {
            assert_eq!(bus.trigger_event(PONG, KITCHEN, number)?.delivered, 1);
        }
        gate.let_through(1);
        Ok(waiter.join().unwrap()?)
    })?;
    assert_eq!(called.load(Ordering::Relaxed), MESSAGES as usize);
    bus.shutdown(LONG)?;
    Ok(())
}
