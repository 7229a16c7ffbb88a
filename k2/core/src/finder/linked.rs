//! Test functions that are linked into this program.

use zaf_core::component::Asker;

use super::{Found, Problem, SourceSpec};
use crate::case::{TestCase, TestCaseDescriptor};
use crate::private::K2_TEST_CASES;

/// The linked cases at and below a module, or all of them if `module` is empty; in the order of crate, file and line.
pub fn linked(module: &str) -> Vec<TestCase> {
    linked_from(&K2_TEST_CASES, module)
}

/// [`linked`] with an explicit table, for tests and for programs that choose.
pub fn linked_from(table: &[TestCaseDescriptor], module: &str) -> Vec<TestCase> {
    let mut descriptors: Vec<&TestCaseDescriptor> = table
        .iter()
        .filter(|descriptor| is_at_or_below(&descriptor.qualified_name(), module))
        .collect();
    // The linker's order means nothing.
    descriptors.sort_by_key(|descriptor| {
        (
            descriptor.krate,
            descriptor.file,
            descriptor.line,
            descriptor.name,
        )
    });
    descriptors
        .into_iter()
        .flat_map(TestCaseDescriptor::cases)
        .collect()
}

fn is_at_or_below(name: &str, module: &str) -> bool {
    let module = module.trim_end_matches("::");
    match name.strip_prefix(module) {
        Some(rest) => module.is_empty() || rest.is_empty() || rest.starts_with("::"),
        None => false,
    }
}

/// Who asks for components among all linked test functions, sorted by name.
pub(super) fn askers() -> Vec<Asker> {
    let asking = K2_TEST_CASES
        .iter()
        .filter(|descriptor| !descriptor.requirements.is_empty());
    let mut askers: Vec<Asker> = asking
        .map(|descriptor| {
            Asker::new(
                "test case",
                descriptor.qualified_name(),
                descriptor.requirements,
            )
        })
        .collect();
    askers.sort_by(|one, other| one.name().cmp(other.name()));
    askers
}

/// The cases of a `rust:` source. A module without any is a problem that names the nearest one; a whole program may have
/// none.
pub(super) fn of_source(table: &[TestCaseDescriptor], source: &SourceSpec) -> Found {
    let module = source.path.to_string_lossy();
    let cases = linked_from(table, &module);
    let mut problems = Vec::new();
    if cases.is_empty() && !module.is_empty() {
        problems.push(no_case_in(table, source, &module));
    }
    Found { cases, problems }
}

fn no_case_in(table: &[TestCaseDescriptor], source: &SourceSpec, module: &str) -> Problem {
    let names: Vec<String> = table
        .iter()
        .flat_map(|d| [d.module_path.to_owned(), d.qualified_name()])
        .collect();
    if names.is_empty() {
        return Problem::new(source, "no test functions are linked into this program")
            .hint("mark functions of a crate that it uses with `#[k2::test_case]`");
    }
    let problem = Problem::new(source, format!("no linked test case is in `{module}`"));
    let names = names.iter().map(String::as_str);
    match zaf_core::config::nearest(module, names) {
        Some(nearest) => problem.hint(format!("did you mean `rust:{nearest}`?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::case::{CaseAction, Outcome, TestContext};

    fn run(_: &TestContext, row: usize) -> Outcome {
        assert!(row == 0, "row {row}");
        Outcome::Passed
    }

    const BASE: TestCaseDescriptor = TestCaseDescriptor {
        name: "plain",
        module_path: "suite::net",
        description: "Checks.",
        tags: &["smoke"],
        resources: &[],
        timeout: Some(Duration::from_secs(5)),
        isolation: None,
        disabled: None,
        xfail: None,
        parameters: || vec![vec![]],
        requirements: &[],
        each: &[],
        run,
        krate: "suite",
        file: "src/net.rs",
        line: 9,
    };

    fn ids(cases: &[TestCase]) -> Vec<&str> {
        cases.iter().map(|case| case.id.as_str()).collect()
    }

    #[test]
    fn cases_are_sorted_by_place_and_selected_by_whole_parts() {
        let table = [
            BASE,
            TestCaseDescriptor {
                line: 2,
                name: "first",
                ..BASE
            },
            TestCaseDescriptor {
                module_path: "suite::network",
                ..BASE
            },
        ];
        assert_eq!(
            ids(&linked_from(&table, "")),
            [
                "suite::net::first",
                "suite::net::plain",
                "suite::network::plain"
            ]
        );
        assert_eq!(ids(&linked_from(&table, "suite::net")).len(), 2);
        assert_eq!(ids(&linked_from(&table, "suite::network::plain")).len(), 1);
        assert_eq!(ids(&linked_from(&table, "suite::ne")).len(), 0);
    }

    #[test]
    fn a_module_without_cases_is_a_problem_with_a_way_out() {
        let text = |table: &[TestCaseDescriptor], source: &str| {
            let source: SourceSpec = source.parse().unwrap();
            of_source(table, &source).problems[0].to_string()
        };
        assert_eq!(
            text(&[BASE], "rust:suite::nett"),
            "no linked test case is in `suite::nett` (did you mean `rust:suite::net`?)"
        );
        assert!(text(&[], "rust:suite").contains("k2::test_case"));
        // Nothing to run is the command's business, not a wrong source.
        let whole = SourceSpec::parse("rust:".as_ref());
        assert_eq!(of_source(&[], &whole).problems, []);
    }

    #[test]
    fn parameters_make_variants() {
        let table = [TestCaseDescriptor {
            parameters: || {
                vec![
                    vec![("flag", "-s".to_owned())],
                    vec![("flag", "-r".to_owned())],
                ]
            },
            ..BASE
        }];
        let cases = linked_from(&table, "");
        assert_eq!(
            ids(&cases),
            ["suite::net::plain[flag=-s]", "suite::net::plain[flag=-r]"]
        );
        assert_eq!(cases[0].tags, ["smoke"]);
        assert_eq!(
            cases[0].location.as_ref().unwrap().to_string(),
            "src/net.rs:9"
        );
    }

    #[test]
    fn a_case_without_variants_does_not_vanish() {
        for parameters in [|| vec![], || panic!("no board")] {
            let cases = linked_from(&[TestCaseDescriptor { parameters, ..BASE }], "");
            assert!(
                matches!(cases[0].action, CaseAction::LoadFailure(_)),
                "{cases:?}"
            );
        }
    }
}
