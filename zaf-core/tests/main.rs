//! Tests of zaf-core through its public interface, one module for each part.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; the lint's exception knows test functions only"
)]

mod application;
mod bus;
mod instructions;
mod portable;
