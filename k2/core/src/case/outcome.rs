//! How one try of a test case ended, and how a test function says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use zaf_core::Error;

use super::{Verdict, panic_hook};

/// How one try of a case ended, before retries, time limits and aborts are considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It did what it should.
    Passed,
    /// It said that something is wrong.
    Failed {
        /// One line for summaries.
        reason: String,
        /// More lines: where it happened, causes, hints. May be empty.
        detail: String,
    },
    /// It could not say anything.
    Error {
        /// Why, with causes.
        reason: String,
    },
    /// It does not apply here and now.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// The verdict of a case that has this as its only try.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Passed => Verdict::Passed,
            Self::Failed { .. } => Verdict::Failed,
            Self::Error { .. } => Verdict::Error,
            Self::Skipped { .. } => Verdict::Skipped,
        }
    }

    /// Why, for everything but [`Outcome::Passed`].
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed { reason, .. } | Self::Error { reason } | Self::Skipped { reason } => {
                Some(reason)
            }
        }
    }
}

/// The error that makes a case skipped; see [`skip`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Skip(String);

/// The error that makes a case failed rather than error; see [`fail`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Fail(String);

/// An error that ends a test function as skipped: `return Err(k2::skip("no network here"));`.
pub fn skip(reason: impl Into<String>) -> Error {
    Skip(reason.into()).into()
}

/// An error that ends a test function as failed: `return Err(k2::fail("the answer is 41"));`.
///
/// Every other error means that the case could not say anything, which is the verdict error.
pub fn fail(reason: impl Into<String>) -> Error {
    Fail(reason.into()).into()
}

/// What a test function may return.
#[diagnostic::on_unimplemented(
    message = "a test case cannot return `{Self}`",
    label = "return `()`, `TestResult` or `Result<(), E>`",
    note = "`E` must convert into `zaf_core::Error`: every `std::error::Error` that is `Send + Sync + 'static` does"
)]
pub trait IntoOutcome {
    /// The outcome that the returned value stands for.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Passed
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl<E: Into<Error>> IntoOutcome for Result<(), E> {
    fn into_outcome(self) -> Outcome {
        match self {
            Ok(()) => Outcome::Passed,
            Err(error) => of_error(&error.into()),
        }
    }
}

fn of_error(error: &Error) -> Outcome {
    // The marker may be a cause of the error, when a fixture wrapped it on its way up.
    let mut markers = error.chain();
    if let Some(skip) = markers.find_map(|e| e.downcast_ref::<Skip>()) {
        return Outcome::Skipped {
            reason: skip.0.clone(),
        };
    }
    if let Some(fail) = error.chain().find_map(|e| e.downcast_ref::<Fail>()) {
        return Outcome::Failed {
            reason: fail.0.clone(),
            detail: error.hints().join("\n"),
        };
    }
    let mut reason = format!("{error:#}");
    for hint in error.hints() {
        reason.push_str("\nhint: ");
        reason.push_str(hint);
    }
    Outcome::Error { reason }
}

/// Runs a test function on this thread. A panic is [`Outcome::Failed`], with its message as the reason and its place in
/// the detail; nothing is printed for it. Panics of other threads that the function started are printed as usual.
pub fn catch<T: IntoOutcome>(function: impl FnOnce() -> T) -> Outcome {
    let recording = panic_hook::Recording::start();
    // Whatever state the function left behind is its own: the case is over, and nothing of it is looked at again.
    let result = catch_unwind(AssertUnwindSafe(|| function().into_outcome()));
    let panics = recording.finish();
    match result {
        Ok(outcome) => outcome,
        Err(payload) => {
            let (message, place) = match panics {
                Some(panic) => (panic.message, panic.place),
                None => (panic_hook::text_of(&*payload), None),
            };
            Outcome::Failed {
                reason: message,
                detail: place.map_or_else(String::new, |place| format!("panicked at {place}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use zaf_core::TestResult;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot reach the board")]
    struct Unreachable(#[source] std::io::Error);

    #[test]
    fn returning_normally_is_passed() {
        assert_eq!(catch(|| ()), Outcome::Passed);
        assert_eq!(catch(|| -> TestResult { Ok(()) }), Outcome::Passed);
    }

    #[test]
    fn an_error_is_error_with_its_causes() {
        let outcome = catch(|| Err(Unreachable(std::io::Error::other("no route"))));
        assert_eq!(
            outcome,
            Outcome::Error {
                reason: "cannot reach the board: no route".into()
            }
        );
    }

    #[test]
    fn skip_and_fail_are_recognised() {
        assert_eq!(
            catch(|| -> TestResult { Err(skip("no docker")) }),
            Outcome::Skipped {
                reason: "no docker".into()
            }
        );
        assert_eq!(
            catch(|| -> TestResult { Err(fail("41 is not 42")) }),
            Outcome::Failed {
                reason: "41 is not 42".into(),
                detail: String::new()
            }
        );
    }

    #[test]
    fn a_panic_is_failed_with_message_and_place() {
        let line = line!() + 1;
        let outcome = catch(|| -> () { panic!("{} apples", 3) });
        let Outcome::Failed { reason, detail } = outcome else {
            panic!("not failed: {outcome:?}");
        };
        assert_eq!(reason, "3 apples");
        assert!(detail.contains("outcome.rs"), "{detail}");
        assert!(detail.contains(&format!(":{line}:")), "{detail}");
    }

    #[test]
    fn a_panic_with_an_odd_payload_is_failed_too() {
        let outcome = catch(|| -> () { std::panic::panic_any(7_u8) });
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }

    #[test]
    fn panics_of_cases_on_several_threads_do_not_mix() {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| scope.spawn(move || catch(move || -> () { panic!("case {n}") })))
                .collect();
            for (n, thread) in threads.into_iter().enumerate() {
                let outcome = thread.join().unwrap();
                assert_eq!(outcome.reason(), Some(format!("case {n}").as_str()));
            }
        });
    }

    fn false_on_purpose() -> bool {
        false
    }

    #[test]
    fn of_a_nested_run_the_outer_panic_is_still_recorded() {
        let outcome = catch(|| {
            assert_eq!(catch(|| -> () { panic!("inner") }).reason(), Some("inner"));
            assert!(false_on_purpose(), "outer");
        });
        assert_eq!(outcome.reason(), Some("outer"));
    }
}
