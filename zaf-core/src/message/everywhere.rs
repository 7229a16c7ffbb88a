//! Requests to all endpoints at once.

use super::bus::MessageBus;
use super::current;
use super::error::BusError;
use super::message::{Body, Message};
use super::registration::check_types;
use super::reply::Replies;
use super::route::{Entry, Route};
use super::send::no_receiver;
use super::{Entity, RequestId};

impl MessageBus {
    /// Sends a request to all endpoints that define it. A dispatcher that listens at several answers once.
    ///
    /// # Errors
    /// As [`send_request`](Self::send_request).
    #[doc = include_str!("doc/send_request_everywhere.md")]
    pub fn send_request_everywhere<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let descriptor = request.descriptor();
        let snapshot = self.current_snapshot();
        let mut receivers: Vec<(&Entry<P, R>, &Route)> = Vec::new();
        let mut is_defined = false;
        for route in snapshot.routes_of(descriptor.name) {
            is_defined = true;
            check_types(&route.descriptor, &descriptor)?;
            if let Some(typed) = route.typed::<P, R>() {
                let entries = typed.of(entity).entries.iter();
                receivers.extend(entries.map(|entry| (entry, &**route)));
            }
        }
        if !is_defined {
            return Err(self.explain(&descriptor, None));
        }
        receivers.sort_by_key(|(entry, _)| (std::cmp::Reverse(entry.priority), entry.sequence));
        let mut seen = std::collections::BTreeSet::new();
        receivers.retain(|(entry, _)| seen.insert(entry.core.number));
        let Some(&(_, first)) = receivers.first() else {
            return Err(no_receiver(&descriptor, None, entity));
        };
        let record = current::record();
        let presence = self.enter(record, first)?;
        let message = Message {
            origin: first.everywhere,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let differs = receivers.iter().any(|(entry, _)| entry.wants_shared());
        let receivers = receivers.iter().map(|&(entry, _)| entry);
        Ok(self.ask(
            first.tap.as_ref(),
            record,
            &presence,
            receivers,
            differs,
            message,
        ))
    }
}
