//! From cases that declare parameters to their variants.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Assignment, Exclusion};
use crate::case::{
    CaseAction, CaseId, Parameter, ParameterValue, Parameters, ProcessCase, TestCase, Variants,
};
use crate::finder::Problem;

/// What the name of a variable begins with that has the value of a parameter.
pub const VARIABLE_PREFIX: &str = "K2_PARAM_";

/// All such variables, as [`own_variables`](zaf_core::application::Application::own_variables) takes them.
pub(crate) const VARIABLES_OF_PARAMETERS: &str = "K2_PARAM_*";

/// What a run says about the parameters of its cases.
#[derive(Debug)]
pub struct GivenParameters {
    /// Each name once, with its different values in the order in which they were given.
    pub(super) values: Vec<(String, Vec<String>)>,
    pub(super) exclusions: Vec<Exclusion>,
    pub(super) limit: u64,
}

impl Default for GivenParameters {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            exclusions: Vec::new(),
            limit: Self::LIMIT,
        }
    }
}

/// Cases that can be run, and what the user should know.
#[derive(Debug, Default)]
pub struct Expanded {
    /// A case for each combination; cases without parameters as they were.
    pub cases: Vec<TestCase>,
    /// Exclusions that no variant matches, as they are written.
    pub unmatched: Vec<String>,
}

/// The values of one parameter of a case: each as it is shown.
type Column = Vec<(Arc<str>, ParameterValue)>;

/// What is noticed on the way.
struct Seen {
    names: BTreeSet<String>,
    matched: Vec<bool>,
    problems: Vec<Problem>,
}

impl GivenParameters {
    /// Most variants of a case unless another number is set.
    pub const LIMIT: u64 = 10_000;

    pub(super) fn add(&mut self, Assignment { name, value }: Assignment) {
        let known = self.values.iter_mut().find(|(known, _)| *known == name);
        match known {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => self.values.push((name, vec![value])),
        }
    }

    /// The variants of all cases, in the order of the cases; of one case in the order of its values, the first parameter slowest.
    ///
    /// A value that is given replaces those that a case declares. Programs that declare no parameter have all that are given. A case
    /// all of whose variants are left out stays, as one that is switched off.
    ///
    /// # Errors
    /// All problems: names that no case has, values that cannot be read, too many variants. Never empty.
    pub fn expand(&self, cases: Vec<TestCase>) -> Result<Expanded, Vec<Problem>> {
        let mut seen = Seen {
            names: BTreeSet::new(),
            matched: vec![false; self.exclusions.len()],
            problems: Vec::new(),
        };
        let mut expanded = Vec::with_capacity(cases.len());
        for case in cases {
            self.expand_case(case, &mut expanded, &mut seen);
        }
        self.check_names(&mut seen);
        if !seen.problems.is_empty() {
            return Err(seen.problems);
        }
        let exclusions = self.exclusions.iter().zip(&seen.matched);
        let unmatched = exclusions.filter(|(_, matched)| !**matched);
        Ok(Expanded {
            cases: expanded,
            unmatched: unmatched.map(|(one, _)| one.to_string()).collect(),
        })
    }

    /// As [`expand`](Self::expand), for cases of which others have been expanded before: names that these do not have are no problem,
    /// and cases with a problem are left out.
    pub fn expand_known(&self, cases: Vec<TestCase>) -> Vec<TestCase> {
        let mut expanded = Vec::with_capacity(cases.len());
        let mut seen = Seen {
            names: BTreeSet::new(),
            matched: vec![false; self.exclusions.len()],
            problems: Vec::new(),
        };
        for case in cases {
            self.expand_case(case, &mut expanded, &mut seen);
        }
        expanded
    }

    /// Whether a variant is left out that has a component, or a system under test, among its values.
    pub(crate) fn excludes(&self, name: &str, values: &[(Arc<str>, Arc<str>)]) -> bool {
        let mut exclusions = self.exclusions.iter();
        exclusions.any(|exclusion| exclusion.matches(name, values))
    }

