//! The JUnit XML report: for tools that read test results.

mod document;
