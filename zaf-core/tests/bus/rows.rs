//! Callbacks of one type that follow each other are called together; nobody can tell.

use std::sync::Arc;

use parking_lot::Mutex;
use zaf_core::message::{Dispatcher, DispatcherKind, MessageBus};
use zaf_core::{Error, Result};

use super::{Gate, KITCHEN, LONG, Log, PING, bus};

/// What a handler of the row does with a message, by its number.
type Deed = fn(u32, &Row) -> Result<()>;

/// Dispatchers of one row, which their handlers can see.
#[derive(Clone)]
struct Row {
    log: Log<u32>,
    dispatchers: Arc<Mutex<Vec<Dispatcher>>>,
    deed: Deed,
}

impl Row {
    fn new(deed: Deed) -> Self {
        Self {
            log: Log::new(),
            dispatchers: Arc::default(),
            deed,
        }
    }

    /// One more handler, of the same type as all others of all rows.
    fn register(&self, bus: &MessageBus, number: u32) -> Result<()> {
        let row = self.clone();
        let dispatcher = bus
            .dispatcher(DispatcherKind::Callback, format!("handler {number}"))
            .on(PING, move |_, _| {
                row.log.add(number);
                (row.deed)(number, &row)
            })
            .register()?;
        self.dispatchers.lock().push(dispatcher);
        Ok(())
    }

    /// Handlers 0 to 9.
    fn of_ten(bus: &MessageBus, deed: Deed) -> Result<Self> {
        let row = Self::new(deed);
        for number in 0..10 {
            row.register(bus, number)?;
        }
        Ok(row)
    }

    fn dispatcher(&self, number: usize) -> Dispatcher {
        self.dispatchers.lock()[number].clone()
    }
}

/// As [`Row::register`], of another type.
fn register_another(bus: &MessageBus, row: &Row, number: u32, priority: i32) -> Result<()> {
    let log = row.log.clone();
    bus.dispatcher(DispatcherKind::Callback, format!("other {number}"))
        .priority(priority)
        .on(PING, move |_, _| {
            log.add(number);
            Ok(())
        })
        .register()?;
    Ok(())
}

#[test]
fn a1_failures_and_panics_in_a_row_hide_nothing_from_those_behind_them() -> Result<()> {
    let bus = bus();
    let row = Row::of_ten(&bus, |number, _| match number {
        0 | 4 | 9 => panic!("number {number}"),
        1 | 5 => Err(Error::msg(number)),
        _ => Ok(()),
    })?;
    for round in 1..3 {
        let report = bus.trigger_event(PING, KITCHEN, 1)?;
        assert_eq!(row.log.take(), (0..10).collect::<Vec<_>>());
        assert_eq!(report.delivered, 5);
        let failed: Vec<_> = report.failed().iter().map(|one| &*one.handler).collect();
        assert_eq!(
            failed,
            [
                "handler 0",
                "handler 1",
                "handler 4",
                "handler 5",
                "handler 9"
            ]
        );
        let counts = (0..10).map(|number| row.dispatcher(number).counters().failed);
        let expected = [1, 1, 0, 0, 1, 1, 0, 0, 0, 1].map(|count| count * round);
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }
    assert!(bus.is_idle());
    Ok(())
}

#[test]
fn a15_who_is_destroyed_by_a_neighbour_in_the_row_is_not_called() -> Result<()> {
    let bus = bus();
    let row = Row::of_ten(&bus, |number, row| {
        if number == 3 {
            // One that has had the message, itself, the next one and the last one.
            for other in [1, 3, 4, 9] {
                row.dispatcher(other).destroy();
            }
        }
        Ok(())
    })?;
    let report = bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(row.log.take(), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert_eq!(report.delivered, 8);
    let report = bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(row.log.take(), [0, 2, 5, 6, 7, 8]);
    assert_eq!(report.delivered, 6);
    Ok(())
}

#[test]
fn a15_destroy_waits_for_one_handler_of_a_row_and_not_for_the_others() -> Result<()> {
    let bus = bus();
    let row = Row::new(|_, _| Ok(()));
    let gate = Gate::new();
    for number in 0..3 {
        let gate = gate.clone();
        let dispatcher = bus
            .dispatcher(DispatcherKind::Callback, format!("handler {number}"))
            .on(PING, move |_, _| {
                if number > 0 {
                    gate.pass();
                }
                Ok(())
            })
            .register()?;
        row.dispatchers.lock().push(dispatcher);
    }
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| bus.trigger_event(PING, KITCHEN, 1));
        gate.wait_for_arrival();
        // The one before has ended, the one behind has not begun: neither is waited for.
        row.dispatcher(0).destroy();
        row.dispatcher(2).destroy();
        let first = row.dispatcher(1);
        let destroyer = scope.spawn(move || first.destroy());
        gate.let_through(1);
        destroyer.join().unwrap();
        let report = sender.join().unwrap();
        assert_eq!(report.unwrap().delivered, 2);
    });
    bus.wait_until_idle(LONG)?;
    Ok(())
}

#[test]
fn rows_and_others_keep_the_order_of_hand_over() -> Result<()> {
    let bus = bus();
    let row = Row::new(|_, _| Ok(()));
    for number in [10, 11] {
        row.register(&bus, number)?;
    }
    register_another(&bus, &row, 20, 0)?;
    row.register(&bus, 12)?;
    register_another(&bus, &row, 21, 0)?;
    register_another(&bus, &row, 22, 0)?;
    register_another(&bus, &row, 1, 7)?;
    for number in [13, 14, 15] {
        row.register(&bus, number)?;
    }
    let report = bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(row.log.take(), [1, 10, 11, 20, 12, 21, 22, 13, 14, 15]);
    assert_eq!(report.delivered, 10);
    Ok(())
}

#[test]
fn a1_a_panic_between_rows_of_different_types_hides_nothing() -> Result<()> {
    let bus = bus();
    let row = Row::new(|number, row| match number {
        11 => panic!("in a row"),
        12 => {
            row.dispatcher(3).destroy();
            Err(Error::msg("alone"))
        }
        _ => Ok(()),
    });
    for number in [10, 11] {
        row.register(&bus, number)?;
    }
    register_another(&bus, &row, 20, 0)?;
    row.register(&bus, 12)?;
    register_another(&bus, &row, 21, 0)?;
    for number in [13, 14] {
        row.register(&bus, number)?;
    }
    let report = bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!(row.log.take(), [10, 11, 20, 12, 21, 14]);
    assert_eq!((report.delivered, report.failed().len()), (4, 2));
    Ok(())
}
