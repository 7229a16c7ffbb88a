//! Messages that are refused are observed too.

use std::sync::Arc;

use zaf_core::Result;
use zaf_core::message::{
    BusError, DispatcherKind, EndpointId, Entity, EventId, MessageBus, Observation, Observed,
    ObservedMessage, RequestId,
};

use super::observe;
use crate::bus::{ASK, CELLAR, KITCHEN, LONG, PING, PONG, bus};

const NOWHERE: EndpointId = EndpointId::new("kitchem", "Not defined.");
const PINGS: EventId<u32> = EventId::new("PINGS", "Not defined.");
const ASKS: RequestId<u32, u32> = RequestId::new("ASKS", "Not defined.");
const PING_OF_TEXT: EventId<String> = EventId::new("PING", "Defined, but with a number.");
const ASK_FOR_TEXT: RequestId<u32, String> = RequestId::new("ASK", "Defined, but with a number.");

fn refused(observation: &Observation) -> Vec<(Arc<ObservedMessage>, String)> {
    let entries = observation.take().into_iter();
    let refused = entries.filter_map(|entry| match entry {
        Observed::Refused { message, error } => Some((message, error)),
        _ => None,
    });
    refused.collect()
}

/// Sends it, and what was written down of it: the only entry, with the error that the sender got.
fn one<T>(
    observation: &Observation,
    bus: &MessageBus,
    send: impl FnOnce(&MessageBus) -> Result<T, BusError>,
) -> Arc<ObservedMessage> {
    let Err(error) = send(bus) else {
        panic!("it is refused");
    };
    let entries = observation.take();
    match &*entries {
        [
            Observed::Refused {
                message,
                error: text,
            },
        ] => {
            assert_eq!(*text, error.to_string());
            Arc::clone(message)
        }
        other => panic!("{error}: {other:?}"),
    }
}

#[test]
fn what_nobody_defined_is_written_down_with_its_names() -> Result<()> {
    let bus = bus();
    let observation = observe(&bus);
    let x = Entity::from("X");
    let events: [(EventId<u32>, EndpointId); 3] =
        [(PING, NOWHERE), (PINGS, KITCHEN), (PONG, CELLAR)];
    for (event, endpoint) in events {
        let message = one(&observation, &bus, |bus| {
            bus.trigger_event_for(event, endpoint, &x, 1)
        });
        let names = (message.id.name, message.endpoint, message.entity.as_ref());
        assert_eq!(names, (event.name(), Some(endpoint), Some(&x)));
        assert_eq!((message.sender.as_deref(), message.parent), (None, None));
    }
    for (request, endpoint) in [(ASK, NOWHERE), (ASKS, KITCHEN)] {
        let message = one(&observation, &bus, |bus| {
            bus.send_request(request, endpoint, 1)
        });
        let names = (message.id.name, message.endpoint);
        assert_eq!(names, (request.name(), Some(endpoint)));
    }
    let everywhere = one(&observation, &bus, |bus| {
        bus.send_request_everywhere(ASKS, Some(&x), 1)
    });
    let names = (everywhere.id.name, everywhere.endpoint);
    assert_eq!(names, ("ASKS", None));
    assert_eq!(everywhere.entity, Some(x));
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn other_types_than_the_defined_ones_are_written_down() -> Result<()> {
    let bus = bus();
    for is_registered in [false, true] {
        if is_registered {
            bus.dispatcher(DispatcherKind::Callback, "one")
                .on(PING, |_, _| Ok(()))
                .on(ASK, |_, _| Ok(1))
                .register()?;
        }
        let observation = observe(&bus);
        let message = one(&observation, &bus, |bus| {
            bus.trigger_event(PING_OF_TEXT, KITCHEN, String::new())
        });
        assert_eq!(message.id, PING_OF_TEXT.descriptor());
        let message = one(&observation, &bus, |bus| {
            bus.send_request(ASK_FOR_TEXT, KITCHEN, 1)
        });
        assert_eq!(message.id, ASK_FOR_TEXT.descriptor());
        let message = one(&observation, &bus, |bus| {
            bus.send_request_everywhere(ASK_FOR_TEXT, None, 1)
        });
        assert_eq!(message.endpoint, None);
    }
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_handler_that_sends_what_is_refused_is_named() -> Result<()> {
    for kind in [DispatcherKind::Callback, DispatcherKind::Sequential] {
        let bus = bus();
        bus.dispatcher(kind, "careless")
            .on(PONG, |_, bus| {
                assert!(bus.trigger_event(PINGS, KITCHEN, 1).is_err());
                Ok(())
            })
            .register()?;
        let observation = observe(&bus);
        bus.trigger_event(PONG, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        let refused = refused(&observation);
        let [(message, error)] = &*refused else {
            panic!("one message, not {refused:?}");
        };
        assert_eq!(message.sender.as_deref(), Some("careless"), "{kind:?}");
        assert!(message.parent.is_some());
        assert!(error.contains("PINGS"), "{error}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn the_message_that_is_inside_too_many_others_is_written_down() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "endless")
        .on(PING, |message, bus| {
            drop(bus.trigger_event(PING, KITCHEN, message.data() + 1));
            Ok(())
        })
        .on(ASK, |message, bus| {
            drop(bus.send_request(ASK, KITCHEN, message.data() + 1));
            Ok(0)
        })
        .register()?;
    let observation = observe(&bus);
    bus.trigger_event(PING, KITCHEN, 1)?;
    bus.send_request(ASK, KITCHEN, 1)?;
    let refused = refused(&observation);
    let names: Vec<_> = refused
        .iter()
        .map(|(message, _)| (message.id.name, message.sender.as_deref()))
        .collect();
    assert_eq!(names, [("PING", Some("endless")), ("ASK", Some("endless"))]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a_request_to_all_endpoints_that_nobody_answers_is_written_down() -> Result<()> {
    let bus = bus();
    let observation = observe(&bus);
    let outcome = bus.send_request_everywhere(ASK, None, 1);
    assert!(matches!(outcome, Err(BusError::NoReceiver { .. })));
    let entries = observation.take();
    let [
        Observed::Sent {
            message, receivers, ..
        },
    ] = &*entries
    else {
        panic!("one message, not {entries:?}");
    };
    assert_eq!((message.id.name, message.endpoint), ("ASK", None));
    assert!(receivers.is_empty());
    bus.shutdown(LONG)?;
    Ok(())
}
