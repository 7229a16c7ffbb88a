//! What sending allocates: `cargo bench -p zaf-core --bench allocations`. A binary of its own, because an allocator that counts slows down
//! what `targets` measures.
//!
//! Prints one line for each target as `targets` does, and takes the same arguments.

#[path = "../measure/mod.rs"]
#[expect(
    dead_code,
    reason = "nothing takes turns here, and there is one sender"
)]
mod measure;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use zaf_core::message::DispatcherKind;

use measure::bus::{LONG, Sum, ask_one, bus_with, finish, trigger};
use measure::report::{Options, Report, row};
use measure::rounds::Series;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often each work is done in a round: more than once, so that an allocation now and then shows too.
const COUNT: u32 = 100;

/// Rounds, of which the median counts: in some a thread of the pool comes or a queue grows.
const ROUNDS: usize = 51;

/// Allocations of all threads for each call, one figure for each round.
fn allocations(mut work: impl FnMut()) -> Series {
    // What is allocated once is there after the first round.
    let rounds = (0..=ROUNDS).map(|_| {
        let region = Region::new(ALLOCATOR);
        for _ in 0..COUNT {
            work();
        }
        let count = u32::try_from(region.change().allocations).unwrap_or(u32::MAX);
        f64::from(count) / f64::from(COUNT)
    });
    rounds.skip(1).collect()
}

fn main() -> std::process::ExitCode {
    let mut report = Report::new("allocations", Options::read());
    let callbacks = [
        ("allocations of an event to a callback", 1),
        ("allocations of an event to 10 callbacks", 10),
    ];
    for (name, count) in callbacks {
        let bus = bus_with(count, DispatcherKind::Callback, &Sum::default());
        add(&mut report, name, count, 0.0, || trigger(&bus));
    }
    let bus = bus_with(1, DispatcherKind::Callback, &Sum::default());
    add(
        &mut report,
        "allocations of a request to a callback",
        1,
        0.0,
        || ask_one(&bus),
    );
    let bus = bus_with(1, DispatcherKind::Sequential, &Sum::default());
    add(
        &mut report,
        "allocations of an event to a sequential dispatcher",
        1,
        1.0,
        || {
            trigger(&bus);
            finish(&bus);
        },
    );
    bus.shutdown(LONG).expect("handlers end");
    report.end(include_str!("../../../Cargo.lock"), &[])
}

fn add(report: &mut Report, name: &str, dispatchers: usize, limit: f64, work: impl FnMut()) {
    if report.wants("allocations") {
        let mut row = row("allocations", name, dispatchers);
        "allocations".clone_into(&mut row.unit);
        report.absolute(row, &allocations(work), limit);
    }
}
