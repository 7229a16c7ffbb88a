//! Collecting messages outside of handlers.

use std::num::NonZeroUsize;
use std::time::Duration;

use zaf_core::Result;
use zaf_core::message::{BusError, RequestId};

use super::{CELLAR, KITCHEN, LONG, PING, PONG, bus};

#[test]
fn f15_a_filter_decides_what_is_collected_and_priority_when() -> Result<()> {
    let bus = bus();
    let queue = bus
        .message_queue_of([PING, PONG])
        .endpoints([KITCHEN])
        .filter(|message| message.data() % 2 == 0)
        .optional()
        .priority(3)
        .open()?;
    for number in 0..4 {
        bus.trigger_event(PING, KITCHEN, number)?;
        bus.trigger_event(PING, CELLAR, number)?;
        bus.trigger_event(PONG, KITCHEN, number)?;
    }
    let mut collected = Vec::new();
    while let Some(message) = queue.try_recv() {
        collected.push((message.id().name, *message.data()));
    }
    assert_eq!(
        collected,
        [("PING", 0), ("PONG", 0), ("PING", 2), ("PONG", 2)]
    );
    Ok(())
}

#[test]
fn f15_a_request_is_answered_when_it_is_collected() -> Result<()> {
    const TELL: RequestId<u32, ()> = RequestId::new("TELL", "Answered with nothing.");
    let bus = bus();
    bus.define(KITCHEN, &[TELL.descriptor()])?;
    let queue = bus.message_queue(TELL, KITCHEN)?;
    assert_eq!(bus.send_request(TELL, KITCHEN, 1)?.values(LONG)?, [()]);
    assert_eq!(*queue.recv()?.data(), 1);
    Ok(())
}

#[test]
fn f14_unblocking_does_not_wait_behind_messages_and_is_not_a_message() -> Result<()> {
    let bus = bus();
    let queue = bus.message_queue(PING, KITCHEN)?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    queue.unblock();
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.recv().unwrap_err(), BusError::Unblocked);
    assert_eq!(*queue.recv()?.data(), 1);
    assert!(queue.try_recv().is_none());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| queue.recv());
        queue.unblock();
        assert_eq!(waiter.join().unwrap().unwrap_err(), BusError::Unblocked);
    });
    let empty = queue.recv_timeout(Duration::ZERO).unwrap_err();
    assert_eq!(
        empty,
        BusError::Empty {
            after: Duration::ZERO
        }
    );
    Ok(())
}

#[test]
fn a_closed_queue_can_be_emptied_and_then_says_that_it_is_closed() -> Result<()> {
    let bus = bus();
    let queue = bus.message_queue(PING, KITCHEN)?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    queue.close();
    bus.trigger_event(PING, KITCHEN, 2)?;
    assert_eq!(*queue.recv()?.data(), 1);
    assert!(matches!(queue.recv(), Err(BusError::Closed { .. })));
    drop(queue);
    assert!(bus.state().dispatchers.is_empty());
    Ok(())
}

#[test]
fn f12_a_queue_is_bounded_and_counts_what_it_loses() -> Result<()> {
    let bus = bus();
    let queue = bus
        .message_queue_of([PING])
        .bound(NonZeroUsize::MIN)
        .open()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    let report = bus.trigger_event(PING, KITCHEN, 2)?;
    assert_eq!(
        report.failed()[0].error.to_string(),
        "the queue of dispatcher `queue of PING` is full (1 messages)"
    );
    assert_eq!((queue.len(), queue.lost()), (1, 1));
    queue.clear();
    assert!(queue.is_empty());
    Ok(())
}

#[test]
fn a_queue_says_how_much_it_holds_and_lost_and_ends_when_it_is_dropped() -> Result<()> {
    let bus = bus();
    let queue = bus
        .message_queue_of([PING])
        .bound(NonZeroUsize::MIN)
        .open()?;
    assert!(queue.is_empty());
    assert_eq!((queue.len(), queue.lost()), (0, 0));
    for number in 0..3 {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    assert!(!queue.is_empty());
    assert_eq!((queue.len(), queue.lost()), (1, 2));
    drop(queue);
    assert!(bus.state().dispatchers.is_empty());
    let report = bus.trigger_event(PING, KITCHEN, 1)?;
    assert_eq!((report.delivered, report.failed().len()), (0, 0));
    Ok(())
}
