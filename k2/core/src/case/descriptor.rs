//! The constant that `#[k2::test_case]` makes of a function.

use std::sync::Arc;
use std::time::Duration;

use zaf_core::component::Requirement;

use super::{
    CaseAction, CaseFunction, CaseId, ExpectedToFail, Isolation, Location, Outcome, TestCase,
    TestContext, outcome,
};
use crate::sut::{Binding, Each};

/// Everything about a test function, as a constant in the linker's table.
#[derive(Debug, Clone, Copy)]
pub struct TestCaseDescriptor {
    /// Name: that of the function unless the attribute names another.
    pub name: &'static str,
    /// `module_path!()` of the function.
    pub module_path: &'static str,
    /// Documentation of the function; may be empty.
    pub description: &'static str,
    /// Words to select cases by.
    pub tags: &'static [&'static str],
    /// What it needs for itself while it runs.
    pub resources: &'static [&'static str],
    /// Own time limit, instead of the run's.
    pub timeout: Option<Duration>,
    /// Where the function is called, instead of where the run says.
    pub isolation: Option<Isolation>,
    /// Why the case is switched off, if it is.
    pub disabled: Option<&'static str>,
    /// Why the case is expected to fail, if it is.
    pub xfail: Option<&'static str>,
    /// The whole product of its `foreach` parameters, the first parameter slowest; one empty row when it has none. No
    /// row at all means that one parameter has no values.
    pub parameters: fn() -> Vec<Vec<(&'static str, String)>>,
    /// Components that it asks for.
    pub requirements: &'static [Requirement],
    /// Those of them that stand for one variant for each that fits.
    pub each: &'static [Each],
    /// Runs the function with the parameters of the row with this index.
    pub run: fn(&TestContext, usize) -> Outcome,
    /// Crate that declares it.
    pub krate: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the function, from 1.
    pub line: u32,
}

impl TestCaseDescriptor {
    /// Id without parameters: `module::name`.
    pub fn qualified_name(&self) -> String {
        format!("{}::{}", self.module_path, self.name)
    }

    /// Where the function stands.
    pub fn location(&self) -> Location {
        Location::line(self.file, self.line)
    }

    /// The cases that this function stands for, one per row of parameters.
    ///
    /// A product without rows would make the case vanish, and one whose values cannot be made would take the run down:
    /// both become one case that ends in error and says so.
    pub fn cases(&self) -> Vec<TestCase> {
        let mut rows = Vec::new();
        let produced = outcome::catch(|| rows = (self.parameters)());
        if let Some(reason) = produced.reason() {
            return vec![self.unloadable(format!("its parameters could not be made: {reason}"))];
        }
        if rows.is_empty() {
            return vec![
                self.unloadable(
                    "it has no variant: a `foreach` parameter has no values".to_owned(),
                ),
            ];
        }
        rows.into_iter()
            .enumerate()
            .map(|(index, row)| {
                let run = self.run;
                let parameters: Vec<_> = row
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect();
                let function: CaseFunction =
                    Arc::new(move |cx: &TestContext| outcome::catch(|| run(cx, index)));
                TestCase {
                    id: CaseId::with_parameters(&self.qualified_name(), &parameters),
                    parameters,
                    ..self.case(CaseAction::Function(function))
                }
            })
            .collect()
    }

    fn unloadable(&self, reason: String) -> TestCase {
        self.case(CaseAction::LoadFailure(reason))
    }

    fn case(&self, action: CaseAction) -> TestCase {
        let mut case = TestCase {
            id: CaseId::new(self.qualified_name()),
            description: self.description.to_owned(),
            location: Some(self.location()),
            tags: self.tags.iter().map(|&tag| tag.to_owned()).collect(),
            timeout: self.timeout,
            resources: Vec::new(),
            isolation: self.isolation,
            disabled: self.disabled.map(str::to_owned),
            expected_to_fail: self
                .xfail
                .map(|reason| Box::new(ExpectedToFail::new(reason, "code"))),
            parameters: Vec::new(),
            requirements: self.requirements,
            each: self.each,
            binding: Binding::default(),
            action,
        };
        for resource in self.resources {
            case.need(resource);
        }
        case
    }
}
