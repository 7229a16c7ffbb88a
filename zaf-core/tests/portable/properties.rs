//! What holds for all payloads and all bytes.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;
use zaf_core::message::{DispatcherKind, EncodedMessage, EncodedPayload, Entity, WireFormat};

use super::{FORMATS, KITCHEN, LONG, ORDERED, Order, PRICE, bus, payload};

const LIMIT: usize = 1 << 20;

fn orders() -> impl Strategy<Value = Order> {
    let meals = prop::collection::vec(".{0,12}", 0..6);
    (any::<u32>(), meals, prop::option::of(".{0,20}")).prop_map(|(table, meals, note)| Order {
        table,
        meals,
        note,
    })
}

fn formats() -> impl Strategy<Value = WireFormat> {
    prop::sample::select(FORMATS.as_slice())
}

fn messages() -> impl Strategy<Value = EncodedMessage> {
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let payload = prop_oneof![
        bytes.prop_map(|bytes| EncodedPayload::new(WireFormat::Postcard, bytes)),
        ".{0,40}".prop_map(|text| EncodedPayload::new(WireFormat::Json, text.into_bytes())),
    ];
    let name = || prop::option::of(".{0,12}");
    (".{0,12}", name(), name(), payload).prop_map(|(message, endpoint, entity, payload)| {
        let mut encoded = EncodedMessage::new(message, payload);
        if let Some(endpoint) = endpoint {
            encoded = encoded.at(endpoint);
        }
        if let Some(entity) = entity {
            encoded = encoded.about(&*entity);
        }
        encoded
    })
}

proptest! {
    #[test]
    fn an_event_is_the_same_after_it_was_bytes(
        order in orders(), entity in prop::option::of(".{1,12}"), format in formats(), frame in formats(),
    ) {
        let (near, far) = (bus(), bus());
        let queue = far.message_queue(ORDERED, KITCHEN).unwrap();
        near.dispatcher(DispatcherKind::Callback, "bridge")
            .on_encoded(["ORDERED"], format, move |message, _| {
                let bytes = message.to_bytes(frame, LIMIT)?;
                far.trigger_encoded(&EncodedMessage::from_bytes(&bytes, frame, LIMIT)?)?;
                Ok(())
            })
            .unwrap()
            .register()
            .unwrap();
        let entity = entity.map(|name| Entity::new(name.as_str()));
        let report = match &entity {
            None => near.trigger_event(ORDERED, KITCHEN, order.clone()),
            Some(entity) => near.trigger_event_for(ORDERED, KITCHEN, entity, order.clone()),
        };
        report.unwrap().into_result().unwrap();
        let message = queue.recv_timeout(LONG).unwrap();
        prop_assert_eq!(message.data(), &order);
        prop_assert_eq!(message.entity(), entity.as_ref());
        prop_assert_eq!(message.endpoint(), Some(KITCHEN));
    }

    #[test]
    fn a_request_and_its_answer_are_the_same_after_they_were_bytes(
        text in ".{0,40}", answer in any::<u64>(), format in formats(),
    ) {
        let (near, far) = (bus(), bus());
        let asked = Arc::new(Mutex::new(None));
        let own = Arc::clone(&asked);
        far.dispatcher(DispatcherKind::Callback, "menu")
            .on(PRICE, move |message, _| {
                *own.lock() = Some(message.data().clone());
                Ok(answer)
            })
            .register()
            .unwrap();
        near.dispatcher(DispatcherKind::Callback, "bridge")
            .endpoints([KITCHEN])
            .answer_encoded(["PRICE"], format, move |message, _| {
                let reply = far.send_encoded(message)?.all(LONG).swap_remove(0);
                Ok(reply.result?)
            })
            .unwrap()
            .register()
            .unwrap();
        let replies = near.send_request(PRICE, KITCHEN, text.clone()).unwrap();
        prop_assert_eq!(replies.values(LONG).unwrap(), [answer]);
        prop_assert_eq!(asked.lock().take(), Some(text));
    }

    #[test]
    fn a_frame_is_the_same_after_it_was_bytes(message in messages(), format in formats()) {
        let bytes = message.to_bytes(format, LIMIT).unwrap();
        let again = EncodedMessage::from_bytes(&bytes, format, LIMIT);
        prop_assert_eq!(again, Ok(message));
    }

    #[test]
    fn any_bytes_are_a_frame_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200), format in formats(),
    ) {
        if let Ok(message) = EncodedMessage::from_bytes(&bytes, format, LIMIT) {
            // What was read is written and read again as the same.
            let written = message.to_bytes(format, LIMIT).unwrap();
            prop_assert_eq!(EncodedMessage::from_bytes(&written, format, LIMIT), Ok(message));
        }
    }

    #[test]
    fn any_bytes_are_a_payload_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..60), format in formats(),
    ) {
        let bus = bus();
        let queue = bus.message_queue(ORDERED, KITCHEN).unwrap();
        let payload_of_bytes = EncodedPayload::new(format, bytes);
        let message = EncodedMessage::new("ORDERED", payload_of_bytes).at("kitchen");
        match bus.trigger_encoded(&message) {
            Ok(_) => {
                let got = queue.recv_timeout(LONG).unwrap();
                let again = payload(got.data(), format);
                prop_assert!(again.bytes().len() <= 200);
            }
            Err(error) => {
                prop_assert!(queue.is_empty());
                prop_assert!(["undecodable", "trailing-bytes"].contains(&error.code()), "{error}");
            }
        }
    }
}
