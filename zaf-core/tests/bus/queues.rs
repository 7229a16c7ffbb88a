//! Bounds, policies and counters of queued dispatchers, and the pool behind them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use zaf_core::message::{
    APPLICATION_ENDPOINT, BusError, BusLimits, Dispatcher, DispatcherKind, HANDLER_FAILED,
    MessageBus, QueuePolicy, ReplyError,
};
use zaf_core::{Error, Result};

use super::{ASK, Gate, KITCHEN, LONG, Log, PING, PONG, bus};

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

/// A sequential dispatcher with room for two, whose handler of PING and ASK stands at the gate.
fn gated(bus: &MessageBus, policy: QueuePolicy) -> Result<(Dispatcher, Gate, Log<u32>)> {
    let gate = Gate::new();
    let log = Log::new();
    let (one, two_) = (gate.clone(), gate.clone());
    let (entries, asked) = (log.clone(), log.clone());
    let dispatcher = bus
        .dispatcher(DispatcherKind::Sequential, "gated")
        .queue(policy, two())
        .endpoints([KITCHEN])
        .on(PING, move |message, _| {
            one.pass();
            entries.add(*message.data());
            Ok(())
        })
        .on(ASK, move |message, _| {
            two_.pass();
            asked.add(*message.data());
            Ok(*message.data() * 2)
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    gate.wait_for_arrival();
    Ok((dispatcher, gate, log))
}

#[test]
fn a13_f12_a_full_queue_rejects_by_default_and_counts() -> Result<()> {
    let bus = bus();
    let (one, gate, log) = gated(&bus, QueuePolicy::Reject)?;
    for number in 1..=2 {
        assert_eq!(bus.trigger_event(PING, KITCHEN, number)?.delivered, 1);
    }
    let report = bus.trigger_event(PING, KITCHEN, 3)?;
    assert_eq!(report.delivered, 0);
    assert_eq!(
        report.refused()[0].error.downcast_ref(),
        Some(&BusError::QueueFull {
            dispatcher: "gated".into(),
            bound: 2
        })
    );
    let replies = bus.send_request(ASK, KITCHEN, 4)?.all(LONG);
    assert!(matches!(
        replies[0].result,
        Err(ReplyError::Rejected { bound: 2, .. })
    ));
    assert_eq!(one.state().queued, 2);
    gate.let_through(3);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [0, 1, 2]);
    let counters = one.counters();
    assert_eq!(
        (counters.accepted, counters.handled, counters.rejected),
        (3, Some(3), 2)
    );
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a13_what_a_worker_has_ahead_of_it_counts_for_the_bound() -> Result<()> {
    let bus = bus();
    let (one, gate, log) = gated(&bus, QueuePolicy::Reject)?;
    for number in 1..=2 {
        assert_eq!(bus.trigger_event(PING, KITCHEN, number)?.delivered, 1);
    }
    // Now the worker has taken all that was queued, begun the first of it, and has the other one ahead.
    gate.let_through(1);
    gate.wait_for_arrival();
    assert_eq!(one.state().queued, 1);
    assert_eq!(bus.trigger_event(PING, KITCHEN, 3)?.delivered, 1);
    let report = bus.trigger_event(PING, KITCHEN, 4)?;
    assert_eq!((report.delivered, report.refused().len()), (0, 1));
    assert_eq!(one.state().queued, 2);
    gate.let_through(3);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [0, 1, 2, 3]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a13_drop_oldest_makes_room_and_settles_what_it_drops() -> Result<()> {
    let bus = bus();
    let (one, gate, log) = gated(&bus, QueuePolicy::DropOldest)?;
    let replies = bus.send_request(ASK, KITCHEN, 1)?;
    for number in 2..=4 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    let reply = replies.all(LONG).remove(0);
    assert!(matches!(reply.result, Err(ReplyError::Rejected { .. })));
    gate.let_through(3);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [0, 3, 4]);
    assert_eq!(one.counters().dropped, 2);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a13_block_waits_for_room_and_gives_up_at_its_deadline() -> Result<()> {
    let bus = bus();
    let deadline = Duration::from_millis(20);
    let (one, gate, log) = gated(&bus, QueuePolicy::Block { deadline })?;
    for number in 1..=2 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    assert_eq!(bus.trigger_event(PING, KITCHEN, 3)?.refused().len(), 1);
    assert_eq!(one.counters().rejected, 1);
    gate.let_through(3);
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [0, 1, 2]);

    let patient = QueuePolicy::Block { deadline: LONG };
    let (_, gate, log) = {
        one.destroy();
        gated(&bus, patient)?
    };
    std::thread::scope(|scope| -> Result<()> {
        let sender = scope.spawn(|| {
            for number in 1..=20 {
                let report = bus.trigger_event(PING, KITCHEN, number).unwrap();
                assert_eq!(report.delivered, 1);
            }
        });
        gate.let_through(21);
        sender.join().unwrap();
        bus.wait_until_idle(LONG)?;
        assert_eq!(log.take(), (0..=20).collect::<Vec<u32>>());
        Ok(())
    })?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_handler_that_fills_its_own_queue_is_refused_instead_of_waiting_for_itself() -> Result<()> {
    let bus = bus();
    let refused = Log::new();
    let entries = refused.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .queue(
            QueuePolicy::Block {
                deadline: Duration::MAX,
            },
            two(),
        )
        .on(PONG, |_, _| Ok(()))
        .on(PING, move |_, bus| {
            for number in 0..3 {
                let report = bus.trigger_event(PONG, KITCHEN, number)?;
                for one in report.refused() {
                    entries.add(one.error.to_string());
                }
            }
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.wait_until_idle(LONG)?;
    assert_eq!(
        refused.take(),
        ["waiting for room in the queue of `one` inside a handler would never end"]
    );
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a11_a_blocked_pool_shows_its_workers_and_its_full_queue() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let pool = bus
        .dispatcher(DispatcherKind::ThreadPool, "pool")
        .workers(NonZeroUsize::new(3).unwrap())
        .queue(QueuePolicy::Reject, two())
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..3 {
        bus.trigger_event(PING, KITCHEN, number)?;
        gate.wait_for_arrival();
    }
    for number in 0..2 {
        assert_eq!(bus.trigger_event(PING, KITCHEN, number)?.delivered, 1);
    }
    assert_eq!(bus.trigger_event(PING, KITCHEN, 9)?.refused().len(), 1);
    let state = pool.state();
    assert_eq!((state.active, state.queued), (3, 2));
    let busy = bus.wait_until_idle(Duration::ZERO).unwrap_err();
    assert!(
        busy.to_string().contains("`pool` (2 queued, 3 active)"),
        "{busy}"
    );
    gate.let_through(5);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a12_f11_a_concurrent_dispatcher_never_runs_more_than_the_limit() -> Result<()> {
    let limit = NonZeroUsize::new(8).unwrap();
    let bus = MessageBus::with_limits(
        BusLimits::default()
            .max_threads(limit)
            .queue_bound(NonZeroUsize::new(100_000).unwrap()),
    );
    bus.define(KITCHEN, &[PING.descriptor(), PONG.descriptor()])?;
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (own, highest) = (Arc::clone(&running), Arc::clone(&most));
    let one = bus
        .dispatcher(DispatcherKind::Concurrent, "one")
        .on(PING, move |_, _| {
            let now = own.fetch_add(1, Ordering::SeqCst) + 1;
            highest.fetch_max(now, Ordering::SeqCst);
            std::thread::yield_now();
            own.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
        .register()?;
    for number in 0..100_000 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    bus.wait_until_idle(LONG)?;
    assert_eq!(one.counters().handled, Some(100_000));
    assert!(most.load(Ordering::SeqCst) <= 8);
    assert!(bus.state().threads <= 8);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn concurrent_handlers_run_at_the_same_time() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    bus.dispatcher(DispatcherKind::Concurrent, "one")
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    for number in 0..20 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    for _ in 0..20 {
        gate.wait_for_arrival();
    }
    gate.let_through(20);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn the_state_shows_who_has_work_and_a_failure_what_was_said() -> Result<()> {
    let bus = bus();
    let failures = bus.message_queue(HANDLER_FAILED, APPLICATION_ENDPOINT)?;
    assert_eq!(bus.state().to_string(), "idle");
    let (one, gate, _) = gated(&bus, QueuePolicy::Reject)?;
    assert_eq!(bus.state().to_string(), "gated: 0 queued, 1 active\n");
    bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(bus.state().to_string(), "gated: 1 queued, 1 active\n");
    gate.let_through(2);
    bus.wait_until_idle(LONG)?;
    assert_eq!(bus.state().to_string(), "idle");
    one.destroy();
    for (name, panics) in [("fails", false), ("panics", true)] {
        let bad = bus
            .dispatcher(DispatcherKind::Sequential, name)
            .on(PONG, move |_, _| {
                assert!(!panics, "no panic");
                Err(Error::msg("no error"))
            })
            .register()?;
        bus.trigger_event(PONG, KITCHEN, 1)?;
        let failure = failures.recv_timeout(LONG)?;
        let expected = if panics { "no panic" } else { "no error" };
        assert_eq!(failure.data().error, expected);
        assert_eq!(failure.data().panicked, panics);
        bad.destroy();
    }
    bus.shutdown(LONG)?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A13: nothing is lost silently, whatever the kind, the policy, the bound and the moment of the end.
    #[test]
    fn a13_accepted_is_handled_cancelled_or_dropped(
        kind in 0..3_usize,
        policy in 0..3_usize,
        bound in 1..6_usize,
        count in 0..60_u64,
        drain in any::<bool>(),
    ) {
        let kind = [DispatcherKind::Sequential, DispatcherKind::ThreadPool, DispatcherKind::Concurrent][kind];
        let policy = [QueuePolicy::Reject, QueuePolicy::DropOldest, QueuePolicy::Block { deadline: Duration::MAX }][policy];
        let bus = bus();
        let log = Log::new();
        let entries = log.clone();
        let one = bus
            .dispatcher(kind, "one")
            .queue(policy, NonZeroUsize::new(bound).unwrap())
            .on(PING, move |_, _| { entries.add(()); Ok(()) })
            .register()
            .unwrap();
        let mut refused = 0;
        for _ in 0..count {
            refused += bus.trigger_event(PING, KITCHEN, 0).unwrap().refused().len() as u64;
        }
        if drain {
            prop_assert!(one.destroy_draining(LONG));
        } else {
            one.destroy();
        }
        let counters = one.counters();
        let handled = counters.handled.unwrap_or_default();
        prop_assert_eq!(counters.rejected, refused);
        prop_assert_eq!(counters.accepted + counters.rejected, count);
        prop_assert_eq!(counters.accepted, handled + counters.cancelled + counters.dropped);
        prop_assert_eq!(handled, log.len() as u64);
        prop_assert!(!drain || counters.cancelled == 0);
        prop_assert!(bus.is_idle());
        bus.shutdown(LONG).unwrap();
    }
}
