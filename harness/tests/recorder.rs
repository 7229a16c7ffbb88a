//! Expectations, and what their failures say.

use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const HERE: EndpointId = EndpointId::new("recorder-here", "One place.");
const THERE: EndpointId = EndpointId::new("recorder-there", "Another place.");
const RISEN: EventId<u32> = EventId::new("RISEN", "A level has risen.");
const FALLEN: EventId<u32> = EventId::new("FALLEN", "A level has fallen.");

#[framework_extension(
    name = "levels",
    load_order = 101,
    endpoints_and_messages = { HERE: [RISEN, FALLEN], THERE: [RISEN] },
)]
#[derive(Debug)]
struct Levels;

impl Extension for Levels {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn start() -> Result<ExtensionTestHarness<Levels>> {
    ExtensionTestHarness::builder().start()
}

#[test]
fn expectations_take_what_fits_and_leave_the_rest() -> TestResult {
    let harness = start()?;
    let recorder = harness.record([RISEN, FALLEN])?;
    harness.trigger_event(RISEN, HERE, 1)?;
    harness.trigger_event(RISEN, THERE, 2)?;
    harness.trigger_event(FALLEN, HERE, 3)?;
    harness
        .bus()
        .trigger_event_for(RISEN, HERE, &Entity::new("tank"), 4)?;
    recorder.expect(FALLEN).arrives()?;
    assert_eq!(
        *recorder.expect(RISEN).for_entity("tank").arrives()?.data(),
        4
    );
    assert_eq!(*recorder.expect(RISEN).from(THERE).arrives()?.data(), 2);
    let error = recorder.expect_nothing_else().expect_err("one is left");
    assert_eq!(
        error.to_string(),
        "expected nothing else; got: \n  RISEN from recorder-here: 1"
    );
    recorder.expect(RISEN).with(|level| *level == 1).arrives()?;
    recorder.expect_nothing_else()?;
    assert_eq!(recorder.messages().len(), 4);
    Ok(())
}

#[test]
fn an_expectation_waits_for_what_another_thread_sends() -> TestResult {
    let harness = start()?;
    let recorder = harness.record([RISEN])?;
    let bus = harness.bus().clone();
    let thread = zaf_core::thread::spawn("late", move || {
        bus.trigger_event(RISEN, HERE, 1)?;
        bus.trigger_event(RISEN, HERE, 2)
    })?;
    recorder.expect(RISEN).with(|level| *level == 2).arrives()?;
    thread.join()??;
    Ok(())
}

#[test]
fn a_failure_lists_what_came_and_the_nearest() -> TestResult {
    let harness = start()?;
    let recorder = harness.record([RISEN, FALLEN])?;
    let expectation = || recorder.expect(RISEN).from(THERE).within(Duration::ZERO);
    let error = expectation().arrives().expect_err("nothing was sent");
    assert_eq!(
        error.to_string(),
        "expected RISEN from recorder-there within 0ns; got: nothing"
    );
    harness.trigger_event(FALLEN, HERE, 5)?;
    harness
        .bus()
        .trigger_event_for(RISEN, THERE, &Entity::new("tank"), 6)?;
    let error = expectation()
        .for_entity("pool")
        .arrives()
        .expect_err("no pool");
    assert_eq!(
        error.to_string(),
        "expected RISEN from recorder-there for `pool` within 0ns; got: \n  \
         1. FALLEN from recorder-here: 5\n  \
         2. RISEN from recorder-there for `tank`: 6 <- nearest: another entity"
    );
    expectation().arrives()?;
    let error = expectation().arrives().expect_err("it was taken");
    let text = error.to_string();
    assert!(text.ends_with("6 <- nearest: expected before"), "{text}");
    Ok(())
}

#[test]
fn a_failure_reads_as_the_book_says() -> TestResult {
    const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
    const SERVED: EventId<u32> = EventId::new("SERVED", "A table has its meal.");
    let harness = ExtensionTestHarness::<Levels>::builder()
        .define(KITCHEN, [SERVED])
        .start()?;
    let recorder = harness.record([SERVED])?;
    harness.trigger_event(SERVED, KITCHEN, 8)?;
    let page = include_str!("../../docs/src/testing-extensions.md");
    // The page has the limit that there is if nothing is said, for which no test waits.
    let page = page.replace("within 10s", "within 0ns");
    let expectation = recorder.expect(SERVED).from(KITCHEN).within(Duration::ZERO);
    let error = expectation.with(|table| *table == 7).arrives();
    let text = error.expect_err("another table").to_string();
    let text = text.replace(" \n", "\n");
    assert!(
        page.contains(&format!("\n```text\n{text}\n```\n")),
        "{text}"
    );
    Ok(())
}
