//! What a queued message is handed to.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::dispatcher::Core;
use super::reply::Replier;
use super::{MessageBus, ReplyError};
use crate::sync::Arc;
use crate::thread::panic_text;

/// A handler as workers see it.
pub(crate) trait AnyHandler: Send + Sync {
    fn run(
        &self,
        message: &(dyn Any + Send + Sync),
        reply: Option<Replier<'_>>,
        core: &Arc<Core>,
        bus: &MessageBus,
    );
}

/// A handler that is a closure; what it returns is the answer.
pub(crate) struct Closure<F>(pub(crate) F);

impl<F: Fn(&Arc<Core>) -> usize + Send + Sync> AnyHandler for Closure<F> {
    fn run(
        &self,
        _message: &(dyn Any + Send + Sync),
        reply: Option<Replier<'_>>,
        core: &Arc<Core>,
        _bus: &MessageBus,
    ) {
        // As the bus's own: nothing unwinds from here.
        let answer = catch_unwind(AssertUnwindSafe(|| (self.0)(core))).map_err(|payload| {
            let handler = Arc::clone(&core.name);
            let message = panic_text(payload);
            ReplyError::Panicked { handler, message }
        });
        if let Some(reply) = reply {
            reply.send(answer);
        }
    }
}
