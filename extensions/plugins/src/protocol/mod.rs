//! What crosses the border between the host and a plugin.
//!
//! Knows bytes and words, nothing of processes, libraries or the bus.

mod description;

pub use description::{
    Codec, Description, DispatcherDescription, EndpointDescription, ExtensionKind, Kind,
    MessageDescription, OptionDescription, OptionType, PayloadFormat, Threads,
};

/// Version of the protocol: a host and a plugin understand each other if it is the same.
///
/// Fields may be added to frames and descriptions without another version: who does not know one leaves it aside.
pub const PROTOCOL: u32 = 1;
