//! Checks that are recorded when they fail, and do not end the case.

use std::fmt::Debug;

use super::{Evidence, Location};

/// Checks a condition; when it is false, the case goes on, and fails at its end.
///
/// Returns whether it is true. A message behind the condition, as for `format!`, says more about it. On a thread that the test function
/// has started itself see [`Evidence::within`](crate::case::Evidence::within).
///
/// ```
/// # k2_core::case::Evidence::without_directory().within(|| {
/// let lines = ["one", "two"];
/// k2_core::check!(lines.len() == 2);
/// if !k2_core::check!(lines.contains(&"three"), "of {lines:?}") {
///     // What follows makes no sense without it.
///     return;
/// }
/// # });
/// ```
///
/// # Panics
/// When the condition is false and the thread works for no case.
#[macro_export]
macro_rules! check {
    ($condition:expr $(,)?) => {
        $crate::check!($condition, "")
    };
    ($condition:expr, $($message:tt)+) => {
        if $condition {
            true
        } else {
            $crate::private::check_failed(
                ::core::stringify!($condition),
                &::std::format!($($message)+),
                ::core::file!(),
                ::core::line!(),
            )
        }
    };
}

/// Checks that two values are equal, as [`check!`](crate::check) does; both are recorded when they are not.
///
/// ```
/// # k2_core::case::Evidence::without_directory().within(|| {
/// k2_core::check_eq!(6 * 7, 42);
/// k2_core::check_eq!("a".len(), 1, "a message may follow");
/// # });
/// ```
#[macro_export]
macro_rules! check_eq {
    ($left:expr, $right:expr $(,)?) => {
        $crate::check_eq!($left, $right, "")
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) if *left == *right => true,
            (left, right) => $crate::private::comparison_failed(
                ::core::concat!(::core::stringify!($left), " == ", ::core::stringify!($right)),
                left,
                right,
                ::std::format!($($message)+),
                ::core::file!(),
                ::core::line!(),
            ),
        }
    };
}

/// Checks that two values differ, as [`check!`](crate::check) does.
///
/// ```
/// # k2_core::case::Evidence::without_directory().within(|| {
/// k2_core::check_ne!("a", "b");
/// # });
/// ```
#[macro_export]
macro_rules! check_ne {
    ($left:expr, $right:expr $(,)?) => {
        $crate::check_ne!($left, $right, "")
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) if *left != *right => true,
            (left, right) => $crate::private::comparison_failed(
                ::core::concat!(::core::stringify!($left), " != ", ::core::stringify!($right)),
                left,
                right,
                ::std::format!($($message)+),
                ::core::file!(),
                ::core::line!(),
            ),
        }
    };
}

/// Notes that a check failed; always false.
///
/// # Panics
/// When this thread works for no case: the failure would be lost.
pub fn check_failed(what: &str, values: &str, file: &str, line: u32) -> bool {
    match Evidence::current() {
        Some(evidence) => evidence.failed_check(what, values, Location::line(file, line)),
        None => panic!(
            "check failed on a thread that works for no test case: {what} ({file}:{line}) {values}\n\
             `cx.evidence().within(…)` makes what a thread does a part of the case"
        ),
    }
    false
}

/// Notes that two values do not compare as they should; always false.
///
/// # Panics
/// As [`check_failed`].
pub fn comparison_failed(
    what: &str,
    left: &dyn Debug,
    right: &dyn Debug,
    mut message: String,
    file: &str,
    line: u32,
) -> bool {
    if !message.is_empty() {
        message.push('\n');
    }
    let values = format!("{message}left:  {left:?}\nright: {right:?}");
    check_failed(what, &values, file, line)
}

#[cfg(test)]
mod tests {
    use super::super::{Step, catch};
    use super::*;

    fn failed(work: impl FnOnce()) -> Vec<Step> {
        let evidence = Evidence::without_directory();
        evidence.within(work);
        evidence.close().checks
    }

    #[test]
    fn checks_tell_what_where_and_with_which_values_and_go_on() {
        let line = line!() + 2;
        let checks = failed(|| {
            assert!(!crate::check!(1 + 1 == 3));
            assert!(crate::check_eq!(4, 2 + 2));
            crate::check_eq!("a".len(), 2, "of {}", "a");
            crate::check_ne!(Some(1), Some(1));
            crate::check!(false, "for {} reasons", 2);
        });
        let told: Vec<_> = checks
            .iter()
            .map(|check| (check.name.as_str(), check.detail.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(
            told,
            [
                ("1 + 1 == 3", ""),
                ("\"a\".len() == 2", "of a\nleft:  1\nright: 2"),
                ("Some(1) != Some(1)", "left:  Some(1)\nright: Some(1)"),
                ("false", "for 2 reasons"),
            ]
        );
        let place = checks[0].location.as_ref().unwrap().to_string();
        assert!(place.ends_with(&format!("check.rs:{line}")), "{place}");
    }

    #[test]
    fn values_are_evaluated_once() {
        let mut count = 0;
        let mut next = || {
            count += 1;
            count
        };
        let checks = failed(|| {
            crate::check_eq!(next(), 2);
        });
        assert_eq!(checks[0].detail.as_deref(), Some("left:  1\nright: 2"));
        assert_eq!(count, 1);
    }

    #[test]
    fn a_check_that_fails_outside_of_a_case_is_not_lost() {
        assert_eq!(catch(|| assert!(crate::check!(true))).reason(), None);
        let outcome = catch(|| {
            crate::check!(false);
        });
        let reason = outcome.reason().unwrap();
        assert!(reason.contains("works for no test case"), "{reason}");
    }
}
