//! Runs the processes of test cases, and leaves none behind.

mod cancellation;

pub use cancellation::{Cancellation, Level};
