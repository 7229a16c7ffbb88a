//! Handlers that ask for a component, as authors write them: an extension with the dispatcher's attribute.

use std::sync::Arc;

use zaf_core::message::MessageBus;
use zaf_core::prelude::*;
use zaf_harness::ExtensionTestHarness;

use crate::measure::bus::{HERE, Sum, TICK, add, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, nanoseconds};

/// A component of the session.
struct Total(Sum);

/// Its handler asks for the sum.
#[framework_extension(name = "asks", load_order = 101)]
struct Asks;

impl Extension for Asks {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Asks {
    #[callback_dispatcher(TICK, endpoints = [HERE])]
    fn on_tick(&self, message: &Message<u64>, total: &Total) {
        add(&total.0, *message.data());
    }
}

/// Its handler has the sum.
#[framework_extension(name = "has", load_order = 101)]
struct Has(Sum);

impl Extension for Has {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(Sum::default()))
    }
}

#[dispatchers]
impl Has {
    #[callback_dispatcher(TICK, endpoints = [HERE])]
    fn on_tick(&self, message: &Message<u64>) {
        add(&self.0, *message.data());
    }
}

pub(crate) fn one_of_the_session(report: &mut Report, work: &str) {
    const ROUNDS: usize = 601;
    const REPETITIONS: u32 = 4_000;
    let asks = ExtensionTestHarness::<Asks>::builder()
        .define(HERE, [TICK])
        .component(Arc::new(Total(Sum::default())))
        .start()
        .expect("all that it asks for is there");
    let has = ExtensionTestHarness::<Has>::builder()
        .define(HERE, [TICK])
        .start()
        .expect("it asks for nothing");
    let events = |bus: &MessageBus| [nanoseconds(REPETITIONS, || trigger(bus))];
    let [[own], [other]] = duel(ROUNDS, || events(asks.bus()), || events(has.bus()));
    let row = row(work, "handler with a component of the session", 1);
    report.ratio(row, [&own, &other], "without", 1.2);
}
