//! Whose code a thread runs: the extension that log records are attributed to.
//!
//! Costs nothing while messages are handled: what the bus knows about the handlers of a thread is asked when somebody wants to
//! know. Only the steps of a life cycle that are no handlers (making, destroying, commands) are noted, by [`inside`]. A thread
//! that is started by [`crate::thread::spawn`] belongs to whom the one belonged to that started it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// What a thread handles at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Handling {
    /// Number of messages, one inside the other.
    pub(crate) depth: usize,
    /// The extension whose handler runs innermost, if it is one of an extension.
    pub(crate) extension: Option<&'static str>,
}

/// Who noted last whose code runs, and how many messages the thread handled then.
#[derive(Debug, Clone, Copy)]
struct Noted {
    extension: Option<&'static str>,
    depth: usize,
}

thread_local! {
    static NOTED: Cell<Noted> = const { Cell::new(Noted { extension: None, depth: 0 }) };
}

/// Tells what the calling thread handles; the layer that knows extensions sets it.
static ASK: OnceLock<fn() -> Handling> = OnceLock::new();

/// From now on, handlers are asked for in this way. Only the first call counts.
pub(crate) fn ask_by(ask: fn() -> Handling) {
    let _ = ASK.set(ask);
}

/// Name of the extension whose code the calling thread runs; none if it is nobody's.
pub(crate) fn current() -> Option<&'static str> {
    // The thread may be ending, and log from a destructor.
    let noted = NOTED.try_with(Cell::get).ok()?;
    let handling = handling();
    if handling.depth > noted.depth {
        return handling.extension.or(noted.extension);
    }
    noted.extension
}

fn handling() -> Handling {
    ASK.get().map_or_else(Handling::default, |ask| ask())
}

/// As long as this lives, the thread runs the code of an extension, or of nobody. It stays on its thread.
#[derive(Debug)]
pub(crate) struct Inside {
    before: Noted,
    on_this_thread: PhantomData<*const ()>,
}

/// Notes that the calling thread runs the code of `extension` from now on.
pub(crate) fn inside(extension: Option<&'static str>) -> Inside {
    let depth = handling().depth;
    Inside {
        before: NOTED.replace(Noted { extension, depth }),
        on_this_thread: PhantomData,
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        NOTED.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_last_holds_until_it_ends() {
        assert_eq!(current(), None);
        let outer = inside(Some("outer"));
        {
            let _inner = inside(Some("inner"));
            assert_eq!(current(), Some("inner"));
            let _nobody = inside(None);
            assert_eq!(current(), None);
        }
        assert_eq!(current(), Some("outer"));
        drop(outer);
        assert_eq!(current(), None);
    }

    #[test]
    fn a_thread_belongs_to_whom_its_starter_belongs() {
        let _inside = inside(Some("starter"));
        let thread = crate::thread::spawn("started", current).unwrap();
        assert_eq!(thread.join().unwrap(), Some("starter"));
    }
}
