//! The event log of a run: one JSON object per line, written as things happen.
//!
//! A record that was shown is in the file, whatever happens to this process afterwards: those that are told at the same time
//! are one `write(2)`, and a reader copes with the torn line that a killed writer may leave. Readers of an older version leave out what they do not
//! know, and refuse a newer major version.

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
