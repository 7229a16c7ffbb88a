//! Test harness for extensions: one extension on a bus of its own, registered by the code that applications use.
//!
//! Three types to know: [`ExtensionTestHarness`] is the running extension, [`HarnessBuilder`] what it is started with, and
//! [`ExpectedMessages`] collects what it says. Nothing is shared between two harnesses, so tests run in parallel; nothing
//! sleeps, and everything that waits has a limit.
//!
//! ```
//! use zaf_core::prelude::*;
//! use zaf_harness::prelude::*;
//!
//! const VOICE: EndpointId = EndpointId::new("voice", "Where the echo speaks.");
//! const SAID: EventId<String> = EventId::new("SAID", "Somebody said something.");
//! const ECHO: EventId<String> = EventId::new("ECHO", "It was said again.");
//!
//! /// Says everything again.
//! #[framework_extension(
//!     name = "echo",
//!     load_order = 101,
//!     endpoints_and_messages = { VOICE: [ECHO] },
//! )]
//! #[derive(Debug)]
//! struct Echo;
//!
//! impl Extension for Echo {
//!     fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! #[dispatchers]
//! impl Echo {
//!     #[callback_dispatcher(SAID)]
//!     fn on_said(&self, message: &Message<String>, bus: &MessageBus) -> Result<()> {
//!         bus.trigger_event(ECHO, VOICE, message.data().clone())?;
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> TestResult {
//! let harness = ExtensionTestHarness::<Echo>::builder().define(MOCK_ENDPOINT, [SAID]).start()?;
//! let queue = harness.message_queue([ECHO])?;
//! harness.trigger_event(SAID, MOCK_ENDPOINT, "hello".to_owned())?;
//! assert_eq!(*queue.recv_timeout(Duration::from_secs(10))?.data(), "hello");
//! # Ok(())
//! # }
//! ```
//!
//! | To … | use |
//! | --- | --- |
//! | set options, define what others would, put a fake component in its place | [`HarnessBuilder`] |
//! | say what must arrive, from whom, in which order, and read what arrived instead | [`ExtensionTestHarness::record`], [`Recorder`], [`Expectation`] |
//! | let time pass | [`FakeClock`]: it stands still until it is told |
//! | read what was logged | [`Logs`] |
//! | run a command with the extension in it: exit code, output, logs | [`HarnessBuilder::run_command`], [`CommandRun`] |
//! | resolve components without an extension | [`ComponentTestHarness`] |
//! | run a whole program: a home of its own, files, environment, a terminal with a size, keys, signals | [`CliHarness`], [`CliSession`] |
//!
//! The chapter *Testing extensions* of the book has an example of each.
//!
//! A harness always runs its one extension. Loading in bands, enabling and choosing a command take part in
//! [`HarnessBuilder::run_command`].

mod builder;
mod cli;
mod cli_session;
mod clock;
mod command_run;
mod components;
mod error;
mod leftovers;
mod logs;
mod messages;
pub mod prelude;
mod recorder;
mod running;

pub use builder::HarnessBuilder;
pub use cli::{CliCommand, CliEnded, CliHarness};
pub use cli_session::{CliSession, CliSignal};
pub use clock::FakeClock;
pub use command_run::CommandRun;
pub use components::ComponentTestHarness;
pub use error::HarnessError;
pub use logs::{LogRecord, Logs};
pub use messages::ExpectedMessages;
pub use recorder::{Expectation, Recorder};
pub use running::ExtensionTestHarness;
pub use tracing::Level;
pub use zaf_core::TestResult;

use zaf_core::message::EndpointId;

/// Runs the examples of the book.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/testing-extensions.md")]
mod book {
    #[doc = include_str!("../../docs/src/components.md")]
    mod components {}
}

/// An endpoint for messages that a test sends instead of the extension that would send them.
pub const MOCK_ENDPOINT: EndpointId = EndpointId::new("mock-endpoint", "Where tests speak.");
