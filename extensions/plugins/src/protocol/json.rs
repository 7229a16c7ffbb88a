//! Frames as lines of JSON: one object in a line, its type in the field `type`, payloads as they are.
//!
//! Long because both directions of every frame stand side by side.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use zaf_core::message::{EncodedMessage, EncodedPayload, MessageKind, WireFormat};

use super::limits::{check_json, check_length};
use super::{
    CallError, Codec, Description, FrameError, FromPlugin, HostName, LogLevel, PROTOCOL,
    ReplyEntry, ToPlugin,
};

/// All fields of all frames. A frame has those that its type needs; others are passed over.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    ty: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    during: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<HostName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codecs: Option<Vec<Codec>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Cow<'a, BTreeMap<String, Value>>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    dispatcher: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    endpoint: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    entity: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<LogLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<String>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    replies: Option<Vec<WireReply<'a>>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireReply<'a> {
    handler: String,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
}

/// The types of frames that a host writes, for errors.
pub(in crate::protocol) const TO_PLUGIN: &str =
    "`describe`, `start`, `event`, `request`, `replies`, `done`, `error` and `stop`";

/// The types of frames that a plugin writes, for errors.
pub(in crate::protocol) const FROM_PLUGIN: &str =
    "`description`, `done`, `reply`, `error`, `trigger`, `send`, `log` and `stopped`";

/// Appends a line for a plugin, with its end.
///
/// # Errors
/// [`FrameError::TooLong`], [`FrameError::Unwritable`] for a payload that is not JSON; then nothing is appended.
pub fn write_to_plugin(frame: &ToPlugin<'_>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let wire = match frame {
        ToPlugin::Describe {
            id,
            protocol,
            host,
            codecs,
        } => Wire {
            protocol: Some(*protocol),
            host: Some(host.clone()),
            codecs: Some(codecs.clone()),
            ..wire("describe", Some(*id))
        },
        ToPlugin::Start { id, config, entity } => Wire {
            config: Some(Cow::Borrowed(config)),
            entity: entity.as_deref().map(Cow::Borrowed),
            ..wire("start", Some(*id))
        },
        ToPlugin::Message {
            id,
            kind,
            dispatcher,
            message,
        } => Wire {
            dispatcher: Some(Cow::Borrowed(dispatcher)),
            ..with_message(wire(word(*kind), Some(*id)), message)?
        },
        ToPlugin::Replies { id, replies } => Wire {
            replies: Some(replies.iter().map(wire_reply).collect::<Result<_, _>>()?),
            ..wire("replies", Some(*id))
        },
        ToPlugin::Done { id } => wire("done", Some(*id)),
        ToPlugin::Error { id, error } => Wire {
            code: Some(error.code.clone()),
            text: Some(Cow::Borrowed(&error.text)),
            ..wire("error", Some(*id))
        },
        ToPlugin::Stop { id } => wire("stop", Some(*id)),
    };
    append(&wire, out)
}

/// Appends a line for a host, with its end.
///
/// # Errors
/// As [`write_to_plugin`].
pub fn write_from_plugin(frame: &FromPlugin, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let plugin;
    let wire = match frame {
        FromPlugin::Description {
            id,
            plugin: description,
        } => {
            plugin =
                serde_json::value::to_raw_value(description).map_err(|error| not_json(&error))?;
            Wire {
                plugin: Some(&plugin),
                ..wire("description", Some(*id))
            }
        }
        FromPlugin::Done { id } => wire("done", Some(*id)),
        FromPlugin::Reply { id, payload } => Wire {
            payload: Some(raw(payload)?),
            ..wire("reply", Some(*id))
        },
        FromPlugin::Error { id, text, causes } => Wire {
            text: Some(Cow::Borrowed(text)),
            causes: (!causes.is_empty()).then(|| causes.clone()),
            ..wire("error", *id)
        },
        FromPlugin::Trigger {
            id,
            during,
            message,
        } => Wire {
            during: *during,
            ..with_message(wire("trigger", *id), message)?
        },
        FromPlugin::Send {
            id,
            during,
            message,
            timeout,
        } => Wire {
            during: *during,
            timeout_ms: timeout
                .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            ..with_message(wire("send", Some(*id)), message)?
        },
        FromPlugin::Log { level, text } => Wire {
            level: Some(*level),
            text: Some(Cow::Borrowed(text)),
            ..wire("log", None)
        },
        FromPlugin::Stopped { id } => wire("stopped", Some(*id)),
    };
    append(&wire, out)
}

fn wire(ty: &'static str, id: Option<u64>) -> Wire<'static> {
    Wire {
        ty: Cow::Borrowed(ty),
        id,
        ..Wire::default()
    }
}

fn word(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Request => "request",
        _ => "event",
    }
}

