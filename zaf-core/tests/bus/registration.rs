//! Definition, registration and deregistration: checked as a whole, applied as a whole.

use std::num::NonZeroUsize;
use std::sync::Arc;

use zaf_core::message::{
    APPLICATION_ENDPOINT, BusError, DispatcherKind, EndpointId, Entity, EventId, HANDLER_FAILED,
    QueuePolicy, RequestId,
};
use zaf_core::{Error, Result};

use super::{ASK, CELLAR, Gate, KITCHEN, LONG, Log, PING, PONG, bus};

const ELSEWHERE: EndpointId = EndpointId::new("elsewhere", "Not defined.");
const UNKNOWN: EventId<u32> = EventId::new("UNKNOWN", "Not defined.");
/// The same name as [`PING`], but another payload.
const FALSE_PING: EventId<String> = EventId::new("PING", "Something else.");

#[test]
fn every_bus_has_the_application_endpoint() {
    let bus = zaf_core::message::MessageBus::new();
    assert!(bus.is_defined(HANDLER_FAILED, APPLICATION_ENDPOINT));
    assert_eq!(bus.endpoints().len(), 1);
    assert!(bus.is_endpoint_defined(APPLICATION_ENDPOINT));
    assert!(!bus.is_endpoint_defined(KITCHEN));
}

#[test]
fn definitions_are_listed_in_order() {
    let bus = bus();
    let endpoints: Vec<&str> = bus.endpoints().iter().map(|(id, _)| id.name()).collect();
    assert_eq!(endpoints, ["application", "kitchen", "cellar"]);
    let messages: Vec<(&str, usize)> = bus
        .messages()
        .iter()
        .map(|(message, endpoints)| (message.name, endpoints.len()))
        .collect();
    assert_eq!(
        messages,
        [
            ("HANDLER_FAILED", 1),
            ("SLOW_HANDLER", 1),
            ("PING", 2),
            ("PONG", 1),
            ("ASK", 2)
        ]
    );
}

#[test]
fn an_endpoint_is_defined_once_and_a_message_with_one_type() {
    let bus = bus();
    assert_eq!(
        bus.define_endpoint(KITCHEN),
        Err(BusError::EndpointAlreadyDefined {
            endpoint: "kitchen"
        })
    );
    assert_eq!(bus.define(KITCHEN, &[PING.descriptor()]), Ok(()));
    let fresh = EventId::<u8>::new("FRESH", "Must not be defined by a refused call.");
    let error = bus
        .define(KITCHEN, &[fresh.descriptor(), FALSE_PING.descriptor()])
        .unwrap_err();
    assert!(error.to_string().contains("u32"), "{error}");
    assert!(error.to_string().contains("String"), "{error}");
    assert!(!bus.is_defined(fresh, KITCHEN));
}

#[test]
fn a22_f08_undefined_messages_and_endpoints_are_the_same_error_for_events_and_requests() {
    let bus = bus();
    let ask = RequestId::<u32, u32>::new("UNKNOWN", "Not defined.");
    let no_message = BusError::NoSuchMessage {
        message: "UNKNOWN",
        nearest: None,
    };
    let no_endpoint = BusError::NoSuchEndpoint {
        endpoint: "elsewhere",
        nearest: None,
    };
    assert_eq!(
        bus.trigger_event(UNKNOWN, KITCHEN, 1).unwrap_err(),
        no_message
    );
    assert_eq!(bus.send_request(ask, KITCHEN, 1).unwrap_err(), no_message);
    assert_eq!(
        bus.send_request_everywhere(ask, None, 1).unwrap_err(),
        no_message
    );
    assert_eq!(
        bus.trigger_event(PING, ELSEWHERE, 1).unwrap_err(),
        no_endpoint
    );
    assert_eq!(
        bus.send_request(ASK, ELSEWHERE, 1).unwrap_err(),
        no_endpoint
    );
    let not_here = bus.trigger_event(PONG, CELLAR, 1).unwrap_err();
    assert_eq!(
        not_here.to_string(),
        "message `PONG` is not defined at endpoint `cellar` (did you mean `PING`?); it is at `kitchen`"
    );
    assert_eq!(
        no_message.to_string(),
        "message `UNKNOWN` is not defined: an extension that takes part declares endpoints and their messages with \
         `endpoints_and_messages`"
    );
    // What is nearly right is named.
    let misspelled = EndpointId::new("kichen", "Where meals come from.");
    let error = bus.trigger_event(PING, misspelled, 1).unwrap_err();
    let near = Some("kitchen");
    assert!(matches!(error, BusError::NoSuchEndpoint { nearest, .. } if nearest == near));
    assert!(
        error
            .to_string()
            .starts_with("endpoint `kichen` is not defined (did you mean `kitchen`?): "),
        "{error}"
    );
}

