//! Records panics of threads that are running a test case, instead of printing them.
//!
//! The panic hook is the only place where the location of a panic is known, and it belongs to the whole process. It is
//! installed once and hands everything to the hook that was there before, unless the panicking thread has asked for a
//! recording.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};

use parking_lot::Once;

/// The last panic of a recording.
#[derive(Debug, Clone)]
pub(super) struct RecordedPanic {
    /// What was given to `panic!`.
    pub(super) message: String,
    /// `file:line:column`.
    pub(super) place: Option<String>,
}

thread_local! {
    /// One entry per recording of this thread that is going on, innermost last.
    static RECORDINGS: RefCell<Vec<Option<RecordedPanic>>> = const { RefCell::new(Vec::new()) };
}

static INSTALL: Once = Once::new();

/// A recording of the panics of the current thread; ends with [`Recording::finish`] or when dropped.
#[derive(Debug)]
pub(super) struct Recording {
    depth: usize,
}

impl Recording {
    /// Starts one; they may be nested.
    pub(super) fn start() -> Self {
        INSTALL.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !record(info) {
                    previous(info);
                }
            }));
        });
        RECORDINGS.with_borrow_mut(|recordings| {
            recordings.push(None);
            Self {
                depth: recordings.len(),
            }
        })
    }

    /// Ends it and returns the panic that came last, if there was one.
    pub(super) fn finish(self) -> Option<RecordedPanic> {
        RECORDINGS
            .with_borrow_mut(|recordings| recordings.get_mut(self.depth - 1).and_then(Option::take))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDINGS.with_borrow_mut(|recordings| recordings.truncate(self.depth - 1));
    }
}

/// True when this thread has a recording, which then holds the panic.
fn record(info: &PanicHookInfo<'_>) -> bool {
    // Not borrowed while a panic can happen, and a thread that is shutting down has no recording any more.
    RECORDINGS
        .try_with(|recordings| {
            let Ok(mut recordings) = recordings.try_borrow_mut() else {
                return false;
            };
            let Some(last) = recordings.last_mut() else {
                return false;
            };
            *last = Some(RecordedPanic {
                message: text_of(info.payload()),
                place: info.location().map(ToString::to_string),
            });
            true
        })
        .unwrap_or(false)
}

/// The text of a panic's payload.
pub(super) fn text_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic whose payload is not a text".to_owned()
    }
}