fn with_message<'a>(wire: Wire<'a>, message: &'a EncodedMessage) -> Result<Wire<'a>, FrameError> {
    Ok(Wire {
        message: Some(Cow::Borrowed(message.name())),
        endpoint: message.endpoint().map(Cow::Borrowed),
        entity: message.entity().map(|entity| Cow::Borrowed(entity.name())),
        payload: Some(raw(message.payload())?),
        ..wire
    })
}

fn wire_reply(reply: &ReplyEntry) -> Result<WireReply<'_>, FrameError> {
    Ok(WireReply {
        handler: reply.handler.clone(),
        payload: reply.result.as_ref().ok().map(raw).transpose()?,
        error: reply.result.as_ref().err().cloned(),
    })
}

/// A payload as it is, if it is JSON.
fn raw(payload: &EncodedPayload) -> Result<&RawValue, FrameError> {
    if payload.format() != WireFormat::Json {
        let format = payload.format().name();
        return Err(FrameError::Unwritable { format });
    }
    serde_json::from_slice(payload.bytes()).map_err(|error| not_json(&error))
}

fn append(wire: &Wire<'_>, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let start = out.len();
    let written = serde_json::to_writer(&mut *out, wire).map_err(|error| not_json(&error));
    if let Err(error) = written.and_then(|()| check_length(out.len() - start)) {
        out.truncate(start);
        return Err(error);
    }
    // A payload that somebody wrote in several lines. In JSON a line break is never a part of a string.
    for byte in &mut out[start..] {
        if *byte == b'\n' || *byte == b'\r' {
            *byte = b' ';
        }
    }
    out.push(b'\n');
    Ok(())
}

/// Reads a line from a host, with or without its end.
///
/// # Errors
/// Any [`FrameError`].
pub fn read_to_plugin(line: &[u8]) -> Result<ToPlugin<'static>, FrameError> {
    let wire = parse(line)?;
    let frame = match &*wire.ty {
        "describe" => ToPlugin::Describe {
            id: wire.id("describe")?,
            protocol: needed(wire.protocol, "describe", "protocol")?,
            host: needed(wire.host, "describe", "host")?,
            codecs: wire.codecs.unwrap_or_default(),
        },
        "start" => ToPlugin::Start {
            id: wire.id("start")?,
            config: Cow::Owned(wire.config.unwrap_or_default().into_owned()),
            entity: wire.entity.map(|entity| Cow::Owned(entity.into_owned())),
        },
        "event" => message_to_plugin(wire, MessageKind::Event, "event")?,
        "request" => message_to_plugin(wire, MessageKind::Request, "request")?,
        "replies" => ToPlugin::Replies {
            id: wire.id("replies")?,
            replies: needed(wire.replies, "replies", "replies")?
                .into_iter()
                .map(reply_entry)
                .collect(),
        },
        "done" => ToPlugin::Done {
            id: wire.id("done")?,
        },
        "error" => ToPlugin::Error {
            id: wire.id("error")?,
            error: CallError {
                code: needed(wire.code, "error", "code")?,
                text: needed(wire.text, "error", "text")?.into_owned(),
            },
        },
        "stop" => ToPlugin::Stop {
            id: wire.id("stop")?,
        },
        other => return Err(unknown_type(other, TO_PLUGIN)),
    };
    Ok(frame)
}

/// Reads a line from a plugin, with or without its end.
///
/// # Errors
/// Any [`FrameError`].
pub fn read_from_plugin(line: &[u8]) -> Result<FromPlugin, FrameError> {
    let wire = parse(line)?;
    let frame = match &*wire.ty {
        "description" => FromPlugin::Description {
            id: wire.id("description")?,
            plugin: Box::new(description(needed(wire.plugin, "description", "plugin")?)?),
        },
        "done" => FromPlugin::Done {
            id: wire.id("done")?,
        },
        "reply" => FromPlugin::Reply {
            id: wire.id("reply")?,
            payload: payload(wire.payload),
        },
        "error" => FromPlugin::Error {
            id: wire.id,
            text: needed(wire.text, "error", "text")?.into_owned(),
            causes: wire.causes.unwrap_or_default(),
        },
        "trigger" => FromPlugin::Trigger {
            id: wire.id,
            during: wire.during,
            message: wire.message("trigger")?,
        },
        "send" => FromPlugin::Send {
            id: wire.id("send")?,
            during: wire.during,
            timeout: wire.timeout_ms.map(Duration::from_millis),
            message: wire.message("send")?,
        },
        "log" => FromPlugin::Log {
            level: wire.level.unwrap_or(LogLevel::Info),
            text: needed(wire.text, "log", "text")?.into_owned(),
        },
        "stopped" => FromPlugin::Stopped {
            id: wire.id("stopped")?,
        },
        other => return Err(unknown_type(other, FROM_PLUGIN)),
    };
    Ok(frame)
}

