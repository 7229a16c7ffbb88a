//! What one harness logged, kept apart from what other tests of the process log at the same time.
//!
//! The first harness of a process installs one subscriber. A record belongs to the harness whose group its thread works for:
//! see [`zaf_core::attribution::in_group`].

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::{Mutex, RwLock};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use zaf_core::attribution::{InGroup, current, current_group, in_group};

use crate::HarnessError;

/// How many records a harness keeps; later ones are counted only.
const KEPT: usize = 10_000;

/// How many records a failure shows, the last ones.
const SHOWN: usize = 20;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Whether the subscriber of the process is ours.
static IS_OURS: LazyLock<bool> =
    LazyLock::new(|| tracing::subscriber::set_global_default(Capture).is_ok());

static GROUPS: RwLock<BTreeMap<NonZeroU64, Arc<Kept>>> = RwLock::new(BTreeMap::new());

/// One thing that was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecord {
    /// How serious it is.
    pub level: Level,
    /// Name of the extension whose code logged it; none for the framework.
    pub extension: Option<&'static str>,
    /// Module, or what the author put in its place.
    pub target: &'static str,
    /// Name of the thread; empty if it has none.
    pub thread: String,
    /// The text.
    pub message: String,
    /// The other fields, in the order in which they were written; an error with all its causes.
    pub fields: Vec<(&'static str, String)>,
}

impl fmt::Display for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.extension.unwrap_or(self.target);
        write!(f, "{} {by}: {}", self.level, self.message)?;
        for (name, value) in &self.fields {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// What a harness and the handlers of its extension logged, oldest first: from before the extension was made until the harness
/// ends. Cheap to clone, and can be read after the harness has ended.
///
/// Handlers on other threads log when they run: call
/// [`wait_until_idle`](crate::ExtensionTestHarness::wait_until_idle) first.
#[derive(Debug, Clone)]
pub struct Logs {
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: Mutex<Vec<LogRecord>>,
    lost: AtomicU64,
}

impl Logs {
    /// All records.
    pub fn records(&self) -> Vec<LogRecord> {
        self.kept.records.lock().clone()
    }

    /// The records of one extension.
    pub fn of(&self, extension: &str) -> Vec<LogRecord> {
        let mut records = self.records();
        records.retain(|record| record.extension == Some(extension));
        records
    }

    /// How many records were not kept because there were 10 000 already.
    pub fn lost(&self) -> u64 {
        self.kept.lost.load(Ordering::Relaxed)
    }

    /// The first record of this level that contains `text` as [`LogRecord`] shows it, fields included.
    ///
    /// # Errors
    /// [`HarnessError::NoLog`] with what was logged instead.
    pub fn expect(&self, level: Level, text: &str) -> Result<LogRecord, HarnessError> {
        let records = self.records();
        let found = records
            .iter()
            .find(|record| record.level == level && record.to_string().contains(text));
        found.cloned().ok_or_else(|| HarnessError::NoLog {
            expected: format!("{level} with {text:?}"),
            got: self.list(&records),
        })
    }

    /// Makes sure that nothing of this level or more serious was logged.
    ///
    /// # Errors
    /// [`HarnessError::Logged`] with all such records.
    pub fn expect_none(&self, level: Level) -> Result<(), HarnessError> {
        let mut records = self.records();
        records.retain(|record| record.level <= level);
        if records.is_empty() {
            return Ok(());
        }
        Err(HarnessError::Logged {
            level,
            got: self.list(&records),
        })
    }

    fn list(&self, records: &[LogRecord]) -> String {
        if !*IS_OURS {
            return "nothing, because this process has another global subscriber".to_owned();
        }
        let mut text = lines(records.iter().skip(records.len().saturating_sub(SHOWN)));
        let left_out = records.len().saturating_sub(SHOWN);
        if left_out > 0 {
            text.insert_str(0, &format!("\n  ({left_out} older ones)"));
        }
        if self.lost() > 0 {
            text.extend([
                "\n  (and ",
                &self.lost().to_string(),
                " later ones were not kept)",
            ]);
        }
        text
    }
}

/// One item a line, indented; "nothing" if there is none.
pub(crate) fn lines(items: impl Iterator<Item = impl fmt::Display>) -> String {
    let mut text = String::new();
    for item in items {
        text.extend(["\n  ", &item.to_string()]);
    }
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        text
    }
}

/// The group of one harness. Its records are collected until it is dropped.
#[derive(Debug)]
pub(crate) struct LogGroup {
    number: NonZeroU64,
    kept: Arc<Kept>,
}

impl LogGroup {
    pub(crate) fn begin() -> Self {
        LazyLock::force(&IS_OURS);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let number = NonZeroU64::new(number).expect("invariant: counts from 1");
        let kept = Arc::<Kept>::default();
        GROUPS.write().insert(number, Arc::clone(&kept));
        Self { number, kept }
    }

    /// What the calling thread does belongs to the harness until the result is dropped.
    pub(crate) fn enter(&self) -> InGroup {
        in_group(self.number)
    }

    pub(crate) fn logs(&self) -> Logs {
        let kept = Arc::clone(&self.kept);
        Logs { kept }
    }
}

impl Drop for LogGroup {
    fn drop(&mut self) {
        GROUPS.write().remove(&self.number);
    }
}

/// The subscriber of a process with harnesses.
struct Capture;

impl Subscriber for Capture {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() {
            // Depends on the thread.
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && current_group().is_some()
    }

    fn event(&self, event: &Event<'_>) {
        let Some(kept) = current_group().and_then(|group| GROUPS.read().get(&group).cloned())
        else {
            return;
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let record = LogRecord {
            level: *metadata.level(),
            extension: current(),
            target: metadata.target(),
            thread: std::thread::current().name().unwrap_or_default().to_owned(),
            message: fields.message,
            fields: fields.others,
        };
        let mut records = kept.records.lock();
        if records.len() < KEPT {
            records.push(record);
        } else {
            kept.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Fields {
    fn add(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.others.push((field.name(), text));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(cause) = next {
            text.extend([": ", &cause.to_string()]);
            next = cause.source();
        }
        self.add(field, text);
    }
}
