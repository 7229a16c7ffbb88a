use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::case::{CaseAction, CaseId, Parameter, ProcessCase, Protocol, TestCase, Variants};

fn given(assignments: &[&str], exclusions: &[&str]) -> GivenParameters {
    let texts = |list: &[&str]| -> Vec<String> { list.iter().map(|&t| t.to_owned()).collect() };
    GivenParameters::of(&texts(assignments), &texts(exclusions), 1000).unwrap()
}

fn process() -> CaseAction {
    CaseAction::Process(Box::new(ProcessCase {
        program: PathBuf::from("./p"),
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: None,
        protocol: Protocol::ExitCode,
    }))
}

fn case(name: &str, parameters: &[(&str, &[&str])]) -> TestCase {
    let mut case = TestCase::new(CaseId::new(name), process());
    if !parameters.is_empty() {
        let parameters = parameters
            .iter()
            .map(|(name, values)| Parameter::new(*name, values.iter().copied()));
        case.variants = Some(Arc::new(Variants::of(parameters)));
    }
    case
}

fn ids(expanded: &Expanded) -> Vec<&str> {
    expanded.cases.iter().map(|case| case.id.as_str()).collect()
}

fn problems(given: &GivenParameters, cases: Vec<TestCase>) -> Vec<String> {
    let problems = given.expand(cases).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_first_parameter_changes_slowest() {
    let expanded = given(&[], &[])
        .expand(vec![case("c", &[("a", &["1", "2"]), ("b", &["x", "y"])])])
        .unwrap();
    assert_eq!(
        ids(&expanded),
        ["c[a=1,b=x]", "c[a=1,b=y]", "c[a=2,b=x]", "c[a=2,b=y]"]
    );
}

#[test]
fn values_that_are_given_replace_those_that_are_declared() {
    let cases = || vec![case("c", &[("a", &["1", "2"]), ("b", &["x"])])];
    let expand = |texts: &[&str]| given(texts, &[]).expand(cases()).unwrap();
    assert_eq!(ids(&expand(&["a=2"])), ["c[a=2,b=x]"]);
    assert_eq!(
        ids(&expand(&["a=7", "b=y", "a=1", "a=7"])),
        ["c[a=7,b=y]", "c[a=1,b=y]"]
    );
}

#[test]
fn a_program_finds_its_parameters_in_its_environment() {
    let expanded = given(&["host-name=a b", "n=1"], &[])
        .expand(vec![case("open", &[]), case("own", &[("n", &["7"])])])
        .unwrap();
    // One that declares parameters has these and no others.
    assert_eq!(ids(&expanded), ["open[host-name=a b,n=1]", "own[n=1]"]);
    let CaseAction::Process(process) = &expanded.cases[0].action else {
        panic!("{expanded:?}");
    };
    let environment: Vec<_> = process
        .environment
        .iter()
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect();
    assert_eq!(environment, ["K2_PARAM_HOST_NAME=a b", "K2_PARAM_N=1"]);
    let text = problems(&given(&["a-b=1", "a.b=2"], &[]), vec![case("open", &[])]);
    assert!(text[0].contains("`K2_PARAM_A_B`"), "{text:?}");
}

#[test]
fn f20_a_name_that_no_case_has_is_a_problem_that_names_the_nearest() {
    let function = |parameters: &[(&str, &[&str])]| {
        let mut case = case("c", parameters);
        case.action = CaseAction::Function(Arc::new(|_| crate::case::Outcome::Passed));
        case
    };
    let of = |assignments: &[&str], exclusions: &[&str], parameters: &[(&str, &[&str])]| {
        problems(&given(assignments, exclusions), vec![function(parameters)])
    };
    assert_eq!(
        of(&["cont=1"], &["cunt=2", "cunt=1"], &[("count", &["1"])]),
        [
            "option `parameter`: no test case has a parameter `cont` (did you mean `count`?)",
            "option `parameter.exclude`: no test case has a parameter `cunt` (did you mean `count`?)",
        ]
    );
    let other = of(&["x=1"], &[], &[("count", &["1"]), ("mode", &["a"])]);
    assert!(
        other[0].ends_with("(there are `count`, `mode`)"),
        "{other:?}"
    );
    assert!(of(&["x=1"], &[], &[])[0].ends_with("(no test case has parameters)"));
}

#[test]
fn a_value_that_cannot_be_read_is_a_problem_that_names_the_case() {
    let read = |text: &str| {
        let number = text.parse::<u8>();
        number.map(drop).map_err(|_| "it is no `u8`".to_owned())
    };
    let mut one = case("c", &[]);
    let parameter = Parameter::new("n", ["12", "fast"]).read(read);
    one.variants = Some(Arc::new(Variants::of([parameter])));
    // What is declared is known, whether it can be read or not.
    let expanded = given(&["n=7", "n=fast"], &[])
        .expand(vec![one.clone()])
        .unwrap();
    assert_eq!(ids(&expanded), ["c[n=7]", "c[n=fast]"]);
    assert_eq!(
        problems(&given(&["n=fest", "n=many"], &[]), vec![one]),
        [
            "option `parameter`: `n=fest` is no value for `c`: it is no `u8` (did you mean `fast`?)",
            "option `parameter`: `n=many` is no value for `c`: it is no `u8` (its values are 12, fast)",
        ]
    );
}

#[test]
fn a_product_above_the_limit_is_a_problem_and_is_not_made() {
    let values: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let many = |n: usize| {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let parameters: Vec<(&str, &[&str])> =
            names[..n].iter().map(|&name| (name, &values[..])).collect();
        problems(&given(&[], &[]), vec![case("c", &parameters)])
    };
    assert_eq!(
        many(2),
        [
            "`c` has 1000000 variants (1000 of `a` × 1000 of `b`), and 1000 are allowed \
             (fewer values, or a higher `--parameter-limit`)"
        ]
    );
    // More than fits in a number.
    assert!(many(7)[0].contains("too many variants"));
}

#[test]
fn f20_a_case_without_variants_does_not_vanish() {
    let none = given(&[], &[])
        .expand(vec![case("c", &[("a", &[])])])
        .unwrap();
    assert!(matches!(
        &none.cases[..],
        [TestCase { action: CaseAction::LoadFailure(reason), .. }] if reason.contains("`a`")
    ));
    let excluded = given(&[], &["a=1"])
        .expand(vec![case("c", &[("a", &["1"])])])
        .unwrap();
    assert_eq!(ids(&excluded), ["c"]);
    assert!(excluded.cases[0].disabled.is_some());
}

#[test]
fn an_exclusion_that_matches_nothing_is_told() {
    let expanded = given(&[], &["a=1,b=x", "a=3", "d[a=1]"])
        .expand(vec![case("c", &[("a", &["1", "2"]), ("b", &["x"])])])
        .unwrap();
    assert_eq!(ids(&expanded), ["c[a=2,b=x]"]);
    assert_eq!(expanded.unmatched, ["a=3", "d[a=1]"]);
}

#[test]
fn exclusions_of_the_case_itself_are_combinations() {
    let mut one = case("c", &[]);
    let mut variants = Variants::of(["a", "b"].map(|name| Parameter::new(name, ["1", "2"])));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    variants.exclusions = vec![vec![pair("a", "1"), pair("b", "2")]];
    one.variants = Some(Arc::new(variants));
    let expanded = given(&[], &[]).expand(vec![one]).unwrap();
    assert_eq!(ids(&expanded), ["c[a=1,b=1]", "c[a=2,b=1]", "c[a=2,b=2]"]);
}

#[test]
fn everything_wrong_with_the_options_is_said_together() {
    let texts = |list: &[&str]| -> Vec<String> { list.iter().map(|&t| t.to_owned()).collect() };
    let wrong = GivenParameters::of(&texts(&["x", "1=2", "ok=1"]), &texts(&["y", "ok=1"]), 1);
    let wrong: Vec<_> = wrong.unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[2].starts_with("option `parameter.exclude`: `y`: "));
}

