//! Those who are handed messages as bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, Serializer};
use zaf_core::message::{APPLICATION_ENDPOINT, EncodedPayload};
use zaf_core::message::{
    DispatcherKind, EncodedMessage, EncodedReplyError, Entity, EventId, HANDLER_FAILED, Message,
    MessageBus, MessageKind, PortableError, ReplyError, RequestId, WireFormat,
};

use super::{
    CELLAR, FORMATS, KITCHEN, LONG, ORDERED, PRICE, bus, order, ordered, payload, price, value,
};

type Log = Arc<Mutex<Vec<EncodedMessage>>>;

/// A dispatcher that writes down what it is handed.
fn listen(bus: &MessageBus, kind: DispatcherKind, names: &[&str], format: WireFormat) -> Log {
    let log = Log::default();
    let own = Arc::clone(&log);
    bus.dispatcher(kind, "bridge")
        .endpoints([KITCHEN])
        .on_encoded(names, format, move |message, _| {
            own.lock().push(message.clone());
            Ok(())
        })
        .unwrap()
        .register()
        .unwrap();
    log
}

#[test]
fn an_encoded_handler_of_each_kind_sees_what_a_typed_one_sees() {
    for kind in [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        for format in FORMATS {
            let bus = bus();
            let log = listen(&bus, kind, &["ORDERED"], format);
            let entity = Entity::from("t7");
            let report = bus
                .trigger_event_for(ORDERED, KITCHEN, &entity, order())
                .unwrap();
            assert_eq!(report.delivered, 1);
            bus.wait_until_idle(LONG).unwrap();
            assert_eq!(log.lock().as_slice(), [ordered(format).about("t7")]);
        }
    }
}

#[test]
fn what_comes_in_as_bytes_goes_out_as_the_same_bytes() {
    let bus = bus();
    let log = listen(
        &bus,
        DispatcherKind::Callback,
        &["ORDERED"],
        WireFormat::Postcard,
    );
    for format in FORMATS {
        bus.trigger_encoded(&ordered(format)).unwrap();
    }
    let postcard = ordered(WireFormat::Postcard);
    assert_eq!(log.lock().as_slice(), [postcard.clone(), postcard]);
}

#[test]
fn typed_and_encoded_handlers_share_one_order_of_priority() {
    let bus = bus();
    let log = Arc::new(Mutex::new(Vec::new()));
    for (name, priority) in [("c", 1), ("a", 3)] {
        let log = Arc::clone(&log);
        bus.dispatcher(DispatcherKind::Callback, name)
            .priority(priority)
            .on(ORDERED, move |_, _| {
                log.lock().push(name);
                Ok(())
            })
            .register()
            .unwrap();
    }
    for (name, priority) in [("d", 1), ("b", 2)] {
        let log = Arc::clone(&log);
        bus.dispatcher(DispatcherKind::Callback, name)
            .priority(priority)
            .on_encoded(["ORDERED"], WireFormat::Json, move |_, _| {
                log.lock().push(name);
                Ok(())
            })
            .unwrap()
            .register()
            .unwrap();
    }
    bus.trigger_event(ORDERED, KITCHEN, order()).unwrap();
    assert_eq!(*log.lock(), ["a", "b", "c", "d"]);
}

/// Counts how often it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "()")]
struct Counting(Arc<AtomicUsize>);

impl From<()> for Counting {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl Serialize for Counting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        serializer.serialize_newtype_struct("Counting", &())
    }
}

const COUNTED: EventId<Counting> = EventId::new("COUNTED", "").portable();
const COUNTED_REQUEST: RequestId<Counting, u32> = RequestId::new("COUNTED_REQUEST", "").portable();

