//! Changing a bus while threads keep snapshots of it: the places of threads, the word of attention, and the fences between.
//!
//! A snapshot is a number here. What keeps, empties and looks is the bus's own; what publishes is as `MessageBus::replace` and
//! `MessageBus::latest` do it.

use crate::message::activity::Activity;
use crate::message::kept::{Dated, Kept, Places};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::{MESSAGES, activity, explore, explore_with, library, thread};

const BUS: u32 = 1;
const ANOTHER: u32 = 2;

/// Counts itself, as handlers would that it has.
struct Snapshot {
    bus: u32,
    calm: u64,
    version: usize,
    alive: Arc<AtomicUsize>,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What is in a place.
#[derive(Default)]
struct Desk(Option<Arc<Snapshot>>);

impl Dated for Desk {
    fn bus(&self) -> u32 {
        self.0.as_ref().map_or(0, |snapshot| snapshot.bus)
    }

    fn calm(&self) -> u64 {
        self.0.as_ref().map_or(0, |snapshot| snapshot.calm)
    }
}

struct Bus {
    number: u32,
    activity: Arc<Activity>,
    /// Of all buses.
    places: Arc<Places<Desk>>,
    /// The version that the next snapshot shows.
    registry: Mutex<usize>,
    /// None: stale.
    published: Mutex<Option<Arc<Snapshot>>>,
    /// Snapshots that are there.
    alive: Arc<AtomicUsize>,
    /// As the model's own: how many changes have returned.
    changed: AtomicUsize,
}

impl Bus {
    fn new() -> Arc<Self> {
        Self::with(BUS, Arc::new(Places::new()))
    }

    fn with(number: u32, places: Arc<Places<Desk>>) -> Arc<Self> {
        Arc::new(Self {
            number,
            activity: activity(),
            places,
            registry: Mutex::new(0),
            published: Mutex::new(None),
            alive: Arc::new(AtomicUsize::new(0)),
            changed: AtomicUsize::new(0),
        })
    }

    fn thread(&self) -> Arc<Kept<Desk>> {
        let kept = Arc::new(Kept::new());
        self.places.add(&kept);
        kept
    }

    fn change(&self) {
        let mut registry = self.registry.lock();
        *registry += 1;
        let old = self.published.lock().take();
        let mut kept = Vec::new();
        if old.is_some() {
            self.activity.replaced();
            kept = self.places.empty(self.number, &self.activity);
        }
        drop(registry);
        drop((old, kept));
        self.changed.fetch_add(1, Ordering::SeqCst);
    }

    fn latest(&self) -> Arc<Snapshot> {
        let registry = self.registry.lock();
        let mut published = self.published.lock();
        let snapshot = published.get_or_insert_with(|| {
            self.alive.fetch_add(1, Ordering::SeqCst);
            Arc::new(Snapshot {
                bus: self.number,
                calm: self.activity.calm(|| false),
                version: *registry,
                alive: Arc::clone(&self.alive),
            })
        });
        Arc::clone(snapshot)
    }

