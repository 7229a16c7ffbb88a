//! The message bus. Tests that stand for a row of the catalogue of faults (A, B) or of the predecessor's flaws (F) carry its
//! number in their name.

mod destruction;
mod end;
mod faults;
mod idle;
mod many_answers;
mod many_queues;
mod matrix;
mod message_queue;
mod model;
mod payload_drop;
mod queue_order;
mod queues;
mod registration;
mod replies;
mod rows;
mod surroundings;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, RequestId};

pub(crate) const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
pub(crate) const CELLAR: EndpointId = EndpointId::new("cellar", "Where bottles come from.");
/// Defined at both endpoints.
pub(crate) const PING: EventId<u32> = EventId::new("PING", "Something happened.");
/// Defined at the kitchen only.
pub(crate) const PONG: EventId<u32> = EventId::new("PONG", "Something else happened.");
/// Defined at both endpoints.
pub(crate) const ASK: RequestId<u32, u32> = RequestId::new("ASK", "What is twice this?");

pub(crate) const KINDS: [DispatcherKind; 4] = [
    DispatcherKind::Callback,
    DispatcherKind::Sequential,
    DispatcherKind::ThreadPool,
    DispatcherKind::Concurrent,
];

/// How long a test waits for what has to happen; only a failing test waits that long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn bus() -> MessageBus {
    let bus = MessageBus::new();
    bus.define(
        KITCHEN,
        &[PING.descriptor(), PONG.descriptor(), ASK.descriptor()],
    )
    .unwrap();
    bus.define(CELLAR, &[PING.descriptor(), ASK.descriptor()])
        .unwrap();
    bus
}

/// What handlers did, in order.
#[derive(Clone, Default)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Vec::new())))
    }

    pub(crate) fn add(&self, entry: T) {
        self.0.lock().push(entry);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// A place where handlers stop until they are let through.
#[derive(Clone)]
pub(crate) struct Gate {
    arrived: (Sender<()>, Receiver<()>),
    open: (Sender<()>, Receiver<()>),
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            arrived: unbounded(),
            open: unbounded(),
        }
    }

    /// Called by a handler: waits to be let through.
    pub(crate) fn pass(&self) {
        self.arrived.0.send(()).unwrap();
        self.open.1.recv_timeout(LONG).unwrap();
    }

    /// Waits until a handler stands at the gate.
    pub(crate) fn wait_for_arrival(&self) {
        self.arrived.1.recv_timeout(LONG).unwrap();
    }

    /// Lets that many handlers through, now or later.
    pub(crate) fn let_through(&self, count: usize) {
        for _ in 0..count {
            self.open.0.send(()).unwrap();
        }
    }
}

/// Names of the threads of this process that belong to a bus.
pub(crate) fn bus_threads() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("bus-worker"))
        .count()
}
