//! Frames into bytes.

use std::time::Duration;

use zaf_core::message::{EncodedMessage, Entity, MessageKind, WireFormat};

use super::{
    DONE, ERROR, EVENT, Fields, LENGTH, LOG, NO_TEXT, REPLIES, REPLY, REQUEST, SEND, START, STOP,
    STOPPED, TRIGGER, format_code,
};
use crate::protocol::limits::check_length;
use crate::protocol::{FrameError, FromPlugin, LogLevel, ReplyEntry, ToPlugin};

/// Appends a frame for a plugin.
///
/// # Errors
/// [`FrameError::TooLong`]; then nothing is appended. [`FrameError::Wrong`] for describe, which is always a line of JSON.
pub fn write_to_plugin(frame: &ToPlugin<'_>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let json;
    let fields = match frame {
        ToPlugin::Describe { .. } => return Err(always_json("describe")),
        ToPlugin::Start { id, config, entity } => {
            json = to_json(config)?;
            Fields {
                format: format_code(Some(WireFormat::Json)),
                entity: entity.as_deref(),
                payload: &json,
                ..fields(START, *id)
            }
        }
        ToPlugin::Message {
            id,
            kind,
            dispatcher,
            message,
        } => Fields {
            dispatcher: Some(dispatcher),
            ..with_message(
                fields(
                    match kind {
                        MessageKind::Request => REQUEST,
                        _ => EVENT,
                    },
                    *id,
                ),
                message,
            )
        },
        ToPlugin::Replies { id, replies } => {
            json = write_replies(replies);
            Fields {
                payload: &json,
                ..fields(REPLIES, *id)
            }
        }
        ToPlugin::Done { id } => fields(DONE, *id),
        ToPlugin::Error { id, error } => Fields {
            message: Some(&error.code),
            text: Some(&error.text),
            ..fields(ERROR, *id)
        },
        ToPlugin::Stop { id } => fields(STOP, *id),
    };
    append(&fields, out)
}

/// Appends a frame for a host.
///
/// # Errors
/// As [`write_to_plugin`], for a description.
pub fn write_from_plugin(frame: &FromPlugin, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let json;
    let fields = match frame {
        FromPlugin::Description { .. } => return Err(always_json("description")),
        FromPlugin::Done { id } => fields(DONE, *id),
        FromPlugin::Reply { id, payload } => Fields {
            format: format_code(Some(payload.format())),
            payload: payload.bytes(),
            ..fields(REPLY, *id)
        },
        FromPlugin::Error { id, text, causes } => {
            json = if causes.is_empty() {
                Vec::new()
            } else {
                to_json(causes)?
            };
            Fields {
                format: format_code((!causes.is_empty()).then_some(WireFormat::Json)),
                text: Some(text),
                payload: &json,
                ..fields(ERROR, id.unwrap_or(0))
            }
        }
        FromPlugin::Trigger {
            id,
            during,
            message,
        } => Fields {
            during: during.unwrap_or(0),
            ..with_message(fields(TRIGGER, id.unwrap_or(0)), message)
        },
        FromPlugin::Send {
            id,
            during,
            message,
            timeout,
        } => Fields {
            during: during.unwrap_or(0),
            timeout_ms: timeout.map_or(0, milliseconds),
            ..with_message(fields(SEND, *id), message)
        },
        FromPlugin::Log { level, text } => Fields {
            level: level_code(*level),
            text: Some(text),
            ..fields(LOG, 0)
        },
        FromPlugin::Stopped { id } => fields(STOPPED, *id),
    };
    append(&fields, out)
}

fn always_json(frame: &'static str) -> FrameError {
    FrameError::Wrong {
        frame,
        field: "type".into(),
        problem: "it is always a line of JSON".to_owned(),
    }
}

/// 0 stands for none, so what is shorter than a millisecond is one.
fn milliseconds(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis())
        .unwrap_or(u32::MAX)
        .max(1)
}

fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(value).map_err(|error| FrameError::NotJson {
        problem: error.to_string(),
    })
}

fn fields(ty: u8, id: u64) -> Fields<'static> {
    Fields {
        ty,
        id,
        ..Fields::default()
    }
}

fn with_message<'a>(fields: Fields<'a>, message: &'a EncodedMessage) -> Fields<'a> {
    Fields {
        format: format_code(Some(message.payload().format())),
        message: Some(message.name()),
        endpoint: message.endpoint(),
        entity: message.entity().map(Entity::name),
        payload: message.payload().bytes(),
        ..fields
    }
}

fn level_code(level: LogLevel) -> u8 {
    match level {
        LogLevel::Trace => 1,
        LogLevel::Debug => 2,
        LogLevel::Info => 3,
        LogLevel::Warn => 4,
        LogLevel::Error => 5,
    }
}

fn append(fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    out.extend_from_slice(&[fields.ty, fields.format, fields.level, 0]);
    out.extend_from_slice(&fields.timeout_ms.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&fields.id.to_le_bytes());
    out.extend_from_slice(&fields.during.to_le_bytes());
    for text in [
        fields.dispatcher,
        fields.message,
        fields.endpoint,
        fields.entity,
        fields.text,
    ] {
        append_text(text, out);
    }
    out.extend_from_slice(fields.payload);
    let length = out.len() - start - LENGTH;
    if let Err(error) = check_length(length) {
        out.truncate(start);
        return Err(error);
    }
    let length = u32::try_from(length).expect("invariant: the limit of a frame fits 32 bits");
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// A text too long to have a length makes the frame too long, which is found behind it.
fn append_text(text: Option<&str>, out: &mut Vec<u8>) {
    let length = text.map_or(NO_TEXT, |text| {
        u32::try_from(text.len()).unwrap_or(NO_TEXT - 1)
    });
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

/// Answers one behind the other: number of them (4 bytes); of each the name of the dispatcher (a text), the format of its payload
/// (1 byte: 0 it is an error, 1 JSON, 2 postcard), the payload as 4 bytes of length and that many bytes, of an error instead
/// two texts: code and text.
pub(crate) fn write_replies(replies: &[ReplyEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    let count = u32::try_from(replies.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    for ReplyEntry { handler, result } in replies {
        append_text(Some(handler), &mut out);
        match result {
            Ok(payload) => {
                out.push(format_code(Some(payload.format())));
                let length = u32::try_from(payload.bytes().len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(payload.bytes());
            }
            Err(error) => {
                out.push(0);
                append_text(Some(&error.code), &mut out);
                append_text(Some(&error.text), &mut out);
            }
        }
    }
    out
}
