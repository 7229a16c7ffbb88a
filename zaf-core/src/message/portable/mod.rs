//! Messages as bytes: for bridges, plugins in other processes and handlers in other languages.

mod by_name;
pub(crate) mod codec_of;
mod encoded;
mod encodings;
mod error;
mod reply;

pub use codec_of::MessageCodec;
pub use encoded::{EncodedMessage, EncodedPayload};
pub(crate) use encodings::Encodings;
pub use error::PortableError;
pub use reply::{EncodedReplies, EncodedReply, EncodedReplyError};
