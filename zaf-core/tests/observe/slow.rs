//! Handlers that take too long are named. Rows A9 and A29 of the catalogue of faults.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::unbounded;
use parking_lot::Mutex;
use zaf_core::message::{
    APPLICATION_ENDPOINT, BusError, DispatcherKind, Entity, MessageBus, MessageQueue, SLOW_HANDLER,
    SlowHandler,
};
use zaf_core::{Error, Result};

use super::observe;
use crate::bus::{ASK, CELLAR, Gate, KITCHEN, LONG, PING, PONG, bus};

/// Short: handlers that are slow on purpose stand at a gate for as long as it takes to be named.
const LIMIT: Duration = Duration::from_millis(20);

fn slow(bus: &MessageBus) -> MessageQueue<SlowHandler> {
    bus.name_slow_handlers(LIMIT).unwrap();
    bus.message_queue(SLOW_HANDLER, APPLICATION_ENDPOINT)
        .unwrap()
}

/// Numbers of the threads that look.
fn watch_threads() -> Vec<std::ffi::OsString> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let looks = |path: &std::path::Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("bus-watch"))
    };
    tasks
        .filter_map(|task| Some(task.ok()?).filter(|task| looks(&task.path())))
        .map(|task| task.file_name())
        .collect()
}

/// A dispatcher whose handlers of `PING` stop at the gate.
fn blocking(bus: &MessageBus, kind: DispatcherKind, gate: &Gate) -> Result<()> {
    let gate = gate.clone();
    bus.dispatcher(kind, "blocked")
        .on(PING, move |_, _| {
            gate.pass();
            Ok(())
        })
        .register()?;
    Ok(())
}