    fn expand_case(&self, mut case: TestCase, expanded: &mut Vec<TestCase>, seen: &mut Seen) {
        self.note_components(&case, seen);
        let declared = case.variants.take();
        let is_open = matches!(case.action, CaseAction::Process(_)) && !self.values.is_empty();
        if case.is_load_failure() || declared.is_none() && !is_open {
            expanded.push(case);
            return;
        }
        let variants = declared.unwrap_or_else(|| {
            let given = self.values.iter();
            Arc::new(Variants::of(given.map(|(name, values)| {
                Parameter::new(name, values.iter().map(String::as_str))
            })))
        });
        let parameters = &variants.parameters;
        seen.names
            .extend(parameters.iter().map(|parameter| parameter.name.clone()));
        if let Some(problem) = clash(&case, parameters) {
            seen.problems.push(problem);
            return;
        }
        let before = seen.problems.len();
        let columns: Vec<Column> = parameters
            .iter()
            .map(|parameter| self.column(&case, parameter, &mut seen.problems))
            .collect();
        if seen.problems.len() > before {
            return;
        }
        if let Some(empty) = parameters.iter().zip(&columns).find(|(_, c)| c.is_empty()) {
            let reason = format!(
                "it has no variant: its parameter `{}` has no values",
                empty.0.name
            );
            case.action = CaseAction::LoadFailure(reason);
            expanded.push(case);
            return;
        }
        if let Some(problem) = self.too_many(&case, parameters, &columns) {
            seen.problems.push(problem);
            return;
        }
        let names: Vec<Arc<str>> = parameters
            .iter()
            .map(|parameter| parameter.name.as_str().into())
            .collect();
        let first = expanded.len();
        expanded.reserve(columns.iter().map(Vec::len).product());
        for row in Rows::new(&columns) {
            let values: Parameters = names
                .iter()
                .zip(&row)
                .map(|(name, (shown, _))| (Arc::clone(name), Arc::clone(shown)))
                .collect();
            if !self.leaves_out(&case, &variants, &values, &mut seen.matched) {
                expanded.push(variant(&case, &variants, values, &row));
            }
        }
        if expanded.len() == first {
            case.disabled
                .get_or_insert_with(|| "all its variants are excluded".to_owned());
            expanded.push(case);
        }
    }

    /// The values that were given for a parameter.
    pub(crate) fn given(&self, name: &str) -> Option<&[String]> {
        let mut values = self.values.iter();
        let found = values.find(|(known, _)| known == name);
        found.map(|(_, values)| values.as_slice())
    }

    /// Parameters that stand for a component each are made into variants later, when it is known what there is.
    fn note_components(&self, case: &TestCase, seen: &mut Seen) {
        for name in case.each_names() {
            seen.names.insert(name.to_owned());
            for (exclusion, matched) in self.exclusions.iter().zip(&mut seen.matched) {
                *matched |= exclusion.names().into_iter().any(|one| one == name);
            }
        }
    }

    /// The values of a parameter: those that are given, else those that are declared.
    fn column(
        &self,
        case: &TestCase,
        parameter: &Parameter,
        problems: &mut Vec<Problem>,
    ) -> Column {
        let declared = parameter.values.iter().enumerate();
        let Some(given) = self.given(&parameter.name) else {
            return declared
                .map(|(index, shown)| (shown.as_str().into(), ParameterValue::Declared(index)))
                .collect();
        };
        let mut column = Column::new();
        for text in given {
            let known = declared.clone().find(|(_, shown)| *shown == text);
            let value = match (known, (parameter.read)(text)) {
                (Some((index, _)), _) => ParameterValue::Declared(index),
                (None, Ok(())) => ParameterValue::Given(text.as_str().into()),
                (None, Err(why)) => {
                    problems.push(unreadable(case, parameter, text, &why));
                    continue;
                }
            };
            column.push((text.as_str().into(), value));
        }
        column
    }

    /// Every exclusion is asked, because each that never matches is told.
    fn leaves_out(
        &self,
        case: &TestCase,
        variants: &Variants,
        values: &[(Arc<str>, Arc<str>)],
        matched: &mut [bool],
    ) -> bool {
        let mut left_out = variants
            .exclusions
            .iter()
            .any(|all| all.iter().all(|one| has(values, one)));
        for (exclusion, matched) in self.exclusions.iter().zip(matched) {
            if exclusion.matches(case.id.as_str(), values) {
                *matched = true;
                left_out = true;
            }
        }
        left_out
    }

    fn too_many(
        &self,
        case: &TestCase,
        parameters: &[Parameter],
        columns: &[Column],
    ) -> Option<Problem> {
        let mut counts = columns.iter().map(Vec::len);
        let product = counts.try_fold(1_usize, usize::checked_mul);
        if product.is_some_and(|product| product as u64 <= self.limit) {
            return None;
        }
        let factors: Vec<_> = parameters
            .iter()
            .zip(columns)
            .map(|(parameter, column)| format!("{} of `{}`", column.len(), parameter.name))
            .collect();
        let number = product.map_or_else(|| "too many".to_owned(), |number| number.to_string());
        let text = format!(
            "`{}`{} has {number} variants ({}), and {} are allowed",
            case.id,
            place(case),
            factors.join(" × "),
            self.limit
        );
        let problem = Problem::new(&case.id, text);
        Some(problem.hint("fewer values, or a higher `--parameter-limit`"))
    }

