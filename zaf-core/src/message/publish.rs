//! From the registry to the snapshot that senders read, and back to the registry for who finds nothing in it.
//!
//! Publishing is lazy: a change makes the snapshot stale, the next sender that needs one has it made, under the registry's
//! lock. What a snapshot leaves over is dropped without the lock: dropping a handler runs foreign code.

use std::sync::Arc;

use super::bus::{MessageBus, closed};
use super::current::PLACES;
use super::dispatcher::Core;
use super::error::BusError;
use super::registry::{Garbage, Registry};
use super::route::Route;
use super::snapshot::{Key, Snapshot};
use super::{EndpointId, MessageDescriptor};

impl MessageBus {
    /// Changes the registry and publishes the result, unless the change was refused.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Registry, &mut Garbage) -> Result<T, BusError>,
    ) -> Result<T, BusError> {
        let mut garbage = Garbage::new();
        let mut registry = self.inner.registry.lock();
        if registry.closed {
            drop(registry);
            return Err(closed());
        }
        let outcome = change(&mut registry, &mut garbage);
        if outcome.is_ok() {
            self.outdate(&mut garbage);
        }
        drop(registry);
        drop(garbage);
        outcome
    }

    /// Makes the next sender ask for a snapshot. Only under the registry's lock.
    fn outdate(&self, garbage: &mut Garbage) {
        self.replace(Arc::clone(&self.inner.stale), garbage);
    }

    /// Publishes a snapshot that nobody keeps, and takes the one before from all who keep it. Only under the registry's lock.
    pub(super) fn replace(&self, snapshot: Arc<Snapshot>, garbage: &mut Garbage) {
        let old = self.inner.snapshot.swap(snapshot);
        // Otherwise this was done when that one was published.
        if !old.is_kept_by_nobody() {
            self.activity().replaced();
            garbage.push(Box::new(PLACES.empty(self.number(), self.activity())));
        }
        garbage.push(Box::new(old));
    }

    /// The latest snapshot, made now if something has changed.
    fn latest(&self) -> Arc<Snapshot> {
        let mut registry = self.inner.registry.lock();
        let current = self.inner.snapshot.load_full();
        if !current.is_stale() {
            return current;
        }
        let latest = Arc::new(registry.snapshot());
        // What it replaces has no handlers.
        self.inner.snapshot.store(Arc::clone(&latest));
        latest
    }

    /// For who did not find its message in the snapshot: its route, and what is [calm](Snapshot::calm).
    #[cold]
    #[inline(never)]
    pub(super) fn find_slowly(
        &self,
        message: &MessageDescriptor,
        endpoint: EndpointId,
    ) -> Result<(Arc<Route>, u64), BusError> {
        let snapshot = self.latest();
        let Some(route) = snapshot.find_by_name(message, endpoint) else {
            return Err(self.explain(message, Some(endpoint)));
        };
        let found = (Arc::clone(route), snapshot.table.calm);
        if snapshot
            .table
            .find(Key::new(message.name, endpoint.name()))
            .is_none()
            && self.learn(message, endpoint)
        {
            // Now, so that the second message finds it.
            drop(self.latest());
        }
        Ok(found)
    }

    /// The snapshot for who needs more than one route of it.
    pub(super) fn current_snapshot(&self) -> Arc<Snapshot> {
        let snapshot = self.inner.snapshot.load_full();
        if snapshot.is_stale() {
            return self.latest();
        }
        snapshot
    }

    /// Takes a dispatcher out of the routes. Also works on a closed bus.
    pub(crate) fn remove(&self, core: &Arc<Core>) {
        let mut garbage = Garbage::new();
        let mut registry = self.inner.registry.lock();
        if registry.remove(core, &mut garbage) {
            self.inner.pool.release(core.reserved_workers());
            if !registry.closed {
                self.outdate(&mut garbage);
            }
        }
        drop(registry);
        drop(garbage);
    }

    /// Remembers where else the names of a message are. Returns whether that was new.
    fn learn(&self, message: &MessageDescriptor, endpoint: EndpointId) -> bool {
        let mut registry = self.inner.registry.lock();
        if registry.closed || !registry.add_alias(message.name, endpoint.name()) {
            return false;
        }
        let mut garbage = Garbage::new();
        self.outdate(&mut garbage);
        drop(registry);
        drop(garbage);
        true
    }
}
