//! The gate in front of the next attempt: closed for the cases of a system under test while that is resetting.
//!
//! The scheduler hands out no case of it meanwhile; what had been handed out before waits here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};
use zaf_core::message::Entity;

use super::pool::Wake;
use crate::scheduler::WaitingWorkers;
use crate::supervisor::RunClock;

/// Closed while at least one system under test is resetting; each closes and opens it for itself.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Since when each is resetting.
    resetting: Mutex<BTreeMap<Entity, RunClock>>,
    changed: Condvar,
    /// Whether one is, for those who only pass by.
    closed: AtomicBool,
    /// How many workers wait here.
    waiting: AtomicUsize,
    /// How many wait for the scheduler because of what resets, after the last change that was told of.
    held_back: Mutex<WaitingWorkers>,
    /// Tells the supervising thread to look here.
    wake: Mutex<Option<Sender<Wake>>>,
}

impl Gate {
    /// Tells this one from now on when something changes.
    pub(super) fn wake_by(&self, wake: Sender<Wake>) {
        *self.wake.lock() = Some(wake);
    }

    fn tell(&self) {
        if let Some(wake) = &*self.wake.lock() {
            // If it is full the supervising thread will look anyway.
            let _ = wake.try_send(Wake::Gate);
        }
    }

    /// Notes how many workers the scheduler keeps waiting. They tell of it at the same time: what is older may come later.
    pub(super) fn note_held_back(&self, waiting: WaitingWorkers) {
        let mut held_back = self.held_back.lock();
        if held_back.change < waiting.change {
            *held_back = waiting;
        }
        drop(held_back);
        self.tell();
    }

    /// How many workers wait because of what resets, here or for the scheduler.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst) + self.held_back.lock().count
    }

    /// Notes that a reset has begun. One that has begun already goes on.
    pub(super) fn close(&self, sut: &Entity) {
        let mut resetting = self.resetting.lock();
        resetting.entry(sut.clone()).or_insert_with(RunClock::start);
        self.closed.store(true, Ordering::SeqCst);
        drop(resetting);
        self.tell();
    }

    /// Notes that a reset is over; nothing if none has begun.
    pub(super) fn open(&self, sut: &Entity) {
        let mut resetting = self.resetting.lock();
        resetting.remove(sut);
        self.closed.store(!resetting.is_empty(), Ordering::SeqCst);
        drop(resetting);
        self.changed.notify_all();
        self.tell();
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

    /// The reset whose time is up first: since when, which, and what its limit is.
    pub(super) fn first_end(
        &self,
        limit: impl Fn(&str) -> Duration,
    ) -> Option<(RunClock, Entity, Duration)> {
        let resetting = self.resetting.lock();
        let all = resetting.iter().map(|(sut, since)| {
            let limit = limit(sut.name());
            (since.left(limit), since, sut, limit)
        });
        let (_, since, sut, limit) = all.min_by_key(|(left, ..)| *left)?;
        Some((*since, sut.clone(), limit))
    }

    /// Waits until nothing is resetting that `concerns` the case; false if the run is aborted before.
    pub(super) fn pass(
        &self,
        concerns: impl Fn(&Entity) -> bool,
        is_aborted: impl Fn() -> bool,
    ) -> bool {
        let mut resetting = self.resetting.lock();
        let mut is_waiting = false;
        let is_free = loop {
            if !resetting.keys().any(&concerns) {
                break true;
            }
            if is_aborted() {
                break false;
            }
            if !is_waiting {
                is_waiting = true;
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.tell();
            }
            self.changed.wait(&mut resetting);
        };
        if is_waiting {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            self.tell();
        }
        is_free
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
        assert!(gate.pass(|_| true, || false));
    }

    #[test]
    fn what_is_told_late_of_those_who_are_held_back_is_not_the_last_word() {
        let gate = Gate::default();
        let told = |count, change| gate.note_held_back(WaitingWorkers { count, change });
        told(2, 2);
        told(1, 1);
        assert_eq!(gate.waiting(), 2);
        told(0, 4);
        told(1, 3);
        assert_eq!(gate.waiting(), 0);
    }

    #[test]
    fn an_abort_opens_it_and_what_does_not_concern_a_case_is_not_in_its_way() {
        let gate = Gate::default();
        gate.close(&Entity::new("slow"));
        gate.close(&Entity::new("quick"));
        assert!(!gate.pass(|sut| sut.name() == "quick", || true));
        assert!(gate.pass(|sut| sut.name() == "other", || false));
        assert_eq!(gate.waiting(), 0);
    }

    #[test]
    fn the_one_whose_time_is_up_first_is_named() {
        let gate = Gate::default();
        assert!(gate.first_end(|_| LONG).is_none());
        gate.close(&Entity::new("slow"));
        gate.close(&Entity::new("quick"));
        let limit = |sut: &str| if sut == "quick" { Duration::ZERO } else { LONG };
        let (since, sut, limit) = gate.first_end(limit).unwrap();
        assert_eq!((sut.name(), limit), ("quick", Duration::ZERO));
        assert!(since.left(limit).is_zero());
    }

    #[test]
    fn who_waits_goes_on_when_the_last_reset_is_over() {
        let gate = Gate::default();
        let sut = Entity::new("box");
        gate.close(&sut);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.pass(|_| true, || false));
            gate.open(&sut);
            assert!(waiting.join().unwrap());
        });
    }
}