#[test]
fn a_payload_is_encoded_once_per_format_however_many_want_it_and_never_if_nobody_does() {
    let bus = MessageBus::new();
    bus.define(
        KITCHEN,
        &[COUNTED.descriptor(), COUNTED_REQUEST.descriptor()],
    )
    .unwrap();
    bus.define(CELLAR, &[COUNTED_REQUEST.descriptor()]).unwrap();
    let typed = bus.message_queue(COUNTED, KITCHEN).unwrap();
    let nobody = Counting::default();
    bus.trigger_event(COUNTED, KITCHEN, nobody.clone()).unwrap();
    assert_eq!(nobody.0.load(Ordering::SeqCst), 0);
    assert_eq!(typed.len(), 1);

    let kinds = [
        DispatcherKind::Callback,
        DispatcherKind::Sequential,
        DispatcherKind::Concurrent,
        DispatcherKind::Callback,
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let name = format!("bridge {number}");
        let builder = bus
            .dispatcher(kind, name)
            .on_encoded(["COUNTED"], WireFormat::Postcard, |_, _| Ok(()))
            .unwrap()
            .answer_encoded(["COUNTED_REQUEST"], WireFormat::Json, |_, _| {
                Ok(payload(&1u32, WireFormat::Postcard))
            })
            .unwrap();
        // Sees another message than the others, with the same payload.
        let builder = if number == 0 {
            builder.entities(["x"])
        } else {
            builder.any_entity()
        };
        builder.register().unwrap();
    }
    let event = Counting::default();
    let entity = Entity::from("x");
    let report = bus
        .trigger_event_for(COUNTED, KITCHEN, &entity, event.clone())
        .unwrap();
    assert_eq!(report.delivered, kinds.len() + 1);
    bus.wait_until_idle(LONG).unwrap();
    assert_eq!(event.0.load(Ordering::SeqCst), 1);

    let request = Counting::default();
    let replies = bus
        .send_request(COUNTED_REQUEST, KITCHEN, request.clone())
        .unwrap();
    assert_eq!(replies.values(LONG).unwrap(), [1; 4]);
    assert_eq!(request.0.load(Ordering::SeqCst), 1);

    let everywhere = Counting::default();
    let replies = bus
        .send_request_everywhere(COUNTED_REQUEST, None, everywhere.clone())
        .unwrap();
    assert_eq!(replies.values(LONG).unwrap(), [1; 4]);
    assert_eq!(everywhere.0.load(Ordering::SeqCst), 1);

    bus.dispatcher(DispatcherKind::Callback, "other format")
        .on_encoded(["COUNTED"], WireFormat::Json, |_, _| Ok(()))
        .unwrap()
        .register()
        .unwrap();
    let both = Counting::default();
    bus.trigger_event(COUNTED, KITCHEN, both.clone()).unwrap();
    bus.wait_until_idle(LONG).unwrap();
    assert_eq!(both.0.load(Ordering::SeqCst), 2);
}

#[test]
fn an_encoded_answer_is_the_answer_and_an_error_of_the_peer_is_found_by_the_sender() {
    let bus = bus();
    bus.dispatcher(DispatcherKind::Sequential, "bridge")
        .endpoints([KITCHEN])
        .answer_encoded(["PRICE"], WireFormat::Postcard, |message, _| {
            let what: String = value(message.payload());
            match what.as_str() {
                "soup" => Ok(payload(&4u64, WireFormat::Json)),
                "garbage" => Ok(EncodedPayload::new(WireFormat::Postcard, [1, 2])),
                _ => Err(EncodedReplyError::Cancelled.into()),
            }
        })
        .unwrap()
        .register()
        .unwrap();
    let ask = |what: &str| {
        let mut replies = bus.send_request(PRICE, KITCHEN, what.to_owned()).unwrap();
        replies.next(LONG).unwrap().result
    };
    assert_eq!(ask("soup").unwrap(), 4);
    let Err(ReplyError::Failed { source, .. }) = ask("wine") else {
        panic!("a failure of the handler");
    };
    assert_eq!(
        source.downcast_ref::<EncodedReplyError>(),
        Some(&EncodedReplyError::Cancelled)
    );
    let Err(ReplyError::Failed { source, .. }) = ask("garbage") else {
        panic!("a failure of the handler");
    };
    let error = source.downcast_ref::<PortableError>().unwrap();
    assert_eq!(
        error.to_string(),
        "reply of `PRICE`: 1 bytes too many behind u64 in postcard"
    );
}

