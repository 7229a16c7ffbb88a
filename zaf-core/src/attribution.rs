//! Whose code a thread runs: the extension that log records are attributed to.
//!
//! Costs nothing while messages are handled: what the bus knows about the handlers of a thread is asked when somebody wants to
//! know. Only the steps of a life cycle that are no handlers (making, destroying, commands) are noted, by `inside`. A thread
//! that is started by [`crate::thread::spawn`] belongs to whom the one belonged to that started it.
//!
//! ```
//! use zaf_core::attribution;
//! use zaf_core::prelude::*;
//!
//! /// Works on a thread of its own.
//! #[framework_extension(name = "digger")]
//! struct Digger;
//!
//! impl Extension for Digger {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         assert_eq!(attribution::current(), Some("digger"));
//!         let inside = zaf_core::thread::spawn("shovel", attribution::current)?.join()?;
//!         assert_eq!(inside, Some("digger"));
//!         Ok(Self)
//!     }
//! }
//!
//! fn main() {
//!     use zaf_core::application::{Application, Console};
//!     let (console, printed) = Console::captured();
//!     let line = zaf_core::command::Invocation::new(["noop"]);
//!     let code = Application::new("mine").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     assert_eq!(attribution::current(), None);
//! }
//! ```

use std::cell::Cell;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::sync::OnceLock;

/// What a thread handles at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Handling {
    /// Number of messages, one inside the other.
    pub(crate) depth: usize,
    /// The extension whose handler runs innermost, if it is one of an extension.
    pub(crate) extension: Option<&'static str>,
    /// The group in which that handler was registered; 0 for none.
    pub(crate) group: u64,
}

/// Who noted last whose code runs, and how many messages the thread handled then.
#[derive(Debug, Clone, Copy)]
struct Noted {
    extension: Option<&'static str>,
    depth: usize,
    group: u64,
}

thread_local! {
    static NOTED: Cell<Noted> = const {
        Cell::new(Noted { extension: None, depth: 0, group: 0 })
    };
}

/// Tells what the calling thread handles; the layer that knows extensions sets it.
static ASK: OnceLock<fn() -> Handling> = OnceLock::new();

/// From now on, handlers are asked for in this way. Only the first call counts.
pub(crate) fn ask_by(ask: fn() -> Handling) {
    let _ = ASK.set(ask);
}

/// Name of the extension whose code the calling thread runs; none if it is nobody's. For subscribers of the log.
pub fn current() -> Option<&'static str> {
    // The thread may be ending, and log from a destructor.
    let noted = NOTED.try_with(Cell::get).ok()?;
    let handling = handling();
    if handling.depth > noted.depth {
        return handling.extension.or(noted.extension);
    }
    noted.extension
}

/// The [group](in_group) that the calling thread works for; none if nobody began one.
pub fn current_group() -> Option<NonZeroU64> {
    let noted = NOTED.try_with(Cell::get).ok()?;
    let handling = handling();
    let of_handler = (handling.depth > noted.depth).then_some(handling.group);
    let group = of_handler.filter(|group| *group != 0);
    NonZeroU64::new(group.unwrap_or(noted.group))
}

/// Begins a group on the calling thread, until the result is dropped: to it belongs what is logged here, on threads that are
/// started by [`crate::thread::spawn`] meanwhile, and by the handlers of extensions that are registered meanwhile, whenever
/// and wherever they run. So several applications in one process can tell their logs apart. Numbers are up to the caller.
pub fn in_group(group: NonZeroU64) -> InGroup {
    let extension = current();
    let depth = handling().depth;
    let group = group.get();
    InGroup(Inside {
        before: NOTED.replace(Noted {
            extension,
            depth,
            group,
        }),
        on_this_thread: PhantomData,
    })
}

/// As long as this lives, the thread works for a [group](in_group). It stays on its thread.
#[derive(Debug)]
pub struct InGroup(#[expect(dead_code, reason = "its end is what counts")] Inside);

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
    let group = current_group().map_or(0, NonZeroU64::get);
    Inside {
        before: NOTED.replace(Noted {
            extension,
            depth,
            group,
        }),
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

    #[test]
    fn a_group_goes_with_its_threads_and_ends() {
        let group = NonZeroU64::MAX;
        let within = in_group(group);
        let extension = inside(Some("someone"));
        assert_eq!(current_group(), Some(group));
        let thread = crate::thread::spawn("started", current_group).unwrap();
        assert_eq!(thread.join().unwrap(), Some(group));
        drop(extension);
        drop(within);
        assert_eq!(current_group(), None);
    }
}
