//! Those who have only names and bytes.

use std::sync::Arc;
use std::time::Duration;

use zaf_core::message::{
    BusError, DispatcherKind, EncodedMessage, EncodedPayload, EncodedReplyError, EndpointId,
    Entity, EventId, MessageBus, MessageKind, PortableError, WireFormat,
};

use super::{
    CELLAR, CLOSED, Closing, FORMATS, KITCHEN, LONG, ORDERED, Order, PRICE, bus, order, ordered,
    payload, price, value,
};

#[test]
fn an_encoded_event_reaches_typed_handlers_as_the_message_it_is() {
    let bus = bus();
    let queue = bus.message_queue(ORDERED, KITCHEN).unwrap();
    for format in FORMATS {
        let report = bus.trigger_encoded(&ordered(format).about("t7")).unwrap();
        assert_eq!(report.delivered, 1);
        let message = queue.recv_timeout(LONG).unwrap();
        assert_eq!(message.data(), &order());
        assert_eq!(message.id(), ORDERED.descriptor());
        assert_eq!(message.endpoint(), Some(KITCHEN));
        assert_eq!(message.entity(), Some(&Entity::from("t7")));
    }
}

#[test]
fn each_encoded_reply_names_its_handler_in_order_of_execution() {
    let bus = bus();
    for (name, kind, priority) in [
        ("last", DispatcherKind::Callback, 1),
        ("first", DispatcherKind::Sequential, 3),
        ("second", DispatcherKind::ThreadPool, 2),
    ] {
        bus.dispatcher(kind, name)
            .priority(priority)
            .endpoints([KITCHEN])
            .on(PRICE, move |message, _| {
                Ok(message.data().len() as u64 + u64::from(priority.unsigned_abs()))
            })
            .register()
            .unwrap();
    }
    for format in FORMATS {
        let mut replies = bus.send_encoded(&price("soup", format)).unwrap();
        assert_eq!((replies.len(), replies.is_empty()), (3, false));
        let first = replies.next(LONG).unwrap();
        assert_eq!((replies.len(), replies.is_empty()), (2, false));
        let rest = replies.all(LONG);
        let answers: Vec<(String, u64)> = std::iter::once(&first)
            .chain(&rest)
            .map(|reply| {
                let answer = reply.result.as_ref().unwrap();
                assert_eq!(answer.format(), format);
                (reply.handler.to_string(), value(answer))
            })
            .collect();
        let expected = [("first", 7), ("second", 6), ("last", 5)];
        assert_eq!(answers, expected.map(|(name, n)| (name.to_owned(), n)));
    }
    let request = price("soup", WireFormat::Postcard);
    let mut replies = bus.send_encoded(&request).unwrap();
    while replies.next(LONG).is_some() {}
    assert_eq!((replies.len(), replies.is_empty()), (0, true));
    let replies = bus.send_encoded(&request).unwrap();
    let mut names: Vec<Arc<str>> = replies
        .as_completed(LONG)
        .map(|reply| reply.handler)
        .collect();
    names.sort();
    assert_eq!(names, ["first".into(), "last".into(), "second".into()]);
}

#[test]
fn an_encoded_request_without_an_endpoint_goes_to_all_and_one_for_an_entity_to_its_own() {
    let bus = bus();
    for (endpoint, answer) in [(KITCHEN, 1), (CELLAR, 2)] {
        bus.dispatcher(DispatcherKind::Callback, endpoint.name())
            .endpoints([endpoint])
            .on(PRICE, move |_, _| Ok(answer))
            .register()
            .unwrap();
    }
    bus.dispatcher(DispatcherKind::Callback, "red")
        .endpoints([CELLAR])
        .entities(["red"])
        .on(PRICE, |_, _| Ok(3))
        .register()
        .unwrap();
    let wine = payload(&"wine", WireFormat::Json);
    let everywhere = EncodedMessage::new("PRICE", wine);
    let answers = |message: &EncodedMessage| -> Vec<u64> {
        let replies = bus.send_encoded(message).unwrap().all(LONG);
        let answers = replies.iter().map(|reply| reply.result.as_ref().unwrap());
        answers.map(value).collect()
    };
    assert_eq!(answers(&everywhere), [1, 2, 3]);
    assert_eq!(answers(&everywhere.clone().at("cellar")), [2, 3]);
    assert_eq!(answers(&everywhere.clone().about("red")), [3]);
    assert_eq!(answers(&everywhere.at("cellar").about("red")), [3]);
}

