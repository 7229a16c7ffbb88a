//! Frames in binary: a length, a head of fixed layout, five texts, and the payload as it is.
//!
//! ```text
//! offset  bytes  little-endian
//!      0      4  length of all that follows
//!      4      1  type of the frame
//!      5      1  format of the payload: 0 none, 1 JSON, 2 postcard
//!      6      1  level of a log line: 1 trace, 2 debug, 3 info, 4 warn, 5 error; else 0
//!      7      1  0
//!      8      4  time-out of a request that the plugin sends, in milliseconds; 0 none
//!     12      4  0
//!     16      8  id; 0 none
//!     24      8  id of the message on whose behalf it is; 0 none
//!     32         five texts: dispatcher, message, endpoint, entity, text.
//!                Each is 4 bytes of length (all ones: none) and that many bytes of UTF-8
//!                payload: the rest
//! ```
//!
//! The description stays a line of JSON; what follows it is binary in both directions. The payload of `start` is the configuration
//! as JSON, that of an error its causes as a JSON list, that of replies what the page on the plugin protocol says.

mod read;
mod write;

use zaf_core::message::WireFormat;

pub use self::read::{length, read_from_plugin, read_to_plugin};
pub(crate) use self::write::write_replies;
pub use self::write::{write_from_plugin, write_to_plugin};

const START: u8 = 2;
const EVENT: u8 = 3;
const REQUEST: u8 = 4;
const REPLIES: u8 = 5;
const DONE: u8 = 6;
const ERROR: u8 = 7;
const STOP: u8 = 8;
const REPLY: u8 = 10;
const TRIGGER: u8 = 11;
const SEND: u8 = 12;
const LOG: u8 = 13;
const STOPPED: u8 = 14;

/// Bytes of the length before a frame.
pub const LENGTH: usize = 4;

/// The length of a text that is not there.
const NO_TEXT: u32 = u32::MAX;

/// The fields of all frames.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    ty: u8,
    format: u8,
    level: u8,
    timeout_ms: u32,
    id: u64,
    during: u64,
    dispatcher: Option<&'a str>,
    message: Option<&'a str>,
    endpoint: Option<&'a str>,
    entity: Option<&'a str>,
    text: Option<&'a str>,
    payload: &'a [u8],
}

fn format_code(format: Option<WireFormat>) -> u8 {
    match format {
        None => 0,
        Some(WireFormat::Postcard) => 2,
        Some(_) => 1,
    }
}
