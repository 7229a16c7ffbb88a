//! A test command with cases that end in every way that a function can.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k2::prelude::*;

fn main() -> ExitCode {
    k2::application("linked").version("1.0.0").run()
}

/// Passes.
#[k2::test_case(tags = ["good"])]
fn passes() {}

/// Fails by a panic.
#[k2::test_case]
fn panics() {
    assert_eq!(1 + 1, 3, "sums");
}

/// Ends in error.
#[k2::test_case]
fn errs() -> TestResult {
    Err(Error::msg("no board on this desk"))
}

/// Says that it does not apply.
#[k2::test_case]
fn skips() -> TestResult {
    Err(skip("not on a Sunday"))
}

/// Is switched off.
#[k2::test_case(disabled = "waits for ticket 12")]
fn is_disabled() {
    unreachable!("a disabled case is not started");
}

/// Cannot be interrupted.
#[k2::test_case(timeout = "100ms")]
fn blocks() {
    loop {
        std::thread::park();
    }
}

/// Asks whether it should go on.
#[k2::test_case(timeout = "100ms")]
fn gives_in(cx: &TestContext) {
    cx.cancellation().wait(Duration::from_mins(5));
}

/// Passes for both values.
#[k2::test_case]
fn has_variants(#[foreach(["-s", "-r"])] flag: &str, #[foreach([1, 2])] count: i32) {
    assert!(flag.starts_with('-') && count > 0);
}

/// A number that is made once per module.
#[derive(Debug)]
struct Ticket(u32);

#[component(scope = "module")]
/// Counts how often it is made.
fn ticket() -> Ticket {
    static MADE: AtomicU32 = AtomicU32::new(0);
    Ticket(MADE.fetch_add(1, Ordering::SeqCst))
}

mod shared {
    use super::Ticket;

    /// Two cases of a module share what lives as long as the module.
    #[k2::test_case]
    fn first(ticket: &Ticket) {
        assert_eq!(ticket.0, 0);
    }

    /// Two cases of a module share what lives as long as the module.
    #[k2::test_case]
    fn second(ticket: &Ticket) {
        assert_eq!(ticket.0, 0);
    }
}

/// Asks for something that nobody makes.
#[k2::test_case]
fn asks_for_the_impossible(_unicorn: &Unicorn) {}

/// Nobody makes one.
#[derive(Debug)]
struct Unicorn;

mod hostile {
    /// Ends the program that it is a part of.
    #[k2::test_case]
    #[expect(
        clippy::exit,
        clippy::disallowed_methods,
        reason = "what it must not do"
    )]
    fn exits() {
        std::process::exit(0);
    }

    /// Is not harmed by what other threads do.
    #[k2::test_case]
    #[expect(clippy::disallowed_methods, reason = "a thread that nobody watches")]
    fn panics_elsewhere() {
        let other = std::thread::spawn(|| panic!("elsewhere"));
        assert!(other.join().is_err());
    }
}

mod equipment;
mod outcomes;
