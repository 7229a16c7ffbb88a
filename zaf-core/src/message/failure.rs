//! What happens when a handler of an event fails: counted, logged, triggered.

use std::sync::Arc;

use super::bus::MessageBus;
use super::dispatcher::Core;
use super::message::Message;
use super::report::{
    APPLICATION_ENDPOINT, Failure, HANDLER_FAILED, HandlerFailed, HandlerPanicked, Problems,
    Undelivered,
};

impl MessageBus {
    /// Triggers [`HANDLER_FAILED`] for each failure in the report, after all receivers have been called.
    #[cold]
    pub(super) fn announce_failures<P>(&self, problems: &Problems, message: &Message<P>) {
        for failed in problems.failed() {
            let panicked = failed.error.downcast_ref::<HandlerPanicked>();
            self.announce(message, |message| HandlerFailed {
                handler: Arc::clone(&failed.handler),
                message: message.origin.descriptor.name,
                endpoint: message.origin.endpoint,
                entity: message.entity.clone(),
                error: panicked.map_or_else(
                    || format!("{:#}", failed.error),
                    |panicked| panicked.message.clone(),
                ),
                panicked: panicked.is_some(),
            });
        }
    }

    /// A queued handler of an event failed.
    #[cold]
    pub(super) fn event_failed<P>(&self, core: &Core, message: &Message<P>, failure: &Failure) {
        log_failure(core, message, failure);
        self.announce(message, |message| HandlerFailed {
            handler: Arc::clone(&core.name),
            message: message.origin.descriptor.name,
            endpoint: message.origin.endpoint,
            entity: message.entity.clone(),
            error: failure.text(),
            panicked: matches!(failure, Failure::Panic(_)),
        });
    }

    fn announce<P>(
        &self,
        message: &Message<P>,
        payload: impl FnOnce(&Message<P>) -> HandlerFailed,
    ) {
        if message.origin.descriptor.name == HANDLER_FAILED.name() {
            return;
        }
        let payload = payload(message);
        if let Err(error) = self.trigger_event(HANDLER_FAILED, APPLICATION_ENDPOINT, payload) {
            tracing::debug!("a failure could not be announced: {error}");
        }
    }
}

/// A callback handler failed: the sender learns of it.
#[cold]
pub(super) fn callback_failed<P>(
    problems: &mut Problems,
    core: &Core,
    message: &Message<P>,
    failure: Failure,
) {
    log_failure(core, message, &failure);
    let handler = Arc::clone(&core.name);
    let error = failure.into_error();
    problems.add_failed(Undelivered { handler, error });
}

#[cold]
fn log_failure<P>(core: &Core, message: &Message<P>, failure: &Failure) {
    core.tally.failed();
    let endpoint = message
        .origin
        .endpoint
        .map_or("", |endpoint| endpoint.name());
    let entity = message.entity.as_ref().map_or("", |entity| entity.name());
    let panicked = matches!(failure, Failure::Panic(_));
    tracing::error!(
        handler = %core.name,
        message = message.origin.descriptor.name,
        endpoint,
        entity,
        panicked,
        "handler `{}` of {} failed: {}",
        core.name,
        message.origin.descriptor.name,
        failure.text(),
    );
}
