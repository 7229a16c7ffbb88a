//! Channels of other crates into a thread, or a task, that does what a handler does. They carry numbers and know no types, names
//! or priorities: how near the bus comes to them says what it costs to be a bus.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use crossbeam_queue::SegQueue;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc};
use zaf_core::thread::JoinHandle;

use crate::actors::runtime;
use crate::measure::bus::add;

/// A number to be added, or the question whether everything before it is done.
type Sent = Option<u64>;

/// A channel and who is at its other end.
pub(crate) struct Channel {
    /// None when it is closed.
    give: Option<Box<dyn Fn(Sent) + Sync>>,
    done: Receiver<()>,
    receivers: usize,
    thread: Option<JoinHandle<()>>,
    _runtime: Option<Runtime>,
}

/// What a receiver does with what it gets.
struct Handler {
    sum: AtomicU64,
    done: Sender<()>,
}

impl Handler {
    fn handle(&self, sent: Sent) {
        match sent {
            Some(number) => add(&self.sum, number),
            None => drop(self.done.send(())),
        }
    }
}

impl Channel {
    pub(crate) fn send(&self) {
        self.give(Some(black_box(1)));
    }

    /// Waits until everything that was sent is handled.
    pub(crate) fn finish(&self) {
        self.give(None);
        for _ in 0..self.receivers {
            self.done
                .recv()
                .expect("the receivers live as long as the channel");
        }
    }

    fn give(&self, sent: Sent) {
        if let Some(give) = &self.give {
            give(sent);
        }
    }

    /// A thread takes with `take` until that returns nothing.
    fn into_thread(
        give: impl Fn(Sent) + Sync + 'static,
        mut take: impl FnMut() -> Option<Sent> + Send + 'static,
    ) -> Self {
        let (handler, done) = handler();
        let body = move || {
            while let Some(sent) = take() {
                handler.handle(sent);
            }
        };
        let thread = zaf_core::thread::spawn("receiver", body).expect("a thread can be started");
        Self {
            give: Some(Box::new(give)),
            done,
            receivers: 1,
            thread: Some(thread),
            _runtime: None,
        }
    }

    pub(crate) fn std() -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        Self::into_thread(
            move |sent| assert!(sender.send(sent).is_ok()),
            move || receiver.recv().ok(),
        )
    }

    pub(crate) fn crossbeam() -> Self {
        let (sender, receiver) = unbounded();
        Self::into_thread(
            move |sent| assert!(sender.send(sent).is_ok()),
            move || receiver.recv().ok(),
        )
    }

    pub(crate) fn flume() -> Self {
        let (sender, receiver) = flume::unbounded();
        Self::into_thread(
            move |sent| assert!(sender.send(sent).is_ok()),
            move || receiver.recv().ok(),
        )
    }

    pub(crate) fn kanal() -> Self {
        let (sender, receiver) = kanal::unbounded();
        Self::into_thread(
            move |sent| assert!(sender.send(sent).is_ok()),
            move || receiver.recv().ok(),
        )
    }

    /// A queue without a lock, and a thread that is woken if it sleeps.
    pub(crate) fn seg_queue() -> Self {
        let shared = Arc::new(Sleeper::default());
        let (own, end) = (Arc::clone(&shared), EndOnDrop(Arc::clone(&shared)));
        let give = move |sent| {
            end.0.queue.push(Some(sent));
            end.0.wake();
        };
        Self::into_thread(give, move || own.take())
    }

    pub(crate) fn tokio_mpsc() -> Self {
        let runtime = runtime();
        let (sender, mut receiver) = mpsc::unbounded_channel::<Sent>();
        let (handler, done) = handler();
        runtime.spawn(async move {
            while let Some(sent) = receiver.recv().await {
                handler.handle(sent);
            }
        });
        Self {
            give: Some(Box::new(move |sent| assert!(sender.send(sent).is_ok()))),
            done,
            receivers: 1,
            thread: None,
            _runtime: Some(runtime),
        }
    }

    /// One channel to all; `capacity` has to be enough, because receivers that lag behind lose messages.
    pub(crate) fn tokio_broadcast(receivers: usize, capacity: usize) -> Self {
        let runtime = runtime();
        let (sender, _) = broadcast::channel::<Sent>(capacity);
        let (done_sender, done) = unbounded();
        for _ in 0..receivers {
            let mut receiver = sender.subscribe();
            let handler = Handler {
                sum: AtomicU64::new(0),
                done: done_sender.clone(),
            };
            runtime.spawn(async move {
                loop {
                    match receiver.recv().await {
                        Ok(sent) => handler.handle(sent),
                        Err(broadcast::error::RecvError::Closed) => return,
                        Err(lagged) => panic!("{lagged}"),
                    }
                }
            });
        }
        Self {
            give: Some(Box::new(move |sent| assert!(sender.send(sent).is_ok()))),
            done,
            receivers,
            thread: None,
            _runtime: Some(runtime),
        }
    }
}

/// A queue and the thread that takes from it.
#[derive(Default)]
struct Sleeper {
    /// Nothing in a place of the queue: the end.
    queue: SegQueue<Option<Sent>>,
    sleeps: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Sleeper {
    fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.sleeps.load(Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    fn take(&self) -> Option<Sent> {
        let _own_handle = self.thread.get_or_init(std::thread::current);
        loop {
            if let Some(taken) = self.queue.pop() {
                return taken;
            }
            self.sleeps.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if self.queue.is_empty() {
                std::thread::park();
            }
            self.sleeps.store(false, Ordering::Relaxed);
        }
    }
}

struct EndOnDrop(Arc<Sleeper>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.queue.push(None);
        self.0.wake();
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.give = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn handler() -> (Handler, Receiver<()>) {
    let (sender, done) = unbounded();
    (
        Handler {
            sum: AtomicU64::new(0),
            done: sender,
        },
        done,
    )
}
