//! Handlers that fail, panic, block and call the bus again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zaf_core::message::{
    APPLICATION_ENDPOINT, BusError, BusLimits, DispatcherKind, HANDLER_FAILED, HandlerPanicked,
    MessageBus, ReplyError,
};
use zaf_core::{Error, Result};

use super::{ASK, CELLAR, Gate, KITCHEN, LONG, Log, PING, PONG, bus, bus_threads};

#[test]
fn a1_f07_a_panic_on_an_event_hides_nothing_from_the_others_or_the_sender() -> Result<()> {
    let bus = bus();
    let failures = bus.message_queue(HANDLER_FAILED, APPLICATION_ENDPOINT)?;
    let log = Log::new();
    for (name, priority) in [("first", 1), ("last", -1)] {
        let log = log.clone();
        bus.dispatcher(DispatcherKind::Callback, name)
            .priority(priority)
            .on(PING, move |_, _| {
                log.add(name);
                Ok(())
            })
            .register()?;
    }
    let middle = bus
        .dispatcher(DispatcherKind::Callback, "middle")
        .on(PING, |message, _| panic!("no {}", message.data()))
        .register()?;
    let report = bus.trigger_event_for(PING, KITCHEN, &"X".into(), 7)?;
    assert_eq!(log.take(), ["first", "last"]);
    assert_eq!(report.delivered, 2);
    assert_eq!(&*report.failed()[0].handler, "middle");
    let panicked = report.failed()[0].error.downcast_ref::<HandlerPanicked>();
    assert_eq!(panicked.unwrap().message, "no 7");
    let failure = failures.recv_timeout(LONG)?;
    let failure = failure.data();
    assert_eq!((&*failure.handler, failure.message), ("middle", "PING"));
    assert_eq!(failure.endpoint, Some(KITCHEN));
    assert_eq!(failure.entity, Some("X".into()));
    assert_eq!((&*failure.error, failure.panicked), ("no 7", true));
    assert_eq!(middle.counters().failed, 1);
    assert!(bus.is_idle());
    Ok(())
}

#[test]
fn an_event_may_report_its_first_failure_to_its_sender() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Err(Error::msg("the oven is cold")))
        .register()?;
    let error = bus
        .trigger_event(PING, KITCHEN, 1)?
        .into_result()
        .unwrap_err();
    assert_eq!(error.to_string(), "the oven is cold");
    Ok(())
}

