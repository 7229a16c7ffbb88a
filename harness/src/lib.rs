//! Test harness for extensions: one extension on a bus of its own, registered by the code that applications use.
//!
//! Three types to know: [`ExtensionTestHarness`] is the running extension, [`HarnessBuilder`] what it is started with, and
//! [`ExpectedMessages`] collects what it says. Nothing is shared between two harnesses, so tests run in parallel; nothing
//! sleeps, and everything that waits has a limit.
//!
//! Not here: loading in bands, enabling and choosing a command. A harness always runs its one extension.

mod builder;
mod error;
mod messages;
pub mod prelude;
mod running;

pub use builder::HarnessBuilder;
pub use error::HarnessError;
pub use messages::ExpectedMessages;
pub use running::ExtensionTestHarness;
pub use zaf_core::TestResult;

use zaf_core::message::EndpointId;

/// An endpoint for messages that a test sends instead of the extension that would send them.
pub const MOCK_ENDPOINT: EndpointId = EndpointId::new("mock-endpoint", "Where tests speak.");
