//! `GoogleTest` binaries: their list of tests, and how one of them is run and read.
//!
//! Source of the format: the `--gtest_list_tests` option as the GoogleTest user's guide describes it.

use super::libtest::{ListedTest, MESSAGE_LINES};
use crate::case::Verdict;

/// Arguments that make a binary list its tests.
pub const LIST: [&str; 1] = ["--gtest_list_tests"];

const DISABLED: &str = "DISABLED_";

/// Arguments that make a binary run one test and nothing else.
pub fn arguments(name: &str) -> Vec<String> {
    vec![format!("--gtest_filter={name}"), "--gtest_color=no".into()]
}

/// Reads the list: suites stand at the margin and end with a dot, their tests are indented below them; `# TypeParam = …`
/// and `# GetParam() = …` behind a name become the description. Lines before the first suite are greetings of the program.
///
/// # Errors
/// An indented name without a suite above it, in words.
pub fn parse_list(text: &str) -> Result<Vec<ListedTest>, String> {
    let mut tests = Vec::new();
    let mut suite: Option<(&str, &str)> = None;
    for line in text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        let (name, comment) = match line.split_once("  # ") {
            Some((name, comment)) => (name.trim_end(), comment.trim()),
            None => (line, ""),
        };
        if !name.starts_with(' ') {
            // What a program prints at the margin between suites is no suite: those have no spaces and end with a dot.
            if let Some(name) = name.strip_suffix('.').filter(|name| is_name(name)) {
                suite = Some((name, comment));
            }
            continue;
        }
        let name = name.trim_start();
        if !is_name(name) {
            continue;
        }
        let Some((suite, suite_comment)) = suite else {
            let name: String = name.chars().take(100).collect();
            return Err(format!("test `{name}` stands before any suite"));
        };
        let comments = [suite_comment, comment];
        let comments: Vec<&str> = comments.into_iter().filter(|c| !c.is_empty()).collect();
        tests.push(ListedTest {
            name: format!("{suite}.{name}"),
            description: comments.join(", "),
            disabled: is_disabled(suite, name).then(|| format!("its name has {DISABLED}")),
        });
    }
    Ok(tests)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// The mark stands at the beginning of a name, after the instantiation's prefix if there is one.
fn is_disabled(suite: &str, test: &str) -> bool {
    suite
        .split('/')
        .chain(test.split('/'))
        .any(|part| part.starts_with(DISABLED))
}

/// The verdict of one test that ended with exit code 0.
pub(super) fn verdict_of_success(output: &str) -> (Verdict, Option<String>) {
    let marked = |mark: &str| output.lines().any(|line| line.starts_with(mark));
    if marked("[       OK ]") {
        return (Verdict::Passed, None);
    }
    if marked("[  SKIPPED ]") {
        return (Verdict::Skipped, Some(skip_reason(output)));
    }
    if output
        .lines()
        .any(|line| line.starts_with("[  PASSED  ] 0 tests"))
    {
        return (
            Verdict::Error,
            Some("the binary has no test of that name any more".to_owned()),
        );
    }
    (Verdict::Passed, None)
}

/// The text between `file:line: Skipped` and the mark, on one line.
fn skip_reason(output: &str) -> String {
    let words: Vec<&str> = output
        .lines()
        .skip_while(|line| !line.ends_with(": Skipped"))
        .skip(1)
        .take_while(|line| !line.starts_with("[  SKIPPED ]"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if words.is_empty() {
        "skipped by the test".to_owned()
    } else {
        words.join(" ")
    }
}

/// Why a test failed, from its output: the first failure with its place, and what is said about it. None if there is no failure in
/// it: then the exit code is all that is known.
pub(super) fn failure_reason(output: &str) -> Option<String> {
    let mut lines = output.lines();
    let place = lines
        .by_ref()
        .find_map(|line| line.strip_suffix(": Failure"))?;
    let message: Vec<&str> = lines
        .take_while(|line| {
            !line.starts_with('[') && !line.is_empty() && !line.ends_with(": Failure")
        })
        .take(MESSAGE_LINES)
        .collect();
    let (first, rest) = message.split_first()?;
    let first = first.trim_end_matches(':');
    Some(
        format!("{first} ({place})\n{}", rest.join("\n"))
            .trim_end()
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LISTED: &str = "\
Running main() from gtest_main.cc
Plain.
  Works
  DISABLED_LeftOut
DISABLED_Suite.
  Any
Values/Many.
  Case/0  # GetParam() = 1
  Case/1  # GetParam() = \"a  # b\"
Typed/0.  # TypeParam = int
  Works
";

    #[test]
    fn a_list_is_read() {
        let tests = parse_list(LISTED).unwrap();
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Plain.Works",
                "Plain.DISABLED_LeftOut",
                "DISABLED_Suite.Any",
                "Values/Many.Case/0",
                "Values/Many.Case/1",
                "Typed/0.Works"
            ]
        );
        let disabled: Vec<_> = tests.iter().map(|test| test.disabled.is_some()).collect();
        assert_eq!(disabled, [false, true, true, false, false, false]);
        assert_eq!(tests[3].description, "GetParam() = 1");
        assert_eq!(tests[5].description, "TypeParam = int");
    }

    #[test]
    fn a_test_without_a_suite_is_an_error() {
        assert!(parse_list("  Lonely\n").is_err());
    }

    #[test]
    fn skips_have_their_reason() {
        let output = "[ RUN      ] A.B\na.cc:5: Skipped\nno board\n\n[  SKIPPED ] A.B (0 ms)\n[  PASSED  ] 0 tests.\n";
        assert_eq!(
            verdict_of_success(output),
            (Verdict::Skipped, Some("no board".to_owned()))
        );
    }

    #[test]
    fn a_failure_is_told_with_its_place_and_values() {
        let output = "[ RUN      ] A.B\na.cc:3: Failure\nExpected equality of these values:\n  3\n  1 + 1\n    Which is: 2\nsums\n\n[  FAILED  ] A.B (0 ms)\n";
        let reason = failure_reason(output).unwrap();
        assert_eq!(
            reason,
            "Expected equality of these values (a.cc:3)\n  3\n  1 + 1\n    Which is: 2\nsums"
        );
        assert_eq!(failure_reason("[  FAILED  ] A.B (0 ms)\n"), None);
    }

    #[test]
    fn a_test_that_did_not_run_has_not_passed() {
        assert_eq!(
            verdict_of_success("[  PASSED  ] 0 tests.\n").0,
            Verdict::Error
        );
        assert_eq!(
            verdict_of_success("[       OK ] A.B (0 ms)\n[  PASSED  ] 1 test.\n").0,
            Verdict::Passed
        );
    }

    proptest! {
        #[test]
        fn every_list_is_read_back(
            suites in prop::collection::vec(("[A-Z][a-z/0-9]{0,5}", prop::collection::vec("[A-Z][a-z/0-9]{0,5}", 1..4)), 0..5),
        ) {
            let mut text = String::new();
            let mut expected = Vec::new();
            for (suite, tests) in &suites {
                text.extend([suite, ".\n"]);
                for test in tests {
                    text.extend(["  ", test, "\n"]);
                    expected.push(format!("{suite}.{test}"));
                }
            }
            let read: Vec<String> = parse_list(&text).unwrap().into_iter().map(|test| test.name).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_text_panics(text in "[ .#A-Za\n\\[\\]]{0,200}") {
            drop(parse_list(&text));
            drop(verdict_of_success(&text));
            drop(failure_reason(&text));
        }
    }
}
