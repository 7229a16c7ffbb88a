//! Tests of zaf-core from outside, in one binary.

mod application;
