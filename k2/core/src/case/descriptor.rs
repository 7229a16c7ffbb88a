//! The constant that `#[k2::test_case]` makes of a function.

use std::sync::Arc;
use std::time::Duration;

use zaf_core::component::Requirement;

use super::{
    CaseAction, CaseFunction, CaseId, ExpectedToFail, Isolation, Location, Outcome, Parameter,
    ParameterDescriptor, ParameterValue, TestCase, TestContext, Variants, outcome,
};
use crate::sut::Each;

/// What `k2::test_module!` says about all cases at and below its module.
#[derive(Debug, Clone, Copy)]
pub struct TestModuleDescriptor {
    /// `module_path!()` of the module.
    pub module_path: &'static str,
    /// Who looks after cases that name nobody themselves.
    pub owner: Option<&'static str>,
    /// Tags in addition to those that the cases have.
    pub tags: &'static [&'static str],
}

/// Everything about a test function, as a constant in the linker's table.
#[derive(Debug, Clone, Copy)]
pub struct TestCaseDescriptor {
    /// Name: that of the function unless the attribute names another.
    pub name: &'static str,
    /// `module_path!()` of the function.
    pub module_path: &'static str,
    /// Documentation of the function; may be empty.
    pub description: &'static str,
    /// Who looks after it.
    pub owner: Option<&'static str>,
    /// The class within the module whose cases share components of that scope.
    pub class: Option<&'static str>,
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
    /// Its parameters, the first one slowest.
    pub parameters: &'static [ParameterDescriptor],
    /// Combinations of shown values that are left out.
    pub exclusions: &'static [&'static [(&'static str, &'static str)]],
    /// Components that it asks for.
    pub requirements: &'static [Requirement],
    /// Those of them that stand for one variant for each that fits.
    pub each: &'static [Each],
    /// Runs the function with these values, one for each parameter.
    pub run: fn(&TestContext, &[ParameterValue]) -> Outcome,
    /// Crate that declares it.
    pub krate: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the function, from 1.
    pub line: u32,
}

impl TestCaseDescriptor {
    /// Id without parameters: `module::name`, or `module::class::name`.
    pub fn qualified_name(&self) -> String {
        match self.class {
            Some(class) => format!("{}::{class}::{}", self.module_path, self.name),
            None => format!("{}::{}", self.module_path, self.name),
        }
    }

    /// Where the function stands.
    pub fn location(&self) -> Location {
        Location::line(self.file, self.line)
    }

    /// The case that this function stands for. One with parameters is made into variants before it can be run.
    pub fn case(&self) -> TestCase {
        let run = self.run;
        let bind = move |values: Vec<ParameterValue>| -> CaseFunction {
            Arc::new(move |cx: &TestContext| outcome::catch(|| run(cx, &values)))
        };
        let mut case = TestCase::new(
            CaseId::new(self.qualified_name()),
            CaseAction::Function(bind(Vec::new())),
        );
        self.description.clone_into(&mut case.description);
        case.owner = self.owner.map(Into::into);
        case.class = self.class.map(Into::into);
        case.location = Some(self.location());
        case.tags = self.tags.iter().map(|&tag| tag.to_owned()).collect();
        case.timeout = self.timeout;
        case.isolation = self.isolation;
        case.disabled = self.disabled.map(str::to_owned);
        case.expected_to_fail = self
            .xfail
            .map(|reason| Box::new(ExpectedToFail::new(reason, "code")));
        case.requirements = self.requirements;
        case.each = self.each;
        for resource in self.resources {
            case.need(resource);
        }
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(|parameter| {
                let values = parameter.values.iter().copied();
                Parameter::new(parameter.name, values).read(parameter.read)
            });
            let mut variants = Variants::of(parameters);
            let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
            let exclusions = self.exclusions.iter();
            variants.exclusions = exclusions
                .map(|all| all.iter().map(pair).collect())
                .collect();
            variants.bind = Some(Arc::new(bind));
            case.variants = Some(Arc::new(variants));
        }
        case
    }
}
