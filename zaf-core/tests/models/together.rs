//! One event to several queues: counts that are raised ahead and lowered later, and workers that share what waits.

use crate::message::dispatcher::accounts::Credit;
use crate::message::dispatcher::ends::Hand;
use crate::message::dispatcher::policy::QueuePolicy;
use crate::message::dispatcher::strand::Strand;
use crate::message::dispatcher::team::{Muster, Team};
use crate::message::dispatcher::{Core, worker::Intake};
use crate::pool::World;
use crate::strand::{Endpoint, Queue, push, work};
use crate::sync::{Arc, AtomicUsize, Condvar, Mutex, Ordering, wait_until};
use crate::{activity, explore, explore_with, thread};

#[test]
fn a25_what_is_raised_ahead_hides_nothing_and_is_given_back() {
    explore(|| {
        let activity = activity();
        let strands: [Arc<Queue<()>>; 2] =
            std::array::from_fn(|_| Arc::new(Strand::new(Arc::clone(&activity), 1, 8)));
        let [own, other] = strands.clone();
        let source = Arc::new(Endpoint::new());
        let (accepted, handled) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let sender = {
            let (activity, source) = (Arc::clone(&activity), Arc::clone(&source));
            let (accepted, handled) = (Arc::clone(&accepted), Arc::clone(&handled));
            thread::start(move || {
                let mut credit = Credit::raise(&activity, &source, 2);
                let mut refused = 0;
                for strand in [&own, &other] {
                    let policy = QueuePolicy::Reject;
                    let (no, none) = (|| false, |_: &mut Credit<'_>| ());
                    let pushed = strand.push(&mut Some(()), &source, policy, &mut credit, no, none);
                    if pushed.is_ok() {
                        accepted.fetch_add(1, Ordering::SeqCst);
                    } else {
                        refused += 1;
                    }
                }
                drop(credit);
                // Then it is the worker of both itself.
                for strand in [&own, &other] {
                    let handle = |(), _: &mut Hand<Endpoint>| {
                        handled.fetch_add(1, Ordering::SeqCst);
                    };
                    if strand.counts().0 > 0 {
                        work(strand, handle, || unreachable!("one worker at most"));
                    }
                }
                refused
            })
        };
        // Before, between or after the pushes: what was raised for it may not be used.
        let mut rest = strands[1].close();
        let cancelled = std::iter::from_fn(|| rest.pop(&mut Some(None)))
            .map(|line| strands[1].finish(line))
            .count();
        let seen = accepted.load(Ordering::SeqCst);
        assert!(activity.wait(None, || activity.busy.is_zero()));
        assert!(handled.load(Ordering::SeqCst) + cancelled >= seen);
        assert!(sender.join().unwrap() <= 1);
        assert!(activity.busy.is_zero());
        assert!(source.is_zero());
    });
}

#[test]
fn a25_what_workers_owe_is_paid_before_they_look_for_more() {
    explore_with(2, || {
        let world = World::new(1, 1);
        let cores = [7, 8].map(|number| Core::new(&world.activity, number, 1, 8));
        let handled = Arc::new(AtomicUsize::new(0));
        let work = world.counting(&handled);
        let receivers = [(&cores[0], &work), (&cores[1], &work)];
        assert_eq!(Core::send_to_all(&world.pool, &receivers), 2);
        // Hangs if a count stays too high.
        world.wait_until_idle();
        assert_eq!(handled.load(Ordering::SeqCst), 2);
        world.shut_down(&[&cores[0], &cores[1]]);
    });
}

/// A handler that lasts until it is let go.
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            is_open: Mutex::new(false),
            opened: Condvar::new(),
        })
    }

    fn wait(&self) {
        let mut is_open = self.is_open.lock();
        while !*is_open {
            wait_until(&self.opened, &mut is_open, None);
        }
    }

    fn open(&self) {
        *self.is_open.lock() = true;
        self.opened.notify_all();
    }

    fn handler(self: &Arc<Self>, world: &World) -> Arc<Intake> {
        let gate = Arc::clone(self);
        world.handler(move |_| gate.wait())
    }
}

#[test]
fn a25_an_endpoint_is_idle_while_a_worker_that_has_served_it_is_blocked_at_another_one() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let elsewhere = world.elsewhere();
        let cores = [7, 8, 9].map(|number| Core::new(&world.activity, number, 1, 8));
        let (handled, more) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Gate::new();
        let (work, wait) = (world.counting(&handled), gate.handler(&elsewhere));
        // Something is left, so the worker goes on from strand to strand.
        let last = elsewhere.counting(&more);
        let receivers = [(&cores[0], &work), (&cores[1], &wait), (&cores[2], &last)];
        assert_eq!(Core::send_to_all(&world.pool, &receivers), 3);
        // Hangs if the worker goes on owing the end of the first message.
        assert!(world.activity.wait(None, || world.busy.is_zero()));
        assert_eq!(handled.load(Ordering::SeqCst), 1);
        gate.open();
        elsewhere.wait_until_idle();
        assert_eq!(more.load(Ordering::SeqCst), 1);
        world.shut_down(&[&cores[0], &cores[1], &cores[2]]);
    });
}

