//! The place of one instance: made once, by whoever comes first, while others wait.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::thread::ThreadId;

use parking_lot::{Condvar, Mutex};

/// An instance without its type.
pub(super) type Instance = Arc<dyn Any + Send + Sync>;

/// Which place: index of the component, and the addresses of what its instance is made of, one for each requirement. Those live
/// as long as the scope, so nothing else gets their addresses.
pub(super) type SlotKey = (usize, Vec<usize>);

/// The place of one component's instance in one scope.
///
/// No lock is held while the instance is made, so its function may resolve other components, send messages and so on.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Making(ThreadId),
    Ready(Instance),
}

/// The thread that makes the instance asked for it again.
#[derive(Debug)]
pub(super) struct Reentered;

impl Slot {
    /// The instance, made by `make` if there is none. A failure is not kept: who comes next tries again.
    pub(super) fn get_or_make<E>(
        &self,
        make: impl FnOnce() -> Result<Instance, E>,
    ) -> Result<Result<Instance, E>, Reentered> {
        let me = std::thread::current().id();
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Ready(instance) => return Ok(Ok(Arc::clone(instance))),
                State::Making(thread) if *thread == me => return Err(Reentered),
                State::Making(_) => self.changed.wait(&mut state),
                State::Empty => break,
            }
        }
        *state = State::Making(me);
        drop(state);
        // Puts the slot back if `make` unwinds or fails, so that nobody waits for ever.
        let reset = Reset(self);
        let outcome = make();
        if let Ok(instance) = &outcome {
            *self.state.lock() = State::Ready(Arc::clone(instance));
        }
        drop(reset);
        Ok(outcome)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.state.lock() {
            State::Empty => "Empty",
            State::Making(_) => "Making",
            State::Ready(_) => "Ready",
        })
    }
}

struct Reset<'a>(&'a Slot);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if matches!(*state, State::Making(_)) {
            *state = State::Empty;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}
