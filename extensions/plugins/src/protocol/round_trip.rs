//! Whatever is written as a frame is read back the same, by either codec: reading and writing are two lists of the same fields.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use zaf_core::message::{EncodedMessage, EncodedPayload, Entity, MessageKind, WireFormat};

use super::*;

/// So many that no kind of frame is missing by chance.
const FRAMES: u32 = 1000;

fn text() -> impl Strategy<Value = String> {
    "(?s).{0,12}"
}

/// 0 stands for none.
fn id() -> impl Strategy<Value = u64> {
    1..=u64::MAX
}

fn value() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    single.prop_recursive(2, 8, 3, |inner| {
        let object = btree_map(text(), inner.clone(), 0..3);
        let object = object.prop_map(|fields| fields.into_iter().collect::<Value>());
        prop_oneof![vec(inner, 0..3).prop_map(Value::from), object]
    })
}

fn payload() -> impl Strategy<Value = EncodedPayload> {
    prop_oneof![
        3 => value().prop_map(|value| EncodedPayload::new(WireFormat::Json, value.to_string().into_bytes())),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| EncodedPayload::new(WireFormat::Postcard, bytes)),
    ]
}

fn message() -> impl Strategy<Value = EncodedMessage> {
    (text(), payload(), of(text()), of(text())).prop_map(|(name, payload, endpoint, entity)| {
        let mut message = EncodedMessage::new(name, payload);
        if let Some(endpoint) = endpoint {
            message = message.at(endpoint);
        }
        if let Some(entity) = entity {
            message = message.about(Entity::new(entity));
        }
        message
    })
}

fn error() -> impl Strategy<Value = CallError> {
    (text(), text()).prop_map(|(code, text)| CallError::new(code, text))
}

fn reply() -> impl Strategy<Value = ReplyEntry> {
    let result = prop_oneof![payload().prop_map(Ok), error().prop_map(Err)];
    (text(), result).prop_map(|(handler, result)| ReplyEntry { handler, result })
}

fn level() -> impl Strategy<Value = LogLevel> {
    prop_oneof![
        Just(LogLevel::Trace),
        Just(LogLevel::Debug),
        Just(LogLevel::Info),
        Just(LogLevel::Warn),
        Just(LogLevel::Error),
    ]
}

/// All but `describe`, which is a line of JSON in both codecs.
fn to_plugin() -> impl Strategy<Value = ToPlugin<'static>> {
    let kind = prop_oneof![Just(MessageKind::Event), Just(MessageKind::Request)];
    prop_oneof![
        (id(), btree_map(text(), value(), 0..3), of(text())).prop_map(|(id, config, entity)| {
            ToPlugin::Start {
                id,
                config: Cow::Owned(config),
                entity: entity.map(Cow::Owned),
            }
        }),
        (id(), kind, text(), message()).prop_map(|(id, kind, dispatcher, message)| {
            ToPlugin::Message {
                id,
                kind,
                dispatcher: dispatcher.into(),
                message: Cow::Owned(message),
            }
        }),
        (id(), vec(reply(), 0..4)).prop_map(|(id, replies)| ToPlugin::Replies { id, replies }),
        id().prop_map(|id| ToPlugin::Done { id }),
        (id(), error()).prop_map(|(id, error)| ToPlugin::Error { id, error }),
        id().prop_map(|id| ToPlugin::Stop { id }),
    ]
}

