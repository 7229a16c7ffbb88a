//! Frames in binary: a length, a head of fixed layout, five texts, and the payload as it is.
//!
//! ```text
//! offset  bytes  little-endian
//!      0      4  length of all that follows
//!      4      1  type of the frame
//!      5      1  format of the payload: 0 none, 1 JSON, 2 postcard
//!      6      1  level of a log line: 1 trace, 2 debug, 3 info, 4 warn, 5 error; else 0
//!      7      1  0
//!      8      4  time-out of a request that the plugin sends, in milliseconds; 0 none
//!     12      4  0
//!     16      8  id; 0 none
//!     24      8  id of the message on whose behalf it is; 0 none
//!     32         five texts: dispatcher, message, endpoint, entity, text.
//!                Each is 4 bytes of length (all ones: none) and that many bytes of UTF-8
//!                payload: the rest
//! ```
//!
//! The description stays a line of JSON; what follows it is binary in both directions. The payload of `start` is the configuration
//! as JSON, that of an error its causes as a JSON list, that of replies what [`replies`] says.

use std::borrow::Cow;
use std::time::Duration;

use zaf_core::message::{EncodedMessage, EncodedPayload, Entity, MessageKind, WireFormat};

use super::json::{FROM_PLUGIN, TO_PLUGIN, unknown_type};
use super::limits::{check_json, check_length, check_string};
use super::{CallError, FrameError, FromPlugin, LogLevel, ReplyEntry, ToPlugin};

const START: u8 = 2;
const EVENT: u8 = 3;
const REQUEST: u8 = 4;
const REPLIES: u8 = 5;
const DONE: u8 = 6;
const ERROR: u8 = 7;
const STOP: u8 = 8;
const REPLY: u8 = 10;
const TRIGGER: u8 = 11;
const SEND: u8 = 12;
const LOG: u8 = 13;
const STOPPED: u8 = 14;

/// Bytes of the length before a frame.
pub const LENGTH: usize = 4;

/// The length of a text that is not there.
const NO_TEXT: u32 = u32::MAX;

/// The fields of all frames.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    ty: u8,
    format: u8,
    level: u8,
    timeout_ms: u32,
    id: u64,
    during: u64,
    dispatcher: Option<&'a str>,
    message: Option<&'a str>,
    endpoint: Option<&'a str>,
    entity: Option<&'a str>,
    text: Option<&'a str>,
    payload: &'a [u8],
}

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
        field: "type",
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

fn format_code(format: Option<WireFormat>) -> u8 {
    match format {
        None => 0,
        Some(WireFormat::Postcard) => 2,
        Some(_) => 1,
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
            field: "format",
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
                field: "level",
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
        field: "payload",
        problem: error.to_string(),
    })
}

/// Reads the payload of replies; [`write_replies`] says what it looks like.
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
