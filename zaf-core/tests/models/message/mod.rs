//! The bus's own files, under the names by which they know each other, and as much of the rest as they need.

#[path = "../../../src/message/activity.rs"]
pub(crate) mod activity;
#[path = "../../../src/message/answer.rs"]
pub(crate) mod answer;
#[path = "../../../src/message/carried.rs"]
pub(crate) mod carried;
pub(crate) mod dispatcher;
#[path = "../../../src/message/entity.rs"]
pub(crate) mod entity;
#[path = "../../../src/message/error.rs"]
pub(crate) mod error;
#[path = "../../../src/message/handling.rs"]
pub(crate) mod handling;
#[path = "../../../src/message/kept.rs"]
pub(crate) mod kept;
#[expect(clippy::module_inception, reason = "its name in the library")]
pub(crate) mod message;
pub(crate) mod observe;
#[path = "../../../src/message/presence.rs"]
pub(crate) mod presence;
#[path = "../../../src/message/reply.rs"]
#[expect(
    clippy::wrong_self_convention,
    reason = "the lint leaves alone what a library exports, and here nothing is exported"
)]
pub(crate) mod reply;
#[path = "../../../src/message/reply_set.rs"]
pub(crate) mod reply_set;
pub(crate) mod route;

pub(crate) use crate::current;
pub(crate) use entity::Entity;
pub(crate) use error::ReplyError;

use crate::sync::Arc;
use activity::Activity;

/// What a worker wants of the bus.
pub(crate) struct MessageBus {
    activity: Arc<Activity>,
}

impl MessageBus {
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }
}
