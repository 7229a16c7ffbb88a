//! Test functions that are linked into this program.

use zaf_core::component::Asker;

use super::{Found, Problem, SourceSpec};
use crate::case::{TestCase, TestCaseDescriptor, TestModuleDescriptor};
use crate::private::{K2_TEST_CASES, K2_TEST_MODULES};

/// The linked cases at and below a module, or all of them if `module` is empty; in the order of crate, file and line. Those with
/// parameters stand for their variants: see [`GivenParameters::expand`](crate::parameter::GivenParameters::expand).
pub fn linked(module: &str) -> Vec<TestCase> {
    linked_from(&K2_TEST_CASES, &K2_TEST_MODULES, module)
}

/// [`linked`] with explicit tables, for tests and for programs that choose.
pub fn linked_from(
    table: &[TestCaseDescriptor],
    modules: &[TestModuleDescriptor],
    module: &str,
) -> Vec<TestCase> {
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
        .map(|descriptor| {
            let mut case = descriptor.case();
            from_modules(&mut case, descriptor.module_path, modules);
            case
        })
        .collect()
}

/// Adds what the modules around a case say: the owner of the nearest one that has one, and the tags of all.
fn from_modules(case: &mut TestCase, path: &str, modules: &[TestModuleDescriptor]) {
    let mut around: Vec<_> = modules
        .iter()
        .filter(|module| is_at_or_below(path, module.module_path))
        .collect();
    around.sort_by_key(|module| (std::cmp::Reverse(module.module_path.len()), module.tags));
    for module in around {
        if case.owner.is_none() {
            case.owner = module.owner.map(Into::into);
        }
        for tag in module.tags {
            if !case.tags.iter().any(|own| own == tag) {
                case.tags.push((*tag).to_owned());
            }
        }
    }
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
    let cases = linked_from(table, &K2_TEST_MODULES, &module);
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
    use crate::case::{Outcome, ParameterDescriptor, ParameterValue, TestContext};
    use crate::parameter::GivenParameters;

    fn run(_: &TestContext, _: &[ParameterValue]) -> Outcome {
        Outcome::Passed
    }

    const BASE: TestCaseDescriptor = TestCaseDescriptor {
        name: "plain",
        module_path: "suite::net",
        description: "Checks.",
        owner: None,
        class: None,
        tags: &["smoke"],
        resources: &[],
        timeout: Some(Duration::from_secs(5)),
        isolation: None,
        disabled: None,
        xfail: None,
        parameters: &[],
        exclusions: &[],
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
            ids(&linked_from(&table, &[], "")),
            [
                "suite::net::first",
                "suite::net::plain",
                "suite::network::plain"
            ]
        );
        assert_eq!(ids(&linked_from(&table, &[], "suite::net")).len(), 2);
        assert_eq!(
            ids(&linked_from(&table, &[], "suite::network::plain")).len(),
            1
        );
        assert_eq!(ids(&linked_from(&table, &[], "suite::ne")).len(), 0);
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
            parameters: &[ParameterDescriptor {
                name: "flag",
                values: &["-s", "-r"],
                read: |_| Ok(()),
            }],
            ..BASE
        }];
        let given = GivenParameters::default();
        let cases = given.expand(linked_from(&table, &[], "")).unwrap().cases;
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
    fn f13_a_case_of_a_class_has_it_in_its_id_and_is_selected_by_it() {
        let table = [TestCaseDescriptor {
            class: Some("Login"),
            ..BASE
        }];
        let cases = linked_from(&table, &[], "suite::net::Login");
        assert_eq!(ids(&cases), ["suite::net::Login::plain"]);
        assert_eq!(cases[0].module(), "suite::net");
    }

    #[test]
    fn f22_the_nearest_owner_and_all_tags_of_the_modules_around_a_case_are_its_own() {
        let module = |module_path, owner, tags| TestModuleDescriptor {
            module_path,
            owner,
            tags,
        };
        let modules = [
            module("suite", Some("everybody"), &["slow", "smoke"]),
            module("suite::net", Some("net team"), &["net"]),
            module("suite::ne", Some("nobody"), &["wrong"]),
        ];
        let case = |owner| {
            let table = [TestCaseDescriptor { owner, ..BASE }];
            let mut cases = linked_from(&table, &modules, "");
            let case = cases.remove(0);
            (case.owner.as_deref().unwrap().to_owned(), case.tags.clone())
        };
        let tags = ["smoke", "net", "slow"].map(str::to_owned).to_vec();
        assert_eq!(case(None), ("net team".to_owned(), tags.clone()));
        assert_eq!(case(Some("me")), ("me".to_owned(), tags));
    }
}