fn parse(line: &[u8]) -> Result<Wire<'_>, FrameError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    check_length(line.len())?;
    check_json(line)?;
    let wire: Wire<'_> = serde_json::from_slice(line).map_err(|error| not_json(&error))?;
    if wire.ty.is_empty() {
        let problem = "the field `type` is missing".to_owned();
        return Err(FrameError::NotJson { problem });
    }
    Ok(wire)
}

/// Reads what a plugin says about itself. Its version comes first: what another one says may mean something else.
///
/// # Errors
/// [`FrameError::OtherProtocol`], [`FrameError::Wrong`].
pub fn read_description(text: &str) -> Result<Description, FrameError> {
    check_length(text.len())?;
    check_json(text.as_bytes())?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    description(raw)
}

fn description(plugin: &RawValue) -> Result<Description, FrameError> {
    #[derive(Deserialize)]
    struct Version {
        protocol: u32,
    }
    let Version { protocol } = with_path(plugin)?;
    if protocol != PROTOCOL {
        return Err(FrameError::OtherProtocol {
            found: protocol,
            expected: PROTOCOL,
        });
    }
    let mut description: Description = with_path(plugin)?;
    description.source = Some(plugin.get().into());
    Ok(description)
}

/// How the parser says where something is in a frame. That is one line, which has another number for whoever wrote it.
const ON_LINE: &str = " at line 1 column ";

/// Reads the description, or a part of it; an error says in which field.
fn with_path<'a, T: Deserialize<'a>>(plugin: &'a RawValue) -> Result<T, FrameError> {
    let mut deserializer = serde_json::Deserializer::from_str(plugin.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path();
        let field = match path.iter().next() {
            None => Cow::Borrowed("plugin"),
            Some(_) => Cow::Owned(format!("plugin.{path}")),
        };
        let problem = error.inner().to_string();
        // The column counts within `plugin`, which nobody sees as a text of its own.
        let (problem, _column) = problem.rsplit_once(ON_LINE).unwrap_or((&problem, ""));
        FrameError::Wrong {
            frame: "description",
            field,
            problem: problem.to_owned(),
        }
    })
}

impl Wire<'_> {
    fn id(&self, frame: &'static str) -> Result<u64, FrameError> {
        needed(self.id, frame, "id")
    }

    fn message(self, frame: &'static str) -> Result<EncodedMessage, FrameError> {
        let name = needed(self.message, frame, "message")?.into_owned();
        let mut message = EncodedMessage::new(name, payload(self.payload));
        if let Some(endpoint) = self.endpoint {
            message = message.at(endpoint.into_owned());
        }
        if let Some(entity) = self.entity {
            message = message.about(zaf_core::message::Entity::new(&*entity));
        }
        Ok(message)
    }
}

fn message_to_plugin(
    mut wire: Wire<'_>,
    kind: MessageKind,
    frame: &'static str,
) -> Result<ToPlugin<'static>, FrameError> {
    Ok(ToPlugin::Message {
        id: wire.id(frame)?,
        kind,
        dispatcher: Cow::Owned(needed(wire.dispatcher.take(), frame, "dispatcher")?.into_owned()),
        message: Cow::Owned(wire.message(frame)?),
    })
}

fn reply_entry(reply: WireReply<'_>) -> ReplyEntry {
    let WireReply {
        handler,
        payload: answer,
        error,
    } = reply;
    let result = match error {
        Some(error) => Err(error),
        None => Ok(payload(answer)),
    };
    ReplyEntry { handler, result }
}

/// No payload is `null`.
fn payload(raw: Option<&RawValue>) -> EncodedPayload {
    let text = raw.map_or("null", RawValue::get);
    EncodedPayload::new(WireFormat::Json, text.as_bytes())
}

fn needed<T>(field: Option<T>, frame: &'static str, name: &'static str) -> Result<T, FrameError> {
    field.ok_or(FrameError::Missing { frame, field: name })
}

fn not_json(error: &serde_json::Error) -> FrameError {
    FrameError::NotJson {
        problem: error.to_string().replace(ON_LINE, " at column "),
    }
}

pub(in crate::protocol) fn unknown_type(found: &str, expected: &'static str) -> FrameError {
    // Somebody's whole output may stand there.
    let found = found.chars().take(40).collect();
    FrameError::UnknownType { found, expected }
}
