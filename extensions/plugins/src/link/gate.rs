//! One message at a time, for plugins that take no more.

use std::thread::ThreadId;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Who is in.
#[derive(Debug, Default)]
pub(in crate::link) struct Gate {
    inside: Mutex<Option<ThreadId>>,
    left: Condvar,
}

/// Somebody is in; dropping it lets the next one in.
#[derive(Debug)]
pub(in crate::link) struct Inside<'a>(&'a Gate);

impl Gate {
    /// Waits until nobody is in. None if this thread is, which would wait for itself, or if nobody left before `deadline`.
    pub(in crate::link) fn enter(&self, deadline: Instant) -> Option<Inside<'_>> {
        let this = std::thread::current().id();
        let mut inside = self.inside.lock();
        while let Some(thread) = *inside {
            if thread == this || self.left.wait_until(&mut inside, deadline).timed_out() {
                return None;
            }
        }
        *inside = Some(this);
        Some(Inside(self))
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.0.inside.lock() = None;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_is_in_and_none_waits_for_itself() {
        let gate = Gate::default();
        let far = Instant::now() + Duration::from_mins(1);
        let inside = gate.enter(far).unwrap();
        assert!(gate.enter(far).is_none());
        std::thread::scope(|scope| {
            let other = scope.spawn(|| gate.enter(far).is_some());
            drop(inside);
            assert!(other.join().unwrap());
        });
        let _inside = gate.enter(far).unwrap();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| gate.enter(Instant::now()).is_none());
            assert!(late.join().unwrap());
        });
    }
}
