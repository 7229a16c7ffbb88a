//! `run`: finds, selects, runs and reports test cases.