#[test]
fn a_failing_handler_of_handler_failed_triggers_nothing_more() -> Result<()> {
    let bus = bus();
    let watcher = bus
        .dispatcher(DispatcherKind::Callback, "watcher")
        .on(HANDLER_FAILED, |_, _| panic!("me too"))
        .register()?;
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, |_, _| Err(Error::msg("no")))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    assert_eq!(watcher.counters().failed, 1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a2_a_panic_on_a_request_is_its_reply_and_nobody_elses() -> Result<()> {
    let bus = bus();
    for kind in [DispatcherKind::Callback, DispatcherKind::Sequential] {
        bus.dispatcher(kind, "bad")
            .on(ASK, |_, _| panic!("no idea"))
            .register()?;
        bus.dispatcher(kind, "angry")
            .on(ASK, |_, _| Err(Error::msg("no").hint("ask again")))
            .register()?;
        bus.dispatcher(kind, "good")
            .on(ASK, |_, _| Ok(2))
            .register()?;
    }
    let replies = bus.send_request(ASK, KITCHEN, 1)?.all(LONG);
    for half in replies.chunks(3) {
        assert!(
            matches!(&half[0].result, Err(ReplyError::Panicked { message, .. }) if message == "no idea")
        );
        assert!(
            matches!(&half[1].result, Err(ReplyError::Failed { hints, .. }) if hints == &["ask again"])
        );
        assert!(matches!(half[2].result, Ok(2)));
    }
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a3_a_sequential_worker_survives_panics_and_keeps_the_order() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |message, _| {
            assert!(message.data() % 7 != 0, "every seventh");
            entries.add(*message.data());
            Ok(())
        })
        .register()?;
    for number in 0..1000 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    bus.wait_until_idle(LONG)?;
    let expected: Vec<u32> = (0..1000).filter(|number| number % 7 != 0).collect();
    assert_eq!(log.take(), expected);
    let counters = one.counters();
    assert_eq!((counters.accepted, counters.handled), (1000, Some(1000)));
    assert_eq!(counters.failed, 143);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a4_a_thread_pool_keeps_its_workers_through_panics() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let pool = bus
        .dispatcher(DispatcherKind::ThreadPool, "pool")
        .workers(NonZeroUsize::new(4).unwrap())
        .on(PING, |_, _| panic!("always"))
        .on(PONG, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..1000 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    bus.wait_until_idle(LONG)?;
    assert_eq!(pool.counters().failed, 1000);
    assert!(bus.state().threads <= 4);
    // All four still work at once.
    for number in 0..4 {
        bus.trigger_event(PONG, KITCHEN, number)?;
    }
    for _ in 0..4 {
        gate.wait_for_arrival();
    }
    assert_eq!(pool.state().active, 4);
    gate.let_through(4);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a5_concurrent_handlers_that_panic_are_counted_and_leave_no_thread() -> Result<()> {
    let before = bus_threads();
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Concurrent, "one")
        .on(PING, |_, _| panic!("always"))
        .register()?;
    for number in 0..500 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    bus.wait_until_idle(LONG)?;
    assert_eq!(one.counters().failed, 500);
    bus.shutdown(LONG)?;
    assert_eq!(bus.state().threads, 0);
    // Another test of this process may have threads of its own.
    if before == 0 && std::env::args().any(|argument| argument == "--exact") {
        assert_eq!(bus_threads(), 0);
    }
    Ok(())
}

#[test]
fn a8_a_lock_that_a_handler_held_when_it_panicked_is_not_poisoned() -> Result<()> {
    let bus = bus();
    let queue = bus
        .message_queue_of([PING])
        .filter(|message| {
            assert!(*message.data() != 1, "the filter panics");
            true
        })
        .open()?;
    assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.failed().len(), 1);
    assert_eq!(bus.trigger_event(PING, KITCHEN, 2)?.failed().len(), 0);
    assert_eq!(*queue.recv_timeout(LONG)?.data(), 2);
    Ok(())
}

#[test]
fn a9_a_blocked_callback_handler_blocks_its_own_sender_only() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .endpoints([CELLAR])
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let two = bus
        .dispatcher(DispatcherKind::Callback, "two")
        .endpoints([KITCHEN])
        .on(PING, |_, _| Ok(()))
        .register()?;
    std::thread::scope(|scope| {
        scope.spawn(|| bus.trigger_event(PING, CELLAR, 1).unwrap());
        gate.wait_for_arrival();
        assert_eq!(one.state().active, 1);
        assert_eq!(bus.trigger_event(PING, KITCHEN, 1).unwrap().delivered, 1);
        assert!(bus.is_idle_at(KITCHEN).unwrap());
        assert!(!bus.is_idle_at(CELLAR).unwrap());
        two.destroy();
        gate.let_through(1);
    });
    assert!(bus.is_idle());
    Ok(())
}

