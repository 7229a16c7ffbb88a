//! The `Drop` of a payload: it may take its time, panic, and want something of the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use zaf_core::Result;
use zaf_core::message::{DispatcherKind, EventId};

use super::{Gate, KITCHEN, LONG, bus};

/// Panics when it is dropped.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(std::thread::panicking(), "boom");
    }
}

#[test]
fn a16_messages_whose_drop_panics_are_cancelled_one_and_all() -> Result<()> {
    const BOMB: EventId<Bomb> = EventId::new("BOMB", "Goes off when it is dropped.");
    let bus = bus();
    bus.define(KITCHEN, &[BOMB.descriptor()])?;
    let gate = Gate::new();
    let entry = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(BOMB, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..4 {
        bus.trigger_event(BOMB, KITCHEN, Bomb(Arc::clone(&dropped)))?;
    }
    gate.wait_for_arrival();
    std::thread::scope(|scope| {
        let destroyed = scope.spawn(|| one.destroy());
        while one.counters().cancelled < 3 {
            std::thread::yield_now();
        }
        gate.let_through(1);
        destroyed.join().unwrap();
    });
    bus.wait_until_idle(LONG)?;
    assert_eq!(dropped.load(Ordering::SeqCst), 4);
    bus.shutdown(LONG)?;
    Ok(())
}

/// Says that it is dropped, and waits until it may go on, which it may when the other end of `go_on` is gone.
struct Slow {
    begun: Sender<()>,
    go_on: Receiver<()>,
    /// It has waited in vain.
    is_late: Arc<AtomicBool>,
}

impl Drop for Slow {
    fn drop(&mut self) {
        // The test may have failed.
        let _begun = self.begun.send(());
        let gone_on = self.go_on.recv_timeout(LONG);
        let is_late = gone_on == Err(RecvTimeoutError::Timeout);
        self.is_late.fetch_or(is_late, Ordering::SeqCst);
    }
}

const SLOW: EventId<Slow> = EventId::new("SLOW", "Takes long to be dropped.");

fn slow() -> (Slow, Receiver<()>, Sender<()>) {
    let (begun, has_begun) = unbounded();
    let (let_go, go_on) = unbounded();
    let is_late = Arc::default();
    let payload = Slow {
        begun,
        go_on,
        is_late,
    };
    (payload, has_begun, let_go)
}

/// One that nobody holds up.
fn quick() -> Slow {
    let (payload, ..) = slow();
    payload
}

#[test]
fn a15_destroy_does_not_wait_for_the_drop_of_what_was_handled() -> Result<()> {
    for count in [1, 2] {
        let bus = bus();
        bus.define(KITCHEN, &[SLOW.descriptor()])?;
        let dispatchers: Vec<_> = (0..count)
            .map(|number: usize| {
                bus.dispatcher(DispatcherKind::Callback, number.to_string())
                    .on(SLOW, |_, _| Ok(()))
                    .register()
            })
            .collect::<Result<_, _>>()?;
        let (payload, begun, let_go) = slow();
        let is_late = Arc::clone(&payload.is_late);
        std::thread::scope(|scope| -> Result<()> {
            let sent = scope.spawn(|| {
                // The first message of a thread goes another way than those that come later.
                for _ in 0..3 {
                    bus.trigger_event(SLOW, KITCHEN, quick())?;
                }
                bus.trigger_event(SLOW, KITCHEN, payload)
            });
            begun.recv_timeout(LONG).unwrap();
            let destroyed = scope.spawn(|| {
                for dispatcher in &dispatchers {
                    dispatcher.destroy();
                }
                drop(let_go);
            });
            destroyed.join().unwrap();
            assert_eq!(sent.join().unwrap()?.delivered, count);
            assert!(!is_late.load(Ordering::SeqCst), "destroy waited for it");
            Ok(())
        })?;
        bus.shutdown(LONG)?;
    }
    Ok(())
}

#[test]
fn a16_who_drains_is_woken_by_the_last_one_that_is_cancelled() -> Result<()> {
    let bus = bus();
    bus.define(KITCHEN, &[SLOW.descriptor()])?;
    let gate = Gate::new();
    let entry = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .on(SLOW, move |_, _| {
            entry.pass();
            Ok(())
        })
        .register()?;
    bus.trigger_event(SLOW, KITCHEN, quick())?;
    gate.wait_for_arrival();
    let (payload, begun, let_go) = slow();
    bus.trigger_event(SLOW, KITCHEN, payload)?;
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| {
            let since = Instant::now();
            one.destroy_draining(LONG) && since.elapsed() < LONG
        });
        while bus
            .trigger_event(SLOW, KITCHEN, quick())
            .is_ok_and(|report| report.delivered > 0)
        {
            std::thread::yield_now();
        }
        let destroyed = scope.spawn(|| one.destroy());
        // It is being cancelled, and the handler that ends meanwhile is not the last to end.
        begun.recv_timeout(LONG).unwrap();
        let active = one.state().active;
        gate.let_through(1);
        while one.state().active == active {
            std::thread::yield_now();
        }
        drop(let_go);
        destroyed.join().unwrap();
        assert!(drained.join().unwrap());
    });
    bus.shutdown(LONG)?;
    Ok(())
}
