//! What an observation writes down.

use std::num::NonZeroUsize;

use zaf_core::message::{
    Delivery, DispatcherKind, Entity, Observed, ObservedMessage, Outcome, QueuePolicy, WireFormat,
};
use zaf_core::{Error, Result};

use super::{deliveries, observe};
use crate::bus::{ASK, CELLAR, Gate, KITCHEN, LONG, PING, PONG, bus};

const QUEUED: [DispatcherKind; 3] = [
    DispatcherKind::Sequential,
    DispatcherKind::ThreadPool,
    DispatcherKind::Concurrent,
];

fn sent(observation: &zaf_core::message::Observation) -> Vec<(ObservedMessage, Vec<String>)> {
    let entries = observation.take().into_iter();
    let sent = entries.filter_map(|entry| match entry {
        Observed::Sent {
            message, receivers, ..
        } => {
            let names = receivers.iter().map(ToString::to_string).collect();
            Some(((*message).clone(), names))
        }
        _ => None,
    });
    sent.collect()
}

fn outcome(delivery: &Delivery) -> (&str, Outcome, Option<&str>) {
    let Delivery {
        receiver, outcome, ..
    } = delivery;
    (receiver, *outcome, delivery.error.as_deref())
}

#[test]
fn an_event_is_written_down_with_sender_receivers_and_times() -> Result<()> {
    let bus = bus();
    let x = Entity::new("X");
    bus.dispatcher(DispatcherKind::Callback, "low")
        .priority(-1)
        .on(PING, |_, _| Ok(()))
        .register()?;
    bus.dispatcher(DispatcherKind::Sequential, "queue")
        .on(PING, |_, _| Ok(()))
        .register()?;
    bus.dispatcher(DispatcherKind::Callback, "bad")
        .priority(1)
        .on(PING, |_, _| Err(Error::msg("no luck")))
        .register()?;
    let observation = observe(&bus);
    bus.trigger_event_for(PING, CELLAR, &x, 1)?;
    bus.wait_until_idle(LONG)?;

    let entries = observation.take();
    assert_eq!(observation.lost(), 0);
    let mut outcomes: Vec<_> = Vec::new();
    for entry in &entries {
        match entry {
            Observed::Delivered(one) if one.message.id == PING.descriptor() => {
                assert_eq!(one.message.endpoint, Some(CELLAR));
                assert_eq!(one.message.entity, Some(x.clone()));
                assert_eq!(
                    (one.message.sender.as_deref(), one.message.parent),
                    (None, None)
                );
                let (begun, thread) = one.begun.clone().unwrap();
                assert!(one.message.sent <= one.accepted);
                assert!(one.accepted <= begun && begun <= one.ended);
                let on_sender = thread == one.message.thread;
                assert_eq!(on_sender, one.kind == DispatcherKind::Callback);
                outcomes.push(outcome(one));
            }
            Observed::Sent {
                message, receivers, ..
            } if message.id == PING.descriptor() => {
                let names: Vec<&str> = receivers.iter().map(|name| &**name).collect();
                assert_eq!(names, ["bad", "queue", "low"]);
            }
            _ => {}
        }
    }
    outcomes.sort_by_key(|(name, ..)| *name);
    assert_eq!(
        outcomes,
        [
            ("bad", Outcome::Failed, Some("no luck")),
            ("low", Outcome::Handled, None),
            ("queue", Outcome::Handled, None),
        ]
    );
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn what_a_handler_sends_names_it_and_its_message() -> Result<()> {
    for kind in [DispatcherKind::Callback].into_iter().chain(QUEUED) {
        let bus = bus();
        bus.dispatcher(kind, "outer")
            .on(PING, |_, bus| {
                bus.trigger_event(PONG, KITCHEN, 2)?;
                Ok(())
            })
            .register()?;
        bus.dispatcher(DispatcherKind::Callback, "inner")
            .on(PONG, |_, _| Ok(()))
            .register()?;
        let observation = observe(&bus);
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        let mut sent = sent(&observation);
        sent.sort_by_key(|(message, _)| message.number);
        let [(outer, _), (inner, receivers)] = &*sent else {
            panic!("two messages, not {sent:?}");
        };
        assert_eq!(receivers, &["inner"]);
        assert_eq!(inner.sender.as_deref(), Some("outer"), "{kind:?}");
        assert_eq!(inner.parent, Some(outer.number), "{kind:?}");
        assert_eq!((outer.sender.as_deref(), outer.parent), (None, None));
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a_sender_that_began_before_the_observation_is_named() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let inner = gate.clone();
    bus.dispatcher(DispatcherKind::Sequential, "early")
        .on(PING, move |_, bus| {
            inner.pass();
            bus.trigger_event(PONG, KITCHEN, 2)?;
            Ok(())
        })
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    gate.wait_for_arrival();
    let observation = observe(&bus);
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    let sent = sent(&observation);
    let [(pong, receivers)] = &*sent else {
        panic!("one message, not {sent:?}");
    };
    assert_eq!(receivers.len(), 0);
    assert_eq!((pong.sender.as_deref(), pong.parent), (Some("early"), None));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn panics_of_all_kinds_are_written_down_and_reach_whom_they_reached() -> Result<()> {
    for kind in [DispatcherKind::Callback].into_iter().chain(QUEUED) {
        let bus = bus();
        bus.dispatcher(kind, "bad")
            .on(ASK, |message, _| panic!("no {}", message.data()))
            .register()?;
        let observation = observe(&bus);
        let error = bus.send_request(ASK, KITCHEN, 7)?.values(LONG).unwrap_err();
        assert_eq!(error.to_string(), "`bad` panicked: no 7", "{kind:?}");
        bus.wait_until_idle(LONG)?;
        let delivered = deliveries(&observation);
        let outcomes: Vec<_> = delivered.iter().map(outcome).collect();
        assert_eq!(outcomes, [("bad", Outcome::Panicked, Some("no 7"))]);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn what_leaves_a_queue_unhandled_is_written_down_with_the_reason() -> Result<()> {
    let table = [
        (
            QueuePolicy::Reject,
            vec![Outcome::Rejected, Outcome::Handled, Outcome::Cancelled],
        ),
        (
            QueuePolicy::DropOldest,
            vec![Outcome::Dropped, Outcome::Handled, Outcome::Cancelled],
        ),
    ];
    for (policy, expected) in table {
        let bus = bus();
        let gate = Gate::new();
        let inner = gate.clone();
        let one = bus
            .dispatcher(DispatcherKind::ThreadPool, "one")
            .workers(NonZeroUsize::MIN)
            .queue(policy, NonZeroUsize::MIN)
            .on(PING, move |_, _| {
                inner.pass();
                Ok(())
            })
            .register()?;
        let observation = observe(&bus);
        bus.trigger_event(PING, KITCHEN, 0)?;
        gate.wait_for_arrival();
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.trigger_event(PING, KITCHEN, 2)?;
        // The one that waits is cancelled while the first is being handled: closing does not wait for it.
        std::thread::scope(|scope| -> Result<()> {
            let destroying = scope.spawn(|| one.destroy());
            let mut waiting = Vec::new();
            while waiting.len() < 2 {
                let entry = observation
                    .next_timeout(LONG)
                    .ok_or("nothing was written down")
                    .map_err(Error::msg)?;
                if let Observed::Delivered(delivery) = entry {
                    waiting.push(delivery);
                }
            }
            assert_eq!(
                [waiting[0].outcome, waiting[1].outcome],
                [expected[0], expected[2]]
            );
            assert!(waiting.iter().all(|delivery| delivery.begun.is_none()));
            gate.let_through(1);
            destroying.join().unwrap();
            Ok(())
        })?;
        let last = deliveries(&observation);
        assert_eq!(last.len(), 1);
        assert_eq!(last[0].outcome, expected[1]);
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn the_depth_of_a_queue_is_written_down() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let inner = gate.clone();
    bus.dispatcher(DispatcherKind::ThreadPool, "one")
        .workers(NonZeroUsize::MIN)
        .on(PING, move |_, _| {
            inner.pass();
            Ok(())
        })
        .register()?;
    let observation = observe(&bus);
    bus.trigger_event(PING, KITCHEN, 0)?;
    gate.wait_for_arrival();
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.trigger_event(PING, KITCHEN, 2)?;
    gate.let_through(3);
    bus.wait_until_idle(LONG)?;
    let depths: Vec<_> = deliveries(&observation)
        .iter()
        .map(|one| (one.queued, one.queued_at_begin))
        .collect();
    assert_eq!(depths, [(1, 0), (1, 1), (2, 0)]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn what_does_not_fit_is_counted_and_nobody_waits() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    let observation = bus.observe(NonZeroUsize::new(3).unwrap())?;
    for number in 0..10 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    assert_eq!((observation.len(), observation.lost()), (3, 17));
    assert!(observation.try_next().is_some());
    Ok(())
}

#[test]
fn a_request_that_reaches_nobody_is_written_down() -> Result<()> {
    let bus = bus();
    let observation = observe(&bus);
    bus.send_request(ASK, KITCHEN, 1).unwrap_err();
    // What a thread keeps from the first message is used for the next ones.
    for _ in 0..3 {
        bus.trigger_event(PING, KITCHEN, 1)?;
    }
    let names = |sent: Vec<(ObservedMessage, Vec<String>)>| {
        let name = |(message, receivers): &(ObservedMessage, Vec<String>)| {
            (message.id.name, receivers.len())
        };
        sent.iter().map(name).collect::<Vec<_>>()
    };
    let expected = [("ASK", 0), ("PING", 0), ("PING", 0), ("PING", 0)];
    assert_eq!(names(sent(&observation)), expected);
    // Somebody is there, but for another entity.
    bus.dispatcher(DispatcherKind::Callback, "of X")
        .entities(["X"])
        .on(ASK, |message, _| Ok(*message.data()))
        .register()?;
    bus.send_request_for(ASK, KITCHEN, &Entity::from("Y"), 1)
        .unwrap_err();
    assert_eq!(names(sent(&observation)).last(), Some(&("ASK", 0)));
    Ok(())
}

#[test]
fn a_request_to_all_endpoints_is_one_message() -> Result<()> {
    let bus = bus();
    for (name, endpoint) in [("one", KITCHEN), ("two", CELLAR)] {
        bus.dispatcher(DispatcherKind::Callback, name)
            .endpoints([endpoint])
            .on(ASK, |message, _| Ok(message.data() * 2))
            .register()?;
    }
    let observation = observe(&bus);
    let values = bus.send_request_everywhere(ASK, None, 4)?.values(LONG)?;
    assert_eq!(values, [8, 8]);
    let sent = sent(&observation);
    let [(message, receivers)] = &*sent else {
        panic!("one message, not {sent:?}");
    };
    assert_eq!((message.endpoint, receivers.len()), (None, 2));
    Ok(())
}

#[test]
fn nothing_is_written_down_after_the_end_of_an_observation() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    drop(observe(&bus));
    let observation = observe(&bus);
    bus.shutdown(LONG)?;
    assert!(bus.observe(NonZeroUsize::MIN).is_err());
    assert!(observation.is_empty());
    Ok(())
}

#[test]
fn a_queued_handler_that_wants_bytes_is_written_down_like_any_other() -> Result<()> {
    use crate::portable::{ORDERED, order};

    for kind in QUEUED {
        let bus = crate::portable::bus();
        bus.dispatcher(kind, "bridge")
            .on_encoded(["ORDERED"], WireFormat::Json, |_, _| Ok(()))?
            .register()?;
        let observation = observe(&bus);
        bus.trigger_event(ORDERED, crate::portable::KITCHEN, order())?;
        bus.wait_until_idle(LONG)?;
        let all = deliveries(&observation);
        let outcomes: Vec<_> = all.iter().map(outcome).collect();
        assert_eq!(outcomes, [("bridge", Outcome::Handled, None)]);
    }
    Ok(())
}

#[test]
fn a_record_is_read_in_words() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    let observation = observe(&bus);
    assert_eq!((observation.len(), observation.is_empty()), (0, true));
    std::thread::scope(|scope| -> Result<()> {
        let sender = std::thread::Builder::new().name("sender".to_owned());
        let sent = sender.spawn_scoped(scope, || bus.trigger_event(PING, KITCHEN, 1))?;
        sent.join().unwrap()?;
        Ok(())
    })?;
    assert_eq!((observation.len(), observation.is_empty()), (2, false));
    let (message, _) = sent(&observation).remove(0);
    assert_eq!(message.thread.to_string(), "sender");
    let words = [
        Outcome::Handled,
        Outcome::Failed,
        Outcome::Panicked,
        Outcome::Cancelled,
        Outcome::Dropped,
        Outcome::Rejected,
    ]
    .map(|outcome| outcome.to_string());
    assert_eq!(
        words,
        [
            "handled",
            "failed",
            "panicked",
            "cancelled",
            "dropped",
            "rejected"
        ]
    );
    bus.shutdown(LONG)?;
    Ok(())
}
