//! Triggering: events, from the caller's thread to handlers and queues.
//!
//! The way of an event to callbacks takes no lock that others want, allocates nothing and waits for nobody: take the snapshot
//! that the thread keeps, find the route by the addresses of the names, check the type of the payload once, open a frame in
//! this thread's record, call one handler after the other. What is rarer is in functions of its own, which are not inlined,
//! so that the registers are for what is frequent.

use std::any::TypeId;
use std::hint::cold_path;
use std::sync::Arc;

use super::bus::MessageBus;
use super::current::{self, Own};
use super::dispatcher::Core;
use super::dispatcher::callback::{self, Calling};
use super::error::BusError;
use super::failure::callback_failed;
use super::message::{Body, Message};
use super::observe::send_nowhere;
use super::presence::{Record, Stay};
use super::registration::check_types;
use super::report::{DispatchReport, Failure, Problems};
use super::route::{Route, Slice, Way};
use super::send::shared_if;
use super::snapshot::Key;
use super::{EndpointId, Entity, EventId, MessageDescriptor, MessageKind};

impl MessageBus {
    /// Triggers an event of `endpoint`. Callback handlers have run when this returns, queued ones have the message.
    ///
    /// The report says who failed or had no room; failures are logged, counted and triggered as [`HANDLER_FAILED`](super::HANDLER_FAILED) whether
    /// or not somebody reads it.
    ///
    /// # Errors
    /// [`BusError::NoSuchEndpoint`], [`BusError::NoSuchMessage`], [`BusError::NotDefinedAt`], [`BusError::TypeMismatch`],
    /// [`BusError::RecursionLimit`], [`BusError::Closed`]; then nobody got it.
    #[doc = include_str!("doc/trigger_event.md")]
    pub fn trigger_event<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event, &endpoint, None, payload)
    }

    /// As [`trigger_event`](Self::trigger_event), about an entity.
    ///
    /// # Errors
    /// The same.
    #[doc = include_str!("doc/trigger_event_for.md")]
    pub fn trigger_event_for<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        entity: &Entity,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event, &endpoint, Some(entity), payload)
    }

    fn trigger<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: &EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let own = current::own();
        let Some(mut kept) = own.kept.of(self.number(), self.activity()) else {
            cold_path();
            return self.trigger_loading(own, event, endpoint, entity, payload);
        };
        let Some((route, calm)) = kept.find(event.name(), endpoint.name()) else {
            cold_path();
            drop(kept);
            return self.trigger_loading(own, event, endpoint, entity, payload);
        };
        let Some(receivers) = route.typed::<P, ()>() else {
            let is_certain = route.receivers.is_none() && route.tap.is_none();
            if is_certain && is_event_of(&route.descriptor, event) {
                return Ok(DispatchReport::default());
            }
            cold_path();
            return self.trigger_nowhere(route, event, entity);
        };
        let slice = receivers.of(entity);
        if slice.way != Way::Calls {
            cold_path();
            return self.trigger_all(own.record, route, slice, calm, entity, payload);
        }
        // Whoever waits is told at the end of `kept`.
        let Some(stay) = own.record.stay(route.place, self.activity(), slice.first) else {
            cold_path();
            return Err(self.too_deep(route, entity));
        };
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let report = if let Some(only) = &slice.only {
            match callback::call_only(only, slice, calm, &message, &stay, self) {
                Some(Ok(())) => DispatchReport::new(1, Problems::default()),
                None => {
                    cold_path();
                    DispatchReport::default()
                }
                Some(Err(failure)) => {
                    cold_path();
                    self.only_failed(slice, &stay, &message, failure)
                }
            }
        } else {
            self.call_all::<true, P>(&stay, slice, calm, &message)
        };
        message.end();
        Ok(report)
    }

    #[cold]
    #[inline(never)]
    fn only_failed<P>(
        &self,
        slice: &Slice<P, ()>,
        stay: &Stay<'_>,
        message: &Message<P>,
        failure: Failure,
    ) -> DispatchReport {
        let mut problems = Problems::default();
        stay.withdraw();
        if let Some(entry) = slice.entries.first() {
            callback_failed(&mut problems, &entry.core, message, failure);
            self.announce_failures(&problems, message);
        }
        DispatchReport::new(0, problems)
    }

    /// For a thread that keeps no snapshot of this bus, or is using it.
    #[inline(never)]
    fn trigger_loading<P: Send + Sync + 'static>(
        &self,
        own: Own,
        event: EventId<P>,
        endpoint: &EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let snapshot = self.load(own);
        let table = &snapshot.table;
        match table.find(Key::new(event.name(), endpoint.name())) {
            Some(route) => self.deliver(own.record, route, table.calm, event, entity, payload),
            None => self.trigger_slowly(own.record, event, endpoint, entity, payload),
        }
    }

    /// For an event that was not found by the addresses of its names.
    #[inline(never)]
    fn trigger_slowly<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        event: EventId<P>,
        endpoint: &EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let found = self.find_slowly(&event.descriptor(), *endpoint);
        let (route, calm) = found
            .map_err(|error| self.refuse(&event.descriptor(), Some(*endpoint), entity, error))?;
        self.deliver(record, &route, calm, event, entity, payload)
    }

    /// Nobody is registered for the event, or not with these types.
    #[inline(never)]
    fn trigger_nowhere<P: Send + Sync + 'static>(
        &self,
        route: &Route,
        event: EventId<P>,
        entity: Option<&Entity>,
    ) -> Result<DispatchReport, BusError> {
        if !is_event_of::<P>(&route.descriptor, event) {
            check_types(&route.descriptor, &event.descriptor()).map_err(|error| {
                self.refuse(&event.descriptor(), Some(route.endpoint), entity, error)
            })?;
        }
        if route.tap.is_some() {
            send_nowhere(route.tap.as_ref(), self, route.origin, entity);
        }
        Ok(DispatchReport::default())
    }

    /// To whomever it goes. `calm` is that of the snapshot to which the route belongs.
    fn deliver<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        route: &Route,
        calm: u64,
        event: EventId<P>,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let Some(receivers) = route.typed::<P, ()>() else {
            return self.trigger_nowhere(route, event, entity);
        };
        let slice = receivers.of(entity);
        self.trigger_all(record, route, slice, calm, entity, payload)
    }

    /// To all receivers, however many there are.
    #[inline(never)]
    fn trigger_all<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        route: &Route,
        slice: &Slice<P, ()>,
        calm: u64,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let presence = self.enter(record, route, entity)?;
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let mut problems = Problems::default();
        let delivered = match (slice.way, &*slice.entries) {
            (Way::Calls, _) => {
                return Ok(if presence.is_asymmetric() {
                    self.call_all::<true, P>(&presence, slice, calm, &message)
                } else {
                    self.call_all::<false, P>(&presence, slice, calm, &message)
                });
            }
            (Way::Queue, [entry]) => self.hand_to_one(record, route, entry, message, &mut problems),
            _ => {
                let message = Arc::new(shared_if(slice.differs, message));
                self.hand_over(record, &presence, route, slice, &message, &mut problems)
            }
        };
        Ok(DispatchReport::new(delivered, problems))
    }

    /// Calls handlers none of which keeps the message. `ASYMMETRIC`: what the fences are.
    #[inline(never)]
    fn call_all<const ASYMMETRIC: bool, P: Send + Sync + 'static>(
        &self,
        stay: &Stay<'_>,
        slice: &Slice<P, ()>,
        calm: u64,
        message: &Message<P>,
    ) -> DispatchReport {
        let mut delivered = slice.entries.len();
        let calling = Calling {
            slice,
            calm,
            message,
            stay,
            bus: self,
        };
        let failure = calling.until_failure::<ASYMMETRIC>(&mut delivered);
        if let Some(failure) = failure {
            cold_path();
            return self.call_rest::<ASYMMETRIC, P>(&calling, delivered, failure);
        }
        calling.end();
        DispatchReport::new(delivered, Problems::default())
    }

    /// One of the handlers has failed: tells of it, and calls those behind it.
    #[cold]
    #[inline(never)]
    fn call_rest<const ASYMMETRIC: bool, P: Send + Sync + 'static>(
        &self,
        calling: &Calling<'_, P>,
        delivered: usize,
        failure: Failure,
    ) -> DispatchReport {
        let mut problems = Problems::default();
        let message = calling.message;
        let failed = |core: &Core, failure| callback_failed(&mut problems, core, message, failure);
        let delivered = calling.go_on::<ASYMMETRIC>(delivered, failure, failed);
        if !problems.is_empty() {
            self.announce_failures(&problems, message);
        }
        DispatchReport::new(delivered, problems)
    }
}

/// Whether it is certain without a closer look that the event was defined like this.
#[inline]
fn is_event_of<P: Send + Sync + 'static>(defined: &MessageDescriptor, event: EventId<P>) -> bool {
    defined.kind == MessageKind::Event
        && std::ptr::fn_addr_eq(defined.payload, TypeId::of::<P> as fn() -> TypeId)
        && !(event.is_portable() && defined.is_portable())
}
