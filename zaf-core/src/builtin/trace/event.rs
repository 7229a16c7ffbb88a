//! One event of the trace event format.
//!
//! Source: "Trace Event Format", the JSON array form.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

/// A moment or a time, in microseconds with three decimals: nanoseconds are exact.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub(super) struct Micros(f64);

impl From<Duration> for Micros {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to a hundred days of nanoseconds"
    )]
    fn from(time: Duration) -> Self {
        Self(time.as_nanos() as f64 / 1000.0)
    }
}

/// What kind of event it is, as the format calls it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Phase {
    /// Says something about the process or a thread.
    #[serde(rename = "M")]
    Metadata,
    /// Something with a beginning and an end.
    #[serde(rename = "X")]
    Complete,
    /// Where an arrow begins.
    #[serde(rename = "s")]
    FlowStart,
    /// Where it ends.
    #[serde(rename = "f")]
    FlowEnd,
    /// A moment.
    #[serde(rename = "i")]
    Instant,
    /// A value that changes.
    #[serde(rename = "C")]
    Counter,
}

/// One event.
#[derive(Debug, Serialize)]
pub(super) struct TraceEvent<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) cat: &'a str,
    pub(super) ph: Phase,
    pub(super) ts: Micros,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dur: Option<Micros>,
    pub(super) pid: u32,
    pub(super) tid: u64,
    /// Joins the two ends of an arrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    /// Of the end of an arrow: it points at the slice that encloses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bp: Option<&'static str>,
    /// Of a moment: how far its line reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s: Option<&'static str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) args: Map<String, Value>,
}