#[test]
fn a23_a_request_to_nobody_is_an_error_unless_it_is_optional() -> Result<()> {
    let bus = bus();
    let error = bus
        .send_request_for(ASK, KITCHEN, &Entity::from("X"), 1)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "nobody answers request `ASK` at endpoint `kitchen` for entity `X`: register a dispatcher for it with that entity or \
         with `any_entity`, or send it with `send_request_optional` if nobody need answer"
    );
    assert!(bus.send_request_optional(ASK, KITCHEN, None, 1)?.is_empty());
    // An event to nobody is fine.
    assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.delivered, 0);
    Ok(())
}

#[test]
fn a23_a_request_about_an_entity_that_only_others_serve_reaches_nobody() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "of X")
        .entities(["X"])
        .on(ASK, |message, _| Ok(*message.data()))
        .register()?;
    let (x, y) = (Entity::from("X"), Entity::from("Y"));
    // Twice: the second time with what the thread has kept.
    for _ in 0..2 {
        let error = bus.send_request_for(ASK, KITCHEN, &y, 1).unwrap_err();
        assert!(matches!(error, BusError::NoReceiver { .. }), "{error}");
        assert!(
            bus.send_request_optional(ASK, KITCHEN, Some(&y), 1)?
                .is_empty()
        );
        let replies = bus.send_request_for(ASK, KITCHEN, &x, 1)?;
        assert_eq!(replies.values(LONG)?, [1]);
    }
    Ok(())
}

#[test]
fn a27_another_payload_than_declared_is_an_error_that_names_both_types() -> Result<()> {
    let bus = bus();
    let nobody = bus
        .trigger_event(FALSE_PING, KITCHEN, String::new())
        .unwrap_err();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    let somebody = bus
        .trigger_event(FALSE_PING, KITCHEN, String::new())
        .unwrap_err();
    assert_eq!(nobody, somebody);
    assert!(matches!(nobody, BusError::TypeMismatch { .. }));
    let registered = bus
        .dispatcher(DispatcherKind::Callback, "two")
        .optional()
        .on(FALSE_PING, |_, _| Ok(()))
        .register();
    assert!(matches!(registered, Err(BusError::TypeMismatch { .. })));
    Ok(())
}

#[test]
fn f04_a_refused_registration_leaves_nothing_behind() {
    let bus = bus();
    for kind in [DispatcherKind::Callback, DispatcherKind::Sequential] {
        let refused = bus
            .dispatcher(kind, "one")
            .on(PING, |_, _| Ok(()))
            .on(UNKNOWN, |_, _| Ok(()))
            .register();
        assert_eq!(
            refused.unwrap_err(),
            BusError::NoSuchMessage {
                message: "UNKNOWN",
                nearest: None,
            }
        );
        assert!(!bus.has_receivers(PING, KITCHEN));
        assert!(bus.state().dispatchers.is_empty());
    }
}

