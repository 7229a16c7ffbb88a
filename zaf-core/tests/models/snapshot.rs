//! Registering and destroying while others send: the registry, the snapshot that is published under its lock, the marks of
//! destroyed dispatchers, and the word of attention that a snapshot remembers.
//!
//! Registry and snapshot are as small here as they can be; what publishes, marks and announces is the bus's own. The cell
//! that holds the snapshot is a lock around a pointer, which is what `ArcSwap` promises.

use crate::current::{RECORDS, with_record};
use crate::message::activity::Activity;
use crate::message::presence::Place;
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::{MESSAGES, activity, explore_with, thread};

const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};

/// A callback dispatcher.
struct Receiver {
    number: u64,
    mark: AtomicBool,
    /// `destroy` has returned.
    destroyed: AtomicBool,
    handled: AtomicUsize,
}

impl Receiver {
    fn new(number: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            mark: AtomicBool::new(false),
            destroyed: AtomicBool::new(false),
            handled: AtomicUsize::new(0),
        })
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

struct Snapshot {
    calm: u64,
    receivers: Vec<Arc<Receiver>>,
}

struct Bus {
    activity: Arc<Activity>,
    registry: Mutex<Vec<Arc<Receiver>>>,
    published: Mutex<Arc<Snapshot>>,
}

impl Bus {
    fn new(receivers: &[&Arc<Receiver>]) -> Arc<Self> {
        let receivers: Vec<Arc<Receiver>> = receivers.iter().copied().cloned().collect();
        let activity = activity();
        let snapshot = Self::snapshot(&activity, &receivers);
        Arc::new(Self {
            activity,
            registry: Mutex::new(receivers),
            published: Mutex::new(snapshot),
        })
    }

    /// As `Registry::snapshot`.
    fn snapshot(activity: &Activity, receivers: &[Arc<Receiver>]) -> Arc<Snapshot> {
        let is_marked = |one: &Arc<Receiver>| one.mark.load(Ordering::Acquire);
        Arc::new(Snapshot {
            calm: activity.calm(|| receivers.iter().any(is_marked)),
            receivers: receivers.to_vec(),
        })
    }

    /// As `MessageBus::change` and `MessageBus::remove`.
    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Receiver>>)) {
        let mut registry = self.registry.lock();
        change(&mut registry);
        *self.published.lock() = Self::snapshot(&self.activity, &registry);
        drop(registry);
    }

    fn register(&self, receiver: &Arc<Receiver>) {
        self.change(|registry| registry.push(Arc::clone(receiver)));
    }

    /// As `Dispatcher::destroy`.
    fn destroy(&self, receiver: &Arc<Receiver>) {
        receiver.mark.store(true, Ordering::SeqCst);
        self.activity.marked();
        self.change(|registry| registry.retain(|other| !Arc::ptr_eq(other, receiver)));
        let is_at_rest = || RECORDS.running(receiver.number) == 0;
        assert!(self.activity.wait(None, is_at_rest));
        receiver.destroyed.store(true, Ordering::SeqCst);
    }

    /// As `MessageBus::trigger` and `callback::call_each`. Returns how many handlers ran.
    fn send(&self) -> usize {
        let snapshot = Arc::clone(&*self.published.lock());
        let mut delivered = 0;
        with_record(|record| {
            let presence = record.enter(PLACE, &self.activity).unwrap();
            let succession = presence.succession(snapshot.calm);
            for one in &snapshot.receivers {
                if !succession.announce::<true>(one.number) {
                    presence.attend();
                    if one.mark.load(Ordering::Acquire) {
                        continue;
                    }
                }
                assert!(!one.destroyed.load(Ordering::SeqCst), "ran after destroy");
                one.handled.fetch_add(1, Ordering::SeqCst);
                delivered += 1;
            }
        });
        delivered
    }
}

#[test]
fn a15_what_is_registered_is_reached_and_what_is_destroyed_is_not_whatever_others_publish() {
    explore_with(2, || {
        let (old, new) = (Receiver::new(7), Receiver::new(8));
        let bus = Bus::new(&[&old]);
        let sender = {
            let bus = Arc::clone(&bus);
            thread::start(move || {
                for _ in 0..MESSAGES - 1 {
                    bus.send();
                }
            })
        };
        let registrar = {
            let (bus, new) = (Arc::clone(&bus), Arc::clone(&new));
            thread::start(move || {
                bus.register(&new);
                bus.send();
                assert!(new.handled() > 0, "registered before it was sent");
            })
        };
        bus.destroy(&old);
        let before = old.handled();
        bus.send();
        assert_eq!(old.handled(), before, "destroyed before it was sent");
        sender.join().unwrap();
        registrar.join().unwrap();
        assert_eq!(bus.send(), 1, "the new one is left");
    });
}

#[test]
fn a15_a_snapshot_that_is_made_while_another_dispatcher_is_marked_is_not_calm() {
    explore_with(2, || {
        let (first, second) = (Receiver::new(7), Receiver::new(8));
        let bus = Bus::new(&[&first, &second]);
        let other = {
            let (bus, second) = (Arc::clone(&bus), Arc::clone(&second));
            thread::start(move || bus.destroy(&second))
        };
        let sender = {
            let bus = Arc::clone(&bus);
            thread::start(move || {
                bus.send();
            })
        };
        bus.destroy(&first);
        other.join().unwrap();
        sender.join().unwrap();
        assert_eq!(bus.send(), 0);
    });
}

#[test]
fn a14_a_change_inside_a_handler_is_for_the_next_message() {
    explore_with(2, || {
        let (old, new) = (Receiver::new(7), Receiver::new(8));
        let bus = Bus::new(&[&old]);
        let sender = {
            let (bus, new) = (Arc::clone(&bus), Arc::clone(&new));
            thread::start(move || {
                let snapshot = Arc::clone(&*bus.published.lock());
                let mut ran = 0;
                with_record(|record| {
                    let presence = record.enter(PLACE, &bus.activity).unwrap();
                    let succession = presence.succession(snapshot.calm);
                    for one in &snapshot.receivers {
                        if succession.announce::<true>(one.number)
                            || !one.mark.load(Ordering::Acquire)
                        {
                            // Registers another one and takes itself out, without waiting.
                            bus.change(|registry| {
                                registry.push(Arc::clone(&new));
                                registry.retain(|other| !Arc::ptr_eq(other, one));
                            });
                            ran += 1;
                        }
                        presence.attend();
                    }
                });
                assert_eq!(bus.send(), ran, "the one that it registered");
            })
        };
        bus.destroy(&old);
        sender.join().unwrap();
        assert!(old.destroyed.load(Ordering::SeqCst));
    });
}
