//! Requests that exactly one extension has to answer.

use std::time::Duration;

use zaf_core::Result;
use zaf_core::application::ExitCode;
use zaf_core::message::{BusError, EndpointId, MessageBus, Replies, RequestId};

/// The answer of the first dispatcher (highest priority), however long it takes: what is asked here is the work of the
/// command itself, and time limits are the business of whoever answers.
///
/// # Errors
/// If nobody answers (exit code 7: an extension that the command needs is switched off), or the answer is an error.
pub(crate) fn ask<P, R>(
    bus: &MessageBus,
    request: RequestId<P, R>,
    endpoint: EndpointId,
    payload: P,
) -> Result<R>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    let replies = bus
        .send_request(request, endpoint, payload)
        .map_err(nobody)?;
    first(replies)
}

fn first<R: Send + 'static>(mut replies: Replies<R>) -> Result<R> {
    let reply = replies.next(Duration::MAX);
    let reply = reply.expect("invariant: a request that reaches nobody is an error of the bus");
    Ok(reply.result?)
}

/// Explains that an extension is missing.
pub(crate) fn nobody(error: BusError) -> zaf_core::Error {
    ExitCode::ExtensionFailed.with_error(error).hint(
        "an extension that this command needs is missing or switched off: see `ext.<name>.enabled`",
    )
}
