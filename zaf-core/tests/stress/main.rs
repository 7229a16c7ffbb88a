//! Everything at once: threads that send, ask, register, destroy, drain, wait and look, by chance, on one bus.
//!
//! The number of operations is bounded, not the time. More of them, or the same again:
//!
//! ```text
//! STRESS_OPERATIONS=1000000 cargo nextest run -p zaf-core --test stress
//! STRESS_SEED=<as printed> cargo nextest run -p zaf-core --test stress
//! ```
//!
//! `.ci/run races` runs it under `ThreadSanitizer`, which is why it is a binary of its own. What is sent is memory that its
//! sender has just written and nobody protects: a message that is handed over without order is a race that can be seen.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; the lint's exception knows test functions only"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use zaf_core::message::{
    BusError, BusLimits, Dispatcher, DispatcherKind, EndpointId, Entity, EventId, MessageBus,
    QueuePolicy, ReplyError, RequestId,
};

const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
const CELLAR: EndpointId = EndpointId::new("cellar", "Where bottles come from.");
const PING: EventId<Payload> = EventId::new("PING", "Something happened.");
const PONG: EventId<Payload> = EventId::new("PONG", "Something followed from it.");
const ASK: RequestId<Payload, Payload> = RequestId::new("ASK", "What is the same again?");

/// How long is waited for what has to happen; only a failing test waits that long.
const LONG: Duration = Duration::from_mins(1);
const SENDERS: u64 = 4;
/// Dispatchers that live at a time.
const CROWD: usize = 12;

/// A number twice, on the heap. Counts how many of it there are.
struct Payload {
    halves: Box<[u64; 2]>,
    alive: Arc<AtomicU64>,
}

impl Payload {
    fn new(number: u64, alive: &Arc<AtomicU64>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self {
            halves: Box::new([number, number]),
            alive: Arc::clone(alive),
        }
    }

    fn check(&self) -> u64 {
        let [first, second] = *self.halves;
        assert_eq!(first, second, "half of a payload");
        first
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of a dispatcher from outside.
struct Watched {
    dispatcher: Dispatcher,
    destroyed: Arc<AtomicBool>,
    ran: Arc<AtomicU64>,
}

/// What all threads share.
struct World {
    bus: MessageBus,
    crowd: Mutex<Vec<Watched>>,
    gone: Mutex<Vec<Watched>>,
    alive: Arc<AtomicU64>,
    /// What must not be: a handler that ran after `destroy`, or beside itself.
    wrong: Arc<AtomicU64>,
}

/// Marsaglia's xorshift: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(all.len() as u64);
        all[usize::try_from(index).unwrap()]
    }

    fn entity(&mut self) -> Option<Entity> {
        self.one_of(&[None, Some("X"), Some("Y")]).map(Entity::from)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on, and which run to repeat, is for who runs the tests"
)]
fn number_from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

impl World {
    fn register(&self, chance: &mut Chance) {
        let kind = chance.one_of(&[
            DispatcherKind::Callback,
            DispatcherKind::Sequential,
            DispatcherKind::ThreadPool,
            DispatcherKind::Concurrent,
        ]);
        let destroyed = Arc::new(AtomicBool::new(false));
        let ran = Arc::new(AtomicU64::new(0));
        let alone = Arc::new(Mutex::new(()));
        let observe = {
            let (destroyed, ran) = (Arc::clone(&destroyed), Arc::clone(&ran));
            let wrong = Arc::clone(&self.wrong);
            move |payload: &Payload| {
                let beside = if kind == DispatcherKind::Sequential {
                    alone.try_lock()
                } else {
                    None
                };
                let is_beside_itself = kind == DispatcherKind::Sequential && beside.is_none();
                if destroyed.load(Ordering::SeqCst) || is_beside_itself {
                    wrong.fetch_add(1, Ordering::SeqCst);
                }
                ran.fetch_add(1, Ordering::SeqCst);
                payload.check()
            }
        };
        let (on_event, alive) = (observe.clone(), Arc::clone(&self.alive));
        let answers = Arc::clone(&self.alive);
        let fails = chance.below(8) == 0;
        let mut builder = self
            .bus
            .dispatcher(kind, "one")
            .priority(chance.one_of(&[-1, 0, 1]))
            .on(PING, move |message, bus| {
                let number = on_event(message.data());
                if fails && number % 64 == 0 {
                    // A panic that says nothing on the way.
                    std::panic::resume_unwind(Box::new("now and then"));
                }
                if number % 16 == 0 {
                    bus.trigger_event(PONG, KITCHEN, Payload::new(number, &alive))?;
                }
                Ok(())
            })
            .on(ASK, move |message, _| {
                let number = observe(message.data());
                Ok(Payload::new(number + 1, &answers))
            });
        match chance.below(3) {
            0 => builder = builder.entities([chance.one_of(&["X", "Y"])]),
            1 => builder = builder.any_entity(),
            _ => {}
        }
        if kind != DispatcherKind::Callback && chance.below(2) == 0 {
            let policy = chance.one_of(&[
                QueuePolicy::Reject,
                QueuePolicy::DropOldest,
                QueuePolicy::Block { deadline: LONG },
            ]);
            let bound = chance.one_of(&[1, 4, 64]);
            builder = builder.queue(policy, NonZeroUsize::new(bound).unwrap());
        }
        if kind == DispatcherKind::ThreadPool {
            builder = builder.workers(NonZeroUsize::new(2).unwrap());
        }
        let dispatcher = builder.register().unwrap();
        self.crowd.lock().push(Watched {
            dispatcher,
            destroyed,
            ran,
        });
    }

