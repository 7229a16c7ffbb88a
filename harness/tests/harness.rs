//! The harness itself: components for handlers, entities, failures that say what is wrong, and an end in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zaf_core::prelude::*;
use zaf_harness::HarnessError;
use zaf_harness::prelude::*;

const WHERE: EndpointId = EndpointId::new("where", "Where the extension listens.");
const ASKED: RequestId<String, String> = RequestId::new("ASKED", "Wants an answer.");
const SAID: EventId<u32> = EventId::new("SAID", "Something was said.");
const TOUCHED: RequestId<u32, String> = RequestId::new("TOUCHED", "Which board is it?");
const MOVED: EventId<u32> = EventId::new("MOVED", "A board was moved.");
const BOARDS: OptionId<Vec<Entity>> = OptionId::entities("harness.boards");

/// Value that the shell is made with.
const VALUE: OptionId<i64> = OptionId::integer("harness.value").default(1);

/// Lives as long as the session, and so sees all of its configuration.
#[derive(Debug)]
struct Shell {
    configured: i64,
}

#[component(scope = "session", can = ["harness-host"])]
fn host_shell(config: &ConfigView) -> Result<Shell> {
    Ok(Shell {
        configured: config.get(VALUE)?,
    })
}

/// A number that is new for each message.
#[derive(Debug)]
struct Stamp(usize);

/// Counts the stamps of one test; provided by tests.
#[derive(Debug, Default)]
struct Stamps(AtomicUsize);

#[component(scope = "message")]
fn stamp(stamps: &Stamps) -> Stamp {
    Stamp(stamps.0.fetch_add(1, Ordering::Relaxed))
}

#[command_extension(
    name = "answering",
    extends = ["answers"],
    config_options = [VALUE.required()],
    endpoints_and_messages = { WHERE: [ASKED, SAID] },
)]
#[derive(Debug)]
struct Answering;

impl Extension for Answering {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl BoardWatcher {
    #[callback_dispatcher(TOUCHED, entity = BOARDS, optional = true)]
    fn on_touched(&self, message: &Message<u32>) -> String {
        format!("{} {}", self.board.name(), message.data())
    }

    #[callback_dispatcher(MOVED, entity = BOARDS, optional = true)]
    fn on_moved(&self, message: &Message<u32>, bus: &MessageBus) -> Result<()> {
        bus.trigger_event_for(SAID, WHERE, &self.board, *message.data())?;
        Ok(())
    }
}

#[dispatchers]
impl Answering {
    #[callback_dispatcher(ASKED, endpoints = [WHERE], priority = 3)]
    #[requires(shell, can = ["harness-host"])]
    fn on_asked(&self, message: &Message<String>, shell: &Shell, stamp: &Stamp) -> String {
        format!("{} {} {}", message.data(), shell.configured, stamp.0)
    }
}

#[command_extension(
    name = "boardwatcher",
    extends = ["answers"],
    config_options = [BOARDS.instantiate_on()],
    endpoints_and_messages = { WHERE: [SAID] },
)]
#[derive(Debug)]
struct BoardWatcher {
    board: Entity,
    ends: AtomicUsize,
}

impl Extension for BoardWatcher {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let board = cx.entity().ok_or_else(|| Error::msg("no board"))?.clone();
        Ok(Self {
            board,
            ends: AtomicUsize::new(0),
        })
    }

    fn destroy(&self) -> Result<()> {
        self.ends.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn components_are_shared_or_made_for_each_message() -> TestResult {
    let harness = ExtensionTestHarness::<Answering>::builder()
        .config(VALUE, 7)
        .component(Arc::new(Stamps::default()))
        .start()?;
    for expected in ["a 7 0", "a 7 1", "a 7 2"] {
        let replies = harness.send_request(ASKED, WHERE, "a".to_owned())?;
        let answers = replies.values(Duration::from_secs(10))?;
        assert_eq!(answers, [expected]);
    }
    harness.wait_until_idle()?;
    harness.destroy()?;
    Ok(())
}

#[test]
fn a_missing_component_is_found_at_the_start() {
    let error = ExtensionTestHarness::<Answering>::builder()
        .start()
        .expect_err("nobody provides `Stamps`");
    let text = format!("{error:#}");
    assert!(
        text.contains("on_asked") && text.contains("Stamps"),
        "{text}"
    );
}

#[test]
fn an_instance_is_made_for_the_chosen_entity() -> TestResult {
    let boards = vec![Entity::new("left"), Entity::new("right")];
    let harness = ExtensionTestHarness::<BoardWatcher>::builder()
        .config(BOARDS, boards)
        .entity("right")
        .start()?;
    let extension = harness.extension();
    assert_eq!(extension.board.name(), "right");
    harness.destroy()?;
    assert_eq!(extension.ends.load(Ordering::Relaxed), 1);
    Ok(())
}

#[test]
fn messages_are_about_an_entity() -> TestResult {
    let boards = vec![Entity::new("left"), Entity::new("right")];
    let harness = ExtensionTestHarness::<BoardWatcher>::builder()
        .config(BOARDS, boards)
        .define(MOCK_ENDPOINT, [TOUCHED])
        .define(MOCK_ENDPOINT, [MOVED])
        .entity("right")
        .start()?;
    let recorder = harness.record([SAID])?;
    let replies = harness.send_request_for(TOUCHED, MOCK_ENDPOINT, "right", 3)?;
    assert_eq!(replies.values(Duration::from_secs(10))?, ["right 3"]);
    assert!(
        harness
            .send_request_for(TOUCHED, MOCK_ENDPOINT, "left", 3)
            .is_err()
    );
    for board in ["left", "right"] {
        harness.trigger_event_for(MOVED, MOCK_ENDPOINT, board, 4)?;
    }
    recorder
        .expect(SAID)
        .from(WHERE)
        .for_entity("right")
        .arrives()?;
    recorder.expect_nothing_else()?;
    Ok(())
}

#[test]
fn an_unknown_entity_is_refused() {
    let error = ExtensionTestHarness::<BoardWatcher>::builder()
        .config(BOARDS, vec![Entity::new("left")])
        .entity("middle")
        .start()
        .expect_err("there is no such board");
    assert_eq!(
        error.to_string(),
        "`middle` is no entity of `harness.boards`, which names: left"
    );
    let error = ExtensionTestHarness::<Answering>::builder()
        .entity("left")
        .start()
        .expect_err("it has no entities");
    assert!(matches!(
        error.downcast_ref(),
        Some(HarnessError::EntityUnexpected { .. })
    ));
}

#[test]
fn a_message_that_does_not_come_is_named_with_what_came() -> TestResult {
    let harness = ExtensionTestHarness::<BoardWatcher>::builder()
        .config(BOARDS, vec![Entity::new("left")])
        .start()?;
    let queue = harness.message_queue([SAID])?;
    harness.trigger_event(SAID, WHERE, 1)?;
    assert_eq!(*queue.recv_timeout(Duration::from_secs(10))?.data(), 1);
    let error = queue
        .recv_timeout(Duration::from_millis(1))
        .expect_err("only one was sent");
    assert_eq!(
        error.to_string(),
        "expected SAID within 1ms; got: SAID from where"
    );
    Ok(())
}
