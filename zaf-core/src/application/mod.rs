//! An application: its life cycle, its signals, its exit codes.

mod exit;

pub use exit::ExitCode;
