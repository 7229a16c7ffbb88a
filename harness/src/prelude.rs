//! What nearly every test of an extension needs.

pub use std::time::Duration;

pub use crate::{ExtensionTestHarness, MOCK_ENDPOINT, TestResult};
