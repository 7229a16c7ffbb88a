//! The queue of a dispatcher.

#[path = "../../../../src/message/dispatcher/ends.rs"]
pub(crate) mod ends;
#[path = "../../../../src/message/dispatcher/policy.rs"]
pub(crate) mod policy;
#[path = "../../../../src/message/dispatcher/strand.rs"]
pub(crate) mod strand;
