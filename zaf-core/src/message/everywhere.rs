//! Requests to all endpoints at once.

use super::bus::MessageBus;
use super::current;
use super::error::BusError;
use super::message::{Body, Message};
use super::observe::send_nowhere;
use super::registration::check_types;
use super::reply::Replies;
use super::request::no_receiver;
use super::route::{Entry, Route};
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
        let mut defined = None;
        for route in snapshot.routes_of(descriptor.name) {
            defined = Some(route);
            check_types(&route.descriptor, &descriptor)
                .map_err(|error| self.refuse(&descriptor, None, entity, error))?;
            if let Some(typed) = route.typed::<P, R>() {
                let entries = typed.of(entity).entries.iter();
                receivers.extend(entries.map(|entry| (entry, &**route)));
            }
        }
        let Some(defined) = defined else {
            let error = self.explain(&descriptor, None);
            return Err(self.refuse(&descriptor, None, entity, error));
        };
        receivers.sort_by_key(|(entry, _)| (std::cmp::Reverse(entry.priority), entry.sequence));
        let mut seen = std::collections::BTreeSet::new();
        receivers.retain(|(entry, _)| seen.insert(entry.core.number));
        let Some(&(_, first)) = receivers.first() else {
            send_nowhere(defined.tap.as_ref(), self, defined.everywhere, entity);
            return Err(no_receiver(&descriptor, None, entity));
        };
        let record = current::record();
        let presence = self.enter(record, first, entity)?;
        let message = Message {
            origin: first.everywhere,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let differs = receivers.iter().any(|(entry, _)| entry.wants_shared());
        let receivers: Vec<&Entry<P, R>> = receivers.iter().map(|&(entry, _)| entry).collect();
        Ok(self.ask(
            first.tap.as_ref(),
            record,
            &presence,
            (&receivers, &[]),
            differs,
            message,
        ))
    }
}
