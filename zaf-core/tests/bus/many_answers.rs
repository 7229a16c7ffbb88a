//! One request to so many queues that they go to the pool together.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zaf_core::message::{DispatcherKind, MessageBus, QueuePolicy, ReplyError};
use zaf_core::{Error, Result};

use super::{ASK, CELLAR, Gate, KITCHEN, LONG, bus};

/// More than two teams, and the last one is not full.
const MANY: u32 = 40;

const KINDS: [DispatcherKind; 5] = [
    DispatcherKind::Sequential,
    DispatcherKind::Sequential,
    DispatcherKind::Callback,
    DispatcherKind::ThreadPool,
    DispatcherKind::Concurrent,
];

fn kind(receiver: u32) -> DispatcherKind {
    KINDS[receiver as usize % KINDS.len()]
}

/// Answers the number that was asked times a hundred and its own.
fn register(bus: &MessageBus, receiver: u32, kind: DispatcherKind) -> Result<()> {
    bus.dispatcher(kind, format!("{receiver}"))
        .on(ASK, move |message, _| Ok(message.data() * 100 + receiver))
        .register()?;
    Ok(())
}

#[test]
fn b1_many_answer_in_the_order_of_their_registration_whatever_lies_between_them() -> Result<()> {
    const SENDERS: u32 = 3;
    let bus = bus();
    for receiver in 0..MANY {
        register(&bus, receiver, kind(receiver))?;
    }
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let bus = &bus;
            scope.spawn(move || {
                for number in 0..50 {
                    let number = sender * 50 + number;
                    let replies = bus.send_request(ASK, KITCHEN, number).unwrap();
                    let mut expected = 0..MANY;
                    for reply in replies.all(LONG) {
                        let receiver = expected.next().unwrap();
                        assert_eq!(*reply.handler, *receiver.to_string());
                        assert_eq!(reply.result.unwrap(), number * 100 + receiver);
                    }
                    assert!(expected.next().is_none());
                }
            });
        }
    });
    bus.wait_until_idle(LONG)?;
    bus.shutdown(LONG)?;
    assert_eq!(bus.state().threads, 0);
    Ok(())
}

#[test]
fn b5_handlers_that_block_hold_no_neighbour_s_answer_back() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    for receiver in 0..MANY {
        let gate = gate.clone();
        bus.dispatcher(DispatcherKind::Sequential, format!("{receiver}"))
            .on(ASK, move |_, _| {
                // Two of each team.
                if receiver % 8 == 1 {
                    gate.pass();
                }
                Ok(receiver)
            })
            .register()?;
    }
    let blocked = (0..MANY).filter(|receiver| receiver % 8 == 1).count();
    let mut answers = bus.send_request(ASK, KITCHEN, 0)?.as_completed(LONG);
    let first: Vec<u32> = answers
        .by_ref()
        .take(MANY as usize - blocked)
        .map(|reply| reply.result.unwrap())
        .collect();
    assert!(first.iter().all(|receiver| receiver % 8 != 1), "{first:?}");
    gate.let_through(blocked);
    assert!(answers.all(|reply| reply.result.is_ok_and(|receiver| receiver % 8 == 1)));
    bus.wait_until_idle(LONG)?;
    Ok(())
}

