//! Who gets what: the table of the bus's documentation, cell by cell, and the order of hand-over.

use zaf_core::Result;
use zaf_core::message::{DispatcherKind, Entity, MessageBus};

use super::{ASK, KITCHEN, LONG, Log, PING, bus};

/// What a receiver saw as the message's entity; `-` for none.
fn seen(entity: Option<&Entity>) -> String {
    entity.map_or("-".to_owned(), |entity| entity.name().to_owned())
}

#[derive(Clone, Copy)]
enum Registered {
    Endpoint,
    Any,
    X,
}

/// A bus with one dispatcher, and the log of what it sees.
fn with_one(kind: DispatcherKind, registered: Registered) -> (MessageBus, Log<String>) {
    let bus = bus();
    let log = Log::new();
    let (events, requests) = (log.clone(), log.clone());
    let builder = bus
        .dispatcher(kind, "one")
        .endpoints([KITCHEN])
        .on(PING, move |message, _| {
            events.add(seen(message.entity()));
            Ok(())
        })
        .on(ASK, move |message, _| {
            requests.add(seen(message.entity()));
            Ok(0)
        });
    let builder = match registered {
        Registered::Endpoint => builder,
        Registered::Any => builder.any_entity(),
        Registered::X => builder.entities(["X"]),
    };
    builder.register().unwrap();
    (bus, log)
}

#[test]
fn every_cell_of_the_matrix_holds_for_all_kinds_of_dispatcher() -> Result<()> {
    /// Registered for; entity of the message; what an event's receiver sees; what a request's receiver sees.
    type Row = (
        Registered,
        Option<&'static str>,
        &'static [&'static str],
        &'static [&'static str],
    );
    use Registered::{Any, Endpoint, X};
    let table: [Row; 9] = [
        (Endpoint, None, &["-"], &["-"]),
        (Endpoint, Some("X"), &["X"], &[]),
        (Endpoint, Some("Y"), &["Y"], &[]),
        (X, None, &[], &["X"]),
        (X, Some("X"), &["X"], &["X"]),
        (X, Some("Y"), &[], &[]),
        (Any, None, &["-"], &["-"]),
        (Any, Some("X"), &["X"], &["X"]),
        (Any, Some("Y"), &["Y"], &["Y"]),
    ];
    let kinds = [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ];
    for kind in kinds {
        for (row, (registered, entity, event, request)) in table.iter().enumerate() {
            let (bus, log) = with_one(kind, *registered);
            match entity {
                None => bus.trigger_event(PING, KITCHEN, 1)?,
                Some(entity) => bus.trigger_event_for(PING, KITCHEN, &Entity::from(*entity), 1)?,
            };
            bus.wait_until_idle(LONG)?;
            assert_eq!(log.take(), *event, "{kind:?}, row {row}, event");
            let entity = entity.map(Entity::from);
            bus.send_request_optional(ASK, KITCHEN, entity.as_ref(), 1)?
                .values(LONG)?;
            assert_eq!(log.take(), *request, "{kind:?}, row {row}, request");
            bus.shutdown(LONG)?;
        }
    }
    Ok(())
}

#[test]
fn a18_f06_a_dispatcher_that_matches_several_times_is_called_once() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let handler = |log: &Log<String>| {
        let log = log.clone();
        move |message: &zaf_core::message::Message<u32>, _: &MessageBus| {
            log.add(seen(message.entity()));
            Ok(())
        }
    };
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, handler(&log))
        .register()?;
    one.also()
        .entities(["X", "Y"])
        .on(PING, handler(&log))
        .register()?;
    let report = bus.trigger_event_for(PING, KITCHEN, &Entity::from("X"), 1)?;
    assert_eq!(report.delivered, 1);
    assert_eq!(log.take(), ["X"]);
    bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(log.take(), ["-"]);
    Ok(())
}

#[test]
fn a24_highest_priority_first_and_ties_in_order_of_registration() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    for (name, priority) in [("a", 0), ("b", 5), ("c", 0), ("d", -1), ("e", 5)] {
        let log = log.clone();
        bus.dispatcher(DispatcherKind::Callback, name)
            .priority(priority)
            .on(PING, move |_, _| {
                log.add(name);
                Ok(())
            })
            .register()?;
    }
    bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(log.take(), ["b", "e", "a", "c", "d"]);
    Ok(())
}

#[test]
fn f09_replies_come_in_order_of_execution_and_name_their_handler() -> Result<()> {
    let bus = bus();
    for (name, priority, kind) in [
        ("low", -5, DispatcherKind::Callback),
        ("high", 5, DispatcherKind::Sequential),
        ("middle", 0, DispatcherKind::Concurrent),
    ] {
        bus.dispatcher(kind, name)
            .priority(priority)
            .on(ASK, move |message, _| Ok(*message.data() * 2))
            .register()?;
    }
    let replies = bus.send_request(ASK, KITCHEN, 4)?.all(LONG);
    let names: Vec<&str> = replies.iter().map(|reply| &*reply.handler).collect();
    assert_eq!(names, ["high", "middle", "low"]);
    assert!(replies.iter().all(|reply| matches!(reply.result, Ok(8))));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_request_to_all_endpoints_reaches_each_dispatcher_once_in_order() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "cellar only")
        .endpoints([super::CELLAR])
        .priority(1)
        .on(ASK, |message, _| {
            assert!(message.endpoint().is_none());
            Ok(1)
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Sequential, "both")
        .priority(2)
        .on(ASK, |_, _| Ok(2))
        .register()?;
    let values = bus.send_request_everywhere(ASK, None, 0)?.values(LONG)?;
    assert_eq!(values, [2, 1]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn receivers_of_a_request_without_entity_each_see_their_own() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    for (name, kind) in [
        ("X", DispatcherKind::Callback),
        ("Y", DispatcherKind::Sequential),
    ] {
        let log = log.clone();
        bus.dispatcher(kind, name)
            .entities([name])
            .on(ASK, move |message, _| {
                log.add(format!("{name} sees {}", seen(message.entity())));
                Ok(0)
            })
            .register()?;
    }
    bus.send_request(ASK, KITCHEN, 1)?.values(LONG)?;
    let mut seen = log.take();
    seen.sort();
    assert_eq!(seen, ["X sees X", "Y sees Y"]);
    bus.shutdown(LONG)?;
    Ok(())
}