#[test]
fn f04_an_optional_registration_skips_what_is_undefined_one_by_one_and_works() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    bus.dispatcher(DispatcherKind::Sequential, "one")
        .optional()
        .endpoints([ELSEWHERE, CELLAR, KITCHEN])
        .on(UNKNOWN, |_, _| Ok(()))
        .on(PONG, move |message, _| {
            entries.add(*message.data());
            Ok(())
        })
        .register()?;
    bus.trigger_event(PONG, KITCHEN, 3)?;
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), [3]);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn a17_registering_twice_for_the_same_thing_is_an_error() -> Result<()> {
    let bus = bus();
    let twice = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .on(PING, |_, _| Ok(()))
        .register();
    assert!(matches!(twice, Err(BusError::AlreadyRegistered { .. })));
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .endpoints([CELLAR])
        .on(PING, |_, _| Ok(()))
        .register()?;
    let again = one.also().on(PING, |_, _| Ok(())).register();
    assert_eq!(
        again.unwrap_err(),
        BusError::AlreadyRegistered {
            dispatcher: "one".into(),
            message: "PING",
            endpoint: "cellar"
        }
    );
    assert!(!bus.has_receivers(PING, KITCHEN), "nothing was applied");
    one.also()
        .endpoints([KITCHEN])
        .on(PING, |_, _| Ok(()))
        .register()?;
    assert!(bus.has_receivers(PING, KITCHEN));
    Ok(())
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let bus = bus();
    let two = NonZeroUsize::new(2).unwrap();
    let builders = [
        bus.dispatcher(DispatcherKind::Callback, "a").workers(two),
        bus.dispatcher(DispatcherKind::Sequential, "b").workers(two),
        bus.dispatcher(DispatcherKind::Callback, "c")
            .queue(QueuePolicy::Reject, two),
        bus.dispatcher(DispatcherKind::Callback, "d")
            .entities(["X"])
            .any_entity(),
    ];
    for builder in builders {
        let refused = builder.on(PING, |_, _| Ok(())).register();
        assert!(matches!(refused, Err(BusError::Contradiction { .. })));
    }
    let nothing = bus.dispatcher(DispatcherKind::Callback, "e").register();
    assert!(matches!(nothing, Err(BusError::NothingToRegister { .. })));
}

#[test]
fn what_is_decided_at_the_first_registration_cannot_be_changed_by_a_second_one() -> Result<()> {
    let bus = bus();
    let one = NonZeroUsize::MIN;
    // What a sequential dispatcher has anyway may be said.
    let registered = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .workers(one)
        .on(PING, |_, _| Ok(()))
        .register()?;
    for builder in [
        registered.also().workers(one),
        registered.also().queue(QueuePolicy::Reject, one),
        registered.also().long_running(),
    ] {
        let refused = builder.on(PONG, |_, _| Ok(())).register();
        assert!(matches!(refused, Err(BusError::Contradiction { .. })));
    }
    assert_eq!(bus.trigger_event(PONG, KITCHEN, 1)?.delivered, 0);
    registered.also().on(PONG, |_, _| Ok(())).register()?;
    assert_eq!(bus.trigger_event(PONG, KITCHEN, 1)?.delivered, 1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn everything_has_the_name_that_it_was_given() -> Result<()> {
    assert_ne!(KITCHEN, CELLAR);
    assert_eq!(KITCHEN, EndpointId::new("kitchen", "Said in other words."));
    assert_eq!(KITCHEN.description(), "Where meals come from.");
    let bus = bus();
    let log = Log::new();
    let texts = log.clone();
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(ASK, move |message, _| {
            texts.add(message.to_string());
            Err(Error::msg("no"))
        })
        .register()?;
    assert_eq!(one.name(), "one");
    let error = bus.send_request(ASK, KITCHEN, 1)?.values(LONG).unwrap_err();
    assert_eq!(error.handler(), "one");
    assert_eq!(log.take(), ["ASK"]);
    Ok(())
}

#[test]
fn endpoints_defined_later_are_not_picked_up() -> Result<()> {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Callback, "one")
        .on(PONG, |_, _| Ok(()))
        .register()?;
    bus.define(CELLAR, &[PONG.descriptor()])?;
    assert_eq!(bus.trigger_event(PONG, CELLAR, 1)?.delivered, 0);
    assert_eq!(bus.trigger_event(PONG, KITCHEN, 1)?.delivered, 1);
    Ok(())
}

#[test]
fn f01_deregistering_at_one_endpoint_leaves_the_others() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .on(PING, |_, _| Ok(()))
        .register()?;
    assert!(one.deregister(&[PING.descriptor()], &[CELLAR], &[])?);
    assert_eq!(bus.trigger_event(PING, CELLAR, 1)?.delivered, 0);
    assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.delivered, 1);
    assert!(!one.deregister(&[], &[], &[])?);
    assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.delivered, 0);
    Ok(())
}

