//! What crosses the border between the host and a plugin.
//!
//! Knows bytes and words, nothing of processes, libraries or the bus. A [`Description`] is what a plugin is, [`ToPlugin`] and
//! [`FromPlugin`] are the frames of both directions, [`json`] and [`binary`] are the two ways to write them.
//!
//! Who writes to a plugin trusts itself; who reads from one does not: everything read is held to the [`limits`] before it is
//! understood, and a frame that is not accepted says why ([`FrameError`]).

pub mod binary;
mod description;
mod error;
mod frame;
pub mod json;
pub mod limits;
mod validate;

pub use description::{
    Codec, Description, DispatcherDescription, EndpointDescription, ExtensionKind, Kind,
    MessageDescription, OptionDescription, OptionType, PayloadFormat, Threads,
};
pub use error::{CallError, FrameError};
pub use frame::{FromPlugin, HostName, LogLevel, ReplyEntry, ToPlugin};

/// Version of the protocol: a host and a plugin understand each other if it is the same.
///
/// Fields may be added to frames and descriptions without another version: who does not know one leaves it aside.
pub const PROTOCOL: u32 = 1;

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;
