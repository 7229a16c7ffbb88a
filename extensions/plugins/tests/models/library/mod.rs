//! A lane and who calls it: `lane.rs` itself, compiled with [`sync`].
//!
//! Two threads, and a third one in models in which a deadline passes: that may be at any time.

#[path = "../../../src/link/library/lane.rs"]
mod lane;
mod sync;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::{checker, explore_all as explore};
use lane::{Lane, by_who_waits};
use sync::{Arc, Clock, Condvar, Mutex};

fn lane() -> (Lane, Clock) {
    let lane = Lane::start("lane".to_owned()).unwrap();
    (lane, Clock::of_last_made())
}

/// Who calls: whether he waits, which is when things may be asked of him, and how often they were. Not of the checker: it decides nothing.
#[derive(Debug, Default)]
struct Caller {
    waits: AtomicBool,
    asked: AtomicUsize,
}

impl Caller {
    /// Has a function run on the lane that asks for something; what it got, or none if it did not return in time.
    fn call(self: &Arc<Self>, lane: &Lane, more: impl FnOnce() + Send + 'static) -> Option<Got> {
        let this = Arc::clone(self);
        self.waits.store(true, Ordering::SeqCst);
        let returned = lane.run(Instant::now(), move || {
            more();
            let asked = by_who_waits(move || {
                assert!(this.waits.load(Ordering::SeqCst), "nobody waits any more");
                this.asked.fetch_add(1, Ordering::SeqCst) + 1
            });
            Got(asked)
        });
        self.waits.store(false, Ordering::SeqCst);
        returned.ok().map(lane::Returned::result)
    }

    fn was_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The answer to what a function asked for; none if nobody waited for it.
#[derive(Debug, PartialEq, Eq)]
struct Got(Option<usize>);

#[test]
fn what_a_function_asks_for_is_done_and_what_it_returns_comes_back() {
    explore(|| {
        let (lane, _never) = lane();
        let caller = Arc::new(Caller::default());
        for count in 1..=2 {
            assert_eq!(caller.call(&lane, || ()), Some(Got(Some(count))));
        }
        lane.end();
        assert_eq!(caller.was_asked(), 2);
    });
}

#[test]
fn a_function_that_is_given_up_at_any_time_asks_nobody_any_more_and_its_thread_ends() {
    explore(|| {
        let (lane, clock) = lane();
        let clock = checker::thread::spawn(move || clock.pass());
        let caller = Arc::new(Caller::default());
        let mut calls = (1..=2).map(|count| {
            let got = caller.call(&lane, || ());
            assert!(
                matches!(got, None | Some(Got(Some(_)))),
                "who waits does what he is asked for: {got:?}"
            );
            assert!((count - 1..=count).contains(&caller.was_asked()));
            got.is_some()
        });
        if calls.all(|is_in_time| is_in_time) {
            drop(calls);
            lane.end();
        } else {
            let asked = caller.was_asked();
            drop(calls);
            lane.join();
            assert_eq!(caller.was_asked(), asked, "asked after the caller has left");
        }
        clock.join().unwrap();
    });
}

/// Something that is waited for, by a function of a library.
#[derive(Debug, Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

#[test]
fn a_function_that_returns_after_it_was_given_up_is_told_that_nobody_waits() {
    let seen: Arc<[AtomicBool; 2]> = Arc::default();
    let of_models = Arc::clone(&seen);
    explore(move || {
        let [never_began, was_told] = &*of_models;
        let gate = Arc::new(Gate::default());
        let (lane, clock) = lane();
        let clock = checker::thread::spawn(move || clock.pass());
        let got = Arc::new(std::sync::OnceLock::new());
        let (inside, told) = (Arc::clone(&gate), Arc::clone(&got));
        let outcome = lane.run(Instant::now(), move || {
            let mut is_open = inside.is_open.lock();
            while !*is_open {
                inside.opened.wait(&mut is_open);
            }
            drop(is_open);
            told.set(by_who_waits(|| ())).unwrap();
        });
        assert!(outcome.is_err(), "it has not returned");
        *gate.is_open.lock() = true;
        gate.opened.notify_one();
        lane.join();
        match got.get() {
            // It was given up before it began.
            None => never_began.store(true, Ordering::SeqCst),
            Some(None) => was_told.store(true, Ordering::SeqCst),
            Some(Some(())) => panic!("somebody did what it asked for"),
        }
        clock.join().unwrap();
    });
    let [never_began, was_told] = seen.each_ref().map(|one| one.load(Ordering::SeqCst));
    assert!(never_began && was_told, "{never_began} {was_told}");
}
