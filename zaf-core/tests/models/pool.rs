//! Queue, workers and pool together: the threads of a bus from the first message to the last.

use std::sync::atomic::AtomicU64;

use crate::message::activity::{Activity, Busy};
use crate::message::dispatcher::pool::Pool;
use crate::message::dispatcher::worker::Intake;
use crate::message::dispatcher::{Core, PLACE};
use crate::message::reply::{Replies, SharedReplies};
use crate::message::route::Closure;
use crate::message::{ReplyError, current::RECORDS};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, wait_until};
use crate::{MESSAGES, activity, explore_with, thread};

/// A bus with one endpoint.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) activity: Arc<Activity>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) busy: Arc<Busy>,
}

impl World {
    /// With so many threads for concurrent dispatchers, at least one, and so many for others alone.
    pub(crate) fn new(bursts: usize, workers: usize) -> Self {
        let pool = Arc::new(Pool::new(bursts));
        pool.reserve(workers);
        Self {
            activity: activity(),
            pool,
            busy: Arc::new(Busy::new()),
        }
    }

    /// What the messages of one handler have in common.
    pub(crate) fn handler(&self, body: impl Fn(&Arc<Core>) + Send + Sync + 'static) -> Arc<Intake> {
        let answering = move |core: &Arc<Core>| {
            body(core);
            1
        };
        Arc::new(Intake {
            handler: Arc::new(Closure(answering)),
            place: PLACE,
            busy: Arc::clone(&self.busy),
            gone: AtomicBool::new(false),
        })
    }

    /// The same bus as another one of its endpoints sees it.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            busy: Arc::new(Busy::new()),
            ..self.clone()
        }
    }

    pub(crate) fn counting(&self, count: &Arc<AtomicUsize>) -> Arc<Intake> {
        let count = Arc::clone(count);
        self.handler(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        })
    }

    fn send(&self, core: &Arc<Core>, intake: &Arc<Intake>) -> bool {
        core.send(&self.pool, intake)
    }

    pub(crate) fn wait_until_idle(&self) {
        let is_idle = || RECORDS.quiet(PLACE.bus, None, || self.activity.busy.is_zero());
        assert!(self.activity.wait(None, is_idle));
        assert!(self.busy.is_zero());
    }

    /// As `MessageBus::shutdown` does it: the model hangs if a thread does not end.
    pub(crate) fn shut_down(&self, cores: &[&Arc<Core>]) {
        for core in cores {
            core.close();
        }
        for core in cores {
            assert!(core.wait_for_end(None));
        }
        self.pool.stop();
        assert_eq!(self.pool.join(None), 0);
        assert_eq!(self.pool.threads(), 0);
        assert!(self.activity.busy.is_zero());
        assert!(self.busy.is_zero());
    }
}

#[test]
fn a25_a_message_for_a_worker_that_is_about_to_sleep_wakes_it() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let handled = Arc::new(AtomicUsize::new(0));
        let work = world.counting(&handled);
        for sent in 1..=MESSAGES {
            assert!(world.send(&core, &work));
            // Hangs if the wake-up is lost.
            world.wait_until_idle();
            assert_eq!(handled.load(Ordering::SeqCst), sent);
        }
        world.shut_down(&[&core]);
    });
}

