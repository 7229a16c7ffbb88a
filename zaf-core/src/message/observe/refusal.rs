//! Messages that are refused before they have a route.

use std::sync::Arc;

use super::super::bus::MessageBus;
use super::super::current::with_record;
use super::super::error::BusError;
use super::super::presence::Record;
use super::super::{EndpointId, Entity, MessageDescriptor};
use super::Observed;
use super::tap::observed;

impl MessageBus {
    /// Writes down that a message is refused, if somebody looks; the error is passed on. No frame is open for the message.
    #[cold]
    #[inline(never)]
    pub(in super::super) fn refuse(
        &self,
        id: &MessageDescriptor,
        endpoint: Option<EndpointId>,
        entity: Option<&Entity>,
        error: BusError,
    ) -> BusError {
        // What is not defined has no route in which the tap could lie.
        if let Some(tap) = self.tap() {
            let sender = with_record(Record::innermost);
            let message = Arc::new(observed(self, sender, *id, endpoint, entity));
            let text = error.to_string();
            tap.write(|| Observed::Refused {
                message: Arc::clone(&message),
                error: text.clone(),
            });
        }
        error
    }
}
