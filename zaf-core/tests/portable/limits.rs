//! How much a peer may take.

use std::num::NonZeroUsize;

use zaf_core::message::{
    BusLimits, DispatcherKind, EncodedMessage, EncodedReplyError, MessageBus, PortableError,
    ReplyError, WireFormat,
};

use super::{FORMATS, KITCHEN, LONG, ORDERED, Order, PRICE, defined, payload};

const LIMIT: usize = 100;

fn small_bus() -> MessageBus {
    let limit = NonZeroUsize::new(LIMIT).unwrap();
    defined(MessageBus::with_limits(
        BusLimits::default().encoded_bound(limit),
    ))
}

fn order_of(length: usize) -> Order {
    Order {
        table: 1,
        meals: Vec::new(),
        note: Some("x".repeat(length)),
    }
}

#[test]
fn b9_a_response_larger_than_the_limit_is_too_large_with_both_sizes() {
    const TEXT: zaf_core::message::RequestId<usize, String> =
        zaf_core::message::RequestId::new("TEXT", "A text of that length.").portable();
    let bus = small_bus();
    bus.define(KITCHEN, &[TEXT.descriptor()]).unwrap();
    bus.dispatcher(DispatcherKind::Callback, "writer")
        .on(TEXT, |message, _| Ok("x".repeat(*message.data())))
        .register()
        .unwrap();
    for (format, overhead) in [(WireFormat::Postcard, 1), (WireFormat::Json, 2)] {
        let ask = |length: usize| {
            let message = EncodedMessage::new("TEXT", payload(&length, format)).at("kitchen");
            let mut replies = bus.send_encoded(&message).unwrap();
            replies.next(LONG).unwrap().result
        };
        let largest = ask(LIMIT - overhead).unwrap();
        assert_eq!(largest.bytes().len(), LIMIT);
        assert_eq!(
            ask(LIMIT - overhead + 1),
            Err(EncodedReplyError::TooLarge {
                actual: LIMIT as u64 + 1,
                limit: LIMIT as u64,
            })
        );
    }
}

#[test]
fn b9_an_answer_from_a_peer_that_is_larger_than_the_limit_is_not_decoded() {
    let bus = small_bus();
    bus.dispatcher(DispatcherKind::Callback, "bridge")
        .endpoints([KITCHEN])
        .answer_encoded(["PRICE"], WireFormat::Json, |_, _| {
            let mut digits = " ".repeat(LIMIT).into_bytes();
            digits.push(b'1');
            Ok(zaf_core::message::EncodedPayload::new(
                WireFormat::Json,
                digits,
            ))
        })
        .unwrap()
        .register()
        .unwrap();
    let mut replies = bus.send_request(PRICE, KITCHEN, String::new()).unwrap();
    let Some(Err(ReplyError::Failed { source, .. })) = replies.next(LONG).map(|r| r.result) else {
        panic!("a failure of the handler");
    };
    assert_eq!(
        source.downcast_ref(),
        Some(&PortableError::TooLarge {
            what: "reply of `PRICE`".to_owned(),
            actual: LIMIT + 1,
            limit: LIMIT,
        })
    );
}

#[test]
fn a_payload_that_is_too_large_is_refused_on_the_way_in_and_on_the_way_out() {
    let bus = small_bus();
    let typed = bus.message_queue(ORDERED, KITCHEN).unwrap();
    bus.dispatcher(DispatcherKind::Callback, "bridge")
        .on_encoded(["ORDERED"], WireFormat::Postcard, |_, _| Ok(()))
        .unwrap()
        .register()
        .unwrap();
    let largest = LIMIT - 4;
    for length in [largest, largest + 1] {
        let payload = payload(&order_of(length), WireFormat::Postcard);
        let size = payload.bytes().len();
        let is_fine = size <= LIMIT;
        assert_eq!(is_fine, length == largest);
        let message = EncodedMessage::new("ORDERED", payload).at("kitchen");
        let too_large = PortableError::TooLarge {
            what: "payload of `ORDERED`".to_owned(),
            actual: size,
            limit: LIMIT,
        };
        let came_in = bus.trigger_encoded(&message);
        assert_eq!(came_in.is_ok(), is_fine);
        if let Err(error) = came_in {
            assert_eq!(error, too_large);
        }
        let went_out = bus
            .trigger_event(ORDERED, KITCHEN, order_of(length))
            .unwrap();
        assert_eq!(went_out.failed().is_empty(), is_fine);
        for failed in went_out.failed() {
            assert_eq!(failed.error.downcast_ref(), Some(&too_large));
        }
    }
    // Twice the one that fits, and the other one only as a typed message.
    assert_eq!(typed.len(), 3);
}

#[test]
fn a_frame_is_measured_before_it_is_read() {
    for format in FORMATS {
        let message = EncodedMessage::new("ORDERED", payload(&order_of(50), format)).at("kitchen");
        let size = message.payload().bytes().len();
        let bytes = message.to_bytes(format, size).unwrap();
        assert_eq!(
            EncodedMessage::from_bytes(&bytes, format, size),
            Ok(message)
        );
        assert_eq!(
            EncodedMessage::from_bytes(&bytes, format, size - 1).unwrap_err(),
            PortableError::TooLarge {
                what: "payload of `ORDERED`".to_owned(),
                actual: size,
                limit: size - 1,
            }
        );
        let flood = vec![0xff; 1 << 20];
        let error = EncodedMessage::from_bytes(&flood, format, LIMIT).unwrap_err();
        assert_eq!(error.code(), "too-large", "{error}");
        assert!(
            error.to_string().starts_with("frame: 1048576 bytes"),
            "{error}"
        );
    }
}
