//! Rust test binaries: their list of tests, and how one of them is run and read.
//!
//! Source of the format: the `--list --format terse` and `--exact` options of the test harness that comes with Rust, which
//! other harnesses imitate.

use std::collections::BTreeSet;

use crate::case::Verdict;

/// Arguments that make a binary list all of its tests.
pub const LIST: [&str; 3] = ["--list", "--format", "terse"];
/// Arguments that make it list the ignored ones.
pub const LIST_IGNORED: [&str; 4] = ["--list", "--format", "terse", "--ignored"];

/// A test that a binary has listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTest {
    /// Name by which the binary runs it.
    pub name: String,
    /// What is known about it; may be empty.
    pub description: String,
    /// Why it is switched off, if it is.
    pub disabled: Option<String>,
}

/// Arguments that make a binary run one test and nothing else, with its output as it comes.
pub fn arguments(name: &str) -> Vec<String> {
    vec![name.to_owned(), "--exact".into(), "--nocapture".into()]
}

/// Reads both lists. Benchmarks are left out.
///
/// # Errors
/// A line that is not of the format `name: test` or `name: benchmark`, in words.
pub fn parse_lists(all: &str, ignored: &str) -> Result<Vec<ListedTest>, String> {
    let ignored: BTreeSet<String> = parse_list(ignored)?.into_iter().collect();
    Ok(parse_list(all)?
        .into_iter()
        .map(|name| ListedTest {
            disabled: ignored.contains(&name).then(|| "#[ignore]".to_owned()),
            description: String::new(),
            name,
        })
        .collect())
}

/// Names of the tests in one list, in its order, each once.
///
/// # Errors
/// A line that is not of the format, in words.
pub fn parse_list(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.rsplit_once(": ") {
            Some((name, "test")) if !name.is_empty() => {
                if seen.insert(name) {
                    names.push(name.to_owned());
                }
            }
            Some((_, "benchmark")) => {}
            _ => {
                let line: String = line.chars().take(100).collect();
                return Err(format!("expected `name: test`, found `{line}`"));
            }
        }
    }
    Ok(names)
}

/// The verdict of one test that ended with exit code 0. The exit code says whether it failed; the output is only asked
/// whether there was a test of that name at all.
pub(super) fn verdict_of_success(output: &str) -> (Verdict, Option<String>) {
    let result = output
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix("test result: ok. "));
    let count = |what: &str| {
        let result = result?;
        let (before, _) = result.split_once(what)?;
        before.trim_end().rsplit(' ').next()?.parse::<u64>().ok()
    };
    match (count(" passed"), count(" ignored")) {
        (Some(0), Some(0)) => (
            Verdict::Error,
            Some("the binary has no test of that name any more".to_owned()),
        ),
        (Some(0), Some(_)) => (Verdict::Ignored, Some("#[ignore]".to_owned())),
        _ => (Verdict::Passed, None),
    }
}

/// Why a test failed, from its standard error: the message of the panic, its place behind the first line. None if there is no
/// panic in it: then the exit code is all that is known.
pub(super) fn failure_reason(errors: &str) -> Option<String> {
    let mut lines = errors.lines();
    let place = lines
        .by_ref()
        .find_map(|line| line.split_once(" panicked at "))
        .map(|(_, place)| place)?;
    let place = place.trim_end_matches(':');
    let message: Vec<&str> = lines
        .take_while(|line| !line.starts_with("note: ") && !line.starts_with("stack backtrace:"))
        .take(MESSAGE_LINES)
        .collect();
    let (first, rest) = message.split_first()?;
    Some(
        format!("{first} ({place})\n{}", rest.join("\n"))
            .trim_end()
            .to_owned(),
    )
}

/// Lines of a message that are enough to see what is wrong; the output has the others.
pub(super) const MESSAGE_LINES: usize = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_joined() {
        let tests =
            parse_lists("a::b: test\nc d: test\nslow: benchmark\n\n", "c d: test\n").unwrap();
        let tests: Vec<_> = tests
            .iter()
            .map(|test| (test.name.as_str(), test.disabled.as_deref()))
            .collect();
        assert_eq!(tests, [("a::b", None), ("c d", Some("#[ignore]"))]);
    }

    #[test]
    fn another_format_is_an_error() {
        let error = parse_list("usage: program [options]").unwrap_err();
        assert!(error.contains("usage: program"), "{error}");
    }

    #[test]
    fn a_test_that_did_not_run_has_not_passed() {
        let output =
            |counts: &str| format!("running\n\ntest result: ok. {counts}; finished in 0.00s\n\n");
        let verdict = |counts: &str| verdict_of_success(&output(counts)).0;
        assert_eq!(
            verdict("1 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out"),
            Verdict::Passed
        );
        assert_eq!(
            verdict("0 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out"),
            Verdict::Error
        );
        assert_eq!(
            verdict("0 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out"),
            Verdict::Ignored
        );
        assert_eq!(verdict_of_success("").0, Verdict::Passed);
    }

    #[test]
    fn a_failure_is_told_with_its_place_and_values() {
        let errors = "\nthread 'inner::fails' (7) panicked at sample.rs:2:9:\nassertion `left == right` failed: sums\n  left: 1\n \
                      right: 2\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        let reason = failure_reason(errors).unwrap();
        assert_eq!(
            reason,
            "assertion `left == right` failed: sums (sample.rs:2:9)\n  left: 1\n right: 2"
        );
        assert_eq!(failure_reason("error: no such option\n"), None);
    }

    proptest! {
        #[test]
        fn every_list_is_read_back(names in prop::collection::btree_set("[a-z:_ ]{0,8}[a-z]", 0..8)) {
            let text: String = names.iter().flat_map(|name| [name, ": test\n"]).collect();
            let read = parse_list(&text).unwrap();
            let expected: Vec<String> = names.into_iter().collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            drop(parse_list(&text));
            drop(verdict_of_success(&text));
            drop(failure_reason(&text));
        }
    }
}
