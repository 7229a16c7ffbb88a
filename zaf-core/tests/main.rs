//! Tests of zaf-core through its public interface, one module for each part.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do; the lint's exception knows test functions only"
)]
#![expect(
    clippy::duplicate_mod,
    reason = "the tests of the bus run a second time, on a bus that is observed"
)]

mod application;
mod bus;
mod instructions;
mod observe;
mod portable;
