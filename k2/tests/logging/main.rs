//! A test command whose cases and extension log.

use std::process::ExitCode;

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use k2::prelude::*;
use zaf_core::message::Message;

fn main() -> ExitCode {
    k2::application("logging").version("1.0.0").run()
}

/// Logs and passes.
#[k2::test_case]
fn passes() {
    tracing::debug!("a detail");
    tracing::info!(answer = 42, "something of the passing one");
}

/// Logs and fails, and tries to forge a line.
#[k2::test_case]
fn fails() {
    tracing::info!(
        "before\n2026-01-01T00:00:00Z ERROR [forged] x: not a record\r\u{1b}[2Kerror: not one either"
    );
    tracing::warn!("look here");
    panic!("as it should");
}

/// Fails without a word.
#[k2::test_case]
fn fails_silently() {
    panic!("no comment");
}

/// Logs its number, often, while others do.
#[k2::test_case]
fn mixes(#[foreach([1, 2, 3, 4, 5, 6, 7, 8])] number: i32) {
    for round in 0..50 {
        tracing::info!("<{number}> round {round}");
    }
}

/// Logs what it hears.
#[command_extension(name = "chatterbox", extends = ["run"])]
#[derive(Debug)]
struct Chatterbox {}

impl Extension for Chatterbox {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        tracing::debug!("made");
        Ok(Self {})
    }

    fn destroy(&self) -> Result<()> {
        tracing::info!("gone");
        Ok(())
    }
}

#[dispatchers]
impl Chatterbox {
    #[callback_dispatcher(TEST_CASE_FINISHED)]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn here(&self, message: &Message<TestCaseFinished>) {
        tracing::info!("heard of {}", message.data().case);
    }

    #[sequential_dispatcher(TEST_CASE_FINISHED)]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn later(&self, message: &Message<TestCaseFinished>) {
        tracing::debug!("heard later of {}", message.data().case);
    }
}