#[test]
fn a9_a_callback_that_blocks_is_named_with_message_and_sender() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    let gate = Gate::new();
    blocking(&bus, DispatcherKind::Callback, &gate)?;
    bus.dispatcher(DispatcherKind::Sequential, "sender")
        .on(PONG, |_, bus| {
            bus.trigger_event(PING, CELLAR, 1)?;
            Ok(())
        })
        .register()?;
    bus.trigger_event(PONG, KITCHEN, 1)?;
    let report = slow.recv_timeout(LONG)?;
    let report = report.data();
    assert_eq!(&*report.handler, "blocked");
    assert_eq!((report.message, report.endpoint), ("PING", Some(CELLAR)));
    assert_eq!(report.sender.as_deref(), Some("sender"));
    assert!(report.thread.starts_with("bus-worker"), "{}", report.thread);
    assert!(report.running_for >= LIMIT && report.limit == LIMIT);
    // The sender blocks as long as the handler does, and only because of it.
    assert!(!bus.is_idle());
    assert!(slow.is_empty());
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a9_a_handler_of_a_queued_message_is_named_with_entity_and_sender() -> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let slow = slow(&bus);
        let gate = Gate::new();
        let entity = Entity::from("X");
        blocking(&bus, kind, &gate)?;
        // Long running: a machine under load may hold it up for longer than the limit.
        bus.dispatcher(DispatcherKind::Callback, "sender")
            .long_running()
            .on(PONG, |message, bus| {
                match (*message.data(), message.entity()) {
                    (1, Some(entity)) => drop(bus.trigger_event_for(PING, CELLAR, entity, 1)?),
                    _ => drop(bus.trigger_event(PING, CELLAR, 1)?),
                }
                Ok(())
            })
            .register()?;
        let about = || Some(entity.clone());
        // The thread is the same each time: nothing of the message before may be left.
        for (number, expected) in [
            (1, ("PING", about(), Some("sender"))),
            (3, ("PING", None, Some("sender"))),
        ] {
            bus.trigger_event_for(PONG, KITCHEN, &entity, number)?;
            let report = slow.recv_timeout(LONG)?;
            let report = report.data();
            let found = (
                report.message,
                report.entity.clone(),
                report.sender.as_deref(),
            );
            assert_eq!(found, expected, "{kind:?}");
            gate.let_through(1);
            bus.wait_until_idle(LONG)?;
        }
        bus.trigger_event_for(PING, CELLAR, &Entity::from("Y"), 1)?;
        let report = slow.recv_timeout(LONG)?;
        let text = report.data().to_string();
        assert!(text.contains(" of PING at `cellar` for `Y` has"), "{text}");
        assert_eq!(report.data().sender, None, "{kind:?}");
        gate.let_through(1);
        // The next one could go through the gate in its place.
        bus.wait_until_idle(LONG)?;
        bus.trigger_event(PING, CELLAR, 1)?;
        let report = slow.recv_timeout(LONG)?;
        let report = report.data();
        assert_eq!((report.entity.clone(), report.sender.clone()), (None, None));
        gate.let_through(1);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a9_the_text_names_everything_that_is_known() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    let gate = Gate::new();
    blocking(&bus, DispatcherKind::ThreadPool, &gate)?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    let report = slow.recv_timeout(LONG)?;
    let text = report.data().to_string();
    let begin = "handler `blocked` of PING at `kitchen` has been running for ";
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains(" s on thread `bus-worker-"), "{text}");
    gate.let_through(1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn all_kinds_of_dispatcher_are_watched_and_each_handling_is_named_once() -> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let slow = slow(&bus);
        let gate = Gate::new();
        blocking(&bus, kind, &gate)?;
        for _ in 0..2 {
            bus.trigger_event(PING, KITCHEN, 1)?;
            assert_eq!(&*slow.recv_timeout(LONG)?.data().handler, "blocked");
            // A look later it is still there, and was named already: what comes next is about the next message.
            gate.let_through(1);
            bus.wait_until_idle(LONG)?;
            assert!(slow.is_empty(), "{kind:?}");
        }
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a_request_is_watched_too() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    let gate = Gate::new();
    let inner = gate.clone();
    bus.dispatcher(DispatcherKind::Callback, "answers")
        .on(ASK, move |_, _| {
            inner.pass();
            Ok(0)
        })
        .register()?;
    std::thread::scope(|scope| -> Result<()> {
        let asking = scope.spawn(|| bus.send_request(ASK, KITCHEN, 1).map(|_| ()));
        let report = slow.recv_timeout(LONG)?;
        let report = report.data();
        assert_eq!((&*report.handler, report.message), ("answers", "ASK"));
        assert_eq!(report.sender, None);
        gate.let_through(1);
        asking.join().unwrap()?;
        Ok(())
    })?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a9_a_handler_of_a_queued_request_is_named_with_entity_and_sender() -> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let slow = slow(&bus);
        let gate = Gate::new();
        let inner = gate.clone();
        let entity = Entity::from("X");
        bus.dispatcher(kind, "answers")
            .any_entity()
            .on(ASK, move |message, _| {
                inner.pass();
                Ok(message.data() * 2)
            })
            .register()?;
        // Waits for the answer as long as the other one takes: it is as slow, and to be named it must not be.
        let (answered, answers) = unbounded();
        bus.dispatcher(DispatcherKind::Sequential, "sender")
            .long_running()
            .on(PONG, move |message, bus| {
                let number = *message.data();
                let replies = bus.send_request_optional(ASK, CELLAR, message.entity(), number)?;
                answered.send(replies.values(LONG)?)?;
                Ok(())
            })
            .register()?;
        // The thread is the same each time: nothing of the request before may be left.
        for (number, about) in [(1, Some(&entity)), (2, None)] {
            match about {
                Some(entity) => bus.trigger_event_for(PONG, KITCHEN, entity, number)?,
                None => bus.trigger_event(PONG, KITCHEN, number)?,
            };
            let report = slow.recv_timeout(LONG)?;
            let report = report.data();
            let found = (&*report.handler, report.message, report.endpoint);
            assert_eq!(found, ("answers", "ASK", Some(CELLAR)), "{kind:?}");
            let found = (report.entity.as_ref(), report.sender.as_deref());
            assert_eq!(found, (about, Some("sender")), "{kind:?}");
            assert!(report.thread.starts_with("bus-worker"), "{}", report.thread);
            gate.let_through(1);
            assert_eq!(answers.recv_timeout(LONG), Ok(vec![number * 2]));
            bus.wait_until_idle(LONG)?;
            assert!(slow.is_empty(), "{kind:?}");
        }
        // Nobody's handler sends this one.
        let replies = bus.send_request_for(ASK, KITCHEN, &Entity::from("Y"), 4)?;
        let report = slow.recv_timeout(LONG)?;
        let text = report.data().to_string();
        assert!(text.contains(" of ASK at `kitchen` for `Y` has"), "{text}");
        assert_eq!(report.data().sender, None, "{kind:?}");
        gate.let_through(1);
        assert_eq!(replies.values(LONG)?, [8]);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a9_each_handler_of_a_message_to_several_queues_is_named_with_entity_whether_observed_or_not()
-> Result<()> {
    // Twenty queues are served in teams.
    for (count, is_observed) in [(1, true), (2, false), (2, true), (20, false), (20, true)] {
        let names: Vec<String> = (0..count).map(|number| format!("{number:02}")).collect();
        let bus = bus();
        let _observation = is_observed.then(|| observe(&bus));
        let slow = slow(&bus);
        let gate = Gate::new();
        let entity = Entity::from("X");
        for name in &names {
            let (event, request) = (gate.clone(), gate.clone());
            bus.dispatcher(DispatcherKind::Sequential, name.as_str())
                .any_entity()
                .on(PING, move |_, _| {
                    event.pass();
                    Ok(())
                })
                .on(ASK, move |message, _| {
                    request.pass();
                    Ok(*message.data())
                })
                .register()?;
        }
        let all_are_named = |message: &str| -> Result<()> {
            let mut handlers = Vec::new();
            for _ in &names {
                let report = slow.recv_timeout(LONG)?;
                let report = report.data();
                let found = (report.message, report.entity.as_ref());
                assert_eq!(found, (message, Some(&entity)), "observed: {is_observed}");
                handlers.push(report.handler.to_string());
            }
            handlers.sort();
            assert_eq!(handlers, names);
            gate.let_through(names.len());
            Ok(bus.wait_until_idle(LONG)?)
        };
        bus.trigger_event_for(PING, CELLAR, &entity, 1)?;
        all_are_named("PING")?;
        let replies = bus.send_request_for(ASK, CELLAR, &entity, 1)?;
        all_are_named("ASK")?;
        assert_eq!(replies.values(LONG)?, vec![1; names.len()]);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a_handler_that_goes_on_sending_is_named_all_the_same() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    bus.dispatcher(DispatcherKind::Callback, "quick")
        .on(PONG, |_, _| Ok(()))
        .register()?;
    let named = Arc::new(Mutex::new(false));
    let inner = Arc::clone(&named);
    bus.dispatcher(DispatcherKind::Sequential, "busy")
        .on(PING, move |_, bus| {
            while !*inner.lock() {
                bus.trigger_event(PONG, KITCHEN, 1)?;
            }
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    // A machine under load may hold a quick one up for so long.
    while &*slow.recv_timeout(LONG)?.data().handler != "busy" {}
    *named.lock() = true;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_long_running_handler_is_not_named_but_what_it_calls_is() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    let gate = Gate::new();
    let inner = gate.clone();
    blocking(&bus, DispatcherKind::Callback, &gate)?;
    bus.dispatcher(DispatcherKind::Sequential, "patient")
        .long_running()
        .on(PONG, move |_, bus| {
            bus.trigger_event(PING, KITCHEN, 1)?;
            inner.pass();
            bus.trigger_event(PING, KITCHEN, 2)?;
            Ok(())
        })
        .register()?;
    bus.trigger_event(PONG, KITCHEN, 1)?;
    // The first callee blocks until it is named, then the patient one itself for as long as it takes to see that it is not.
    assert_eq!(&*slow.recv_timeout(LONG)?.data().handler, "blocked");
    gate.wait_for_arrival();
    gate.let_through(1);
    gate.wait_for_arrival();
    assert!(matches!(
        slow.recv_timeout(LIMIT * 5),
        Err(BusError::Empty { .. })
    ));
    gate.let_through(1);
    assert_eq!(&*slow.recv_timeout(LONG)?.data().handler, "blocked");
    gate.let_through(1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a29_a_lock_of_the_users_own_that_two_handlers_want_is_named() -> Result<()> {
    let bus = bus();
    let slow = slow(&bus);
    let lock = Arc::new(Mutex::new(()));
    let inner = Arc::clone(&lock);
    bus.dispatcher(DispatcherKind::Sequential, "wants the lock")
        .on(PING, move |_, _| {
            drop(inner.lock());
            Ok(())
        })
        .register()?;
    let held = lock.lock();
    bus.trigger_event(PING, KITCHEN, 1)?;
    let report = slow.recv_timeout(LONG)?;
    assert_eq!(&*report.data().handler, "wants the lock");
    // No lock of the bus is involved: it goes on while the handler waits.
    assert!(!bus.is_idle());
    let state = bus.state();
    let waiting = state
        .dispatchers
        .iter()
        .find(|one| &*one.name == "wants the lock");
    assert_eq!(waiting.map(|one| (one.queued, one.active)), Some((0, 1)));
    drop(held);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

/// Waits until the threads that look are as wanted. A thread has its name a moment after it began.
fn wait_for_watch_threads(is_wanted: impl Fn(&[std::ffi::OsString]) -> bool) {
    let begin = std::time::Instant::now();
    while !is_wanted(&watch_threads()) {
        assert!(begin.elapsed() < LONG, "{:?}", watch_threads());
        std::thread::yield_now();
    }
}

#[test]
fn no_thread_is_left_and_none_is_there_before_it_is_asked_for() -> Result<()> {
    let bus = bus();
    assert!(watch_threads().is_empty());
    bus.name_slow_handlers(Duration::from_secs(5))?;
    wait_for_watch_threads(|threads| threads.len() == 1);
    let first = watch_threads();
    bus.name_slow_handlers(Duration::from_secs(3))?;
    // The first one was told to end and has nothing to wait for.
    wait_for_watch_threads(|threads| threads.len() == 1 && threads != first);
    bus.shutdown(LONG)?;
    wait_for_watch_threads(<[_]>::is_empty);
    assert!(matches!(
        bus.name_slow_handlers(LIMIT),
        Err(BusError::Closed { .. })
    ));
    Ok(())
}

#[test]
fn the_thread_ends_with_the_last_handle_of_the_bus() -> Result<()> {
    let bus = bus();
    bus.name_slow_handlers(Duration::from_hours(1))?;
    wait_for_watch_threads(|threads| threads.len() == 1);
    drop(bus);
    wait_for_watch_threads(<[_]>::is_empty);
    Ok(())
}

#[test]
fn a_handler_of_the_report_that_is_slow_itself_is_not_reported_without_end() -> Result<()> {
    let bus = bus();
    bus.name_slow_handlers(LIMIT)?;
    let gate = Gate::new();
    let inner = gate.clone();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    bus.dispatcher(DispatcherKind::Sequential, "slow listener")
        .on(SLOW_HANDLER, move |_, _| {
            *counted.lock() += 1;
            inner.pass();
            Ok(())
        })
        .register()?;
    let blocked = Gate::new();
    blocking(&bus, DispatcherKind::Sequential, &blocked)?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    gate.wait_for_arrival();
    blocked.let_through(1);
    // Another one, so that a look has passed in which the listener was slow.
    bus.trigger_event(PING, KITCHEN, 2)?;
    blocked.wait_for_arrival();
    blocked.wait_for_arrival();
    gate.let_through(2);
    gate.wait_for_arrival();
    blocked.let_through(1);
    bus.wait_until_idle(LONG)?;
    if *count.lock() != 2 {
        return Err(Error::msg(format_args!("{} reports", count.lock())));
    }
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_handler_of_another_bus_is_not_named() -> Result<()> {
    let (other, bus) = (bus(), bus());
    let (elsewhere, gate) = (Gate::new(), Gate::new());
    blocking(&other, DispatcherKind::Sequential, &elsewhere)?;
    blocking(&bus, DispatcherKind::Sequential, &gate)?;
    let slow = slow(&bus);
    other.trigger_event(PING, CELLAR, 1)?;
    elsewhere.wait_for_arrival();
    // It has been running for longer than each of these.
    for _ in 0..2 {
        bus.trigger_event(PING, KITCHEN, 1)?;
        let report = slow.recv_timeout(LONG)?;
        let named = (&*report.data().handler, report.data().endpoint);
        assert_eq!(named, ("blocked", Some(KITCHEN)));
        gate.let_through(1);
        bus.wait_until_idle(LONG)?;
    }
    assert!(slow.is_empty());
    elsewhere.let_through(1);
    other.shutdown(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}
