//! Test cases with every key, with values and with components, and what running them gives.

use std::sync::Arc;
use std::time::Duration;

use k2::case::{CaseId, Outcome, TestCaseDescriptor};
use k2::private::{Each, K2_TEST_CASES};
use k2::supervisor::Cancellation;
use k2::{TestContext, TestResult};
use zaf_core::component::{ComponentRegistry, Scope};

#[derive(Debug)]
struct Shell(&'static str);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Fast,
    Thorough,
}

/// Has every key.
#[k2::test_case(name = "complete", tags = ["smoke", "kernel"], timeout = "1m 500ms", disabled = "only looked at", xfail = "known")]
fn with_every_key() {}

#[k2::test_case]
fn short() -> TestResult {
    Ok(())
}

#[k2::test_case]
fn product(
    #[foreach(["-s", "-r"])] flag: &str,
    shell: &Shell,
    #[foreach([1, 2, -3])] number: i32,
    cx: &TestContext,
    #[foreach([Mode::Fast, Mode::Thorough])] mode: Mode,
) -> TestResult {
    let given = format!("{} {flag} {number} {mode:?}", shell.0);
    Err(k2::fail(format!("{} = {given}", cx.id())))
}

/// A variant for each component that fits, among values.
#[k2::test_case]
#[requires(tool, can = ["sharp"])]
fn each(
    other: &Shell,
    #[foreach([1, 2])] number: i32,
    #[foreach] tool: &Shell,
    #[foreach([3])] last: i32,
    #[foreach] shell: &Shell,
) {
    let _ = (other, number, tool, last, shell);
}

fn descriptor(name: &str) -> &'static TestCaseDescriptor {
    K2_TEST_CASES
        .iter()
        .find(|case| case.name == name)
        .expect("invariant: the macro registered it")
}

fn context(with_shell: bool) -> TestContext {
    let registry = ComponentRegistry::new([]).expect("invariant: no names can clash");
    let scope = Scope::root("test", &registry);
    if with_shell {
        scope
            .provide(Arc::new(Shell("sh")))
            .expect("invariant: the scope is open");
    }
    let cancellation = Cancellation::new().expect("invariant: an eventfd can be had");
    TestContext::new(CaseId::new("case"), Vec::new(), scope, cancellation)
}

fn run(case: &TestCaseDescriptor, row: usize) -> Outcome {
    (case.run)(&context(true), row)
}

#[test]
fn every_key_is_in_the_descriptor() {
    let case = descriptor("complete");
    assert_eq!(case.description, "Has every key.");
    assert_eq!(case.tags, ["smoke", "kernel"]);
    assert_eq!(case.timeout, Some(Duration::from_millis(60_500)));
    assert_eq!(case.disabled, Some("only looked at"));
    assert_eq!(case.xfail, Some("known"));
    assert_eq!(case.module_path, module_path!());
    // The function stays a function.
    with_every_key();
}

#[test]
fn a_case_without_values_is_one_row() {
    let case = descriptor("short");
    assert_eq!((case.parameters)(), [vec![]]);
    assert_eq!(run(case, 0), Outcome::Passed);
}

#[test]
fn each_row_of_the_product_runs_with_what_it_shows() {
    let case = descriptor("product");
    let rows = (case.parameters)();
    assert_eq!(rows.len(), 12);
    for (index, row) in rows.iter().enumerate() {
        let shown: Vec<_> = row.iter().map(|(_, value)| value.as_str()).collect();
        let mode = shown[2].trim_start_matches("Mode::");
        let expected = format!("case = sh {} {} {mode}", shown[0], shown[1]);
        assert_eq!(run(case, index).reason(), Some(expected.as_str()));
    }
    let first = [("flag", "-s"), ("number", "1"), ("mode", "Mode::Fast")];
    let second = [("flag", "-s"), ("number", "1"), ("mode", "Mode::Thorough")];
    for (row, expected) in rows.iter().zip([first, second]) {
        assert_eq!(*row, expected.map(|(name, value)| (name, value.to_owned())));
    }
}

#[test]
fn foreach_without_values_says_which_requirements_make_variants_and_where_they_stand() {
    let case = descriptor("each");
    let names: Vec<_> = case
        .requirements
        .iter()
        .map(|need| need.parameter)
        .collect();
    assert_eq!(names, ["other", "tool", "shell"]);
    assert_eq!(case.requirements[1].can, ["sharp"]);
    let each = |requirement, position| Each {
        requirement,
        position,
    };
    assert_eq!(case.each, [each(1, 1), each(2, 3)]);
    assert_eq!((case.parameters)().len(), 2);
    assert_eq!(descriptor("product").each, []);
}

#[test]
fn a_component_that_cannot_be_had_is_an_error_of_the_case() {
    let outcome = (descriptor("product").run)(&context(false), 0);
    let Outcome::Error { reason } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(reason.contains("Shell"), "{reason}");
}
