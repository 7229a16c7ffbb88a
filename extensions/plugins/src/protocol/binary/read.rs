//! Bytes into frames.

use std::borrow::Cow;
use std::time::Duration;

use zaf_core::message::{EncodedMessage, EncodedPayload, Entity, MessageKind, WireFormat};

use super::{
    DONE, ERROR, EVENT, Fields, LENGTH, LOG, NO_TEXT, REPLIES, REPLY, REQUEST, SEND, START, STOP,
    STOPPED, TRIGGER, format_code,
};
use crate::protocol::json::{FROM_PLUGIN, TO_PLUGIN, unknown_type};
use crate::protocol::limits::{check_json, check_length, check_string};
use crate::protocol::{CallError, FrameError, FromPlugin, LogLevel, ReplyEntry, ToPlugin};

/// Length of the frame that begins with these bytes.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn length(bytes: [u8; LENGTH]) -> Result<usize, FrameError> {
    let length = u32::from_le_bytes(bytes) as usize;
    check_length(length)?;
    Ok(length)
}

/// Reads a frame from a host; `body` is what follows its length.
///
/// # Errors
/// Any [`FrameError`].
pub fn read_to_plugin(body: &[u8]) -> Result<ToPlugin<'static>, FrameError> {
    let fields = parse(body)?;
    let frame = match fields.ty {
        START => ToPlugin::Start {
            id: fields.id("start")?,
            config: Cow::Owned(from_json(fields.payload, "start")?),
            entity: fields.entity.map(|entity| Cow::Owned(entity.to_owned())),
        },
        EVENT => fields.message_to_plugin(MessageKind::Event, "event")?,
        REQUEST => fields.message_to_plugin(MessageKind::Request, "request")?,
        REPLIES => ToPlugin::Replies {
            id: fields.id("replies")?,
            replies: replies(fields.payload)?,
        },
        DONE => ToPlugin::Done {
            id: fields.id("done")?,
        },
        ERROR => ToPlugin::Error {
            id: fields.id("error")?,
            error: CallError {
                code: needed(fields.message, "error", "message")?.to_owned(),
                text: needed(fields.text, "error", "text")?.to_owned(),
            },
        },
        STOP => ToPlugin::Stop {
            id: fields.id("stop")?,
        },
        other => return Err(unknown_type(&other.to_string(), TO_PLUGIN)),
    };
    Ok(frame)
}

/// Reads a frame from a plugin; `body` is what follows its length.
///
/// # Errors
/// Any [`FrameError`].
pub fn read_from_plugin(body: &[u8]) -> Result<FromPlugin, FrameError> {
    check_length(body.len())?;
    let fields = parse(body)?;
    for text in [
        fields.dispatcher,
        fields.message,
        fields.endpoint,
        fields.entity,
        fields.text,
    ] {
        check_string(text.map_or(0, str::len), 0)?;
    }
    if fields.format == format_code(Some(WireFormat::Json)) {
        check_json(fields.payload)?;
    }
    let some = |id: u64| (id != 0).then_some(id);
    let frame = match fields.ty {
        DONE => FromPlugin::Done {
            id: fields.id("done")?,
        },
        REPLY => FromPlugin::Reply {
            id: fields.id("reply")?,
            payload: fields.payload("reply")?,
        },
        ERROR => FromPlugin::Error {
            id: some(fields.id),
            text: needed(fields.text, "error", "text")?.to_owned(),
            causes: if fields.payload.is_empty() {
                Vec::new()
            } else {
                from_json(fields.payload, "error")?
            },
        },
        TRIGGER => FromPlugin::Trigger {
            id: some(fields.id),
            during: some(fields.during),
            message: fields.message("trigger")?,
        },
        SEND => FromPlugin::Send {
            id: fields.id("send")?,
            during: some(fields.during),
            message: fields.message("send")?,
            timeout: some(fields.timeout_ms.into()).map(Duration::from_millis),
        },
        LOG => FromPlugin::Log {
            level: level(fields.level)?,
            text: needed(fields.text, "log", "text")?.to_owned(),
        },
        STOPPED => FromPlugin::Stopped {
            id: fields.id("stopped")?,
        },
        other => return Err(unknown_type(&other.to_string(), FROM_PLUGIN)),
    };
    Ok(frame)
}

fn parse(body: &[u8]) -> Result<Fields<'_>, FrameError> {
    let mut reader = Reader { rest: body };
    let [ty, format, level, _] = reader.array("the head")?;
    let timeout_ms = u32::from_le_bytes(reader.array("the head")?);
    let _reserved: [u8; 4] = reader.array("the head")?;
    Ok(Fields {
        ty,
        format,
        level,
        timeout_ms,
        id: u64::from_le_bytes(reader.array("the head")?),
        during: u64::from_le_bytes(reader.array("the head")?),
        dispatcher: reader.text("the dispatcher")?,
        message: reader.text("the message")?,
        endpoint: reader.text("the endpoint")?,
        entity: reader.text("the entity")?,
        text: reader.text("the text")?,
        payload: reader.rest,
    })
}