#[test]
fn a15_a16_destroying_against_sending_and_a_worker_of_the_pool() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let destroyed = Arc::new(AtomicBool::new(false));
        let is_destroyed = Arc::clone(&destroyed);
        let work = world.handler(move |_| assert!(!is_destroyed.load(Ordering::SeqCst)));
        let late = Arc::new(AtomicU64::new(0));
        let replies =
            SharedReplies::new(vec![Arc::clone(&core); MESSAGES].into(), Arc::clone(&late));
        let sender = {
            let (world, core) = (world.clone(), Arc::clone(&core));
            let shared = Arc::clone(&replies);
            thread::start(move || {
                let send = |index| core.ask(&world.pool, &work, &shared, index);
                (0..MESSAGES).filter(|&index| send(index)).count()
            })
        };
        core.close();
        assert!(core.wait_for_end(None));
        destroyed.store(true, Ordering::SeqCst);
        let accepted = sender.join().unwrap();
        world.shut_down(&[&core]);
        let (ran, cancelled) = core.totals();
        assert_eq!(ran + cancelled, accepted as u64);
        // Each request has its answer, and only those that ran have a value.
        let replies = Replies::pending(replies).all(std::time::Duration::MAX);
        let answered = replies.iter().filter(|reply| reply.result.is_ok()).count();
        assert_eq!(answered as u64, ran);
        for reply in replies {
            assert!(matches!(
                reply.result,
                Ok(1) | Err(ReplyError::Cancelled { .. })
            ));
        }
        assert_eq!(late.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a15_what_a_worker_has_taken_and_not_begun_is_cancelled_by_the_end() {
    explore_with(1, || {
        let world = World::new(1, 2);
        let core = Core::new(&world.activity, 7, 2, 8);
        let work = world.handler(|_| panic!("destroyed before it began"));
        // Both are there before anybody takes one.
        for _ in 0..2 {
            assert!(core.put(&work));
        }
        // The worker that has taken the first one sends for another one, for the second: then the dispatcher ends.
        let ended = Arc::new(AtomicBool::new(false));
        let (closing, has_ended) = (Arc::clone(&core), Arc::clone(&ended));
        thread::do_at_start(1, move || {
            closing.close();
            has_ended.store(true, Ordering::SeqCst);
        });
        world.pool.submit(Arc::clone(&core));
        world.wait_until_idle();
        assert!(ended.load(Ordering::SeqCst));
        assert_eq!(core.totals(), (0, 2));
        world.shut_down(&[&core]);
    });
}

#[test]
fn a25_a_worker_sees_that_somebody_waits_or_that_it_is_to_end() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let is_awaited = || core.queue().is_awaited();
        assert!(!is_awaited());
        world.activity.busy.raise(1);
        let waiting = {
            let world = world.clone();
            thread::start(move || world.wait_until_idle())
        };
        // Hangs if it is never seen.
        while !is_awaited() {
            thread::yield_now();
        }
        assert!(world.activity.busy.lower(1));
        world.activity.changed();
        waiting.join().unwrap();
        assert!(!is_awaited());
        core.close();
        assert!(is_awaited());
        world.shut_down(&[&core]);
    });
}

#[test]
fn a14_a_handler_destroys_its_own_dispatcher_while_another_thread_does() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let handled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&handled);
        // Does not wait: it would wait for itself.
        let work = world.handler(move |core| {
            core.close();
            count.fetch_add(1, Ordering::SeqCst);
        });
        let mut accepted = 0;
        for _ in 0..2 {
            accepted += u64::from(world.send(&core, &work));
        }
        core.close();
        assert!(core.wait_for_end(None));
        let (ran, cancelled) = core.totals();
        assert_eq!(ran, handled.load(Ordering::SeqCst) as u64);
        assert!(ran <= 1, "the first one closed it");
        assert_eq!(ran + cancelled, accepted);
        world.shut_down(&[&core]);
    });
}

#[test]
fn a_shutdown_ends_whatever_its_workers_are_doing() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let work = world.handler(|_| {});
        let sender = {
            let (world, core) = (world.clone(), Arc::clone(&core));
            thread::start(move || {
                for _ in 0..MESSAGES {
                    world.send(&core, &work);
                }
            })
        };
        world.shut_down(&[&core]);
        sender.join().unwrap();
        // Whoever came later was refused, or found a worker that ended again.
        world.shut_down(&[&core]);
    });
}

#[test]
fn a_shutdown_ends_free_workers_while_concurrent_handlers_take_all_that_may_run() {
    explore_with(2, || {
        let world = World::new(1, 1);
        let strand = Core::new(&world.activity, 7, 1, 8);
        let burst = Core::burst(&world.activity, 8, 1, 8);
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let entry = Arc::clone(&gate);
        let blocks = world.handler(move |_| {
            let mut is_open = entry.0.lock();
            while !*is_open {
                wait_until(&entry.1, &mut is_open, None);
            }
        });
        assert!(world.send(&burst, &blocks));
        assert!(world.send(&strand, &world.handler(|_| {})));
        // A second thread has served it and is about to sleep.
        assert!(strand.queue().wait_for_rest(None));
        // As a shutdown whose deadline passes.
        world.pool.stop();
        *gate.0.lock() = true;
        gate.1.notify_all();
        world.shut_down(&[&strand, &burst]);
    });
}