#[test]
fn f02_deregistering_entities_is_by_sets_and_all_or_nothing() -> Result<()> {
    let bus = bus();
    let [x, y, z] = ["X", "Y", "Z"].map(Entity::from);
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .entities(["X", "Y"])
        .on(PING, |_, _| Ok(()))
        .on(PONG, |_, _| Ok(()))
        .register()?;
    // Another one occupies the rest.
    bus.dispatcher(DispatcherKind::Callback, "two")
        .entities(["Z"])
        .on(PING, |_, _| Ok(()))
        .register()?;
    assert!(one.deregister(&[PING.descriptor()], &[], &[x.clone(), z.clone()])?);
    assert_eq!(bus.trigger_event_for(PING, KITCHEN, &x, 1)?.delivered, 0);
    assert_eq!(bus.trigger_event_for(PING, KITCHEN, &y, 1)?.delivered, 1);
    assert_eq!(bus.trigger_event_for(PING, KITCHEN, &z, 1)?.delivered, 1);
    // PONG would match, PING does not any more: nothing changes.
    let refused = one.deregister(
        &[PONG.descriptor(), PING.descriptor()],
        &[],
        std::slice::from_ref(&x),
    );
    assert!(matches!(refused, Err(BusError::NotRegistered { .. })));
    assert_eq!(bus.trigger_event_for(PONG, KITCHEN, &x, 1)?.delivered, 1);
    Ok(())
}

#[test]
fn f03_registering_more_keeps_one_queue_and_one_handler_at_a_time() -> Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let bus = bus();
    let running = Arc::new(AtomicUsize::new(0));
    let log = Log::new();
    let handler = || {
        let (running, log) = (Arc::clone(&running), log.clone());
        move |message: &zaf_core::message::Message<u32>, _: &zaf_core::message::MessageBus| {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
            log.add(*message.data());
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    };
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, handler())
        .register()?;
    one.also().on(PONG, handler()).register()?;
    for number in 0..500 {
        let id = if number % 2 == 0 { PING } else { PONG };
        bus.trigger_event(id, KITCHEN, number)?;
    }
    bus.wait_until_idle(LONG)?;
    assert_eq!(log.take(), (0..500).collect::<Vec<u32>>());
    assert_eq!(one.counters().failed, 0);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn an_endpoint_or_an_entity_that_is_named_twice_counts_once() -> Result<()> {
    let bus = bus();
    let one = bus
        .dispatcher(DispatcherKind::Callback, "one")
        .endpoints([KITCHEN, KITCHEN, CELLAR, KITCHEN])
        .entities(["X", "Y", "X"])
        .on(PING, |_, _| Ok(()))
        .register()?;
    let x = Entity::from("X");
    assert_eq!(bus.trigger_event_for(PING, KITCHEN, &x, 1)?.delivered, 1);
    assert!(one.deregister(&[], &[KITCHEN], &[])?);
    assert_eq!(bus.trigger_event_for(PING, KITCHEN, &x, 1)?.delivered, 0);
    assert_eq!(bus.trigger_event_for(PING, CELLAR, &x, 1)?.delivered, 1);
    Ok(())
}

#[test]
fn a17_what_is_deregistered_while_it_is_handled_is_dropped_after_that() -> Result<()> {
    let bus = bus();
    let (gate, token) = (Gate::new(), Arc::new(()));
    let (entry, held) = (gate.clone(), Arc::clone(&token));
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(PING, move |_, _| {
            assert!(Arc::strong_count(&held) > 1);
            entry.pass();
            Ok(())
        })
        .on(PONG, |_, _| Ok(()))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    gate.wait_for_arrival();
    assert!(one.deregister(&[PING.descriptor()], &[], &[])?);
    gate.let_through(1);
    // Two more, so that the worker has nothing of the first in its hand.
    for number in 0..2 {
        bus.trigger_event(PONG, KITCHEN, number)?;
        bus.wait_until_idle(LONG)?;
    }
    assert_eq!(Arc::strong_count(&token), 1);
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn an_event_with_the_name_of_a_request_is_refused_each_time_though_nobody_listens() -> Result<()> {
    const ASK_AS_EVENT: EventId<u32> = EventId::new("ASK", "Something else.");
    let bus = bus();
    // What a thread keeps from the first message is used for the next ones.
    for _ in 0..3 {
        assert_eq!(bus.trigger_event(PING, KITCHEN, 1)?.delivered, 0);
        let refused = bus.trigger_event(ASK_AS_EVENT, KITCHEN, 1);
        assert!(
            matches!(refused, Err(BusError::TypeMismatch { .. })),
            "{refused:?}"
        );
    }
    Ok(())
}
