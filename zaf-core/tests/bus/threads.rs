//! Threads of the bus: what they are called, and how many there are.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zaf_core::Result;
use zaf_core::message::{BusLimits, DispatcherKind, MessageBus};

use super::{Gate, KITCHEN, LONG, Log, PING, PONG, bus};

#[test]
fn threads_of_the_bus_have_names() -> Result<()> {
    let bus = bus();
    let (gate, log) = (Gate::new(), Log::new());
    let (entry, entries) = (gate.clone(), log.clone());
    bus.dispatcher(DispatcherKind::ThreadPool, "two at a time")
        .workers(NonZeroUsize::new(2).unwrap())
        .on(PING, move |_, _| {
            entries.add(std::thread::current().name().map(str::to_owned));
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..2 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    for _ in 0..2 {
        gate.wait_for_arrival();
    }
    gate.let_through(2);
    bus.wait_until_idle(LONG)?;
    let mut names: Vec<_> = log.take().into_iter().flatten().collect();
    names.sort();
    assert_eq!(names, ["bus-worker-1", "bus-worker-2"]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn blocked_concurrent_handlers_do_not_starve_those_with_workers_of_their_own() -> Result<()> {
    let limit = NonZeroUsize::new(3).unwrap();
    let bus = MessageBus::with_limits(BusLimits::default().max_threads(limit));
    bus.define(KITCHEN, &[PING.descriptor(), PONG.descriptor()])?;
    let (stuck, own) = (Gate::new(), Gate::new());
    let entry = stuck.clone();
    bus.dispatcher(DispatcherKind::Concurrent, "stuck")
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let entry = own.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one at a time")
        .on(PONG, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let entry = own.clone();
    bus.dispatcher(DispatcherKind::ThreadPool, "three at a time")
        .workers(NonZeroUsize::new(3).unwrap())
        .on(PONG, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..10 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    for _ in 0..3 {
        stuck.wait_for_arrival();
    }
    for number in 0..3 {
        bus.trigger_event(PONG, KITCHEN, number)?;
    }
    // All of them at once, with those that are stuck before them: seven threads.
    for _ in 0..4 {
        own.wait_for_arrival();
    }
    assert_eq!(bus.state().threads, 7);
    own.let_through(6);
    stuck.let_through(10);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a12_concurrent_dispatchers_share_one_limit() -> Result<()> {
    let limit = NonZeroUsize::new(3).unwrap();
    // More than sixteen are served in teams.
    for (dispatchers, messages) in [(2, 100), (20, 10)] {
        let bus = MessageBus::with_limits(BusLimits::default().max_threads(limit));
        bus.define(KITCHEN, &[PING.descriptor(), PONG.descriptor()])?;
        let gate = Gate::new();
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        for name in 0..dispatchers {
            let (entry, running, most) = (gate.clone(), Arc::clone(&running), Arc::clone(&most));
            bus.dispatcher(DispatcherKind::Concurrent, name.to_string())
                .on(PING, move |_, _| {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    entry.pass();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
                .register()?;
        }
        // Threads that others may need are not theirs.
        bus.dispatcher(DispatcherKind::ThreadPool, "idle")
            .workers(NonZeroUsize::new(8).unwrap())
            .on(PONG, |_, _| Ok(()))
            .register()?;
        for number in 0..messages {
            bus.trigger_event(PING, KITCHEN, number)?;
        }
        for _ in 0..3 {
            gate.wait_for_arrival();
        }
        // Who has served others finds those that wait for one of the three.
        for number in 0..10 {
            bus.trigger_event(PONG, KITCHEN, number)?;
        }
        for _ in 3..dispatchers * messages {
            gate.let_through(1);
            gate.wait_for_arrival();
        }
        gate.let_through(3);
        bus.wait_until_idle(LONG)?;
        assert_eq!(most.load(Ordering::SeqCst), 3, "of {dispatchers}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}