#[test]
fn a10_a_stuck_sequential_handler_affects_its_own_queue_only() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let stuck = bus
        .dispatcher(DispatcherKind::Sequential, "stuck")
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let healthy = Log::new();
    let entries = healthy.clone();
    bus.dispatcher(DispatcherKind::Sequential, "healthy")
        .on(PING, move |message, bus| {
            entries.add(*message.data());
            bus.trigger_event(PONG, KITCHEN, *message.data())?;
            Ok(())
        })
        .register()?;
    let done = bus.message_queue(PONG, KITCHEN)?;
    for number in 0..100 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    for _ in 0..100 {
        done.recv_timeout(LONG)?;
    }
    assert_eq!(healthy.len(), 100);
    gate.wait_for_arrival();
    let state = stuck.state();
    assert_eq!((state.active, state.queued), (1, 99));
    gate.let_through(100);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a14_a_handler_may_deregister_itself() -> Result<()> {
    for kind in [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let log = Log::new();
        let entries = log.clone();
        let own = Arc::new(parking_lot::Mutex::new(
            None::<zaf_core::message::Dispatcher>,
        ));
        let handle = Arc::clone(&own);
        let one = bus
            .dispatcher(kind, "one")
            .on(PING, move |message, _| {
                entries.add(*message.data());
                let own = handle.lock().clone();
                if let Some(own) = own {
                    own.deregister(&[], &[], &[])?;
                }
                Ok(())
            })
            .register()?;
        *own.lock() = Some(one);
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        assert_eq!(bus.trigger_event(PING, KITCHEN, 2)?.delivered, 0);
        assert_eq!(log.take(), [1], "{kind:?}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a19_messages_inside_messages_end_at_depth_64_with_an_error() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .endpoints([KITCHEN])
        .on(PING, move |message, bus| {
            let depth = *message.data();
            let error = bus.trigger_event(PING, KITCHEN, depth + 1).err();
            entries.add((depth, error));
            Ok(())
        })
        .register()?;
    let sender = bus.clone();
    // The smallest usual stack; frames of unoptimised code are several times as large.
    let stack = if cfg!(debug_assertions) { 1024 } else { 256 };
    #[expect(
        clippy::disallowed_methods,
        reason = "the size of the stack is what is tested"
    )]
    let thread = std::thread::Builder::new()
        .stack_size(stack * 1024)
        .spawn(move || sender.trigger_event(PING, KITCHEN, 1).map(drop))?;
    thread.join().unwrap()?;
    let mut entries = log.take();
    assert_eq!(entries.len(), 64);
    let deepest = entries.remove(0);
    let error = BusError::RecursionLimit {
        message: "PING",
        limit: 64,
    };
    assert_eq!(deepest, (64, Some(error)));
    assert!(entries.iter().all(|(_, error)| error.is_none()));
    Ok(())
}