    fn destroy(&self, chance: &mut Chance) {
        let victim = {
            let mut crowd = self.crowd.lock();
            if crowd.is_empty() {
                return;
            }
            let index = chance.below(crowd.len() as u64);
            crowd.swap_remove(usize::try_from(index).unwrap())
        };
        match chance.below(3) {
            0 => assert!(victim.dispatcher.destroy_draining(LONG)),
            1 => {
                let left = victim.dispatcher.deregister(&[PING.descriptor()], &[], &[]);
                assert_eq!(left, Ok(true), "ASK is left");
                victim.dispatcher.destroy();
            }
            _ => victim.dispatcher.destroy(),
        }
        victim.destroyed.store(true, Ordering::SeqCst);
        self.gone.lock().push(victim);
    }

    fn ask(&self, chance: &mut Chance, payload: Payload) {
        let number = payload.check();
        let entity = chance.entity();
        let replies = if chance.below(4) == 0 {
            match self
                .bus
                .send_request_everywhere(ASK, entity.as_ref(), payload)
            {
                Err(BusError::NoReceiver { .. }) => return,
                replies => replies.unwrap(),
            }
        } else {
            let endpoint = chance.one_of(&[KITCHEN, CELLAR]);
            let sent = self
                .bus
                .send_request_optional(ASK, endpoint, entity.as_ref(), payload);
            sent.unwrap()
        };
        let count = replies.len();
        let answers = match chance.below(4) {
            // Nobody is interested.
            0 => return,
            1 => replies.as_completed(LONG).collect(),
            // Some are late, and counted.
            2 => replies.all(Duration::ZERO),
            _ => replies.all(LONG),
        };
        assert_eq!(answers.len(), count, "one result for each receiver");
        for answer in answers {
            match answer.result {
                Ok(payload) => assert_eq!(payload.check(), number + 1),
                Err(
                    ReplyError::Cancelled { .. }
                    | ReplyError::Rejected { .. }
                    | ReplyError::TimedOut { .. },
                ) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn operate(&self, chance: &mut Chance, number: u64) {
        let payload = Payload::new(number, &self.alive);
        match chance.below(32) {
            0 if self.crowd.lock().len() < CROWD => self.register(chance),
            1 => self.destroy(chance),
            2 => {
                let state = self.bus.state();
                assert!(state.threads <= 64, "{state:?}");
            }
            3 => match self.bus.wait_until_idle(Duration::ZERO) {
                Ok(()) | Err(BusError::StillBusy { .. }) => {}
                Err(other) => panic!("{other}"),
            },
            4 => {
                let queue = self.bus.message_queue(PONG, KITCHEN).unwrap();
                let event = self.bus.trigger_event(PONG, KITCHEN, payload);
                assert!(event.unwrap().delivered > 0);
                assert!(queue.recv_timeout(LONG).is_ok());
            }
            5..=12 => self.ask(chance, payload),
            _ => {
                let endpoint = chance.one_of(&[KITCHEN, CELLAR]);
                let sent = match chance.entity() {
                    None => self.bus.trigger_event(PING, endpoint, payload),
                    Some(entity) => self.bus.trigger_event_for(PING, endpoint, &entity, payload),
                };
                drop(sent.unwrap());
            }
        }
    }
}

#[test]
fn a13_a15_a25_b1_everything_at_once_keeps_its_promises() {
    let operations = number_from_environment("STRESS_OPERATIONS").unwrap_or(20_000);
    let seed = number_from_environment("STRESS_SEED").unwrap_or_else(|| {
        let address = std::ptr::from_ref(&Box::new(0)).addr() as u64;
        address | u64::from(std::process::id()) << 32 | 1
    });
    #[expect(clippy::print_stderr, reason = "shown when the test fails")]
    {
        eprintln!("STRESS_SEED={seed}");
    }
    let limits = BusLimits::default().max_threads(NonZeroUsize::new(4).unwrap());
    let bus = MessageBus::with_limits(limits);
    let messages = [PING.descriptor(), PONG.descriptor(), ASK.descriptor()];
    bus.define(KITCHEN, &messages).unwrap();
    bus.define(CELLAR, &messages).unwrap();
    let follow = bus
        .dispatcher(DispatcherKind::Sequential, "follow")
        .queue(QueuePolicy::DropOldest, NonZeroUsize::new(16).unwrap())
        .on(PONG, |message, _| {
            message.data().check();
            Ok(())
        })
        .register()
        .unwrap();
    let world = World {
        bus: bus.clone(),
        crowd: Mutex::new(Vec::new()),
        gone: Mutex::new(Vec::new()),
        alive: Arc::new(AtomicU64::new(0)),
        wrong: Arc::new(AtomicU64::new(0)),
    };
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let world = &world;
            scope.spawn(move || {
                let mut chance = Chance(seed.wrapping_mul(2 * sender + 1));
                for number in 0..operations / SENDERS {
                    world.operate(&mut chance, number);
                }
            });
        }
    });
    bus.wait_until_idle(LONG).unwrap();
    assert_eq!(world.alive.load(Ordering::SeqCst), 0, "payloads are left");
    assert_eq!(world.wrong.load(Ordering::SeqCst), 0);
    let counters = follow.counters();
    assert_eq!(
        counters.accepted,
        counters.handled.unwrap_or_default() + counters.dropped
    );
    bus.shutdown(LONG).unwrap();
    assert_eq!(bus.state().threads, 0);
    let mut all = world.gone.into_inner();
    all.extend(world.crowd.into_inner());
    for one in all {
        let counters = one.dispatcher.counters();
        let handled = counters.handled.unwrap_or_default();
        let settled = handled + counters.cancelled + counters.dropped;
        assert_eq!(counters.accepted, settled, "{counters:?}");
        if one.dispatcher.kind() != DispatcherKind::Callback {
            assert_eq!(handled, one.ran.load(Ordering::SeqCst));
        }
    }
}
