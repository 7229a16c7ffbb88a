//! One event to so many queues that they go to the pool together, and what queues keep between messages.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use zaf_core::Result;
use zaf_core::message::{Dispatcher, DispatcherKind, QueuePolicy};

use super::{CELLAR, Gate, KITCHEN, LONG, PING, bus};

const QUEUED: [DispatcherKind; 3] = [
    DispatcherKind::Sequential,
    DispatcherKind::ThreadPool,
    DispatcherKind::Concurrent,
];

/// More than two teams, and the last one is not full.
const MANY: usize = 40;

/// What each receiver has got.
type Got = Arc<Vec<Mutex<Vec<u32>>>>;

fn nothing_got() -> Got {
    Arc::new((0..MANY).map(|_| Mutex::default()).collect())
}

fn note(got: &Got, receiver: usize) -> impl Fn(u32) + Send + Sync + 'static {
    let got = Arc::clone(got);
    move |number| got[receiver].lock().push(number)
}

#[test]
fn a18_each_of_many_queues_gets_each_event_once_whatever_lies_between_them() -> Result<()> {
    const SENDERS: u32 = 3;
    const EVENTS: u32 = 50;
    let bus = bus();
    let got = nothing_got();
    let kinds = [
        DispatcherKind::Sequential,
        DispatcherKind::Sequential,
        DispatcherKind::Callback,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ];
    for receiver in 0..MANY {
        let note = note(&got, receiver);
        bus.dispatcher(kinds[receiver % kinds.len()], format!("{receiver}"))
            .on(PING, move |message, _| {
                note(*message.data());
                Ok(())
            })
            .register()?;
    }
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let bus = &bus;
            scope.spawn(move || {
                for number in 0..EVENTS {
                    let number = sender * EVENTS + number;
                    let delivered = bus.trigger_event(PING, KITCHEN, number).unwrap();
                    assert_eq!(delivered.delivered, MANY);
                }
            });
        }
    });
    bus.wait_until_idle(LONG)?;
    assert!(bus.is_idle_at(KITCHEN)?);
    for (receiver, got) in got.iter().enumerate() {
        let mut got = got.lock().clone();
        if kinds[receiver % kinds.len()] == DispatcherKind::Sequential {
            for sender in 0..SENDERS {
                let of_one = |number: &&u32| **number / EVENTS == sender;
                assert!(got.iter().filter(of_one).is_sorted(), "{receiver}: {got:?}");
            }
        }
        got.sort_unstable();
        assert!(got.into_iter().eq(0..SENDERS * EVENTS), "{receiver}");
    }
    bus.shutdown(LONG)?;
    assert_eq!(bus.state().threads, 0);
    Ok(())
}

#[test]
fn a10_handlers_that_block_hold_no_neighbour_back() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let handled = Arc::new(AtomicUsize::new(0));
    for receiver in 0..MANY {
        let (gate, handled) = (gate.clone(), Arc::clone(&handled));
        bus.dispatcher(DispatcherKind::Sequential, format!("{receiver}"))
            .on(PING, move |_, _| {
                // Two of each team.
                if receiver % 8 == 1 {
                    gate.pass();
                }
                handled.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .register()?;
    }
    bus.trigger_event(PING, KITCHEN, 1)?;
    let blocked = (0..MANY).filter(|receiver| receiver % 8 == 1).count();
    while handled.load(Ordering::SeqCst) < MANY - blocked {
        std::thread::yield_now();
    }
    assert!(!bus.is_idle());
    gate.let_through(blocked);
    bus.wait_until_idle(LONG)?;
    assert_eq!(handled.load(Ordering::SeqCst), MANY);
    Ok(())
}

#[test]
fn a10_a25_a_full_queue_among_many_makes_its_sender_wait_and_nobody_else() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let got = nothing_got();
    for receiver in 0..MANY {
        let (gate, note) = (gate.clone(), note(&got, receiver));
        bus.dispatcher(DispatcherKind::Sequential, format!("{receiver}"))
            .queue(QueuePolicy::Block { deadline: LONG }, NonZeroUsize::MIN)
            .on(PING, move |message, _| {
                if receiver == 20 {
                    gate.pass();
                }
                note(*message.data());
                Ok(())
            })
            .register()?;
    }
    // One is being handled and one waits: the third finds no room.
    std::thread::scope(|scope| -> Result<()> {
        let sender = scope.spawn(|| {
            for number in 0..3 {
                let report = bus.trigger_event(PING, KITCHEN, number).unwrap();
                assert_eq!(report.delivered, MANY);
            }
        });
        // Those before it have got all three.
        while got[19].lock().len() < 3 {
            std::thread::yield_now();
        }
        assert!(got[20].lock().is_empty());
        assert!(bus.is_idle_at(CELLAR)?);
        assert!(!bus.is_idle());
        gate.let_through(3);
        sender.join().unwrap();
        Ok(())
    })?;
    bus.wait_until_idle(LONG)?;
    for got in got.iter() {
        assert_eq!(*got.lock(), [0, 1, 2]);
    }
    Ok(())
}

