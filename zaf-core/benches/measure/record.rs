//! What was measured, as a file: for the tables and pictures of the book.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::rounds::Series;

/// All rows of one run of one benchmark.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Name of the benchmark: `targets`, `allocations` or `peers`.
    pub(crate) benchmark: String,
    /// Date and time at the end, UTC.
    pub(crate) measured: String,
    pub(crate) machine: super::machine::Machine,
    pub(crate) rows: Vec<Row>,
}

/// One work, by whoever did it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What selects it on the command line.
    pub(crate) work: String,
    pub(crate) name: String,
    /// Dispatchers that get each message.
    pub(crate) dispatchers: usize,
    /// Threads that send at the same time.
    pub(crate) senders: usize,
    pub(crate) unit: String,
    /// The bus first.
    pub(crate) figures: Vec<Figure>,
    /// None where there is nothing to reach.
    pub(crate) verdict: Option<Verdict>,
}

/// What somebody is to the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// The bus itself.
    Ours,
    /// A bare mechanism, or something that does less: for orientation.
    Floor,
    /// Does comparable work: the bus is to be faster.
    Peer,
}

/// Median and quartiles over the rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) who: String,
    pub(crate) role: Role,
    pub(crate) median: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// What a row was to reach.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    /// `x` for a ratio.
    pub(crate) unit: String,
    /// Whether more is better.
    pub(crate) at_least: bool,
}

impl Figure {
    pub(crate) fn new(role: Role, who: impl Into<String>, series: &Series) -> Self {
        let [lower, median, upper] = series.quartiles();
        Self {
            who: who.into(),
            role,
            median,
            lower,
            upper,
        }
    }
}

impl Verdict {
    pub(crate) fn at_most(measured: f64, limit: f64, unit: &str) -> Self {
        Self {
            measured,
            limit,
            unit: unit.to_owned(),
            at_least: false,
        }
    }

    pub(crate) fn at_least(measured: f64, limit: f64, unit: &str) -> Self {
        Self {
            at_least: true,
            ..Self::at_most(measured, limit, unit)
        }
    }

    pub(crate) fn is_met(&self) -> bool {
        if self.at_least {
            self.measured >= self.limit
        } else {
            self.measured <= self.limit
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        if self.is_met() { "ok" } else { "short" }
    }
}

impl Record {
    pub(crate) fn read(file: &Path) -> std::io::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    pub(crate) fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(file, text)
    }
}