#[test]
fn every_kind_of_failure_is_data() {
    let bus = bus();
    let register = |name: &str, priority: i32, kind: DispatcherKind| {
        bus.dispatcher(kind, name.to_owned())
            .priority(priority)
            .endpoints([KITCHEN])
    };
    register("fails", 3, DispatcherKind::Callback)
        .on(PRICE, |_, _| {
            Err(zaf_core::Error::msg("sold out").hint("ask tomorrow"))
        })
        .register()
        .unwrap();
    register("panics", 2, DispatcherKind::Callback)
        .on(PRICE, |_, _| panic!("the stove is on fire"))
        .register()
        .unwrap();
    let (open, gate) = crossbeam_channel::bounded::<()>(0);
    register("sleeps", 1, DispatcherKind::Sequential)
        .on(PRICE, move |_, _| {
            assert!(gate.recv().is_err(), "the gate opens by being dropped");
            Ok(1)
        })
        .register()
        .unwrap();
    let request = price("soup", WireFormat::Postcard);
    let replies = bus.send_encoded(&request).unwrap().all(Duration::ZERO);
    drop(open);
    let errors: Vec<EncodedReplyError> = replies
        .into_iter()
        .map(|reply| reply.result.unwrap_err())
        .collect();
    let expected = [
        EncodedReplyError::Failed {
            causes: vec!["sold out".to_owned()],
            hints: vec!["ask tomorrow".to_owned()],
        },
        EncodedReplyError::Panicked {
            message: "the stove is on fire".to_owned(),
        },
        EncodedReplyError::TimedOut {
            after: Duration::ZERO,
        },
    ];
    assert_eq!(errors, expected);
}

#[test]
fn names_that_lead_nowhere_are_told_with_the_nearest_right_one() {
    let bus = bus();
    let json = || payload(&order(), WireFormat::Json);
    let error = |message: EncodedMessage| bus.trigger_encoded(&message).unwrap_err();
    let at = |name: &'static str, endpoint: &'static str| {
        error(EncodedMessage::new(name, json()).at(endpoint))
    };
    assert_eq!(
        at("ORDERD", "kitchen").to_string(),
        "message `ORDERD` is not defined; did you mean `ORDERED`?"
    );
    assert_eq!(
        at("ORDERED", "kichen").to_string(),
        "endpoint `kichen` is not defined; did you mean `kitchen`?"
    );
    assert_eq!(
        at("ORDERED", "cellar"),
        PortableError::Bus(BusError::NotDefinedAt {
            message: "ORDERED",
            endpoint: "cellar",
            defined_at: vec!["kitchen"],
            nearest: None,
        })
    );
    assert_eq!(
        at("HEATED", "kitchen").to_string(),
        "message `HEATED` is not portable; add `.portable()` where it is declared"
    );
    // Not one that could not be used anyway.
    assert_eq!(
        at("HEATE", "kitchen").to_string(),
        "message `HEATE` is not defined"
    );
    assert_eq!(
        error(EncodedMessage::new("ORDERED", json())),
        PortableError::EndpointMissing { message: "ORDERED" }
    );
    assert_eq!(
        at("PRICE", "kitchen"),
        PortableError::WrongKind {
            message: "PRICE",
            actual: MessageKind::Request,
            expected: MessageKind::Event,
        }
    );
    let sent = bus.send_encoded(&ordered(WireFormat::Json)).unwrap_err();
    assert_eq!(
        sent.to_string(),
        "message `ORDERED` is an event and not a request"
    );
}

#[test]
fn what_the_bus_refuses_it_refuses_for_bytes_too() {
    let bus = bus();
    let request = price("soup", WireFormat::Json);
    let no_receiver = bus.send_encoded(&request).unwrap_err();
    assert_eq!(no_receiver.code(), "no-receiver");
    bus.shutdown(LONG).unwrap();
    assert_eq!(bus.send_encoded(&request).unwrap_err().code(), "closed");
    let event = ordered(WireFormat::Json);
    assert_eq!(bus.trigger_encoded(&event).unwrap_err().code(), "closed");
}

#[test]
fn bytes_that_are_no_payload_reach_nobody_and_the_error_tells_where_and_what() {
    let bus = bus();
    let queue = bus.message_queue(ORDERED, KITCHEN).unwrap();
    let send = |format, bytes: &[u8]| {
        let message = EncodedMessage::new("ORDERED", EncodedPayload::new(format, bytes));
        bus.trigger_encoded(&message.at("kitchen")).unwrap_err()
    };
    let expected = std::any::type_name::<Order>();
    assert_eq!(
        send(WireFormat::Postcard, &[7, 1, 200]),
        PortableError::Undecodable {
            what: "payload of `ORDERED`".to_owned(),
            expected,
            format: WireFormat::Postcard,
            at: 3,
            problem: "the bytes end before the value does".to_owned(),
        }
    );
    let text = br#"{"table":7,"meals":"soup"}"#;
    assert_eq!(
        send(WireFormat::Json, text).to_string(),
        format!(
            "payload of `ORDERED`: not {expected} in JSON, wrong behind byte 24: invalid type: string \"soup\", expected a sequence"
        )
    );
    assert_eq!(
        send(WireFormat::Postcard, &[7, 0, 0, 1, 2, 3]),
        PortableError::TrailingBytes {
            what: "payload of `ORDERED`".to_owned(),
            expected,
            format: WireFormat::Postcard,
            extra: 3,
        }
    );
    assert!(queue.is_empty());
}