#[test]
fn a4_a5_a_worker_that_panics_is_neither_lost_nor_waited_for() {
    explore_with(2, || {
        let world = World::new(1, 1);
        let bad = Core::new(&world.activity, 7, 1, 8);
        let good = Core::new(&world.activity, 8, 1, 8);
        let handled = Arc::new(AtomicUsize::new(0));
        let work = world.counting(&handled);
        // Outside of the handler, where nobody expects it.
        bad.panic_in_next_turn();
        assert!(world.send(&bad, &work));
        assert!(world.send(&good, &work));
        assert!(good.queue().wait_for_rest(None));
        assert_eq!(handled.load(Ordering::SeqCst), 1);
        world.shut_down(&[&bad, &good]);
        assert_eq!(bad.totals(), (0, 1), "cancelled by the shutdown");
    });
}

#[test]
fn a3_a_handler_that_panics_costs_nothing_but_its_answer() {
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 8);
        let work = world.handler(|_| std::panic::resume_unwind(Box::new("always")));
        let replies = SharedReplies::new([Arc::clone(&core)].into(), Arc::default());
        assert!(core.ask(&world.pool, &work, &replies, 0));
        assert!(world.send(&core, &work));
        world.wait_until_idle();
        assert_eq!(core.totals(), (2, 0));
        let mut replies = Replies::pending(replies);
        let reply = replies.next(std::time::Duration::MAX).unwrap();
        assert!(
            matches!(reply.result, Err(ReplyError::Panicked { message, .. }) if message == "always")
        );
        world.shut_down(&[&core]);
    });
}

#[test]
fn a_thread_that_cannot_be_started_is_not_counted_and_not_waited_for() {
    explore_with(1, || {
        let world = World::new(1, 1);
        let (first, second) = (
            Core::new(&world.activity, 7, 1, 8),
            Core::new(&world.activity, 8, 1, 8),
        );
        let handled = Arc::new(AtomicUsize::new(0));
        let work = world.counting(&handled);
        thread::refuse(1);
        assert!(world.send(&first, &work));
        assert_eq!(world.pool.threads(), 0);
        // The next one that is sent somewhere gets a thread, which serves both.
        assert!(world.send(&second, &work));
        world.wait_until_idle();
        assert_eq!(handled.load(Ordering::SeqCst), 2);
        world.shut_down(&[&first, &second]);
    });
}

#[test]
fn a12_concurrent_handlers_never_outnumber_the_threads_of_the_bus() {
    explore_with(2, || {
        // A second thread could run, but no second concurrent handler.
        let world = World::new(1, 1);
        let core = Core::burst(&world.activity, 7, 2, 8);
        let running = Arc::new(AtomicUsize::new(0));
        let handled = Arc::new(AtomicUsize::new(0));
        let (now, count) = (Arc::clone(&running), Arc::clone(&handled));
        let work = world.handler(move |_| {
            assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
            count.fetch_add(1, Ordering::SeqCst);
            now.fetch_sub(1, Ordering::SeqCst);
        });
        for _ in 0..MESSAGES {
            assert!(world.send(&core, &work));
        }
        world.wait_until_idle();
        assert_eq!(handled.load(Ordering::SeqCst), MESSAGES);
        world.shut_down(&[&core]);
    });
}

#[test]
fn a29_what_handlers_own_is_dropped_while_no_lock_is_held() {
    /// Takes every lock that is there: one that is held already would never be free.
    struct Owned(World, Arc<Core>);
    impl Drop for Owned {
        fn drop(&mut self) {
            self.0.pool.threads();
            self.1.queue().counts();
            RECORDS.running(self.1.number);
        }
    }
    explore_with(2, || {
        let world = World::new(1, 0);
        let core = Core::new(&world.activity, 7, 1, 1);
        let sender = {
            let (world, core) = (world.clone(), Arc::clone(&core));
            thread::start(move || {
                // The message is the last that holds its handler: taken, refused, handled or cancelled.
                for _ in 0..2 {
                    let owned = Owned(world.clone(), Arc::clone(&core));
                    let work = world.handler(move |_| assert_eq!(owned.1.number, 7));
                    world.send(&core, &work);
                }
            })
        };
        core.close();
        assert!(core.wait_for_end(None));
        sender.join().unwrap();
        world.shut_down(&[&core]);
    });
}
