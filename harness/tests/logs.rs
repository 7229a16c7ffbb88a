//! What an extension logs, in every place in which it can, and kept apart from what others log.

use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const STAGE: EndpointId = EndpointId::new("log-stage", "Where the chatty one listens.");
const SPOKEN: EventId<String> = EventId::new("SPOKEN", "Something was said.");

/// Logs wherever it is called.
#[framework_extension(
    name = "chatty",
    load_order = 101,
    endpoints_and_messages = { STAGE: [SPOKEN] },
)]
#[derive(Debug)]
struct Chatty;

impl Extension for Chatty {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        tracing::info!("made");
        Ok(Self)
    }

    fn destroy(&self) -> Result<()> {
        tracing::info!("destroyed");
        Ok(())
    }
}

#[dispatchers]
impl Chatty {
    #[callback_dispatcher(SPOKEN)]
    fn at_once(&self, message: &Message<String>) {
        tracing::debug!(said = message.data().as_str(), "heard at once");
    }

    #[sequential_dispatcher(SPOKEN)]
    fn later(&self, message: &Message<String>) {
        let words = message.data().clone();
        tracing::warn!("heard {words}");
        let thread = zaf_core::thread::spawn("chatter", move || tracing::error!("told {words}"));
        if let Ok(thread) = thread {
            drop(thread.join());
        }
    }
}

#[test]
fn everything_that_an_extension_logs_is_kept_with_its_name() -> TestResult {
    let harness = ExtensionTestHarness::<Chatty>::builder().start()?;
    harness.trigger_event(SPOKEN, STAGE, "hello".to_owned())?;
    harness.wait_until_idle()?;
    let logs = harness.logs();
    harness.destroy()?;
    for (level, text) in [
        (Level::INFO, "made"),
        (Level::DEBUG, "said=hello"),
        (Level::WARN, "heard hello"),
        (Level::ERROR, "told hello"),
        (Level::INFO, "destroyed"),
    ] {
        assert_eq!(
            logs.expect(level, text)?.extension,
            Some("chatty"),
            "{text}"
        );
    }
    assert_eq!(logs.of("chatty").len(), 5);
    assert_eq!(logs.of("chatty")[3].thread, "chatter");
    assert_eq!(logs.of("somebody else"), []);
    Ok(())
}

#[test]
fn two_harnesses_do_not_hear_each_other() -> TestResult {
    let first = ExtensionTestHarness::<Chatty>::builder().start()?;
    let second = ExtensionTestHarness::<Chatty>::builder().start()?;
    tracing::error!("the test itself belongs to neither");
    // Straight through the bus: a handler knows whose it is on every thread.
    first.bus().trigger_event(SPOKEN, STAGE, "one".to_owned())?;
    second.trigger_event(SPOKEN, STAGE, "two".to_owned())?;
    first.wait_until_idle()?;
    second.wait_until_idle()?;
    for (harness, own, other) in [(&first, "one", "two"), (&second, "two", "one")] {
        let logs = harness.logs();
        for text in [
            format!("heard {own}"),
            format!("said={own}"),
            format!("told {own}"),
        ] {
            assert!(
                logs.records()
                    .iter()
                    .any(|record| record.to_string().contains(&text))
            );
        }
        let foreign = |text: String| text.contains(other) || text.contains("neither");
        assert!(
            !logs
                .records()
                .iter()
                .any(|record| foreign(record.to_string()))
        );
    }
    Ok(())
}

#[test]
fn a_failure_lists_what_was_logged_instead() -> TestResult {
    let harness = ExtensionTestHarness::<Chatty>::builder().start()?;
    harness.logs().expect_none(Level::WARN)?;
    harness.trigger_event(SPOKEN, STAGE, "hello".to_owned())?;
    harness.wait_until_idle()?;
    let error = harness
        .logs()
        .expect(Level::WARN, "goodbye")
        .expect_err("nobody said so");
    let text = error.to_string();
    assert!(
        text.starts_with("expected a log record WARN with \"goodbye\"; got: \n"),
        "{text}"
    );
    for line in [
        "  INFO chatty: made\n",
        "  DEBUG chatty: heard at once said=hello\n",
        "  WARN chatty: heard hello\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let error = harness
        .logs()
        .expect_none(Level::WARN)
        .expect_err("it warned");
    assert_eq!(
        error.to_string(),
        "expected no log records from WARN on; got: \n  WARN chatty: heard hello\n  ERROR chatty: told hello"
    );
    Ok(())
}