#[test]
fn a18_workers_that_share_a_team_take_each_of_it_once() {
    explore(|| {
        let world = World::new(1, 0);
        let cores = [7, 8].map(|number| Core::new(&world.activity, number, 1, 8));
        let team = Arc::new(Team::new(cores.into_iter()));
        let muster = Arc::new(Muster::new(team, 0b11));
        let take_all = |muster: &Muster| {
            let taken = std::iter::from_fn(|| muster.take().map(|core| core.number));
            taken.collect::<Vec<_>>()
        };
        let other = {
            let muster = Arc::clone(&muster);
            thread::start(move || take_all(&muster))
        };
        let mut taken = take_all(&muster);
        taken.extend(other.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [7, 8]);
    });
}

#[test]
fn a10_a_blocked_handler_holds_nothing_back_that_waits_beside_it() {
    explore_with(1, || {
        // Each of both may have a thread.
        let world = World::new(1, 1);
        let cores = [7, 8].map(|number| Core::new(&world.activity, number, 1, 8));
        let gate = Gate::new();
        let opener = Arc::clone(&gate);
        let (wait, open) = (gate.handler(&world), world.handler(move |_| opener.open()));
        let receivers = [(&cores[0], &wait), (&cores[1], &open)];
        // Hangs if the second waits for the first.
        assert_eq!(Core::send_to_all(&world.pool, &receivers), 2);
        world.wait_until_idle();
        world.shut_down(&[&cores[0], &cores[1]]);
    });
}

#[test]
fn a18_a_message_has_its_own_registration_however_many_have_sent_before() {
    /// More than are kept.
    const SOURCES: usize = 7;
    fn check() {
        let activity = activity();
        let strand = Strand::new(Arc::clone(&activity), 1, 32);
        let sources: [Arc<Endpoint>; SOURCES] = std::array::from_fn(|_| Arc::new(Endpoint::new()));
        let serve = || {
            let mut handled = Vec::new();
            let handle = |number: usize, hand: &mut Hand<Endpoint>| {
                let own: *const Endpoint = hand.source().unwrap();
                assert_eq!(own, Arc::as_ptr(&sources[number]));
                handled.push(number);
            };
            work(&strand, handle, || unreachable!("one worker at most"));
            handled
        };
        let kept = || {
            let kept = |source: &&Arc<Endpoint>| Arc::strong_count(source) > 1;
            sources.iter().filter(kept).count()
        };
        // All at once; then one after the other, so that each finds the queue empty; then in another order.
        let all: Vec<usize> = (0..SOURCES).collect();
        for &number in &all {
            assert!(push(&strand, &sources[number], number).is_ok());
        }
        assert_eq!(serve(), all);
        assert_eq!(kept(), 4);
        for (number, source) in sources.iter().enumerate() {
            assert!(push(&strand, source, number).is_ok());
            assert_eq!(serve(), [number]);
        }
        assert_eq!(kept(), 4);
        let again: Vec<usize> = (0..SOURCES).rev().chain([3, 0]).collect();
        for &number in &again {
            assert!(push(&strand, &sources[number], number).is_ok());
        }
        assert_eq!(serve(), again);
        assert!(activity.busy.is_zero());
        assert!(sources.iter().all(|source| source.is_zero()));
        assert_eq!(strand.totals(), (23, 23));
        for source in &sources {
            strand.forget(source);
            assert_eq!(Arc::strong_count(source), 1);
        }
    }
    // Nothing meets here, but shuttle wants a second thread.
    explore_with(0, || {
        let other = thread::start(check);
        check();
        other.join().unwrap();
    });
}

#[test]
fn a17_a_registration_that_ends_is_not_kept_by_its_queue() {
    explore(|| {
        let activity = activity();
        let strand = Arc::new(Strand::new(Arc::clone(&activity), 1, 8));
        let source = Arc::new(Endpoint::new());
        assert!(push(&strand, &source, 1).is_ok());
        let worker = {
            let strand = Arc::clone(&strand);
            thread::start(move || {
                work(&strand, |_, _| (), || unreachable!("one worker at most"));
            })
        };
        // A sender that has read the routes before sends once more.
        let sender = {
            let (strand, source) = (Arc::clone(&strand), Arc::clone(&source));
            thread::start(move || {
                let pushed = push(&strand, &source, 2).unwrap();
                if pushed.needs_worker {
                    work(&strand, |_, _| (), || unreachable!("one worker at most"));
                }
            })
        };
        strand.forget(&source);
        worker.join().unwrap();
        sender.join().unwrap();
        assert!(source.is_zero());
        assert_eq!(Arc::strong_count(&source), 1);
    });
}
