//! The gate in front of the next case: closed while a system under test is resetting.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use zaf_core::message::Entity;

use crate::supervisor::RunClock;

/// Closed while at least one system under test is resetting; each closes and opens it for itself.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Since when each is resetting.
    resetting: Mutex<BTreeMap<Entity, RunClock>>,
    changed: Condvar,
    /// Whether one is, for those who only pass by.
    closed: AtomicBool,
}

/// How the way through the gate went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// Nothing is in the way.
    Free,
    /// The run is being aborted.
    Aborted,
    /// This one takes longer than its limit.
    Overdue { sut: Entity, limit: Duration },
}

impl Gate {
    /// Notes that a reset has begun. One that has begun already goes on.
    pub(super) fn close(&self, sut: &Entity) {
        let mut resetting = self.resetting.lock();
        resetting.entry(sut.clone()).or_insert_with(RunClock::start);
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Notes that a reset is over; nothing if none has begun.
    pub(super) fn open(&self, sut: &Entity) {
        let mut resetting = self.resetting.lock();
        resetting.remove(sut);
        self.closed.store(!resetting.is_empty(), Ordering::SeqCst);
        drop(resetting);
        self.changed.notify_all();
    }

    /// Whether it is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// What is resetting, sorted.
    pub(super) fn resetting(&self) -> Vec<Entity> {
        self.resetting.lock().keys().cloned().collect()
    }

    /// Wakes those who wait, because the run is being aborted.
    pub(super) fn look_again(&self) {
        // With the lock: who has just seen that the run is not aborted waits by now.
        let waiting = self.resetting.lock();
        self.changed.notify_all();
        drop(waiting);
    }

    /// Waits until no reset is going on, one takes longer than `limit` says of it, or the run is aborted.
    pub(super) fn pass(
        &self,
        limit: impl Fn(&str) -> Duration,
        is_aborted: impl Fn() -> bool,
    ) -> Passage {
        let mut resetting = self.resetting.lock();
        let mut waited = false;
        while !resetting.is_empty() {
            if is_aborted() {
                return Passage::Aborted;
            }
            let left = resetting.iter().map(|(sut, since)| {
                let limit = limit(sut.name());
                (since.left(limit), sut, limit)
            });
            let first = left.min_by_key(|(left, ..)| *left);
            if let Some((_, sut, limit)) = first.filter(|(left, ..)| left.is_zero()) {
                return Passage::Overdue {
                    sut: sut.clone(),
                    limit,
                };
            }
            if !waited {
                let suts: Vec<_> = resetting.keys().map(Entity::name).collect();
                tracing::info!(
                    suts = suts.join(" "),
                    "no case begins while these are resetting"
                );
                waited = true;
            }
            if let Some((left, ..)) = first {
                self.changed.wait_for(&mut resetting, left);
            }
        }
        Passage::Free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn repeated_beginnings_and_ends_without_a_beginning_are_nothing() {
        let gate = Gate::default();
        let (one, other) = (Entity::new("one"), Entity::new("other"));
        gate.open(&one);
        gate.close(&one);
        gate.close(&one);
        gate.close(&other);
        gate.open(&other);
        assert!(gate.is_closed() && gate.resetting() == [one.clone()]);
        gate.open(&one);
        assert!(!gate.is_closed());
        assert_eq!(gate.pass(|_| LONG, || false), Passage::Free);
    }

    #[test]
    fn an_abort_opens_it_and_the_one_that_is_over_its_limit_is_named() {
        let gate = Gate::default();
        gate.close(&Entity::new("slow"));
        gate.close(&Entity::new("quick"));
        assert_eq!(gate.pass(|_| LONG, || true), Passage::Aborted);
        let limit = |sut: &str| if sut == "quick" { Duration::ZERO } else { LONG };
        let passage = gate.pass(limit, || false);
        let sut = Entity::new("quick");
        assert_eq!(
            passage,
            Passage::Overdue {
                sut,
                limit: Duration::ZERO
            }
        );
    }

    #[test]
    fn who_waits_goes_on_when_the_last_reset_is_over() {
        let gate = Gate::default();
        let sut = Entity::new("box");
        gate.close(&sut);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.pass(|_| LONG, || false));
            gate.open(&sut);
            assert_eq!(waiting.join().unwrap(), Passage::Free);
        });
    }
}
