//! The event log of a run: one JSON object per line, written as things happen.
//!
//! A record that was shown is in the file, whatever happens to this process afterwards: those that are told at the same time
//! are one `write(2)`, and a reader copes with the torn line that a killed writer may leave. Readers of an older version leave out what they do not
//! know, and refuse a newer major version.
//!
//! ```
//! # use k2_core as k2;
//! use camino::Utf8PathBuf;
//! use k2::results::event_log::{EventLogReader, EventLogWriter};
//! use k2::results::{RecordBody, TestCaseFinished};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = Utf8PathBuf::try_from(directory.path().join("events.jsonl"))?;
//! std::fs::write(&path, "")?;
//! let mut writer = EventLogWriter::new(path.clone());
//! let written = writer.append(RecordBody::CaseFinished(TestCaseFinished::example()));
//! drop(writer);
//! // A machine that dies in the middle of a line.
//! let mut bytes = std::fs::read(&path)?;
//! bytes.extend_from_slice(b"{\"schema\":\"1.5\",\"se");
//! std::fs::write(&path, bytes)?;
//! let mut reader = EventLogReader::open(&path)?;
//! let records: Vec<_> = reader.by_ref().collect::<Result<_, _>>()?;
//! assert_eq!((records, reader.torn_bytes()), (vec![written], 19));
//! # Ok(())
//! # }
//! ```

mod blocks;
mod decode;
mod extension;
mod group;
mod read;
mod sync;
mod write;

pub(super) use blocks::{Blocks, finished_in};
pub use extension::EventLog;
pub use read::{EventLogReader, ReadError};
pub use write::{EncodedBody, EventLogWriter};
