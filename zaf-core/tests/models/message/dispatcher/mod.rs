//! The queue of a dispatcher.

#[path = "../../../../src/message/dispatcher/strand.rs"]
pub(crate) mod strand;
