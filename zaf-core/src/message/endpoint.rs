//! An endpoint as the registry knows it.

use std::sync::Arc;

use super::EndpointId;
use super::activity::Busy;
use super::dispatcher::Core;
use super::dispatcher::worker::Intake;
use super::presence::Place;
use super::route::AnyHandler;

/// A defined endpoint.
pub(crate) struct EndpointDefinition {
    pub(crate) id: EndpointId,
    pub(crate) place: Place,
    pub(crate) busy: Arc<Busy>,
}

impl EndpointDefinition {
    /// What the queue of `core` is to know of a handler that is registered here; none if it has no queue.
    pub(crate) fn intake(&self, core: &Core, handler: &Arc<dyn AnyHandler>) -> Option<Arc<Intake>> {
        core.strand.as_ref()?;
        Some(Arc::new(Intake {
            handler: Arc::clone(handler),
            place: self.place,
            busy: Arc::clone(&self.busy),
        }))
    }
}
