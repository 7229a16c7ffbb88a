//! The bare mechanisms that the bus is compared with: what it could not do its work without.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, unbounded};
use zaf_core::thread::JoinHandle;

use super::bus::{Sum, add, addition, counting, of_ten_types};

type Function = Arc<dyn Fn(&dyn Any) + Send + Sync>;

/// A slice of functions that downcast, behind a snapshot.
pub(crate) struct Functions(ArcSwap<Vec<Function>>);

impl Functions {
    /// Each with a sum of its own.
    pub(crate) fn that_add(count: usize) -> Self {
        Self::new((0..count).map(|_| function(counting())))
    }

    pub(crate) fn that_share_nothing(count: usize) -> Self {
        let handler = |number| {
            black_box(number);
        };
        Self::new((0..count).map(|_| function(handler)))
    }

    /// The handlers are of ten types by turns, each with a sum of its own.
    pub(crate) fn of_ten_types(count: usize) -> Self {
        fn maker<H: Fn(u64) + Send + Sync + 'static>(make: impl Fn() -> H + 'static) -> Make {
            Box::new(move || function(make()))
        }
        let makes = of_ten_types!(maker);
        Self::new(makes.iter().cycle().take(count).map(|make| make()))
    }

    fn new(functions: impl Iterator<Item = Function>) -> Self {
        Self(ArcSwap::from_pointee(functions.collect()))
    }

    pub(crate) fn call(&self, payload: u64) {
        let functions = self.0.load();
        for function in functions.iter() {
            function(black_box(&payload));
        }
    }
}

type Make = Box<dyn Fn() -> Function>;

fn function(handler: impl Fn(u64) + Send + Sync + 'static) -> Function {
    Arc::new(move |payload: &dyn Any| {
        if let Some(number) = payload.downcast_ref::<u64>() {
            handler(*number);
        }
    })
}

/// A table of routes behind a snapshot, found by two addresses.
pub(crate) struct Table(ArcSwap<HashMap<(usize, usize), u64, BuildHasherDefault<Multiply>>>);

/// One multiplication for each address: the cheapest hash that spreads them.
#[derive(Default)]
pub(crate) struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = (self.0.rotate_left(5) ^ number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Table {
    pub(crate) fn of(keys: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let routes = keys.into_iter().zip(0..).collect();
        Self(ArcSwap::from_pointee(routes))
    }

    pub(crate) fn find(&self, key: (usize, usize)) -> Option<u64> {
        self.0.load().get(&key).copied()
    }
}

/// A channel of `Arc<dyn Any>` into a thread of its own that does what the handlers do.
pub(crate) struct Consumer {
    sender: Option<Sender<Arc<dyn Any + Send + Sync>>>,
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Consumer {
    pub(crate) fn start(sum: &Sum) -> Self {
        let (sender, receiver) = unbounded::<Arc<dyn Any + Send + Sync>>();
        let (done_sender, done) = unbounded();
        let sum = Arc::clone(sum);
        let body = move || {
            for payload in receiver {
                match payload.downcast_ref::<u64>() {
                    Some(number) => add(&sum, *number),
                    None => drop(done_sender.send(())),
                }
            }
        };
        let thread = zaf_core::thread::spawn("yardstick", body).expect("a thread can be started");
        Self {
            sender: Some(sender),
            done,
            thread: Some(thread),
        }
    }

    pub(crate) fn send(&self) {
        self.give(Arc::new(black_box(1_u64)));
    }

    pub(crate) fn give(&self, payload: Arc<dyn Any + Send + Sync>) {
        let sent = self.sender.as_ref().map(|sender| sender.send(payload));
        assert!(sent.is_some_and(|sent| sent.is_ok()));
    }

    /// Waits until everything sent so far is handled.
    pub(crate) fn finish(&self) {
        self.ask_to_finish();
        self.wait();
    }

    pub(crate) fn ask_to_finish(&self) {
        self.give(Arc::new(()));
    }

    pub(crate) fn wait(&self) {
        self.done.recv().expect("the consumer answers");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.sender = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A thread that sends back what it gets. Both sides sleep while they wait: what a request costs if nobody spins. Asked by the
/// thread that started it.
pub(crate) struct Sleepers {
    question: Arc<AtomicU64>,
    answer: Arc<AtomicU64>,
    other: Thread,
    thread: Option<JoinHandle<()>>,
}

impl Sleepers {
    /// Nothing is there.
    const NOTHING: u64 = 0;
    /// Tells the thread to end.
    const END: u64 = u64::MAX;

    pub(crate) fn start(sum: &Sum) -> Self {
        let (question, answer) = (Arc::default(), Arc::default());
        let (questions, answers) = (Arc::clone(&question), Arc::clone(&answer));
        let (sum, asker) = (Arc::clone(sum), std::thread::current());
        let (introduction, introduced) = unbounded();
        let body = move || {
            let _met = introduction.send(std::thread::current());
            loop {
                match Self::take(&questions) {
                    Self::END => return,
                    number => {
                        add(&sum, number);
                        Self::put(&answers, &asker, number);
                    }
                }
            }
        };
        let thread = zaf_core::thread::spawn("sleeper", body).expect("a thread can be started");
        Self {
            question,
            answer,
            other: introduced.recv().expect("it says who it is"),
            thread: Some(thread),
        }
    }

    fn put(place: &AtomicU64, sleeper: &Thread, number: u64) {
        place.store(number, Ordering::Release);
        sleeper.unpark();
    }

    fn take(place: &AtomicU64) -> u64 {
        loop {
            match place.swap(Self::NOTHING, Ordering::Acquire) {
                Self::NOTHING => std::thread::park(),
                number => return number,
            }
        }
    }

    pub(crate) fn ask(&self) {
        Self::put(&self.question, &self.other, black_box(1));
        black_box(Self::take(&self.answer));
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        Self::put(&self.question, &self.other, Self::END);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Two channels and a thread that sends back what it gets.
pub(crate) struct Echo {
    questions: Option<Sender<u64>>,
    answers: Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub(crate) fn start(sum: &Sum) -> Self {
        let (questions, receiver) = unbounded::<u64>();
        let (sender, answers) = unbounded();
        let sum = Arc::clone(sum);
        let body = move || {
            for number in receiver {
                add(&sum, number);
                let _waiting = sender.send(number);
            }
        };
        let thread = zaf_core::thread::spawn("echo", body).expect("a thread can be started");
        Self {
            questions: Some(questions),
            answers,
            thread: Some(thread),
        }
    }

    pub(crate) fn ask(&self) {
        self.send();
        self.take();
    }

    pub(crate) fn send(&self) {
        let sent = self
            .questions
            .as_ref()
            .map(|questions| questions.send(black_box(1)));
        assert!(sent.is_some_and(|sent| sent.is_ok()));
    }

    pub(crate) fn take(&self) {
        black_box(self.answers.recv().expect("the echo answers"));
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.questions = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}
