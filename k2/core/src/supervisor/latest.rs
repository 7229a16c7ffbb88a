//! Which of SIGTSTP and SIGCONT came last. Each arrives at a place of its own, and whoever finds something at both does not see in which order it came.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use signal_hook::flag;

const STOP: usize = 1;
const CONTINUATION: usize = 2;

/// What somebody wanted last: that this process stops, or that it goes on.
#[derive(Debug, Clone, Default)]
pub(super) struct Latest(Arc<AtomicUsize>);

impl Latest {
    /// From now on it is noted. To be called before the signals are watched in any other way: then it is known when they are seen there.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub(super) fn watch(&self, signal: Signal) -> io::Result<()> {
        let value = match signal {
            Signal::TSTP => STOP,
            Signal::CONT => CONTINUATION,
            _ => return Ok(()),
        };
        let _id = flag::register_usize(signal.as_raw(), Arc::clone(&self.0), value)?;
        Ok(())
    }

    pub(super) fn is_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst) == STOP
    }

    pub(super) fn is_continuation(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CONTINUATION
    }
}