#[test]
fn a_payload_that_needs_names_travels_as_json_only() {
    let bus = bus();
    let queue = bus.message_queue(CLOSED, KITCHEN).unwrap();
    let closing = Closing::Early {
        reason: "fire".to_owned(),
    };
    let message = |format| EncodedMessage::new("CLOSED", payload(&closing, format)).at("kitchen");
    bus.trigger_encoded(&message(WireFormat::Json)).unwrap();
    assert_eq!(queue.recv_timeout(LONG).unwrap().data(), &closing);
    assert_eq!(
        bus.trigger_encoded(&message(WireFormat::Postcard))
            .unwrap_err(),
        PortableError::UnsupportedFormat {
            message: "CLOSED",
            format: WireFormat::Postcard,
        }
    );
}

#[test]
fn a_bridge_can_ask_what_there_is() {
    let bus = bus();
    let offered: Vec<(&str, Vec<&str>, &[WireFormat])> = bus
        .portable_messages()
        .iter()
        .map(|(message, endpoints)| {
            let endpoints = endpoints.iter().map(EndpointId::name).collect();
            (message.name, endpoints, message.codec.unwrap().formats())
        })
        .collect();
    let expected: [(&str, Vec<&str>, &[WireFormat]); 3] = [
        ("ORDERED", vec!["kitchen"], &FORMATS),
        ("PRICE", vec!["kitchen", "cellar"], &FORMATS),
        ("CLOSED", vec!["kitchen"], &[WireFormat::Json]),
    ];
    assert_eq!(offered, expected);
}

#[test]
fn a_name_has_one_layout_and_one_declaration_that_is_portable_is_enough() {
    const PLAIN: EventId<u32> = EventId::new("TICK", "");
    const PORTABLE: EventId<u32> = PLAIN.portable();
    const NAMED: EventId<u32> = PLAIN.portable_as_json();
    const OTHER: EventId<u64> = EventId::new("TICK", "").portable();
    let tick = EncodedMessage::new("TICK", payload(&5u32, WireFormat::Json)).at("kitchen");
    for (first, second) in [(PLAIN, PORTABLE), (PORTABLE, PLAIN)] {
        let bus = MessageBus::new();
        bus.define(KITCHEN, &[first.descriptor()]).unwrap();
        // Built before the second declaration is known.
        let queue = bus.message_queue(first, KITCHEN).unwrap();
        bus.trigger_event(second, KITCHEN, 4).unwrap();
        bus.define(KITCHEN, &[second.descriptor()]).unwrap();
        bus.trigger_encoded(&tick).unwrap();
        let got = [(); 2].map(|()| *queue.recv_timeout(LONG).unwrap().data());
        assert_eq!(got, [4, 5]);
    }
    let bus = MessageBus::new();
    bus.define(KITCHEN, &[PORTABLE.descriptor()]).unwrap();
    for other in [NAMED.descriptor(), OTHER.descriptor()] {
        let refused = bus.define(CELLAR, &[other]).unwrap_err();
        assert!(
            matches!(refused, BusError::TypeMismatch { .. }),
            "{refused}"
        );
    }
    // Whoever sends it with other formats to nobody is told so, each time.
    for _ in 0..3 {
        bus.trigger_event(PORTABLE, KITCHEN, 1).unwrap();
        let refused = bus.trigger_event(NAMED, KITCHEN, 1);
        assert!(
            matches!(refused, Err(BusError::TypeMismatch { .. })),
            "{refused:?}"
        );
    }
    let contradicting = [
        PLAIN.descriptor(),
        PORTABLE.descriptor(),
        NAMED.descriptor(),
    ];
    let refused = MessageBus::new().define(CELLAR, &contradicting);
    assert!(matches!(refused, Err(BusError::TypeMismatch { .. })));
    let refused = bus.define(CELLAR, &[NAMED.descriptor()]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "message `TICK` is defined as Event(TICK: u32 -> (), as postcard or JSON), but used as Event(TICK: u32 -> (), as JSON)"
    );
}
