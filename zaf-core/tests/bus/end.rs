//! The end of a bus: by `shutdown`, and with its last handle.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use zaf_core::Result;
use zaf_core::message::{BusError, BusLimits, DispatcherKind, MessageBus};

use super::{ASK, Gate, KINDS, KITCHEN, LONG, PING, PONG, bus};

/// A free thread of the bus ends by itself after ten seconds (`KEEP_TIME` of the pool): what is told to end does so before.
const BEFORE_ITS_TIME: Duration = Duration::from_secs(8);

#[test]
fn shutdown_names_who_still_runs_and_can_be_repeated() -> Result<()> {
    for kind in KINDS {
        let bus = bus();
        let gate = Gate::new();
        let entry = gate.clone();
        bus.dispatcher(kind, "stuck")
            .on(PING, move |_, _| {
                entry.pass();
                Ok(())
            })
            .register()?;
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| bus.trigger_event(PING, KITCHEN, 1));
            gate.wait_for_arrival();
            let error = bus.shutdown(Duration::from_millis(1)).unwrap_err();
            assert!(error.to_string().contains("`stuck`"), "{kind:?}: {error}");
            gate.let_through(1);
            sender.join().unwrap()
        })?;
        bus.shutdown(LONG)?;
        assert_eq!(bus.state().threads, 0);
    }
    Ok(())
}

#[test]
fn shutdown_inside_a_handler_is_refused() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(ASK, |_, bus| {
            let refused = bus.shutdown(Duration::MAX);
            Ok(u32::from(matches!(
                refused,
                Err(BusError::WouldDeadlock { .. })
            )))
        })
        .register()?;
    assert_eq!(bus.send_request(ASK, KITCHEN, 1)?.values(LONG)?, [1]);
    assert!(!bus.is_closed());
    Ok(())
}

#[test]
fn a_bus_that_is_dropped_without_shutdown_drops_its_handlers() -> Result<()> {
    let token = Arc::new(());
    let bus = bus();
    for kind in KINDS {
        let held = Arc::clone(&token);
        bus.dispatcher(kind, "one")
            .on(PING, move |_, _| {
                assert!(Arc::strong_count(&held) > 1);
                Ok(())
            })
            .register()?;
    }
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    drop(bus);
    // A worker may hold the bus for the blink of an eye after the last message.
    while Arc::strong_count(&token) > 1 {
        std::thread::yield_now();
    }
    Ok(())
}

/// Says when it is dropped.
struct LastWord(Sender<()>);

impl Drop for LastWord {
    fn drop(&mut self) {
        // Nobody hears it where the test has failed.
        let _heard = self.0.send(());
    }
}

thread_local! {
    static LAST_WORD: RefCell<Option<LastWord>> = const { RefCell::new(None) };
}

/// Has a thread of the bus handle a message, and say on this channel when it ends.
fn with_a_last_word(bus: &MessageBus) -> Result<Receiver<()>> {
    let (ended, ends) = unbounded();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |_, _| {
            LAST_WORD.replace(Some(LastWord(ended.clone())));
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    Ok(ends)
}

#[test]
fn the_threads_of_a_bus_end_with_its_last_handle() -> Result<()> {
    let bus = bus();
    let ends = with_a_last_word(&bus)?;
    bus.wait_until_idle(LONG)?;
    drop(bus);
    ends.recv_timeout(BEFORE_ITS_TIME).unwrap();
    Ok(())
}

#[test]
fn a_thread_that_is_free_for_long_ends() -> Result<()> {
    let bus = bus();
    let ends = with_a_last_word(&bus)?;
    // Ten seconds are as long as a thread stays for more.
    ends.recv_timeout(3 * LONG).unwrap();
    assert_eq!(bus.state().threads, 0);
    // And another one begins.
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn handlers_that_send_to_each_other_do_not_keep_the_bus() -> Result<()> {
    let events = [PING, PONG];
    // A thread that is alone goes from one to the other and always finds something to do.
    for (kind, count) in [
        (DispatcherKind::Sequential, 1),
        (DispatcherKind::Sequential, 2),
        (DispatcherKind::Concurrent, 1),
        (DispatcherKind::Concurrent, 2),
    ] {
        let token = Arc::new(());
        let (said, has_begun) = bounded(1);
        let bus = MessageBus::with_limits(BusLimits::default().max_threads(NonZeroUsize::MIN));
        bus.define(KITCHEN, &events.map(|event| event.descriptor()))?;
        for (number, &event) in events[..count].iter().enumerate() {
            let (held, said) = (Arc::clone(&token), said.clone());
            let next = events[(number + 1) % count];
            bus.dispatcher(kind, event.name())
                .on(event, move |_, bus| {
                    assert!(Arc::strong_count(&held) > 1);
                    bus.trigger_event(next, KITCHEN, 1)?;
                    // The first of them says so.
                    let _heard = said.try_send(());
                    Ok(())
                })
                .register()?;
        }
        bus.trigger_event(PING, KITCHEN, 1)?;
        has_begun.recv_timeout(LONG).unwrap();
        drop(bus);
        let dropped = Instant::now();
        while Arc::strong_count(&token) > 1 {
            assert!(dropped.elapsed() < LONG, "{kind:?}: {count} go on");
            std::thread::yield_now();
        }
    }
    Ok(())
}

#[test]
fn what_other_threads_know_of_a_bus_ends_with_its_last_handle() -> Result<()> {
    let token = Arc::new(());
    let bus = bus();
    let held = Arc::clone(&token);
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, move |_, _| {
            assert!(Arc::strong_count(&held) > 1);
            Ok(())
        })
        .register()?;
    let (go_on, wait) = unbounded::<()>();
    std::thread::scope(|scope| -> Result<()> {
        let (sent, all_sent) = unbounded();
        let own = bus.clone();
        scope.spawn(move || {
            for number in 0..100 {
                own.trigger_event(PING, KITCHEN, number).unwrap();
            }
            drop(own);
            sent.send(()).unwrap();
            // It has nothing more to send, and lives on.
            let _end = wait.recv();
        });
        all_sent.recv_timeout(LONG).unwrap();
        drop(bus);
        assert_eq!(Arc::strong_count(&token), 1);
        drop(go_on);
        Ok(())
    })
}
