//! Events to callbacks. Handlers only look at the number, so that several senders meet at the bus and not at a sum.

use std::cell::RefCell;
use std::hint::black_box;

use bevy_ecs::event::Event;
use bevy_ecs::observer::On;
use bevy_ecs::world::World;
use hey_listen::sync::{PriorityDispatcher, PriorityDispatcherResult, PriorityListener};
use mod_events::EventDispatcher;

use crate::measure::bus::{bus_that_shares_nothing, trigger};
use crate::measure::record::Row;
use crate::measure::report::{Report, row};
use crate::measure::rounds::{Work, by_turns, nanoseconds};
use crate::measure::senders::as_each_sees_it;
use crate::measure::yardsticks::Functions;
use crate::verdict::{Role, filled};

const ROUNDS: usize = 41;

/// The event, in each crate's terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Tick(u64);

impl Event for Tick {
    type Trigger<'a> = bevy_ecs::event::GlobalTrigger;
}

impl mod_events::Event for Tick {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl event_bus::Event for Tick {}

struct Listener;

impl PriorityListener<Tick> for Listener {
    fn on_event(&self, tick: &Tick) -> Option<PriorityDispatcherResult> {
        black_box(tick.0);
        None
    }
}

pub(crate) fn measure(report: &mut Report) {
    for (count, repetitions) in [(1, 500), (10, 300), (100, 50), (1_600, 4)] {
        for senders in [1, 2, 4] {
            let work = format!("callbacks-{count}x{senders}");
            if report.wants(&work) {
                let row = row(work, name(count, senders), count);
                report.add(compare(Row { senders, ..row }, repetitions));
            }
        }
    }
}

fn name(count: usize, senders: usize) -> String {
    let callbacks = if count == 1 { "callback" } else { "callbacks" };
    let senders = if senders == 1 {
        String::new()
    } else {
        format!(", {senders} senders")
    };
    format!("event to {count} {callbacks}{senders}")
}

fn compare(row: Row, repetitions: u32) -> Row {
    let (count, senders) = (row.dispatchers, row.senders);
    let bus = bus_that_shares_nothing(count);
    let functions = Functions::that_share_nothing(count);
    let mod_events = EventDispatcher::new();
    let name = format!("peers {count} {senders}");
    let event_bus = event_bus::EventBus::new(name.clone());
    for _ in 0..count {
        mod_events.on(|tick: &Tick| {
            black_box(tick.0);
        });
        event_bus::subscribe_event(
            &name,
            |tick: &mut Tick| {
                black_box(tick.0);
            },
            0,
        );
    }
    type Shared<'a> = (Role, &'a str, Box<dyn Fn() + Sync + 'a>);
    let shared: [Shared<'_>; 4] = [
        (Role::Ours, "zaf", Box::new(|| trigger(&bus))),
        (
            Role::Floor,
            "snapshot of functions",
            Box::new(|| functions.call(black_box(1))),
        ),
        (
            Role::Peer,
            "mod-events",
            Box::new(|| drop(mod_events.dispatch(Tick(black_box(1))))),
        ),
        (
            Role::Peer,
            "event-bus",
            Box::new(|| event_bus::dispatch_event(&name, &mut Tick(black_box(1)))),
        ),
    ];
    // These want `&mut`, so nobody else may send: what such a thing costs, not a peer.
    let (world, dispatcher) = (
        RefCell::new(observers(count)),
        RefCell::new(listeners(count)),
    );
    let alone: [(&str, Box<dyn Fn() + '_>); 2] = [
        (
            "bevy_ecs",
            Box::new(|| world.borrow_mut().trigger(Tick(black_box(1)))),
        ),
        (
            "hey_listen",
            Box::new(|| dispatcher.borrow_mut().dispatch_event(black_box(&Tick(1)))),
        ),
    ];
    let mut contestants: Vec<(Role, &str, Box<dyn FnMut() -> [f64; 1] + '_>)> = Vec::new();
    for (role, name, send) in &shared {
        let round = move || [as_each_sees_it(senders, repetitions, send)];
        contestants.push((*role, name, Box::new(round)));
    }
    if senders == 1 {
        for (name, send) in &alone {
            let round = move || [nanoseconds(repetitions, send)];
            contestants.push((Role::Floor, name, Box::new(round)));
        }
    }
    let roles: Vec<(Role, &str)> = contestants
        .iter()
        .map(|(role, name, _)| (*role, *name))
        .collect();
    let mut works: Vec<Work<'_>> = contestants
        .iter_mut()
        .map(|(.., round)| &mut **round as _)
        .collect();
    let series = by_turns(ROUNDS, &mut works);
    let results: Vec<_> = roles
        .iter()
        .zip(&series)
        .map(|((role, name), [series])| (*role, *name, series))
        .collect();
    let row = filled(row, &results);
    drop(event_bus);
    row
}

fn observers(count: usize) -> World {
    let mut world = World::new();
    for _ in 0..count {
        world.add_observer(|tick: On<'_, '_, Tick>| {
            black_box(tick.0);
        });
    }
    world.flush();
    world
}

fn listeners(count: usize) -> PriorityDispatcher<u32, Tick> {
    let mut dispatcher = PriorityDispatcher::default();
    for _ in 0..count {
        dispatcher.add_listener(Tick(1), Listener, 0);
    }
    dispatcher
}
