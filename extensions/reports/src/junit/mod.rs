//! The JUnit XML report: for tools that read test results.

mod document;
mod extension;

pub use extension::{JUNIT, JUNIT_FILE, JunitReport};
