//! The crate's `thread` module once more, made of the threads of loom or of shuttle.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::library;

pub(crate) use crate::library::thread::{spawn as start, yield_now};

/// A thread of the bus.
pub(crate) struct JoinHandle<T>(library::thread::JoinHandle<Result<T, String>>);

impl<T> JoinHandle<T> {
    pub(crate) fn join(self) -> Result<T, String> {
        self.0.join().unwrap()
    }

    /// Never seen to have ended before somebody waits for it: that keeps the handle, which is the harder case.
    #[expect(clippy::unused_self, reason = "the bus's own asks the system")]
    pub(crate) fn is_finished(&self) -> bool {
        false
    }
}

/// Starts a thread whose panic is its result, unless [`refuse`] says that the system has no more.
pub(crate) fn spawn<F, T>(_name: impl Into<String>, body: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if REFUSED.with(|refused| refused.replace(refused.get().saturating_sub(1))) > 0 {
        return Err(io::Error::other("no more threads"));
    }
    if let Some(deed) = due_deed() {
        deed();
    }
    let body = move || catch_unwind(AssertUnwindSafe(body)).map_err(panic_text);
    Ok(JoinHandle(start(body)))
}

std::thread_local! {
    /// How many threads the system refuses. All threads of a model share one of the system's.
    static REFUSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Makes the next `count` threads impossible to start.
pub(crate) fn refuse(count: usize) {
    REFUSED.set(count);
}

type Deed = Box<dyn FnOnce()>;

std::thread_local! {
    /// What is done when a thread is started, after so many others.
    static DEED: std::cell::RefCell<Option<(usize, Deed)>> = const { std::cell::RefCell::new(None) };
}

/// Does something at the moment at which a thread is started, after `others` have been; whoever starts it does it.
pub(crate) fn do_at_start(others: usize, deed: impl FnOnce() + 'static) {
    DEED.set(Some((others, Box::new(deed))));
}

fn due_deed() -> Option<Deed> {
    let (others, deed) = DEED.take()?;
    if others == 0 {
        return Some(deed);
    }
    DEED.set(Some((others - 1, deed)));
    None
}

pub(crate) fn panic_text(payload: Box<dyn Any + Send>) -> String {
    payload
        .downcast::<&'static str>()
        .map_or_else(|_| "no text".to_owned(), |text| (*text).to_owned())
}