/// All but a description, which is a line of JSON in both codecs.
fn from_plugin() -> impl Strategy<Value = FromPlugin> {
    // A whole number of milliseconds; 0 stands for none.
    let timeout = (1..=u32::MAX).prop_map(|ms| Duration::from_millis(ms.into()));
    prop_oneof![
        id().prop_map(|id| FromPlugin::Done { id }),
        (id(), payload()).prop_map(|(id, payload)| FromPlugin::Reply { id, payload }),
        (of(id()), text(), vec(text(), 0..3)).prop_map(|(id, text, causes)| FromPlugin::Error {
            id,
            text,
            causes
        }),
        (of(id()), of(id()), message()).prop_map(|(id, during, message)| FromPlugin::Trigger {
            id,
            during,
            message
        }),
        (id(), of(id()), message(), of(timeout)).prop_map(|(id, during, message, timeout)| {
            FromPlugin::Send {
                id,
                during,
                message,
                timeout,
            }
        }),
        (level(), text()).prop_map(|(level, text)| FromPlugin::Log { level, text }),
        id().prop_map(|id| FromPlugin::Stopped { id }),
    ]
}

/// A new frame does not compile here: [`to_plugin`] has to make it too.
fn kind_to_plugin(frame: &ToPlugin<'_>) -> Option<u8> {
    Some(match frame {
        ToPlugin::Describe { .. } => return None,
        ToPlugin::Start { .. } => 0,
        ToPlugin::Message { .. } => 1,
        ToPlugin::Replies { .. } => 2,
        ToPlugin::Done { .. } => 3,
        ToPlugin::Error { .. } => 4,
        ToPlugin::Stop { .. } => 5,
    })
}

/// As [`kind_to_plugin`].
fn kind_from_plugin(frame: &FromPlugin) -> Option<u8> {
    Some(match frame {
        FromPlugin::Description { .. } => return None,
        FromPlugin::Done { .. } => 0,
        FromPlugin::Reply { .. } => 1,
        FromPlugin::Error { .. } => 2,
        FromPlugin::Trigger { .. } => 3,
        FromPlugin::Send { .. } => 4,
        FromPlugin::Log { .. } => 5,
        FromPlugin::Stopped { .. } => 6,
    })
}

/// Hands out frames, and expects as many kinds of them.
fn for_each<S: Strategy>(
    frames: S,
    kind: fn(&S::Value) -> Option<u8>,
    kinds: u8,
    check: fn(S::Value) -> Result<(), FrameError>,
) {
    let seen = RefCell::new(BTreeSet::new());
    let mut config = Config::with_cases(FRAMES);
    config.failure_persistence = None;
    let checked = TestRunner::new(config).run(&frames, |frame| {
        seen.borrow_mut().extend(kind(&frame));
        check(frame).map_err(|error| TestCaseError::fail(error.to_string()))
    });
    checked.unwrap();
    assert_eq!(seen.into_inner(), (0..kinds).collect());
}

/// Lines of JSON carry no payload in postcard, and say so.
fn is_written(written: Result<(), FrameError>) -> Result<bool, FrameError> {
    match written {
        Ok(()) => Ok(true),
        Err(FrameError::Unwritable { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[test]
fn what_a_host_writes_is_read_back_the_same() {
    for_each(to_plugin(), kind_to_plugin, 6, |frame| {
        let mut bytes = Vec::new();
        binary::write_to_plugin(&frame, &mut bytes)?;
        let (length, body) = bytes.split_first_chunk().unwrap();
        assert_eq!(binary::length(*length)?, body.len());
        assert_eq!(binary::read_to_plugin(body)?, frame);
        let mut line = Vec::new();
        if is_written(json::write_to_plugin(&frame, &mut line))? {
            assert_eq!(json::read_to_plugin(&line)?, frame);
        }
        Ok(())
    });
}

#[test]
fn what_a_plugin_writes_is_read_back_the_same() {
    for_each(from_plugin(), kind_from_plugin, 7, |frame| {
        let mut bytes = Vec::new();
        binary::write_from_plugin(&frame, &mut bytes)?;
        let (length, body) = bytes.split_first_chunk().unwrap();
        assert_eq!(binary::length(*length)?, body.len());
        assert_eq!(binary::read_from_plugin(body)?, frame);
        let mut line = Vec::new();
        if is_written(json::write_from_plugin(&frame, &mut line))? {
            assert_eq!(json::read_from_plugin(&line)?, frame);
        }
        Ok(())
    });
}
