//! What it costs to hand out a case: `cargo bench -p k2 --bench scheduling`.
//!
//! Fills the queue with 50 000 cases through its request, and takes them out one by one with `SCHEDULE_NEXT_TEST`, as workers do; each is then
//! told as finished, as for a queue of one worker. Everything goes over the bus. In the second row three extensions listen: one to each of the
//! hand-outs, one to the end of each case, one to changes of the queue.
//!
//! Prints one line per target, like `targets`, and ends with 1 if any falls short.

mod measure;

use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use k2::case::{CaseAction, CaseId, TestCase};
use k2::messages::{RUNNER, TEST_CASE_FINISHED, TestCaseFinished};
use k2::scheduler::{
    FILL_RUN_QUEUE, FillRunQueue, NextTest, RUN_QUEUE_MODIFIED, SCHEDULE_NEXT_TEST, SCHEDULER,
    SCHEDULING_NEXT_TEST, TestScheduler,
};
use zaf_core::application::{ABORT, CRITICAL_ABORT};
use zaf_core::message::{DispatcherKind, MessageBus};
use zaf_harness::prelude::*;

use self::measure::{Result, Target, best, millis, print_all};

const CASES: u32 = 50_000;
const ROUNDS: usize = 5;
/// Every so many cases another one needs a resource that only one of them can have.
const LANES: u32 = 10;

fn main() -> ExitCode {
    measure().unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "scheduling: {error}"));
        ExitCode::from(101)
    })
}

fn measure() -> Result<ExitCode> {
    let (mut alone, mut listened, mut lanes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(hand_out_all(false, false).map_err(|error| format!("{error:#}"))?);
        listened.push(hand_out_all(true, false).map_err(|error| format!("{error:#}"))?);
        lanes.push(hand_out_all(false, true).map_err(|error| format!("{error:#}"))?);
    }
    let row = |name, times: &[Duration]| Target {
        name,
        measured: millis(best(times)) * 1000.0 / f64::from(CASES),
        limit: 2.0,
        unit: "µs",
    };
    print_all(&[
        row("scheduling, per case of 50 000", &alone),
        row("the same, three extensions listen", &listened),
        row("the same, ten kinds of resources", &lanes),
    ])
}

/// Time to fill a queue and take everything out again.
fn hand_out_all(is_listened_to: bool, needs_resources: bool) -> zaf_core::Result<Duration> {
    let harness = ExtensionTestHarness::<TestScheduler>::builder()
        .define(RUNNER, [TEST_CASE_FINISHED])
        .define(MOCK_ENDPOINT, [ABORT, CRITICAL_ABORT])
        .start()?;
    let heard = Arc::new(AtomicU32::new(0));
    if is_listened_to {
        listen(harness.bus(), &heard)?;
    }
    let cases = (0..CASES).map(|number| {
        let id = CaseId::new(format!("suite::module::case[number={number}]"));
        let mut case = TestCase::new(id, CaseAction::LoadFailure(String::new()));
        if needs_resources && number % 2 == 0 {
            case.need(&format!("resource-{}", number % LANES));
        }
        case
    });
    let cases: Vec<TestCase> = cases.collect();
    let begin = Instant::now();
    let found = FillRunQueue {
        found: cases.into(),
    };
    let filled = answer(harness.bus(), FILL_RUN_QUEUE, found)?;
    let mut count = 0;
    while let Some(case) = answer(harness.bus(), SCHEDULE_NEXT_TEST, NextTest::for_worker(1))? {
        count += 1;
        let finished = TestCaseFinished {
            case: case.id.clone(),
            ..TestCaseFinished::example()
        };
        harness
            .bus()
            .trigger_event(TEST_CASE_FINISHED, RUNNER, finished)?;
    }
    let took = begin.elapsed();
    drop(black_box(filled));
    if count != CASES || (is_listened_to && heard.load(Ordering::Relaxed) < 2 * CASES) {
        return Err(zaf_core::Error::msg(format!(
            "{count} of {CASES} cases were handed out"
        )));
    }
    Ok(took)
}

fn answer<P, R>(
    bus: &MessageBus,
    request: zaf_core::message::RequestId<P, R>,
    payload: P,
) -> zaf_core::Result<R>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    let mut replies = bus.send_request(request, SCHEDULER, payload)?;
    let reply = replies
        .next(Duration::MAX)
        .ok_or_else(|| zaf_core::Error::msg("nobody answers"))?;
    Ok(reply.result?)
}

/// Three listeners that count.
fn listen(bus: &MessageBus, heard: &Arc<AtomicU32>) -> zaf_core::Result<()> {
    let counter = || {
        let heard = Arc::clone(heard);
        move || {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    };
    let (next, finished, modified) = (counter(), counter(), counter());
    bus.dispatcher(DispatcherKind::Callback, "next")
        .on(SCHEDULING_NEXT_TEST, move |_, _| {
            next();
            Ok(())
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Callback, "finished")
        .on(TEST_CASE_FINISHED, move |_, _| {
            finished();
            Ok(())
        })
        .register()?;
    bus.dispatcher(DispatcherKind::Callback, "modified")
        .on(RUN_QUEUE_MODIFIED, move |_, _| {
            modified();
            Ok(())
        })
        .register()?;
    Ok(())
}
