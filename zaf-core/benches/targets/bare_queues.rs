//! Queues on a pool of threads with nothing else: no names, priorities, entities, bounds, panics or ends, one count for all of them.
//! What one event to many queues costs whoever wants no more than that.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};
use zaf_core::thread::JoinHandle;

use crate::measure::bus::{Sum, add};

type Payload = Arc<dyn Any + Send + Sync>;
type Handler = Box<dyn Fn(&dyn Any) + Send + Sync>;

struct Queue {
    waiting: Mutex<Waiting>,
    handler: Handler,
}

#[derive(Default)]
struct Waiting {
    payloads: VecDeque<Payload>,
    /// A thread has it, or will.
    is_served: bool,
}

#[derive(Default)]
struct Shared {
    ready: Mutex<VecDeque<Arc<Queue>>>,
    wake: Condvar,
    /// Accepted and not handled.
    open: AtomicUsize,
    idle: Mutex<()>,
    idle_now: Condvar,
    is_ending: AtomicBool,
}

/// See the module.
pub(crate) struct BareQueues {
    queues: Vec<Arc<Queue>>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl BareQueues {
    /// Each handler does what those of the bus do.
    pub(crate) fn that_add(count: usize, sum: &Sum) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let queue = |_| {
            let sum = Arc::clone(sum);
            let handler = Box::new(move |payload: &dyn Any| {
                if let Some(number) = payload.downcast_ref::<u64>() {
                    add(&sum, *number);
                }
            });
            Arc::new(Queue {
                waiting: Mutex::default(),
                handler,
            })
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..processors).map(|_| {
            let shared = Arc::clone(&shared);
            zaf_core::thread::spawn("bare queues", move || shared.work())
                .expect("a thread can be started")
        });
        Self {
            queues: (0..count).map(queue).collect(),
            threads: threads.collect(),
            shared,
        }
    }

    /// Puts it into all queues, and has them served.
    pub(crate) fn send(&self, payload: &Payload) {
        self.shared
            .open
            .fetch_add(self.queues.len(), Ordering::SeqCst);
        let mut ready = Vec::new();
        for queue in &self.queues {
            let mut waiting = queue.waiting.lock();
            waiting.payloads.push_back(Arc::clone(payload));
            if !std::mem::replace(&mut waiting.is_served, true) {
                ready.push(Arc::clone(queue));
            }
        }
        self.shared.ready.lock().extend(ready);
        self.shared.wake.notify_one();
    }

    /// Waits until everything has been handled.
    pub(crate) fn finish(&self) {
        let mut idle = self.shared.idle.lock();
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            self.shared.idle_now.wait(&mut idle);
        }
    }
}

impl Shared {
    fn work(&self) {
        let mut ready = self.ready.lock();
        loop {
            if let Some(queue) = ready.pop_front() {
                let is_more = !ready.is_empty();
                drop(ready);
                if is_more {
                    self.wake.notify_one();
                }
                self.serve(&queue);
                ready = self.ready.lock();
            } else if self.is_ending.load(Ordering::SeqCst) {
                return;
            } else {
                self.wake.wait(&mut ready);
            }
        }
    }

    fn serve(&self, queue: &Queue) {
        loop {
            let mut waiting = queue.waiting.lock();
            let Some(payload) = waiting.payloads.pop_front() else {
                waiting.is_served = false;
                return;
            };
            drop(waiting);
            (queue.handler)(&*payload);
            if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
                drop(self.idle.lock());
                self.idle_now.notify_all();
            }
        }
    }
}

impl Drop for BareQueues {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::SeqCst);
        drop(self.shared.ready.lock());
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