    /// As `MessageBus::trigger`: `handler` is called with the version of the snapshot.
    fn send(&self, kept: &Kept<Desk>, handler: impl FnOnce(usize)) {
        let promised = self.changed.load(Ordering::SeqCst);
        let check = |version: usize| {
            assert!(version >= promised, "a change that has returned is seen");
            handler(version);
        };
        let borrowed = kept.of(self.number, &self.activity);
        if let Some(snapshot) = borrowed.as_ref().and_then(|desk| desk.0.as_ref()) {
            return check(snapshot.version);
        }
        drop(borrowed);
        let published = self.published.lock().clone();
        if let Some(snapshot) = &published {
            let desk = || Desk(Some(Arc::clone(snapshot)));
            kept.keep(self.number, snapshot.calm, &self.activity, desk);
        }
        check(published.unwrap_or_else(|| self.latest()).version);
    }
}

fn sender(
    bus: &Arc<Bus>,
    kept: &Arc<Kept<Desk>>,
    messages: usize,
) -> library::thread::JoinHandle<()> {
    let (bus, kept) = (Arc::clone(bus), Arc::clone(kept));
    thread::start(move || {
        for _ in 0..messages {
            bus.send(&kept, |_| {});
        }
    })
}

#[test]
fn a15_a_thread_that_keeps_a_snapshot_sees_the_change_that_has_returned_and_keeps_nothing_old() {
    explore(|| {
        let bus = Bus::new();
        let kept = bus.thread();
        // It keeps one.
        bus.send(&kept, |_| {});
        bus.send(&kept, |_| {});
        let sending = sender(&bus, &kept, MESSAGES);
        bus.change();
        sending.join().unwrap();
        let mut seen = None;
        bus.send(&kept, |version| seen = Some(version));
        assert_eq!(seen, Some(1));
        bus.change();
        assert_eq!(bus.alive.load(Ordering::SeqCst), 0, "nobody sends");
    });
}

#[test]
fn a15_a_thread_that_has_nothing_more_to_send_keeps_nothing_old() {
    explore(|| {
        let bus = Bus::new();
        let kept = bus.thread();
        bus.send(&kept, |_| {});
        let sending = sender(&bus, &kept, MESSAGES);
        bus.change();
        sending.join().unwrap();
        let published = usize::from(bus.published.lock().is_some());
        assert_eq!(bus.alive.load(Ordering::SeqCst), published, "of the last");
    });
}

#[test]
fn a15_two_that_change_the_bus_at_the_same_time_empty_the_places_of_all() {
    explore_with(2, || {
        let bus = Bus::new();
        let kept = bus.thread();
        bus.send(&kept, |_| {});
        bus.send(&kept, |_| {});
        let other = {
            let (bus, kept) = (Arc::clone(&bus), bus.thread());
            thread::start(move || {
                bus.change();
                bus.send(&kept, |_| {});
            })
        };
        let sending = sender(&bus, &kept, 1);
        bus.change();
        sending.join().unwrap();
        other.join().unwrap();
        bus.change();
        assert_eq!(bus.alive.load(Ordering::SeqCst), 0, "nobody sends");
    });
}

#[test]
fn a14_what_is_sent_and_changed_inside_a_handler_finds_the_place_in_use() {
    explore_with(2, || {
        let bus = Bus::new();
        let kept = bus.thread();
        bus.send(&kept, |_| {});
        bus.send(&kept, |_| {});
        let ran = Arc::new(AtomicBool::new(false));
        let sending = {
            let (bus, kept, ran) = (Arc::clone(&bus), Arc::clone(&kept), Arc::clone(&ran));
            thread::start(move || {
                bus.send(&kept, |_| {
                    bus.change();
                    bus.send(&kept, |_| ran.store(true, Ordering::SeqCst));
                });
                bus.send(&kept, |_| {});
            })
        };
        bus.change();
        sending.join().unwrap();
        assert!(ran.load(Ordering::SeqCst));
        bus.change();
        assert_eq!(bus.alive.load(Ordering::SeqCst), 0, "nobody sends");
    });
}

/// Who changes one bus looks into a place that holds a snapshot of another one; who changes that one must not take it for in use.
#[test]
fn a15_changes_of_two_buses_at_the_same_time_do_not_hide_a_place_from_each_other() {
    explore(|| {
        let bus = Bus::new();
        let another = Bus::with(ANOTHER, Arc::clone(&bus.places));
        let (kept, elsewhere) = (bus.thread(), bus.thread());
        for _ in 0..2 {
            bus.send(&kept, |_| {});
            another.send(&elsewhere, |_| {});
        }
        let other = {
            let another = Arc::clone(&another);
            thread::start(move || another.change())
        };
        bus.change();
        other.join().unwrap();
        assert_eq!(bus.alive.load(Ordering::SeqCst), 0, "nobody sends");
        assert_eq!(another.alive.load(Ordering::SeqCst), 0, "nobody sends");
    });
}

/// A thread that sends at another bus does not touch the place, or who changes the first one would take it for in use.
#[test]
fn a15_a_thread_that_sends_elsewhere_does_not_hide_its_place() {
    explore(|| {
        let bus = Bus::new();
        let another = Bus::with(ANOTHER, Arc::clone(&bus.places));
        let kept = bus.thread();
        bus.send(&kept, |_| {});
        bus.send(&kept, |_| {});
        another.send(&kept, |_| {});
        let sending = sender(&another, &kept, MESSAGES);
        bus.change();
        sending.join().unwrap();
        assert_eq!(bus.alive.load(Ordering::SeqCst), 0, "nobody sends");
    });
}

/// Who changes another bus looks into the place at the moment at which its thread is to empty it.
#[test]
fn a15_a_look_for_another_bus_does_not_keep_a_thread_from_emptying_its_place() {
    explore_with(2, || {
        let bus = Bus::new();
        let another = Bus::with(ANOTHER, Arc::clone(&bus.places));
        let (kept, elsewhere) = (bus.thread(), bus.thread());
        bus.send(&kept, |_| {});
        bus.send(&kept, |_| {});
        another.send(&elsewhere, |_| {});
        let sending = sender(&bus, &kept, 1);
        let other = {
            let another = Arc::clone(&another);
            thread::start(move || another.change())
        };
        bus.change();
        other.join().unwrap();
        sending.join().unwrap();
        let published = usize::from(bus.published.lock().is_some());
        assert_eq!(bus.alive.load(Ordering::SeqCst), published, "of the last");
    });
}