/// Up to four parameters with up to three values, and pairs of an index of a parameter and one of a value.
type Plan = (Vec<usize>, Vec<(usize, usize)>);

fn plan() -> impl Strategy<Value = Plan> {
    let columns = prop::collection::vec(1_usize..4, 1..5);
    let conditions = prop::collection::vec((0_usize..4, 0_usize..3), 0..4);
    (columns, conditions)
}

proptest! {
    #[test]
    fn the_product_has_each_combination_once_and_exclusions_take_what_they_say((columns, conditions) in plan()) {
        let names = ["a", "b", "c", "d"];
        let values = ["0", "1", "2"];
        let parameters: Vec<(&str, &[&str])> = columns
            .iter()
            .zip(names)
            .map(|(&count, name)| (name, &values[..count]))
            .collect();
        let all = given(&[], &[]).expand(vec![case("x", &parameters)]).unwrap();
        let different: BTreeSet<&str> = ids(&all).into_iter().collect();
        prop_assert_eq!(different.len(), columns.iter().product::<usize>());
        // In the order of counting.
        let rows: Vec<Vec<&str>> = all.cases.iter().map(|case| case.parameters.iter().map(|(_, v)| &**v).collect()).collect();
        prop_assert!(rows.is_sorted());

        let conditions: Vec<(&str, &str)> = conditions
            .iter()
            .filter(|(name, _)| *name < columns.len())
            .map(|&(name, value)| (names[name], values[value]))
            .collect();
        let texts: Vec<String> = conditions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let some = given(&[], &texts).expand(vec![case("x", &parameters)]).unwrap();
        let is_left_out = |case: &TestCase| {
            conditions.iter().any(|(name, value)| case.parameters.iter().any(|(n, v)| **n == **name && **v == **value))
        };
        let expected: Vec<&str> = all.cases.iter().filter(|case| !is_left_out(case)).map(|case| case.id.as_str()).collect();
        if expected.is_empty() {
            prop_assert_eq!(ids(&some), ["x"]);
        } else {
            prop_assert_eq!(ids(&some), expected);
        }
    }

    #[test]
    fn what_is_given_is_what_is_run(values in prop::collection::vec("[a-c]", 1..5)) {
        let texts: Vec<String> = values.iter().map(|value| format!("p={value}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let expanded = given(&texts, &[]).expand(vec![case("x", &[("p", &["a", "z"])])]).unwrap();
        let ran: BTreeSet<&str> = expanded.cases.iter().map(|case| &*case.parameters[0].1).collect();
        prop_assert_eq!(ran.len(), expanded.cases.len());
        prop_assert_eq!(ran, values.iter().map(String::as_str).collect::<BTreeSet<_>>());
    }
}
