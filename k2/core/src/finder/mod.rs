//! From sources to test cases.
