//! A message as bytes, and its frame.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::codec::{decode, encode};
use super::super::{Entity, WireFormat};
use super::PortableError;
use super::error::Subject;

/// What the frame may have besides the payload: names, lengths, braces. Nobody's names are longer.
const FRAME_OVERHEAD: usize = 64 << 10;

/// A payload or an answer as bytes. Cheap to clone: the bytes are shared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EncodedPayload {
    format: WireFormat,
    bytes: Arc<[u8]>,
}

impl EncodedPayload {
    /// Bytes that somebody else has encoded. They are not looked at before they are used.
    pub fn new(format: WireFormat, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { format, bytes }
    }

    /// How they were written.
    pub fn format(&self) -> WireFormat {
        self.format
    }

    /// The bytes; for JSON they are text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for EncodedPayload {
    /// JSON as text, everything else by its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.format, std::str::from_utf8(&self.bytes)) {
            (WireFormat::Json, Ok(text)) => f.write_str(text),
            (format, _) => write!(f, "{} bytes of {format}", self.bytes.len()),
        }
    }
}

/// A message as bytes, with all that is needed to send it: what crosses a border.
///
/// Its own serde form is the frame: in binary formats name, endpoint, entity, format and payload one behind the other; in
/// formats for people a map of the same, in which a JSON payload is a string of JSON and any other one is written in
/// hexadecimal digits. [`to_bytes`](Self::to_bytes) and [`from_bytes`](Self::from_bytes) do it with a limit.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EncodedMessage {
    pub(crate) name: Cow<'static, str>,
    pub(crate) endpoint: Option<Cow<'static, str>>,
    pub(crate) entity: Option<Entity>,
    pub(crate) payload: EncodedPayload,
}

impl EncodedMessage {
    /// The message `name` with a payload, for no endpoint and no entity yet.
    pub fn new(name: impl Into<Cow<'static, str>>, payload: EncodedPayload) -> Self {
        Self {
            name: name.into(),
            endpoint: None,
            entity: None,
            payload,
        }
    }

    /// Says who triggers the event or gets the request. A request without an endpoint goes to all that define it.
    #[must_use]
    pub fn at(mut self, endpoint: impl Into<Cow<'static, str>>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, entity: impl Into<Entity>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Name of the message.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the endpoint; none for a request to all endpoints.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// What it is about.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity.as_ref()
    }

    /// What it carries.
    pub fn payload(&self) -> &EncodedPayload {
        &self.payload
    }

    /// The frame as bytes; the payload inside stays in its own format.
    ///
    /// # Errors
    /// [`PortableError::TooLarge`] if the frame is longer than [`from_bytes`](Self::from_bytes) with the same limit accepts.
    pub fn to_bytes(&self, format: WireFormat, limit: usize) -> Result<Vec<u8>, PortableError> {
        let limit = frame_limit(format, limit);
        encode(self, format, limit)
            .map_err(|error| PortableError::from_codec(error, &frame(&self.name, format, limit)))
    }

    /// Reads a frame. `limit` is how many bytes its payload may have; the names may have some more. Bytes that are too many are
    /// not looked at, and what is allocated is never more than a small multiple of what was given.
    ///
    /// # Errors
    /// [`PortableError::TooLarge`], [`PortableError::Undecodable`], [`PortableError::TrailingBytes`].
    pub fn from_bytes(
        bytes: &[u8],
        format: WireFormat,
        limit: usize,
    ) -> Result<Self, PortableError> {
        let whole = frame_limit(format, limit);
        let message: Self = decode(bytes, format, whole)
            .map_err(|error| PortableError::from_codec(error, &frame("", format, whole)))?;
        let actual = message.payload.bytes.len();
        if actual > limit {
            let what = format!("payload of `{}`", message.name);
            return Err(PortableError::TooLarge {
                what,
                actual,
                limit,
            });
        }
        Ok(message)
    }
}

/// Text may need six characters for a byte (`\u0001`).
fn frame_limit(format: WireFormat, limit: usize) -> usize {
    let payload = match format {
        WireFormat::Postcard => limit,
        WireFormat::Json => limit.saturating_mul(6),
    };
    payload.saturating_add(FRAME_OVERHEAD)
}

fn frame(message: &str, format: WireFormat, limit: usize) -> Subject<'_> {
    Subject {
        part: "frame",
        message,
        ty: "an encoded message",
        format,
        limit,
    }
}

impl fmt::Debug for EncodedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedMessage")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint)
            .field("entity", &self.entity)
            .field("payload", &self.payload)
            .finish()
    }
}

/// The bytes for a format of bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename = "EncodedPayload")]
struct BinaryPayload<'a> {
    format: WireFormat,
    #[serde(with = "as_bytes")]
    bytes: Cow<'a, [u8]>,
}

/// The bytes for a format of text.
#[derive(Serialize, Deserialize)]
#[serde(rename = "EncodedPayload")]
struct TextPayload {
    format: WireFormat,
    text: String,
}

impl Serialize for EncodedPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let format = self.format;
        if !serializer.is_human_readable() {
            let bytes = Cow::Borrowed(&*self.bytes);
            return BinaryPayload { format, bytes }.serialize(serializer);
        }
        let text = match format {
            WireFormat::Json => String::from_utf8(self.bytes.to_vec()).map_err(|_| {
                serde::ser::Error::custom("a JSON payload is not UTF-8 and cannot be shown as text")
            })?,
            WireFormat::Postcard => hex(&self.bytes),
        };
        TextPayload { format, text }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EncodedPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let payload = BinaryPayload::deserialize(deserializer)?;
            return Ok(Self::new(payload.format, payload.bytes));
        }
        let payload = TextPayload::deserialize(deserializer)?;
        let bytes = match payload.format {
            WireFormat::Json => payload.text.into_bytes(),
            WireFormat::Postcard => from_hex(&payload.text).ok_or_else(|| {
                D::Error::custom("a payload in postcard is not pairs of hexadecimal digits")
            })?,
        };
        Ok(Self::new(payload.format, bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok())
        .collect()
}

/// Bytes as one value, not as a sequence of numbers.
mod as_bytes {
    use std::borrow::Cow;
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ptr_arg, reason = "serde's `with` hands out the field")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Cow<'_, [u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'a, [u8]>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes).map(Cow::Owned)
    }
}

/// The frame, with plain texts for names.
#[derive(Serialize, Deserialize)]
#[serde(rename = "EncodedMessage")]
struct Frame<'a> {
    name: Cow<'a, str>,
    endpoint: Option<Cow<'a, str>>,
    entity: Option<Cow<'a, str>>,
    payload: Cow<'a, EncodedPayload>,
}

impl Serialize for EncodedMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frame = Frame {
            name: Cow::Borrowed(&self.name),
            endpoint: self.endpoint.as_deref().map(Cow::Borrowed),
            entity: self
                .entity
                .as_ref()
                .map(|entity| Cow::Borrowed(entity.name())),
            payload: Cow::Borrowed(&self.payload),
        };
        frame.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EncodedMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let frame = Frame::<'static>::deserialize(deserializer)?;
        Ok(Self {
            name: frame.name,
            endpoint: frame.endpoint,
            entity: frame.entity.map(|name| Entity::new(&*name)),
            payload: frame.payload.into_owned(),
        })
    }
}
