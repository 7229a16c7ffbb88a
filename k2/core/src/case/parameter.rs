//! The parameters that a case declares, of which its variants are made.

use std::fmt;
use std::sync::Arc;

use super::CaseFunction;

/// Reads a value that was given as text; the error is what was expected, as a phrase that follows "cannot be read: ".
pub type ReadParameter = fn(&str) -> Result<(), String>;

/// A parameter of a test function, as a constant in its descriptor.
#[derive(Debug, Clone, Copy)]
pub struct ParameterDescriptor {
    /// Name of the argument.
    pub name: &'static str,
    /// Its values, each as it is shown; a parameter with a default has one.
    pub values: &'static [&'static str],
    /// Whether a text can be read as its type.
    pub read: ReadParameter,
}

/// A parameter that a case declares.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parameter {
    /// What it is called.
    pub name: String,
    /// The values it has unless others are given, as they are shown.
    pub values: Vec<String>,
    /// Whether another text can be a value.
    pub read: ReadParameter,
}

impl Parameter {
    /// A parameter for which every text is a value.
    pub fn new<V: Into<String>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            name: name.into(),
            values: values.into_iter().map(Into::into).collect(),
            read: |_| Ok(()),
        }
    }

    /// With a check of the texts that are given for it.
    #[must_use]
    pub fn read(mut self, read: ReadParameter) -> Self {
        self.read = read;
        self
    }
}

/// The value of a parameter in one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// That of the declaration with this index.
    Declared(usize),
    /// A text that was given from outside.
    Given(Arc<str>),
}

/// Makes the function of one variant, from the values in the order of the parameters.
pub type BindParameters = Arc<dyn Fn(Vec<ParameterValue>) -> CaseFunction + Send + Sync>;

/// What a case declares that has variants. The case itself is not run: each combination of values is.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Variants {
    /// The parameters; the first one changes slowest.
    pub parameters: Vec<Parameter>,
    /// Combinations that are left out: a variant goes that has all values of one of them.
    pub exclusions: Vec<Vec<(String, String)>>,
    /// How the function of a variant is made. Without it all variants have the same action, and read their values from
    /// [`TestContext`](super::TestContext) or, as processes, from their environment.
    pub bind: Option<BindParameters>,
}

impl Variants {
    /// The product of these parameters.
    pub fn of(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self {
            parameters: parameters.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variants")
            .field("parameters", &self.parameters)
            .field("exclusions", &self.exclusions)
            .field("bind", &self.bind.is_some())
            .finish()
    }
}