#[test]
fn a15_destroying_some_of_many_while_events_come_cancels_theirs_and_no_others() -> Result<()> {
    let bus = bus();
    let got = nothing_got();
    let mut dispatchers = Vec::new();
    for receiver in 0..MANY {
        let note = note(&got, receiver);
        let kind = QUEUED[receiver % QUEUED.len()];
        let dispatcher = bus
            .dispatcher(kind, format!("{receiver}"))
            .on(PING, move |message, _| {
                note(*message.data());
                Ok(())
            })
            .register()?;
        dispatchers.push(dispatcher);
    }
    let begun = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..200 {
                bus.trigger_event(PING, KITCHEN, number).unwrap();
                begun.fetch_add(1, Ordering::SeqCst);
            }
        });
        while begun.load(Ordering::SeqCst) < 20 {
            std::thread::yield_now();
        }
        for (receiver, dispatcher) in dispatchers.iter().enumerate() {
            if receiver % 2 == 1 {
                dispatcher.destroy();
                let before = got[receiver].lock().len();
                std::thread::yield_now();
                assert_eq!(got[receiver].lock().len(), before, "it has ended");
            }
        }
    });
    bus.wait_until_idle(LONG)?;
    for (receiver, got) in got.iter().enumerate() {
        if receiver % 2 == 0 {
            assert_eq!(got.lock().len(), 200, "{receiver}");
        }
    }
    Ok(())
}

/// The worker that has handled the last message may hold its registration for the blink of an eye.
fn wait_until_dropped(token: &Arc<()>) {
    while Arc::strong_count(token) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn a17_what_a_handler_has_captured_goes_when_its_registration_ends() -> Result<()> {
    type End = fn(&Dispatcher) -> Result<()>;
    let ends: [End; 2] = [
        |dispatcher| {
            dispatcher.deregister(&[PING.descriptor()], &[KITCHEN], &[])?;
            Ok(())
        },
        |dispatcher| {
            dispatcher.destroy();
            Ok(())
        },
    ];
    for kind in QUEUED {
        for end in ends {
            let bus = bus();
            let token = Arc::new(());
            let held = Arc::clone(&token);
            let dispatcher = bus
                .dispatcher(kind, "one")
                .on(PING, move |_, _| {
                    assert!(Arc::strong_count(&held) > 1);
                    Ok(())
                })
                .endpoints([KITCHEN])
                .register()?;
            for number in 0..3 {
                bus.trigger_event(PING, KITCHEN, number)?;
            }
            bus.wait_until_idle(LONG)?;
            end(&dispatcher)?;
            wait_until_dropped(&token);
        }
    }
    Ok(())
}

#[test]
fn a_handler_that_has_its_own_dispatcher_goes_with_the_bus() -> Result<()> {
    for kind in QUEUED {
        let bus = bus();
        let token = Arc::new(());
        let own: Arc<OnceLock<Dispatcher>> = Arc::default();
        let (held, itself) = (Arc::clone(&token), Arc::clone(&own));
        let dispatcher = bus
            .dispatcher(kind, "one")
            .on(PING, move |_, _| {
                assert!(Arc::strong_count(&held) > 1 && itself.get().is_some());
                Ok(())
            })
            .register()?;
        assert!(own.set(dispatcher).is_ok());
        drop(own);
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        drop(bus);
        wait_until_dropped(&token);
    }
    Ok(())
}
