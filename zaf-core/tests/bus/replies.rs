//! Answers: one for each receiver, in order, whatever happens to it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zaf_core::message::{DispatcherKind, EventId, QueuePolicy, ReplyError, RequestId};
use zaf_core::{Error, Result};

use super::{ASK, Gate, KITCHEN, LONG, Log, bus};

#[test]
fn b1_dropping_the_replies_cancels_nothing_and_leaks_nothing() -> Result<()> {
    const MAKE: RequestId<(), Arc<()>> = RequestId::new("MAKE", "Makes something.");
    let bus = bus();
    bus.define(KITCHEN, &[MAKE.descriptor()])?;
    let token = Arc::new(());
    let gate = Gate::new();
    let (made, entry) = (Arc::clone(&token), gate.clone());
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(MAKE, move |_, _| {
            entry.pass();
            Ok(Arc::clone(&made))
        })
        .register()?;
    drop(bus.send_request(MAKE, KITCHEN, ())?);
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    assert_eq!(one.counters().handled, Some(1));
    assert_eq!(Arc::strong_count(&token), 2, "the handler's and the test's");
    bus.shutdown(LONG)?;
    Ok(())
}

/// Something that counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn b1_whatever_becomes_of_a_request_its_payload_and_its_answer_are_dropped_once() -> Result<()> {
    const MAKE: RequestId<Counted, Counted> = RequestId::new("MAKE", "Makes something.");
    const HOLD: EventId<()> = EventId::new("HOLD", "Holds the queue up.");
    let alive = Arc::new(AtomicUsize::new(0));
    for kind in [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let is_queued = kind != DispatcherKind::Callback;
        // What the caller does, what the handler does, and whether the dispatcher lives to handle it.
        for (fate, taken) in [
            ("answer", true),
            ("answer", false),
            ("late", true),
            ("panic", true),
            ("fail", false),
            ("cancel", true),
            ("cancel", false),
            ("displace", true),
            ("refuse", true),
        ] {
            let bus = bus();
            bus.define(KITCHEN, &[MAKE.descriptor(), HOLD.descriptor()])?;
            let gate = Gate::new();
            let (entry, own) = (gate.clone(), Arc::clone(&alive));
            let mut builder = bus
                .dispatcher(kind, "one")
                .on(HOLD, move |_, _| {
                    entry.pass();
                    Ok(())
                })
                .on(MAKE, move |_, _| match fate {
                    "panic" => std::panic::resume_unwind(Box::new("no")),
                    "fail" => Err(Error::msg("no")),
                    _ => Ok(Counted::new(&own)),
                });
            if is_queued {
                let policy = if fate == "displace" {
                    QueuePolicy::DropOldest
                } else {
                    QueuePolicy::Reject
                };
                builder = builder.queue(policy, NonZeroUsize::MIN);
            }
            if matches!(
                kind,
                DispatcherKind::ThreadPool | DispatcherKind::Concurrent
            ) {
                builder = builder.workers(NonZeroUsize::MIN);
            }
            let one = builder.register()?;
            if is_queued {
                bus.trigger_event(HOLD, KITCHEN, ())?;
                gate.wait_for_arrival();
            }
            let ask = || bus.send_request(MAKE, KITCHEN, Counted::new(&alive));
            let mut replies = ask()?;
            if is_queued && matches!(fate, "displace" | "refuse") {
                let second = ask()?;
                assert_eq!(second.len(), 1);
            }
            if fate == "late" {
                assert!(replies.next(Duration::ZERO).is_some());
            }
            std::thread::scope(|scope| {
                let destroyer = (fate == "cancel").then(|| scope.spawn(|| one.destroy()));
                while is_queued && fate == "cancel" && one.counters().cancelled == 0 {
                    std::thread::yield_now();
                }
                gate.let_through(1);
                assert!(destroyer.is_none_or(|thread| thread.join().is_ok()));
            });
            if taken {
                drop(replies.all(LONG));
                bus.wait_until_idle(LONG)?;
            } else {
                bus.wait_until_idle(LONG)?;
                drop(replies);
            }
            bus.shutdown(LONG)?;
            drop((one, bus));
            assert_eq!(
                alive.load(Ordering::SeqCst),
                0,
                "{kind:?}, {fate}, taken: {taken}"
            );
        }
    }
    Ok(())
}

#[test]
fn b2_an_obligation_that_is_dropped_is_an_answer_at_once() -> Result<()> {
    // A queue collects requests, but cannot make up a number.
    let bus = bus();
    let queue = bus.message_queue(ASK, KITCHEN)?;
    let reply = bus.send_request(ASK, KITCHEN, 1)?.next(Duration::MAX);
    assert!(matches!(
        reply.map(|reply| reply.result),
        Some(Err(ReplyError::Abandoned { .. }))
    ));
    assert_eq!(queue.len(), 1);
    Ok(())
}

