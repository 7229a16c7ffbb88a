//! The bus's own files, under the names by which they know each other.

#[path = "../../../src/message/activity.rs"]
pub(crate) mod activity;
pub(crate) mod dispatcher;
#[path = "../../../src/message/presence.rs"]
pub(crate) mod presence;
#[path = "../../../src/message/reply_set.rs"]
pub(crate) mod reply_set;
