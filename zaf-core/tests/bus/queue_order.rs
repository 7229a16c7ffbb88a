//! One queue holds messages of different types and registrations, and has one order.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use zaf_core::Result;
use zaf_core::message::{
    BusLimits, DispatchReport, DispatcherKind, EndpointId, EventId, MessageBus, QueuePolicy,
    Replies, ReplyError,
};

use super::{ASK, CELLAR, Gate, KITCHEN, LONG, Log, PING, PONG, bus};

const GARDEN: EndpointId = EndpointId::new("garden", "Where herbs come from.");
/// Of another type than the other events.
const WORD: EventId<String> = EventId::new("WORD", "Somebody said something.");

/// One way to put a number into the queue.
#[derive(Debug, Clone, Copy)]
enum Way {
    Ping,
    /// The same message from another endpoint: another registration of the same type.
    PingFromTheCellar,
    /// An event that another queue gets as well, so that they share it.
    Pong,
    Word,
    Ask,
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        3 => Just(Way::Ping),
        1 => Just(Way::PingFromTheCellar),
        1 => Just(Way::Pong),
        1 => Just(Way::Word),
        1 => Just(Way::Ask),
    ]
}

/// What is expected of a queue with the policy "drop the oldest" and then its end.
fn check(ways: &[Way], bound: usize, is_destroyed: bool) -> Result<()> {
    let bus = bus();
    bus.define(GARDEN, &[WORD.descriptor()])?;
    let gate = Gate::new();
    let log = Log::new();
    let first = gate.clone();
    let [pings, shared, words, asked] = std::array::from_fn(|_| log.clone());
    let dispatcher = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .queue(
            QueuePolicy::DropOldest,
            NonZeroUsize::new(bound).expect("not zero"),
        )
        .on(PING, move |message, _| {
            if *message.data() == 0 {
                first.pass();
            }
            pings.add(*message.data());
            Ok(())
        })
        .on(PONG, move |message, _| {
            shared.add(*message.data());
            Ok(())
        })
        .on(WORD, move |message, _| {
            words.add(message.data().parse()?);
            Ok(())
        })
        .on(ASK, move |message, _| {
            asked.add(*message.data());
            Ok(*message.data() * 2)
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Sequential, "another")
        .on(PONG, |_, _| Ok(()))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 0)?;
    gate.wait_for_arrival();

    let mut queued = VecDeque::new();
    let mut dropped = Vec::new();
    let mut answers: Vec<(u32, Replies<u32>)> = Vec::new();
    for (number, way) in (1..).zip(ways) {
        let all_got_it = |report: DispatchReport| assert!(report.refused().is_empty());
        match way {
            Way::Ping => all_got_it(bus.trigger_event(PING, KITCHEN, number)?),
            Way::PingFromTheCellar => all_got_it(bus.trigger_event(PING, CELLAR, number)?),
            Way::Pong => all_got_it(bus.trigger_event(PONG, KITCHEN, number)?),
            Way::Word => all_got_it(bus.trigger_event(WORD, GARDEN, number.to_string())?),
            Way::Ask => answers.push((number, bus.send_request(ASK, KITCHEN, number)?)),
        }
        if queued.len() == bound {
            dropped.extend(queued.pop_front());
        }
        queued.push_back(number);
    }
    assert_eq!(dispatcher.state().queued, queued.len());
    if is_destroyed {
        // The handler at the gate goes on meanwhile; what is queued is settled before it ends.
        let ending = {
            let dispatcher = dispatcher.clone();
            zaf_core::thread::spawn("destroys", move || dispatcher.destroy())?
        };
        while dispatcher.state().queued > 0 {
            std::thread::yield_now();
        }
        gate.let_through(1);
        ending.join().expect("destroy does not panic");
    } else {
        gate.let_through(1);
        bus.wait_until_idle(LONG)?;
    }

    let handled: Vec<u32> = log.take();
    let counters = dispatcher.counters();
    assert_eq!(counters.dropped, dropped.len() as u64);
    assert_eq!(counters.accepted, ways.len() as u64 + 1);
    if is_destroyed {
        assert_eq!(handled, [0]);
        assert_eq!(counters.cancelled, queued.len() as u64);
    } else {
        assert_eq!(handled[..1], [0]);
        assert_eq!(handled[1..], *queued.make_contiguous());
        assert_eq!(counters.handled, Some(handled.len() as u64));
    }
    for (number, mut answer) in answers {
        let result = answer.next(LONG).expect("one owes it").result;
        match result {
            Ok(value) => {
                assert_eq!(value, number * 2);
                assert!(handled.contains(&number));
            }
            Err(ReplyError::Rejected { .. }) => assert!(dropped.contains(&number)),
            Err(ReplyError::Cancelled { .. }) => {
                assert!(is_destroyed && queued.contains(&number));
            }
            Err(other) => panic!("{other}"),
        }
    }
    bus.shutdown(LONG)?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_all_types_leave_a_queue_in_the_order_in_which_they_came(
        ways in prop::collection::vec(way(), 0..24),
        bound in 1..16_usize,
        is_destroyed: bool,
    ) {
        check(&ways, bound, is_destroyed).unwrap();
    }
}

#[test]
fn a_full_queue_makes_way_for_another_one_that_wants_the_only_thread() -> Result<()> {
    const MESSAGES: u32 = 5_000;
    let bus = MessageBus::with_limits(BusLimits::default().max_threads(NonZeroUsize::MIN));
    bus.define(KITCHEN, &[PING.descriptor(), PONG.descriptor()])?;
    let gate = Gate::new();
    let entry = gate.clone();
    let log = Log::new();
    let (many, one) = (log.clone(), log.clone());
    bus.dispatcher(DispatcherKind::Concurrent, "many")
        .on(PING, move |message, _| {
            if *message.data() == 0 {
                entry.pass();
            }
            many.add(("many", *message.data()));
            Ok(())
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Concurrent, "one")
        .on(PONG, move |message, _| {
            one.add(("one", *message.data()));
            Ok(())
        })
        .register()?;
    for number in 0..MESSAGES {
        bus.trigger_event(PING, KITCHEN, number)?;
    }
    gate.wait_for_arrival();
    bus.trigger_event(PONG, KITCHEN, 0)?;
    gate.let_through(1);
    bus.wait_until_idle(LONG)?;
    let mut entries = log.take();
    let turn = entries.iter().position(|entry| *entry == ("one", 0));
    assert!(turn.is_some_and(|at| at < MESSAGES as usize), "{turn:?}");
    // None is lost for it, none is handled twice, and the order is what it was.
    entries.retain(|(handler, _)| *handler == "many");
    let expected: Vec<_> = (0..MESSAGES).map(|number| ("many", number)).collect();
    assert_eq!(entries, expected);
    bus.shutdown(LONG)?;
    Ok(())
}