#[test]
fn b6_what_goes_wrong_at_some_of_many_is_in_their_places() -> Result<()> {
    let bus = bus();
    let gate = Gate::new();
    let mut dispatchers = Vec::new();
    for receiver in 0..MANY {
        let gate = gate.clone();
        let dispatcher = bus
            .dispatcher(DispatcherKind::Sequential, format!("{receiver}"))
            .queue(QueuePolicy::Reject, NonZeroUsize::MIN)
            .on(ASK, move |message, _| {
                match (*message.data(), receiver) {
                    (0, 7) => gate.pass(),
                    (2, 12) => panic!("at twelve"),
                    (2, 13) => return Err(Error::msg("at thirteen")),
                    _ => {}
                }
                Ok(receiver)
            })
            .register()?;
        dispatchers.push(dispatcher);
    }
    // One at the gate, and one that waits: the third finds no room there.
    let first = bus.send_request(ASK, KITCHEN, 0)?;
    gate.wait_for_arrival();
    let wait_for_others = || {
        let is_free = |receiver: usize| {
            let dispatcher = &bus.state().dispatchers[receiver];
            receiver == 7 || dispatcher.queued + dispatcher.active == 0
        };
        while !(0..MANY as usize).all(is_free) {
            std::thread::yield_now();
        }
    };
    wait_for_others();
    let second = bus.send_request(ASK, KITCHEN, 1)?;
    wait_for_others();
    dispatchers[21].destroy();
    let third = bus.send_request(ASK, KITCHEN, 2)?;
    gate.let_through(1);
    let places = |replies: Vec<zaf_core::message::Reply<u32>>| -> Vec<String> {
        let place = |reply: zaf_core::message::Reply<u32>| match reply.result {
            Ok(receiver) => receiver.to_string(),
            Err(ReplyError::Rejected { handler, .. }) => format!("{handler} rejected"),
            Err(ReplyError::Panicked { handler, .. }) => format!("{handler} panicked"),
            Err(ReplyError::Failed { handler, .. }) => format!("{handler} failed"),
            Err(other) => format!("{other:?}"),
        };
        replies.into_iter().map(place).collect()
    };
    let all: Vec<String> = (0..MANY).map(|receiver| receiver.to_string()).collect();
    assert_eq!(places(first.all(LONG)), all);
    assert_eq!(places(second.all(LONG)), all);
    let mut expected = all;
    expected[7].push_str(" rejected");
    expected[12].push_str(" panicked");
    expected[13].push_str(" failed");
    expected.remove(21);
    assert_eq!(places(third.all(LONG)), expected);
    bus.wait_until_idle(LONG)?;
    Ok(())
}

#[test]
fn b1_who_answers_at_several_endpoints_answers_once_also_among_many() -> Result<()> {
    let bus = bus();
    let asked = Arc::new(AtomicU32::new(0));
    for receiver in 0..MANY {
        let asked = Arc::clone(&asked);
        bus.dispatcher(kind(receiver), format!("{receiver}"))
            .on(ASK, move |_, _| Ok(asked.fetch_add(1, Ordering::SeqCst)))
            .endpoints([KITCHEN, CELLAR])
            .register()?;
    }
    let replies = bus.send_request_everywhere(ASK, None, 1)?.all(LONG);
    let handlers = replies.iter().map(|reply| reply.handler.to_string());
    assert!(handlers.eq((0..MANY).map(|receiver| receiver.to_string())));
    assert!(replies.iter().all(|reply| reply.result.is_ok()));
    bus.wait_until_idle(LONG)?;
    assert_eq!(asked.load(Ordering::SeqCst), MANY);
    Ok(())
}

#[test]
fn a9_what_was_asked_before_a_callback_is_answered_while_that_runs() -> Result<()> {
    let bus = bus();
    let (said, heard) = crossbeam_channel::unbounded();
    for receiver in 0..MANY {
        let (said, heard) = (said.clone(), heard.clone());
        let kind = if receiver == 20 {
            DispatcherKind::Callback
        } else {
            DispatcherKind::Sequential
        };
        bus.dispatcher(kind, format!("{receiver}"))
            .on(ASK, move |_, _| {
                match receiver {
                    3 | 18 => said.send(receiver).unwrap(),
                    20 => {
                        let mut both = [0; 2].map(|_| heard.recv_timeout(LONG).unwrap());
                        both.sort_unstable();
                        assert_eq!(both, [3, 18]);
                    }
                    _ => {}
                }
                Ok(receiver)
            })
            .register()?;
    }
    let values = bus.send_request(ASK, KITCHEN, 0)?.values(LONG)?;
    assert!(values.into_iter().eq(0..MANY));
    bus.wait_until_idle(LONG)?;
    Ok(())
}