#[test]
fn a20_waiting_for_a_reply_from_ones_own_worker_is_refused_at_once() -> Result<()> {
    let bus = bus();
    let queue = bus.message_queue(PONG, KITCHEN)?;
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(ASK, |message, _| Ok(*message.data()))
        .on(PING, |_, bus| {
            let replies = bus.send_request(ASK, KITCHEN, 1)?.all(Duration::MAX);
            assert!(matches!(
                replies[0].result,
                Err(ReplyError::WouldDeadlock { .. })
            ));
            let completed = bus
                .send_request(ASK, KITCHEN, 1)?
                .as_completed(Duration::MAX);
            assert_eq!(completed.filter(|reply| reply.result.is_err()).count(), 1);
            bus.trigger_event(PONG, KITCHEN, 1)?;
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    queue.recv_timeout(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a21_of_two_dispatchers_that_wait_for_each_other_one_is_freed() -> Result<()> {
    let bus = bus();
    // `a` waits for `b`, which waits for `a`: only the end of the first wait can free them, and it ends at once.
    bus.dispatcher(DispatcherKind::Sequential, "a")
        .endpoints([KITCHEN])
        .on(ASK, |message, bus| {
            if *message.data() == 3 {
                return Ok(3);
            }
            let mut replies = bus.send_request(ASK, CELLAR, 2)?;
            let reply = replies.next(LONG);
            let freed = matches!(
                reply.map(|reply| reply.result),
                Some(Err(ReplyError::Deadlock { .. }))
            );
            Ok(u32::from(freed))
        })
        .register()?;
    let log = Log::new();
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Sequential, "b")
        .endpoints([CELLAR])
        .on(ASK, move |_, bus| {
            entries.add(bus.send_request(ASK, KITCHEN, 3)?.values(Duration::MAX)?);
            Ok(0)
        })
        .register()?;
    assert_eq!(bus.send_request(ASK, KITCHEN, 1)?.values(LONG)?, [1]);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [[3]]);
    assert_eq!(bus.state().late_replies, 1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a28_a_closed_bus_refuses_everything() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    bus.shutdown(LONG)?;
    let closed = BusError::Closed {
        what: "the bus".to_owned(),
    };
    assert_eq!(bus.trigger_event(PING, KITCHEN, 1).unwrap_err(), closed);
    assert_eq!(bus.send_request(ASK, KITCHEN, 1).unwrap_err(), closed);
    assert_eq!(bus.define_endpoint(KITCHEN).unwrap_err(), closed);
    assert!(one.also().on(PONG, |_, _| Ok(())).register().is_err());
    one.destroy();
    bus.shutdown(LONG)?;
    assert!(bus.is_idle());
    Ok(())
}

#[test]
fn a29_no_lock_of_the_bus_is_held_while_foreign_code_runs() -> Result<()> {
    /// Uses every part of the bus that takes a lock, from another thread, so that a held lock would be waited for.
    fn use_everything(bus: &MessageBus) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let extra = bus
                    .dispatcher(DispatcherKind::Sequential, "extra")
                    .endpoints([CELLAR])
                    .on(PONG, |_, _| Ok(()))
                    .optional()
                    .register()
                    .unwrap();
                bus.state();
                bus.trigger_event(PING, CELLAR, 0).unwrap();
                extra.destroy();
            });
        });
    }
    struct Payload(MessageBus, Arc<AtomicBool>);
    impl Drop for Payload {
        fn drop(&mut self) {
            use_everything(&self.0);
            self.1.store(true, Ordering::SeqCst);
        }
    }
    const PARCEL: zaf_core::message::EventId<Payload> =
        zaf_core::message::EventId::new("PARCEL", "Runs code when dropped.");

    let bus = bus();
    bus.define(KITCHEN, &[PARCEL.descriptor()])?;
    let in_filter = bus.clone();
    let queue = bus
        .message_queue_of([PING])
        .endpoints([KITCHEN])
        .filter(move |_| {
            use_everything(&in_filter);
            true
        })
        .open()?;
    for kind in [DispatcherKind::Callback, DispatcherKind::Sequential] {
        bus.dispatcher(kind, "one")
            .endpoints([KITCHEN])
            .on(PING, |_, bus| {
                use_everything(bus);
                Ok(())
            })
            .on(PARCEL, |_, _| Ok(()))
            .register()?;
    }
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    queue.recv_timeout(LONG)?;
    let dropped = Arc::new(AtomicBool::new(false));
    bus.trigger_event(PARCEL, KITCHEN, Payload(bus.clone(), Arc::clone(&dropped)))?;
    bus.wait_until_idle(LONG)?;
    assert!(dropped.load(Ordering::SeqCst), "dropped before idle");
    // Dropping a handler is foreign code too.
    let guard = Payload(bus.clone(), Arc::new(AtomicBool::new(false)));
    let owner = bus
        .dispatcher(DispatcherKind::Callback, "owner")
        .endpoints([KITCHEN])
        .on(PING, move |_, _| {
            assert!(!guard.1.load(Ordering::SeqCst));
            Ok(())
        })
        .register()?;
    owner.destroy();
    drop(owner);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_payload_that_panics_when_dropped_does_not_end_a_worker() -> Result<()> {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    const BOMB: zaf_core::message::EventId<Bomb> =
        zaf_core::message::EventId::new("BOMB", "Panics when dropped.");
    let bus =
        MessageBus::with_limits(BusLimits::default().max_threads(NonZeroUsize::new(2).unwrap()));
    bus.define(KITCHEN, &[BOMB.descriptor(), PING.descriptor()])?;
    let log = Log::new();
    let entries = log.clone();
    let gate = Gate::new();
    let entry = gate.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .on(BOMB, move |_, _| {
            entry.pass();
            Ok(())
        })
        .on(PING, move |message, _| {
            entries.add(*message.data());
            Ok(())
        })
        .register()?;
    bus.trigger_event(BOMB, KITCHEN, Bomb)?;
    bus.trigger_event(PING, KITCHEN, 5)?;
    // The sender is done with it: the worker's is the last hand that holds it.
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [5]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a14_each_failure_of_the_only_handler_is_announced() -> Result<()> {
    let bus = bus();
    let failures = bus.message_queue(HANDLER_FAILED, APPLICATION_ENDPOINT)?;
    bus.dispatcher(DispatcherKind::Callback, "bad")
        .on(PING, |_, _| Err(Error::msg("no luck")))
        .register()?;
    // From the second message on the thread has the way to its only receiver at hand.
    for number in 0..3 {
        let report = bus.trigger_event(PING, KITCHEN, number)?;
        assert_eq!(report.delivered, 0);
        let failure = failures.recv_timeout(LONG)?;
        assert_eq!(&*failure.data().handler, "bad");
    }
    assert!(failures.is_empty());
    bus.shutdown(LONG)?;
    Ok(())
}