#[test]
fn b3_a_reply_that_comes_too_late_is_dropped_and_counted() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    bus.dispatcher(DispatcherKind::Sequential, "slow")
        .on(ASK, move |_, _| {
            entry.pass();
            Ok(1)
        })
        .register()?;
    let mut replies = bus.send_request(ASK, KITCHEN, 1)?;
    let reply = replies.next(Duration::from_millis(1)).unwrap();
    assert!(matches!(reply.result, Err(ReplyError::TimedOut { .. })));
    assert_eq!(
        reply.result.unwrap_err().to_string(),
        "`slow` did not answer within 1ms"
    );
    assert!(replies.next(LONG).is_none());
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    assert_eq!(bus.state().late_replies, 1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn b4_b5_all_results_are_there_when_one_fails_and_completion_has_its_own_order() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    for (name, priority) in [("slow", 2), ("quick", 1), ("bad", 0)] {
        let entry = gate.clone();
        bus.dispatcher(DispatcherKind::Sequential, name)
            .priority(priority)
            .on(ASK, move |message, _| {
                match name {
                    "slow" => entry.pass(),
                    "bad" => panic!("bad"),
                    _ => {}
                }
                Ok(*message.data())
            })
            .register()?;
    }
    let mut completed = bus.send_request(ASK, KITCHEN, 3)?.as_completed(LONG);
    let mut first: Vec<String> = completed
        .by_ref()
        .take(2)
        .map(|reply| reply.handler.to_string())
        .collect();
    first.sort();
    assert_eq!(first, ["bad", "quick"]);
    gate.let_through(1);
    let last = completed.next().unwrap();
    assert_eq!((&*last.handler, last.result.ok()), ("slow", Some(3)));
    assert!(completed.next().is_none());

    gate.let_through(1);
    let replies = bus.send_request(ASK, KITCHEN, 3)?.all(LONG);
    let results: Vec<bool> = replies.iter().map(|reply| reply.result.is_ok()).collect();
    assert_eq!(results, [true, true, false]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn as_completed_ends_with_those_that_are_missing() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    for (name, kind) in [
        ("never", DispatcherKind::Sequential),
        ("here", DispatcherKind::Callback),
    ] {
        let entry = gate.clone();
        bus.dispatcher(kind, name)
            .on(ASK, move |_, _| {
                if name == "never" {
                    entry.pass();
                }
                Ok(1)
            })
            .register()?;
    }
    let completed = bus
        .send_request(ASK, KITCHEN, 3)?
        .as_completed(Duration::from_millis(1));
    let log = Log::new();
    for reply in completed {
        log.add((reply.handler.to_string(), reply.result.is_ok()));
    }
    assert_eq!(
        log.take(),
        [("here".to_owned(), true), ("never".to_owned(), false)]
    );
    gate.let_through(1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn replies_say_how_many_are_left() -> Result<()> {
    let bus = bus();
    for kind in [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::Concurrent,
    ] {
        bus.dispatcher(kind, "one")
            .on(ASK, |message, _| Ok(*message.data()))
            .register()?;
        let mut replies = bus.send_request(ASK, KITCHEN, 3)?;
        let count = replies.len();
        assert_eq!(count, bus.state().dispatchers.len());
        for left in (0..count).rev() {
            assert!(!replies.is_empty());
            assert!(replies.next(LONG).is_some_and(|reply| reply.result.is_ok()));
            assert_eq!(replies.len(), left);
        }
        assert!(replies.is_empty());
        assert!(replies.next(LONG).is_none());
    }
    assert!(
        bus.send_request_optional(ASK, KITCHEN, Some(&"X".into()), 1)?
            .is_empty()
    );
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn b5_what_was_taken_in_order_does_not_come_again_in_order_of_completion() -> Result<()> {
    let bus = bus();
    for (name, priority) in [("first", 2), ("second", 1), ("third", 0)] {
        bus.dispatcher(DispatcherKind::Sequential, name)
            .priority(priority)
            .on(ASK, |message, _| Ok(*message.data()))
            .register()?;
    }
    let mut replies = bus.send_request(ASK, KITCHEN, 3)?;
    let first = replies.next(LONG).map(|reply| reply.handler.to_string());
    assert_eq!(first.as_deref(), Some("first"));
    // Without a limit: one too many is waited for for ever.
    let completed = replies.as_completed(Duration::MAX);
    let mut rest: Vec<String> = completed.map(|reply| reply.handler.to_string()).collect();
    rest.sort();
    assert_eq!(rest, ["second", "third"]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a20_an_answer_that_is_there_already_is_given_on_ones_own_worker_too() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .queue(QueuePolicy::Reject, NonZeroUsize::MIN)
        .endpoints([KITCHEN])
        .on(ASK, move |message, bus| {
            if *message.data() > 0 {
                return Ok(0);
            }
            // The first waits in the queue behind this very handler, the second has no room.
            let mut waiting = bus.send_request(ASK, KITCHEN, 1)?;
            let mut refused = bus.send_request(ASK, KITCHEN, 2)?;
            for replies in [&mut waiting, &mut refused] {
                let reply = replies.next(Duration::MAX).map(|reply| reply.result);
                entries.add(match reply {
                    Some(Err(ReplyError::WouldDeadlock { .. })) => "would deadlock",
                    Some(Err(ReplyError::Rejected { .. })) => "rejected",
                    _ => "something else",
                });
            }
            Ok(0)
        })
        .register()?;
    assert_eq!(bus.send_request(ASK, KITCHEN, 0)?.values(LONG)?, [0]);
    assert_eq!(log.take(), ["would deadlock", "rejected"]);
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    Ok(())
}
