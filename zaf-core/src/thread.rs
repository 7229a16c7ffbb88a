//! Threads with a name whose panics are never lost.
//!
//! The one place that starts threads: `.clippy.toml` sends everybody here.
//!
//! ```
//! let thread = zaf_core::thread::spawn("sums", || (1..=10).sum::<u32>())?;
//! assert_eq!(thread.name(), "sums");
//! assert_eq!(thread.join()?, 55);
//! let thread = zaf_core::thread::spawn("unlucky", || panic!("out of luck"))?;
//! let panicked = thread.join().expect_err("it panicked");
//! assert!(panicked.to_string().contains("out of luck"), "{panicked}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::any::Any;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// The right to wait for a thread. Dropping it lets the thread go on.
#[derive(Debug)]
pub struct JoinHandle<T> {
    inner: std::thread::JoinHandle<Result<T, ThreadPanicked>>,
    name: String,
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has ended and returns what it returned.
    ///
    /// # Errors
    /// [`ThreadPanicked`] with the text of the panic.
    pub fn join(self) -> Result<T, ThreadPanicked> {
        let name = self.name;
        self.inner.join().unwrap_or_else(|payload| {
            Err(ThreadPanicked {
                name,
                message: panic_text(payload),
            })
        })
    }

    /// Whether the thread has ended; never blocks.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Name of the thread.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the calling thread, which cannot wait for itself.
    pub fn is_current(&self) -> bool {
        self.inner.thread().id() == std::thread::current().id()
    }
}

/// A thread ended by a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("thread `{name}` panicked: {message}")]
pub struct ThreadPanicked {
    /// Name of the thread.
    pub name: String,
    /// Text of the panic.
    pub message: String,
}

/// Tries after the first one: what keeps a thread from being started often passes by itself, and who waits for what the thread would do
/// may have nobody else to do it.
const RETRIES: u32 = 3;
/// Wait before the first of them; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(1);

/// Starts a thread called `name`. A panic in `f` is logged as an error at once and returned by [`JoinHandle::join`].
///
/// # Errors
/// Whatever the system says when it cannot start another thread, also not some milliseconds later.
///
/// # Panics
/// Never: what is to be done is taken once, by the one thread that is started.
pub fn spawn<F, T>(name: impl Into<String>, f: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let name = name.into();
    let own_name = name.clone();
    let owner = crate::attribution::current();
    let group = crate::attribution::current_group();
    let body = move || {
        let _group = group.map(crate::attribution::in_group);
        let _inside = crate::attribution::inside(owner);
        catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
            let panicked = ThreadPanicked {
                name: own_name,
                message: panic_text(payload),
            };
            tracing::error!(thread = panicked.name, "{panicked}");
            panicked
        })
    };
    // What is to be done survives a thread that could not be started.
    let body = Arc::new(Mutex::new(Some(body)));
    let mut backoff = BACKOFF;
    for retries_left in (0..=RETRIES).rev() {
        let body = Arc::clone(&body);
        let run = move || {
            let body = body.lock().take();
            body.expect("invariant: one thread is started, and takes it once")()
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "this is where threads are started"
        )]
        let started = std::thread::Builder::new().name(name.clone()).spawn(run);
        match started {
            Ok(inner) => return Ok(JoinHandle { inner, name }),
            Err(error) if retries_left == 0 => return Err(error),
            Err(_) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing tells when the system has threads again"
                )]
                std::thread::sleep(backoff);
            }
        }
        backoff *= 2;
    }
    unreachable!("the loop has no other end")
}

/// The text of a panic's payload, which is dropped: for whoever catches a panic and goes on. A payload that panics when dropped is leaked
/// instead.
pub fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "(the panic carried no text)".to_owned()
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        let _leaked = ManuallyDrop::new(second);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_its_name_and_returns_its_value() {
        let handle = spawn("worker-7", || {
            std::thread::current().name().map(str::to_owned)
        })
        .unwrap();
        assert_eq!(handle.join().unwrap().as_deref(), Some("worker-7"));
    }

    #[test]
    fn a_panic_is_returned_with_its_text() {
        let handle = spawn("worker-8", || panic!("no {}", "paper")).unwrap();
        let error = handle.join().unwrap_err();
        assert_eq!(error.to_string(), "thread `worker-8` panicked: no paper");
    }

    #[test]
    fn a_payload_that_panics_when_dropped_does_no_harm() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let handle = spawn("worker-9", || std::panic::panic_any(Bomb)).unwrap();
        assert!(handle.join().unwrap_err().message.contains("no text"));
    }
}
