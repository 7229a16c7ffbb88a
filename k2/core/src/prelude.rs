//! The names that an author of test cases and of extensions for them needs.

pub use zaf_core::prelude::*;

pub use crate::case::{TestContext, TestResult, fail, skip};
