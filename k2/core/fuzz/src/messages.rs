//! Messages from a peer: frames, and payloads of every portable message that there is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use k2_core::messages::{
    RUNNER, TEST_CASE_FINISHED, TEST_CASE_STARTED, TEST_CASES_SELECTED, TEST_RUN_FINISHED,
    TEST_RUN_STARTED,
};
use zaf_core::message::{
    BusLimits, DispatcherKind, EncodedMessage, EncodedPayload, EndpointId, EventId, MessageBus,
    MessageDescriptor, MessageKind, RequestId, WireFormat,
};

type Mixed = (
    u8,
    Option<bool>,
    char,
    Vec<(String, i64)>,
    BTreeMap<u16, f64>,
    Result<[u32; 2], String>,
);

const HERE: EndpointId = EndpointId::new("here", "Where the target is.");
const MIXED: EventId<Mixed> = EventId::new("MIXED", "Something of everything.").portable();
const ASKED: RequestId<Mixed, Mixed> = RequestId::new("ASKED", "Is told back.").portable();

/// Bytes of a payload; small, so that the fuzzer gets beyond it.
const LIMIT: usize = 1 << 12;

static SEEN: Mutex<Option<EncodedMessage>> = Mutex::new(None);

static BUS: LazyLock<MessageBus> = LazyLock::new(|| {
    let limit = NonZeroUsize::new(LIMIT).expect("invariant: the limit is not 0");
    let bus = MessageBus::with_limits(BusLimits::default().encoded_bound(limit));
    let run = [
        TEST_RUN_STARTED.descriptor(),
        TEST_CASES_SELECTED.descriptor(),
        TEST_CASE_STARTED.descriptor(),
        TEST_CASE_FINISHED.descriptor(),
        TEST_RUN_FINISHED.descriptor(),
    ];
    bus.define(RUNNER, &run)
        .and_then(|()| bus.define(HERE, &[MIXED.descriptor(), ASKED.descriptor()]))
        .expect("invariant: the definitions do not contradict each other");
    let names: Vec<&str> = bus
        .portable_messages()
        .iter()
        .filter(|(message, _)| message.kind == MessageKind::Event)
        .map(|(message, _)| message.name)
        .collect();
    let keep = |message: &EncodedMessage, _: &MessageBus| {
        *SEEN.lock().expect("invariant: nobody panics with it") = Some(message.clone());
        Ok(())
    };
    bus.dispatcher(DispatcherKind::Callback, "bridge")
        .any_entity()
        .on_encoded(names, WireFormat::Json, keep)
        .expect("invariant: all are portable as JSON")
        .on(ASKED, |message, _| Ok(message.data().clone()))
        .register()
        .expect("invariant: all are defined");
    bus
});

/// The first byte says in which format the rest is a frame, or a payload.
pub fn encoded_message(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let format = if first % 2 == 0 {
        WireFormat::Postcard
    } else {
        WireFormat::Json
    };
    match EncodedMessage::from_bytes(rest, format, LIMIT) {
        Ok(message) => {
            frame(&message, format);
            deliver(&message);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for (message, endpoints) in BUS.portable_messages() {
        for endpoint in endpoints {
            let payload = EncodedPayload::new(format, rest);
            deliver(&EncodedMessage::new(message.name, payload).at(endpoint.name()));
        }
    }
}

/// What was read is written and read as the same.
fn frame(message: &EncodedMessage, format: WireFormat) {
    assert!(message.payload().bytes().len() <= LIMIT);
    let Ok(bytes) = message.to_bytes(format, LIMIT) else {
        // Names that are longer than they may be, or text that is none.
        return;
    };
    let again = EncodedMessage::from_bytes(&bytes, format, LIMIT);
    assert_eq!(again.as_ref(), Ok(message));
}

fn deliver(message: &EncodedMessage) {
    let messages = BUS.portable_messages();
    let known: Option<MessageDescriptor> = messages
        .iter()
        .map(|(known, _)| *known)
        .find(|known| known.name == message.name());
    if known.is_some_and(|known| known.kind == MessageKind::Request) {
        if let Ok(replies) = BUS.send_encoded(message) {
            for reply in replies.all(Duration::ZERO) {
                if let Ok(answer) = reply.result {
                    assert!(answer.bytes().len() <= LIMIT);
                }
            }
        }
        return;
    }
    let Ok(report) = BUS.trigger_encoded(message) else {
        return;
    };
    let seen = SEEN
        .lock()
        .expect("invariant: nobody panics with it")
        .take();
    let Some(seen) = seen else {
        // In JSON it is longer than it may be.
        assert_eq!(report.failed().len(), 1);
        return;
    };
    assert_eq!(seen.name(), message.name());
    assert_eq!(seen.entity(), message.entity());
    // Written once, it stays what it is; JSON has no word for what is no number.
    if BUS.trigger_encoded(&seen).is_ok() {
        let again = SEEN
            .lock()
            .expect("invariant: nobody panics with it")
            .take();
        assert_eq!(again, Some(seen));
    } else {
        let text = String::from_utf8_lossy(seen.payload().bytes());
        assert!(text.contains("null"), "{text}");
    }
}