    /// Names that no case has are mistyped.
    fn check_names(&self, seen: &mut Seen) {
        let given = self
            .values
            .iter()
            .map(|(name, _)| ("parameter", name.as_str()));
        let exclusions = self.exclusions.iter().flat_map(Exclusion::names);
        let excluded = exclusions.map(|name| ("parameter.exclude", name));
        let mut told = BTreeSet::new();
        for (option, name) in given.chain(excluded) {
            if seen.names.contains(name) || !told.insert((option, name)) {
                continue;
            }
            let known = || seen.names.iter().map(String::as_str);
            let text = format!("option `{option}`: no test case has a parameter `{name}`");
            let problem = Problem::new(name, text);
            let names = known().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            seen.problems
                .push(match zaf_core::config::nearest(name, known()) {
                    Some(nearest) => problem.hint(format!("did you mean `{nearest}`?")),
                    None if names.is_empty() => problem.hint("no test case has parameters"),
                    None => problem.hint(format!("there are {}", names.join(", "))),
                });
        }
    }
}

/// All combinations, the first column slowest; one without columns.
struct Rows<'a> {
    columns: &'a [Column],
    /// Index into each column; none behind the last combination.
    next: Option<Vec<usize>>,
}

impl<'a> Rows<'a> {
    /// No column is empty.
    fn new(columns: &'a [Column]) -> Self {
        Self {
            columns,
            next: Some(vec![0; columns.len()]),
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Vec<&'a (Arc<str>, ParameterValue)>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.next.as_mut()?;
        let places = self.columns.iter().zip(&*indices);
        let row = places.filter_map(|(column, &index)| column.get(index));
        let row = row.collect();
        let more = self
            .columns
            .iter()
            .zip(&mut *indices)
            .rev()
            .any(|(column, index)| {
                *index = if *index + 1 < column.len() {
                    *index + 1
                } else {
                    0
                };
                *index != 0
            });
        if !more {
            self.next = None;
        }
        Some(row)
    }
}

fn variant(
    case: &TestCase,
    variants: &Variants,
    values: Parameters,
    row: &[&(Arc<str>, ParameterValue)],
) -> TestCase {
    let mut variant = case.clone();
    variant.id = CaseId::with_parameters(case.id.as_str(), &values);
    if let Some(bind) = &variants.bind {
        let row = row.iter().map(|(_, value)| value.clone()).collect();
        variant.action = CaseAction::Function(bind(row));
    }
    if let CaseAction::Process(process) = &mut variant.action {
        tell_process(process, &values);
    }
    variant.parameters = values;
    variant
}

/// Whether a parameter has this value.
fn has(values: &[(Arc<str>, Arc<str>)], (name, value): &(String, String)) -> bool {
    let mut values = values.iter();
    values.any(|(key, own)| **key == **name && **own == **value)
}

/// A process finds its parameters in its environment.
fn tell_process(process: &mut ProcessCase, values: &[(Arc<str>, Arc<str>)]) {
    let variables = values
        .iter()
        .map(|(name, value)| (variable(name).into(), (**value).into()));
    process.environment.extend(variables);
}

/// The variable that has the value of the parameter: `K2_PARAM_` and the name in capitals, with `_` for what no variable's name has.
pub fn variable(name: &str) -> String {
    let letters = name.chars().flat_map(char::to_uppercase);
    let letters = letters.map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    VARIABLE_PREFIX.chars().chain(letters).collect()
}

/// Two parameters of a process that are one variable.
fn clash(case: &TestCase, parameters: &[Parameter]) -> Option<Problem> {
    if !matches!(case.action, CaseAction::Process(_)) {
        return None;
    }
    let mut known: Vec<(String, &str)> = Vec::new();
    for parameter in parameters {
        let name = variable(&parameter.name);
        if let Some((_, other)) = known.iter().find(|(variable, _)| *variable == name) {
            let text = format!(
                "`{}`: its parameters `{other}` and `{}` would be the same variable, `{name}`",
                case.id, parameter.name
            );
            return Some(Problem::new(&case.id, text).hint("rename one of them"));
        }
        known.push((name, &parameter.name));
    }
    None
}

fn unreadable(case: &TestCase, parameter: &Parameter, text: &str, why: &str) -> Problem {
    let name = &parameter.name;
    let message = format!(
        "option `parameter`: `{name}={text}` is no value for `{}`{}: {why}",
        case.id,
        place(case)
    );
    let problem = Problem::new(name, message);
    // Among the shortest words, everything is near.
    let known = parameter.values.iter().map(String::as_str);
    let known = known.filter(|value| value.chars().count() > 2);
    match zaf_core::config::nearest(text, known) {
        Some(nearest) => problem.hint(format!("did you mean `{nearest}`?")),
        None => problem.hint(format!("its values are {}", parameter.values.join(", "))),
    }
}

fn place(case: &TestCase) -> String {
    let location = case.location.as_ref();
    location.map_or_else(String::new, |place| format!(" ({place})"))
}
