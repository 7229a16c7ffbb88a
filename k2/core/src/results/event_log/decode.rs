//! From a line of an event log to a record, in one pass over the text.
//!
//! The kind of a record says how to read its data. It stands before the data in every log that this crate writes, so the data is
//! read as what it is at once; where another writer has it the other way round, the data is kept until the kind is known.

use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::results::{RecordBody, SchemaVersion};

/// What stands in a line.
pub(super) struct Envelope {
    pub(super) schema: SchemaVersion,
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    /// Whether this version knows the kind.
    pub(super) is_known: bool,
    /// What happened; none if it is not known or was not asked for.
    pub(super) body: Option<RecordBody>,
}

/// Which records are read; of the others only the envelope is, which costs less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All.
    All,
    /// All but the starts of cases.
    WithoutStarts,
    /// The ends of cases only.
    FinishedCases,
}

impl Wanted {
    fn has(self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::WithoutStarts => !matches!(kind, Kind::CaseStarted),
            Self::FinishedCases => matches!(kind, Kind::CaseFinished),
        }
    }
}

/// Reads one line, without its line break.
///
/// # Errors
/// If it is not JSON, or a field of the envelope or of a known kind is missing or of a wrong type.
pub(super) fn envelope(text: &[u8], wanted: Wanted) -> serde_json::Result<Envelope> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let envelope = deserializer.deserialize_map(EnvelopeVisitor { wanted })?;
    deserializer.end()?;
    Ok(envelope)
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Field {
    Schema,
    Seq,
    Time,
    Kind,
    Data,
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    RunStarted,
    CasesSelected,
    CaseStarted,
    CaseFinished,
    RunResumed,
    RunMerged,
    HookFailed,
    SutRecovery,
    RunFinished,
    #[serde(other)]
    Unknown,
}

struct EnvelopeVisitor {
    wanted: Wanted,
}

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record of an event log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let (mut schema, mut seq, mut time) = (None, None, None);
        let mut kind = None;
        let mut body = None;
        let mut early: Option<&'de RawValue> = None;
        while let Some(field) = map.next_key()? {
            match (field, kind) {
                (Field::Schema, _) => schema = Some(map.next_value()?),
                (Field::Seq, _) => seq = Some(map.next_value()?),
                (Field::Time, _) => time = Some(map.next_value()?),
                (Field::Kind, _) => kind = Some(map.next_value()?),
                (Field::Data, Some(kind)) => {
                    body = Some(map.next_value_seed(self.data(kind))?);
                }
                (Field::Data, None) => early = Some(map.next_value()?),
                (Field::Other, _) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = A::Error::missing_field;
        let kind = kind.ok_or_else(|| missing("kind"))?;
        let body = match (body, early) {
            (Some(body), _) => body,
            (None, Some(early)) => self
                .data(kind)
                .deserialize(early)
                .map_err(A::Error::custom)?,
            (None, None) => return Err(missing("data")),
        };
        Ok(Envelope {
            schema: schema.ok_or_else(|| missing("schema"))?,
            seq: seq.ok_or_else(|| missing("seq"))?,
            time: time.ok_or_else(|| missing("time"))?,
            is_known: !matches!(kind, Kind::Unknown),
            body,
        })
    }
}

impl EnvelopeVisitor {
    fn data(&self, kind: Kind) -> DataSeed {
        DataSeed {
            kind,
            wanted: self.wanted,
        }
    }
}

/// Reads data of a kind that is known by now.
struct DataSeed {
    kind: Kind,
    wanted: Wanted,
}

impl<'de> DeserializeSeed<'de> for DataSeed {
    type Value = Option<RecordBody>;

    fn deserialize<D: Deserializer<'de>>(self, data: D) -> Result<Option<RecordBody>, D::Error> {
        let body = match self.kind {
            kind if !self.wanted.has(kind) => return leave_out(data),
            Kind::Unknown => return leave_out(data),
            Kind::RunStarted => RecordBody::RunStarted(Deserialize::deserialize(data)?),
            Kind::CasesSelected => RecordBody::CasesSelected(Deserialize::deserialize(data)?),
            Kind::CaseStarted => RecordBody::CaseStarted(Deserialize::deserialize(data)?),
            Kind::CaseFinished => RecordBody::CaseFinished(Deserialize::deserialize(data)?),
            Kind::RunResumed => RecordBody::RunResumed(Deserialize::deserialize(data)?),
            Kind::RunMerged => RecordBody::RunMerged(Deserialize::deserialize(data)?),
            Kind::HookFailed => RecordBody::HookFailed(Deserialize::deserialize(data)?),
            Kind::SutRecovery => RecordBody::SutRecovery(Deserialize::deserialize(data)?),
            Kind::RunFinished => RecordBody::RunFinished(Deserialize::deserialize(data)?),
        };
        Ok(Some(body))
    }
}

fn leave_out<'de, D: Deserializer<'de>>(data: D) -> Result<Option<RecordBody>, D::Error> {
    IgnoredAny::deserialize(data)?;
    Ok(None)
}
