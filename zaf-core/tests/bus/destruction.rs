//! After `destroy` has returned, no handler of the dispatcher runs or starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;
use parking_lot::Mutex;
use zaf_core::message::{BusError, Dispatcher, DispatcherKind, HANDLER_FAILED, ReplyError};
use zaf_core::{Error, Result};

use super::{ASK, Gate, KINDS, KITCHEN, LONG, Log, PING, PONG, bus};

#[test]
fn a15_f05_nothing_runs_or_starts_after_destroy_while_others_send() -> Result<()> {
    for kind in KINDS {
        let bus = bus();
        for _ in 0..60 {
            let destroyed = Arc::new(AtomicBool::new(false));
            let running = Arc::new(AtomicUsize::new(0));
            let (flag, count) = (Arc::clone(&destroyed), Arc::clone(&running));
            let wrong = Arc::new(AtomicBool::new(false));
            let found = Arc::clone(&wrong);
            let one = bus
                .dispatcher(kind, "one")
                .on(PING, move |_, _| {
                    count.fetch_add(1, Ordering::SeqCst);
                    if flag.load(Ordering::SeqCst) {
                        found.store(true, Ordering::SeqCst);
                    }
                    std::thread::yield_now();
                    count.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
                .register()?;
            let go_on = AtomicBool::new(true);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while go_on.load(Ordering::Relaxed) {
                            bus.trigger_event(PING, KITCHEN, 1).unwrap();
                        }
                    });
                }
                while one.kind() != DispatcherKind::Callback && one.counters().accepted < 5 {
                    std::thread::yield_now();
                }
                one.destroy();
                destroyed.store(true, Ordering::SeqCst);
                assert_eq!(running.load(Ordering::SeqCst), 0, "{kind:?}");
                go_on.store(false, Ordering::Relaxed);
            });
            bus.wait_until_idle(LONG)?;
            assert!(!wrong.load(Ordering::SeqCst), "{kind:?}");
        }
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a15_destroy_waits_for_a_handler_that_runs_on_a_sender() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, move |_, _| {
            entry.pass();
            flag.store(true, Ordering::SeqCst);
            Ok(())
        })
        .register()?;
    std::thread::scope(|scope| {
        scope.spawn(|| bus.trigger_event(PING, KITCHEN, 1).unwrap());
        gate.wait_for_arrival();
        let destroyer = scope.spawn(|| {
            one.destroy();
            assert!(ended.load(Ordering::SeqCst));
        });
        // New messages are not delivered any more, long before the handler has ended.
        while bus.trigger_event(PONG, KITCHEN, 1).unwrap().delivered > 0
            || bus.has_receivers(PING, KITCHEN)
        {
            std::thread::yield_now();
        }
        gate.let_through(1);
        destroyer.join().unwrap();
    });
    Ok(())
}

