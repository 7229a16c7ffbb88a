//! Test cases with every key, with values and with components, and what running them gives.

use std::sync::Arc;
use std::time::Duration;

use k2::case::{CaseAction, CaseId, Outcome, TestCase, TestCaseDescriptor};
use k2::parameter::GivenParameters;
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
#[k2::test_case(name = "complete", class = "Login", owner = "me", tags = ["smoke", "kernel"], timeout = "1m 500ms", disabled = "only looked at", xfail = "known")]
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

#[k2::test_case]
fn with_default(
    #[parameter(default = 5)] count: u32,
    #[parameter(default = "none")] host: &str,
) -> TestResult {
    Err(k2::fail(format!("{count} {host}")))
}

#[k2::test_case(exclude = [(flag = "-s", count = 2), (count = 3)])]
fn with_exclusions(#[foreach(["-s", "-r"])] flag: &str, #[foreach([1, 2, 3])] count: i32) {
    let _ = (flag, count);
}

k2::test_module!(owner = "everybody", tags = ["module"]);

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

fn variants(case: &TestCaseDescriptor, assignments: &[&str]) -> Vec<TestCase> {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let given = GivenParameters::of(&assignments, &[], 100).expect("invariant: they are right");
    let expanded = given.expand(vec![case.case()]);
    expanded.expect("invariant: the values can be read").cases
}

fn run(case: &TestCase, with_shell: bool) -> Outcome {
    let CaseAction::Function(function) = &case.action else {
        panic!("{case:?}");
    };
    function(&context(with_shell))
}

#[test]
fn every_key_is_in_the_descriptor() {
    let case = descriptor("complete");
    assert_eq!(case.description, "Has every key.");
    assert_eq!((case.class, case.owner), (Some("Login"), Some("me")));
    assert!(case.qualified_name().ends_with("::Login::complete"));
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
    assert!(case.parameters.is_empty());
    assert_eq!(run(&variants(case, &[])[0], false), Outcome::Passed);
}

#[test]
fn each_row_of_the_product_runs_with_what_it_shows() {
    let rows = variants(descriptor("product"), &[]);
    assert_eq!(rows.len(), 12);
    for row in &rows {
        let shown: Vec<_> = row.parameters.iter().map(|(_, value)| value).collect();
        let mode = shown[2].trim_start_matches("Mode::");
        let expected = format!("case = sh {} {} {mode}", shown[0], shown[1]);
        assert_eq!(run(row, true).reason(), Some(expected.as_str()));
    }
    let first = [("flag", "-s"), ("number", "1"), ("mode", "Mode::Fast")];
    let second = [("flag", "-s"), ("number", "1"), ("mode", "Mode::Thorough")];
    for (row, expected) in rows.iter().zip([first, second]) {
        assert_eq!(
            row.parameters,
            expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
    }
}

#[test]
fn what_is_given_is_read_as_the_type_of_the_parameter() {
    let given = ["flag=x y", "number=40", "mode=Mode::Fast"];
    let rows = variants(descriptor("product"), &given);
    assert_eq!(rows.len(), 1);
    assert_eq!(run(&rows[0], true).reason(), Some("case = sh x y 40 Fast"));
    let wrong = |text: &str| {
        let given =
            GivenParameters::of(&[text.to_owned()], &[], 100).expect("invariant: it is right");
        let problems = given
            .expand(vec![descriptor("product").case()])
            .unwrap_err();
        problems[0].to_string()
    };
    assert!(wrong("number=x").contains("it is no `i32`"));
    assert!(wrong("mode=Fast").contains("no `FromStr`"));
}

#[test]
fn a_parameter_has_its_default_unless_another_value_is_given() {
    let case = descriptor("with_default");
    assert_eq!(
        variants(case, &[])[0].id.as_str().rsplit("::").next(),
        Some("with_default[count=5,host=none]")
    );
    assert_eq!(run(&variants(case, &[])[0], false).reason(), Some("5 none"));
    let given = variants(case, &["count=7", "host=a", "host=b"]);
    let reasons: Vec<_> = given.iter().map(|case| run(case, false)).collect();
    assert_eq!(reasons[0].reason(), Some("7 a"));
    assert_eq!(reasons[1].reason(), Some("7 b"));
}

#[test]
fn combinations_that_are_excluded_are_not_made() {
    let rows = variants(descriptor("with_exclusions"), &[]);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            row.parameters
                .iter()
                .map(|(_, value)| &**value)
                .collect::<String>()
        })
        .collect();
    assert_eq!(shown, ["-s1", "-r1", "-r2"]);
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
    let names: Vec<_> = case.parameters.iter().map(|one| one.name).collect();
    assert_eq!(names, ["number", "last"]);
    assert_eq!(variants(case, &[]).len(), 2);
    assert_eq!(variants(case, &["number=3"])[0].parameters.len(), 2);
    assert_eq!(descriptor("product").each, []);
}

#[test]
fn a_component_that_cannot_be_had_is_an_error_of_the_case() {
    let outcome = run(&variants(descriptor("product"), &[])[0], false);
    let Outcome::Error { reason } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(reason.contains("Shell"), "{reason}");
}
