//! What nearly every test of an extension needs.

pub use std::time::Duration;

pub use crate::{ExtensionTestHarness, Level, MOCK_ENDPOINT, TestResult};
