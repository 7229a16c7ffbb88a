//! The JUnit XML report: for tools that read test results.

mod document;
mod extension;

#[cfg(test)]
pub(crate) use document::write_document;
pub use extension::{JUNIT, JUNIT_FILE, JunitReport};
