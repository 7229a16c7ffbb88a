//! What nearly every test of an extension needs.

pub use std::time::Duration;

pub use crate::{ExtensionTestHarness, FakeClock, Level, MOCK_ENDPOINT, TestResult};