#[test]
fn two_buses_become_one_by_forwarding_bytes() {
    let near = bus();
    let far = bus();
    far.dispatcher(DispatcherKind::Callback, "menu")
        .endpoints([KITCHEN])
        .on(PRICE, |message: &Message<String>, _| {
            Ok(message.data().len() as u64)
        })
        .register()
        .unwrap();
    let far_queue = far.message_queue(ORDERED, KITCHEN).unwrap();
    let (to_events, to_requests) = (far.clone(), far.clone());
    near.dispatcher(DispatcherKind::Sequential, "bridge")
        .endpoints([KITCHEN])
        .on_encoded(["ORDERED"], WireFormat::Postcard, move |message, _| {
            to_events.trigger_encoded(message)?;
            Ok(())
        })
        .unwrap()
        .answer_encoded(["PRICE"], WireFormat::Postcard, move |message, _| {
            let mut replies = to_requests.send_encoded(message)?;
            let reply = replies
                .next(LONG)
                .ok_or_else(|| zaf_core::Error::msg("nobody"))?;
            Ok(reply.result?)
        })
        .unwrap()
        .register()
        .unwrap();
    near.trigger_event(ORDERED, KITCHEN, order()).unwrap();
    assert_eq!(far_queue.recv_timeout(LONG).unwrap().data(), &order());
    let prices = near
        .send_request(PRICE, KITCHEN, "soup".to_owned())
        .unwrap();
    assert_eq!(prices.values(LONG).unwrap(), [4]);
}

#[test]
fn names_are_checked_when_they_are_given() {
    let bus = bus();
    let builder = || {
        bus.dispatcher(DispatcherKind::Callback, "bridge")
            .optional()
    };
    let listen = |name: &str, format| {
        let outcome = builder().on_encoded([name], format, |_, _| Ok(()));
        outcome.err().map(|error| error.to_string())
    };
    assert_eq!(
        listen("ORDERD", WireFormat::Json).unwrap(),
        "message `ORDERD` is not defined; did you mean `ORDERED`?"
    );
    assert_eq!(
        listen("HEATED", WireFormat::Json).unwrap(),
        "message `HEATED` is not portable; add `.portable()` where it is declared"
    );
    assert_eq!(
        listen("PRICE", WireFormat::Json).unwrap(),
        "message `PRICE` is a request and not an event"
    );
    assert_eq!(
        listen("CLOSED", WireFormat::Postcard).unwrap(),
        "message `CLOSED` is declared with `.portable_as_json()`: it cannot be written as postcard, only as JSON"
    );
    assert_eq!(listen("CLOSED", WireFormat::Json), None);
    let events = builder().answer_encoded(["ORDERED"], WireFormat::Json, |message, _| {
        Ok(message.payload().clone())
    });
    assert_eq!(
        events.unwrap_err(),
        PortableError::WrongKind {
            message: "ORDERED",
            actual: MessageKind::Event,
            expected: MessageKind::Request,
        }
    );
}

/// Cannot be written.
#[derive(Debug, Clone, Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is a secret"))
    }
}

#[test]
fn a_payload_that_cannot_be_written_is_a_failure_of_those_who_want_it_written() {
    const SECRET: EventId<Unwritable> = EventId::new("SECRET", "").portable();
    let bus = MessageBus::new();
    bus.define(KITCHEN, &[SECRET.descriptor()]).unwrap();
    let failures = bus
        .message_queue(HANDLER_FAILED, APPLICATION_ENDPOINT)
        .unwrap();
    let typed = bus.message_queue(SECRET, KITCHEN).unwrap();
    let log = listen(
        &bus,
        DispatcherKind::Callback,
        &["SECRET"],
        WireFormat::Json,
    );
    let report = bus.trigger_event(SECRET, KITCHEN, Unwritable).unwrap();
    assert_eq!((report.delivered, report.failed().len()), (1, 1));
    assert_eq!(typed.len(), 1);
    assert!(log.lock().is_empty());
    let failed = failures.recv_timeout(LONG).unwrap();
    let type_name = std::any::type_name::<Unwritable>();
    assert_eq!(
        failed.data().error,
        format!("payload of `SECRET`: {type_name} cannot be written as JSON: it is a secret")
    );
}

#[test]
fn a_dispatcher_that_is_destroyed_gets_no_more_bytes() {
    let bus = bus();
    let count = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&count);
    let dispatcher = bus
        .dispatcher(DispatcherKind::Sequential, "bridge")
        .answer_encoded(["PRICE"], WireFormat::Json, move |_, _| {
            own.fetch_add(1, Ordering::SeqCst);
            Ok(payload(&1u64, WireFormat::Json))
        })
        .unwrap()
        .register()
        .unwrap();
    let request = price("soup", WireFormat::Json);
    assert_eq!(bus.send_encoded(&request).unwrap().all(LONG).len(), 1);
    dispatcher.destroy();
    assert_eq!(
        bus.send_encoded(&request).unwrap_err().code(),
        "no-receiver"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