impl Fields<'_> {
    fn id(&self, frame: &'static str) -> Result<u64, FrameError> {
        needed((self.id != 0).then_some(self.id), frame, "id")
    }

    fn payload(&self, frame: &'static str) -> Result<EncodedPayload, FrameError> {
        payload(self.format, self.payload, frame)
    }

    fn message(&self, frame: &'static str) -> Result<EncodedMessage, FrameError> {
        let name = needed(self.message, frame, "message")?.to_owned();
        let mut message = EncodedMessage::new(name, self.payload(frame)?);
        if let Some(endpoint) = self.endpoint {
            message = message.at(endpoint.to_owned());
        }
        if let Some(entity) = self.entity {
            message = message.about(Entity::new(entity));
        }
        Ok(message)
    }

    fn message_to_plugin(
        &self,
        kind: MessageKind,
        frame: &'static str,
    ) -> Result<ToPlugin<'static>, FrameError> {
        Ok(ToPlugin::Message {
            id: self.id(frame)?,
            kind,
            dispatcher: Cow::Owned(needed(self.dispatcher, frame, "dispatcher")?.to_owned()),
            message: Cow::Owned(self.message(frame)?),
        })
    }
}

/// No payload is `null`.
fn payload(format: u8, bytes: &[u8], frame: &'static str) -> Result<EncodedPayload, FrameError> {
    match format {
        0 if bytes.is_empty() => Ok(EncodedPayload::new(WireFormat::Json, *b"null")),
        1 => Ok(EncodedPayload::new(WireFormat::Json, bytes)),
        2 => Ok(EncodedPayload::new(WireFormat::Postcard, bytes)),
        other => Err(FrameError::Wrong {
            frame,
            field: "format".into(),
            problem: format!(
                "{other} is none; there are 0 (no payload), 1 (JSON) and 2 (postcard)"
            ),
        }),
    }
}

fn level(code: u8) -> Result<LogLevel, FrameError> {
    Ok(match code {
        1 => LogLevel::Trace,
        2 => LogLevel::Debug,
        0 | 3 => LogLevel::Info,
        4 => LogLevel::Warn,
        5 => LogLevel::Error,
        other => {
            return Err(FrameError::Wrong {
                frame: "log",
                field: "level".into(),
                problem: format!("{other} is none; there are 1 (trace) to 5 (error)"),
            });
        }
    })
}

fn needed<T>(field: Option<T>, frame: &'static str, name: &'static str) -> Result<T, FrameError> {
    field.ok_or(FrameError::Missing { frame, field: name })
}

fn from_json<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    frame: &'static str,
) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(|error| FrameError::Wrong {
        frame,
        field: "payload".into(),
        problem: error.to_string(),
    })
}

/// Reads the payload of replies; [`write_replies`](super::write_replies) says what it looks like.
///
/// # Errors
/// [`FrameError::Truncated`], [`FrameError::Wrong`].
fn replies(bytes: &[u8]) -> Result<Vec<ReplyEntry>, FrameError> {
    let mut reader = Reader { rest: bytes };
    let count = u32::from_le_bytes(reader.array("the number of replies")?);
    let mut entries = Vec::new();
    for _ in 0..count {
        let handler = needed(reader.text("a reply")?, "replies", "handler")?.to_owned();
        let [format] = reader.array("a reply")?;
        let result = if format == 0 {
            let code = needed(reader.text("a reply")?, "replies", "code")?.to_owned();
            let text = needed(reader.text("a reply")?, "replies", "text")?.to_owned();
            Err(CallError { code, text })
        } else {
            let length = u32::from_le_bytes(reader.array("a reply")?) as usize;
            Ok(payload(
                format,
                reader.bytes(length, "a reply")?,
                "replies",
            )?)
        };
        entries.push(ReplyEntry { handler, result });
    }
    Ok(entries)
}

/// What is left of a frame.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], FrameError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(FrameError::Truncated { what })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], FrameError> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(FrameError::Truncated { what })?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn text(&mut self, what: &'static str) -> Result<Option<&'a str>, FrameError> {
        let length = u32::from_le_bytes(self.array(what)?);
        if length == NO_TEXT {
            return Ok(None);
        }
        let bytes = self.bytes(length as usize, what)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(FrameError::NotUtf8 {
                what,
                at: error.valid_up_to(),
            }),
        }
    }
}
