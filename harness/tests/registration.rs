//! What an extension declares holds in a harness as in an application: priority, optional handlers, number of workers, activation.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const DESK: EndpointId = EndpointId::new("registration-desk", "Where somebody is asked.");
const RANKED: EventId<()> = EventId::new("RANKED", "Who hears of it first?");
const HEARD: EventId<&str> = EventId::new("HEARD", "Somebody has heard of it.");
const JOINED: RequestId<(), usize> = RequestId::new("JOINED", "How many are there together?");
const SELDOM: RequestId<(), ()> = RequestId::new("SELDOM", "Is defined here and there.");
const ALWAYS: RequestId<(), ()> = RequestId::new("ALWAYS", "Is defined everywhere.");

/// Switches the extension on.
const ON: OptionId<bool> = OptionId::flag("registration.on")
    .describe("Whether it takes part")
    .default(false);

/// Where handlers that run at the same time meet; provided by tests.
#[derive(Debug, Default)]
struct Meeting {
    /// How many have come, and how many are needed.
    come: Mutex<(usize, usize)>,
    all_are_there: Condvar,
}

impl Meeting {
    fn of(needed: usize) -> Arc<Self> {
        let meeting = Self::default();
        meeting.come.lock().1 = needed;
        Arc::new(meeting)
    }

    /// Waits until all are there, or for ten seconds; how many there are.
    fn join(&self) -> usize {
        let mut come = self.come.lock();
        come.0 += 1;
        self.all_are_there.notify_all();
        let limit = Duration::from_secs(10);
        self.all_are_there
            .wait_while_for(&mut come, |(come, needed)| come < needed, limit);
        come.0
    }
}

#[command_extension(
    name = "registered",
    extends = ["anything"],
    config_options = [ON.required()],
    activate_on = [ON],
    endpoints_and_messages = { DESK: [HEARD] },
)]
#[derive(Debug)]
struct Registered;

impl Extension for Registered {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Registered {
    #[callback_dispatcher(RANKED, optional = true, priority = -3)]
    fn last(&self, _: &Message<()>, bus: &MessageBus) -> Result<()> {
        bus.trigger_event(HEARD, DESK, "last")?;
        Ok(())
    }

    #[callback_dispatcher(RANKED, optional = true, priority = 7)]
    fn first(&self, _: &Message<()>, bus: &MessageBus) -> Result<()> {
        bus.trigger_event(HEARD, DESK, "first")?;
        Ok(())
    }

    #[callback_dispatcher(RANKED, optional = true)]
    fn between(&self, _: &Message<()>, bus: &MessageBus) -> Result<()> {
        bus.trigger_event(HEARD, DESK, "between")?;
        Ok(())
    }

    #[threadpool_dispatcher(JOINED, optional = true, workers = 3)]
    fn join(&self, _: &Message<()>, meeting: &Meeting) -> usize {
        meeting.join()
    }

    #[callback_dispatcher(SELDOM, optional = true)]
    fn seldom(&self, _: &Message<()>) {}

    #[callback_dispatcher(ALWAYS)]
    fn always(&self, _: &Message<()>) {}
}

fn registered(on: bool) -> zaf_harness::HarnessBuilder<Registered> {
    ExtensionTestHarness::builder()
        .config(ON, on)
        .component(Meeting::of(3))
}

#[test]
fn handlers_hear_of_a_message_in_the_order_of_their_priorities() -> TestResult {
    let harness = registered(true)
        .define(MOCK_ENDPOINT, [RANKED])
        .define(MOCK_ENDPOINT, [ALWAYS])
        .start()?;
    let queue = harness.message_queue([HEARD])?;
    harness.trigger_event(RANKED, MOCK_ENDPOINT, ())?;
    for who in ["first", "between", "last"] {
        assert_eq!(*queue.recv_timeout(Duration::from_secs(10))?.data(), who);
    }
    harness.destroy()?;
    Ok(())
}

#[test]
fn a_pool_has_the_workers_that_were_declared() -> TestResult {
    let harness = registered(true)
        .define(MOCK_ENDPOINT, [JOINED])
        .define(MOCK_ENDPOINT, [ALWAYS])
        .start()?;
    // None of them answers before all three are at work.
    let asked: Vec<_> = (0..3)
        .map(|_| harness.send_request(JOINED, MOCK_ENDPOINT, ()))
        .collect::<Result<_, _>>()?;
    for replies in asked {
        assert_eq!(replies.values(Duration::from_mins(1))?, [3]);
    }
    harness.destroy()?;
    Ok(())
}

#[test]
fn a_message_that_nobody_defines_is_an_error_unless_the_handler_is_optional() -> TestResult {
    // Nobody defines `SELDOM`, `RANKED` and `JOINED`.
    let harness = registered(true).define(MOCK_ENDPOINT, [ALWAYS]).start()?;
    harness.destroy()?;
    let error = registered(true)
        .define(MOCK_ENDPOINT, [SELDOM])
        .start()
        .expect_err("nobody defines `ALWAYS`");
    let text = format!("{error:#}");
    assert!(
        text.contains("ALWAYS") && text.contains("registered"),
        "{text}"
    );
    assert!(!text.contains("RANKED"), "{text}");
    Ok(())
}

#[test]
fn an_extension_that_is_not_activated_hears_nothing() -> TestResult {
    let harness = registered(true).define(MOCK_ENDPOINT, [ALWAYS]).start()?;
    assert!(harness.is_active());
    let replies = harness.send_request(ALWAYS, MOCK_ENDPOINT, ())?;
    assert_eq!(replies.values(Duration::from_secs(10))?.len(), 1);
    harness.destroy()?;
    let harness = registered(false).define(MOCK_ENDPOINT, [ALWAYS]).start()?;
    assert!(!harness.is_active());
    let error = harness
        .send_request(ALWAYS, MOCK_ENDPOINT, ())
        .expect_err("its handler is not registered");
    assert!(error.to_string().contains("nobody answers"), "{error}");
    harness.destroy()?;
    Ok(())
}
