//! One line of the event log.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::model::{
    CasesSelected, HookFailed, RunFinished, RunMerged, RunResumed, RunStarted, SutRecovery,
    TestCaseFinished, TestCaseStarted,
};

/// Version of the records that this program writes.
pub const SCHEMA_VERSION: SchemaVersion = SchemaVersion { major: 1, minor: 6 };

/// Version of the meaning of records: `major.minor`.
///
/// A newer minor version adds fields and kinds, which old readers leave out. A newer major version changes what is there,
/// so old readers refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    /// Changes when old readers would misunderstand.
    pub major: u32,
    /// Changes when something was added.
    pub minor: u32,
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let numbers = text
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let Some((major, minor)) = numbers else {
            return Err(serde::de::Error::invalid_value(
                serde::de::Unexpected::Str(&text),
                &"a schema version such as \"1.0\"",
            ));
        };
        Ok(Self { major, minor })
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all records are the large one; a box would be an allocation for each"
)]
pub enum RecordBody {
    /// See [`TEST_RUN_STARTED`](crate::messages::TEST_RUN_STARTED).
    RunStarted(RunStarted),
    /// See [`TEST_CASES_SELECTED`](crate::messages::TEST_CASES_SELECTED).
    CasesSelected(CasesSelected),
    /// See [`TEST_CASE_STARTED`](crate::messages::TEST_CASE_STARTED).
    CaseStarted(TestCaseStarted),
    /// See [`TEST_CASE_FINISHED`](crate::messages::TEST_CASE_FINISHED).
    CaseFinished(TestCaseFinished),
    /// See [`TEST_RUN_RESUMED`](crate::messages::TEST_RUN_RESUMED).
    RunResumed(RunResumed),
    /// One of the runs that the log was put together of: see [`Merged`](super::Merged).
    RunMerged(RunMerged),
    /// See [`HOOK_FAILED`](crate::hooks::HOOK_FAILED).
    HookFailed(HookFailed),
    /// See [`SUT_RECOVERY_STARTED`](crate::sut::SUT_RECOVERY_STARTED) and
    /// [`SUT_RECOVERY_COMPLETED`](crate::sut::SUT_RECOVERY_COMPLETED).
    SutRecovery(SutRecovery),
    /// See [`TEST_RUN_FINISHED`](crate::messages::TEST_RUN_FINISHED).
    RunFinished(RunFinished),
}

/// One line of the event log: `{"schema":"1.0","seq":1,"time":"…Z","kind":"case-finished","data":{…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the record's meaning.
    pub schema: SchemaVersion,
    /// Number of the record within its log, from 1. A gap means that records were lost on a full disk.
    pub seq: u64,
    /// When it was written; by the machine's clock, so not always in the order of `seq`.
    pub time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: RecordBody,
}