#[test]
fn a15_destroy_waits_for_the_only_handler_from_the_second_message_on() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let inner = gate.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, move |message, _| {
            if *message.data() == 2 {
                inner.pass();
                flag.store(true, Ordering::SeqCst);
            }
            Ok(())
        })
        .register()?;
    std::thread::scope(|scope| -> Result<()> {
        let sender = scope.spawn(|| -> Result<()> {
            // By the third message the thread has the way to its only receiver at hand.
            for number in 0..3 {
                bus.trigger_event(PING, KITCHEN, number)?;
            }
            Ok(())
        });
        gate.wait_for_arrival();
        // Nobody waits for a handler that is not announced.
        assert_eq!(one.state().active, 1);
        let destroyer = scope.spawn(|| {
            one.destroy();
            assert!(ended.load(Ordering::SeqCst));
        });
        gate.let_through(1);
        sender.join().unwrap()?;
        destroyer.join().unwrap();
        assert_eq!(one.state().active, 0);
        Ok(())
    })?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a15_who_hears_of_the_failure_of_the_only_handler_may_wait_for_its_end() -> Result<()> {
    let bus = bus();
    let bad = bus
        .dispatcher(DispatcherKind::Callback, "bad")
        .on(PING, |message, _| match message.data() {
            2 => Err(Error::msg("no luck")),
            _ => Ok(()),
        })
        .register()?;
    let (begin, told) = unbounded();
    let (done, destroyed) = unbounded();
    bus.dispatcher(DispatcherKind::Callback, "listener")
        .on(HANDLER_FAILED, move |_, _| {
            begin.send(())?;
            // The handler has ended, though the message that it failed with is still on its way.
            Ok(destroyed.recv_timeout(LONG)?)
        })
        .register()?;
    std::thread::scope(|scope| -> Result<()> {
        scope.spawn(|| {
            if told.recv_timeout(LONG).is_ok() {
                bad.destroy();
                done.send(()).unwrap();
            }
        });
        // By the third message the thread has the way to its only receiver at hand.
        for number in 0..3 {
            bus.trigger_event(PING, KITCHEN, number)?;
        }
        Ok(())
    })?;
    let state = bus.state();
    let listener = state
        .dispatchers
        .iter()
        .find(|one| &*one.name == "listener");
    assert_eq!(listener.map(|one| one.counters.failed), Some(0));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_message_in_flight_skips_dispatchers_that_an_earlier_handler_destroyed() -> Result<()> {
    for kind in KINDS {
        let bus = bus();
        let log = Log::new();
        let entries = log.clone();
        let victim = bus
            .dispatcher(kind, "victim")
            .on(PING, move |_, _| {
                entries.add("victim");
                Ok(())
            })
            .register()?;
        let entries = log.clone();
        bus.dispatcher(DispatcherKind::Callback, "hunter")
            .priority(1)
            .on(PING, move |_, _| {
                victim.destroy();
                entries.add("hunter");
                Ok(())
            })
            .register()?;
        assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.delivered, 1);
        bus.wait_until_idle(LONG)?;
        assert_eq!(log.take(), ["hunter"], "{kind:?}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a_dispatcher_registered_by_a_handler_does_not_get_the_message_in_flight() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Callback, "parent")
        .on(PING, move |message, bus| {
            let entries = entries.clone();
            if *message.data() == 0 {
                bus.dispatcher(DispatcherKind::Callback, "child")
                    .on(PING, move |message, _| {
                        entries.add(*message.data());
                        Ok(())
                    })
                    .register()?;
            }
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(log.take(), [1]);
    Ok(())
}

#[test]
fn a_handler_may_destroy_its_own_dispatcher() -> Result<()> {
    for kind in KINDS {
        let bus = bus();
        let log = Log::new();
        let entries = log.clone();
        let own: Arc<Mutex<Option<Dispatcher>>> = Arc::default();
        let handle = Arc::clone(&own);
        let one = bus
            .dispatcher(kind, "one")
            .on(PING, move |message, _| {
                let own = handle.lock().take();
                if let Some(own) = own {
                    own.destroy();
                }
                entries.add(*message.data());
                Ok(())
            })
            .register()?;
        *own.lock() = Some(one.clone());
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        bus.trigger_event(PING, KITCHEN, 2)?;
        bus.wait_until_idle(LONG)?;
        one.destroy();
        assert_eq!(log.take(), [1], "{kind:?}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a16_f13_destroy_cancels_what_is_queued() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let log = Log::new();
    let (entry, entries) = (gate.clone(), log.clone());
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |message, _| {
            entry.pass();
            entries.add(*message.data());
            Ok(())
        })
        .on(ASK, |_, _| Ok(1))
        .register()?;
    for number in 0..4 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    gate.wait_for_arrival();
    let replies = bus.send_request(ASK, KITCHEN, 1)?;
    std::thread::scope(|scope| {
        let destroyer = scope.spawn(|| one.destroy());
        // Settled before the running handler has ended.
        let reply = replies.all(LONG).remove(0);
        assert!(matches!(reply.result, Err(ReplyError::Cancelled { .. })));
        gate.let_through(1);
        destroyer.join().unwrap();
    });
    assert_eq!(log.take(), [0]);
    let counters = one.counters();
    assert_eq!((counters.handled, counters.cancelled), (Some(1), 4));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a16_draining_handles_what_is_queued_first_and_accepts_nothing_new() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let log = Log::new();
    let (entry, entries) = (gate.clone(), log.clone());
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |message, _| {
            entry.pass();
            entries.add(*message.data());
            Ok(())
        })
        .register()?;
    for number in 0..4 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    gate.wait_for_arrival();
    let mut accepted = 4;
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| one.destroy_draining(LONG));
        // The gate is shut: nothing is accepted any more although the dispatcher still has something to do.
        let end = Instant::now() + LONG;
        loop {
            let report = bus.trigger_event(PING, KITCHEN, 9).unwrap();
            if report.delivered == 0 && report.refused().is_empty() {
                break;
            }
            accepted += report.delivered;
            assert!(Instant::now() < end, "{accepted} were accepted");
            std::thread::yield_now();
        }
        gate.let_through(accepted);
        assert!(drained.join().unwrap());
    });
    let handled = log.take();
    assert_eq!(handled[..4], [0, 1, 2, 3]);
    assert_eq!(handled.len(), accepted);
    assert_eq!(one.counters().cancelled, 0);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a16_draining_gives_up_at_its_deadline_and_cancels_the_rest() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..3 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    gate.wait_for_arrival();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| one.destroy_draining(Duration::from_millis(1)));
        while one.counters().cancelled < 2 {
            std::thread::yield_now();
        }
        gate.let_through(1);
        assert!(!drained.join().unwrap());
    });
    assert_eq!(one.counters().cancelled, 2);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn f05_destroyed_dispatchers_answer_all_questions() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    one.destroy();
    one.destroy();
    assert_eq!(one.state().queued, 0);
    assert!(matches!(
        one.also().on(PONG, |_, _| Ok(())).register(),
        Err(BusError::Closed { .. })
    ));
    assert!(one.deregister(&[], &[], &[]).is_err());
    assert!(bus.is_idle());
    assert!(bus.state().dispatchers.is_empty());
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a15_destroy_waits_for_a_thread_that_sent_before_another_one_ended() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let handler_ended = Arc::clone(&ended);
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .endpoints([KITCHEN])
        .on(PING, move |message, _| {
            if *message.data() == 1 {
                entry.pass();
                handler_ended.store(true, Ordering::SeqCst);
            }
            Ok(())
        })
        .register()?;
    let (go_on, wait) = unbounded();
    std::thread::scope(|scope| -> Result<()> {
        let (sent, begun) = unbounded();
        let early = bus.clone();
        scope.spawn(move || {
            early.trigger_event(PING, KITCHEN, 0).unwrap();
            sent.send(()).unwrap();
            let () = wait.recv_timeout(LONG).unwrap();
            early.trigger_event(PING, KITCHEN, 1).unwrap();
        });
        begun.recv_timeout(LONG).unwrap();
        let other = scope.spawn(|| bus.trigger_event(PING, KITCHEN, 0).map(drop));
        other.join().unwrap()?;
        go_on.send(()).unwrap();
        gate.wait_for_arrival();
        let destroyed = scope.spawn(|| {
            one.destroy();
            ended.load(Ordering::SeqCst)
        });
        while bus.trigger_event(PING, KITCHEN, 0)?.delivered > 0 {
            std::thread::yield_now();
        }
        gate.let_through(1);
        assert!(destroyed.join().unwrap(), "it did not wait");
        Ok(())
    })?;
    bus.shutdown(LONG)?;
    Ok(())
}
