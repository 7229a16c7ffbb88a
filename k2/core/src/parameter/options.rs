//! The options about parameters, and how they are read.

use thiserror::Error;
use zaf_core::config::ConfigView;
use zaf_core::prelude::*;

use super::{Assignment, AssignmentError, Exclusion, ExclusionError, GivenParameters};

/// Values for parameters of test cases.
///
/// CLI `-p NAME=VALUE`, environment `K2_PARAMETER`, repeatable, no default. Several values of one name make variants.
pub const PARAMETER: OptionId<Vec<String>> = OptionId::text("parameter")
    .describe("Give the parameter NAME of test cases this VALUE, as NAME=VALUE; several values: a variant for each")
    .multiple()
    .short('p');

/// Variants that are left out.
///
/// CLI `--parameter-exclude NAME=VALUE,NAME=VALUE`, environment `K2_PARAMETER_EXCLUDE`, repeatable, no default.
pub const EXCLUDE: OptionId<Vec<String>> = OptionId::text("parameter.exclude")
    .describe(
        "Leave out variants with all these values: NAME=VALUE,NAME!=VALUE or PATTERN[NAME=VALUE]",
    )
    .multiple();

/// Most variants that one case may have.
///
/// CLI `--parameter-limit`, environment `K2_PARAMETER_LIMIT`, default 10000: a product that is larger than that is as a rule a mistake.
pub const LIMIT: OptionId<u64> = OptionId::count("parameter.limit")
    .describe("Most variants that one test case may have before any is left out")
    .default(GivenParameters::LIMIT);

/// What is wrong with the options of parameters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A value for a parameter.
    #[error("option `parameter`: {0}")]
    Assignment(#[from] AssignmentError),
    /// An exclusion.
    #[error("option `parameter.exclude`: `{text}`: {source}")]
    Exclusion {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: ExclusionError,
    },
}

/// All that is wrong, as one error: wrong use of the command line or the configuration.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ParameterErrors(pub Vec<ParameterError>);

impl GivenParameters {
    /// Reads the options of a command.
    ///
    /// # Errors
    /// [`ParameterErrors`] with everything that is wrong, as wrong use (exit code 2).
    pub fn read(config: &ConfigView) -> Result<Self> {
        let assignments = config.get_optional(PARAMETER)?.unwrap_or_default();
        let exclusions = config.get_optional(EXCLUDE)?.unwrap_or_default();
        let given = Self::of(&assignments, &exclusions, config.get(LIMIT)?);
        given.map_err(|problems| ExitCode::Usage.with_error(ParameterErrors(problems)))
    }

    /// Reads their texts.
    ///
    /// # Errors
    /// Everything that is wrong, in this order; never empty.
    pub fn of(
        assignments: &[String],
        exclusions: &[String],
        limit: u64,
    ) -> std::result::Result<Self, Vec<ParameterError>> {
        let mut given = Self {
            limit,
            ..Self::default()
        };
        let mut problems = Vec::new();
        for text in assignments {
            match text.parse::<Assignment>() {
                Ok(assignment) => given.add(assignment),
                Err(problem) => problems.push(problem.into()),
            }
        }
        for text in exclusions {
            match text.parse::<Exclusion>() {
                Ok(exclusion) => given.exclusions.push(exclusion),
                Err(source) => problems.push(ParameterError::Exclusion {
                    text: text.clone(),
                    source,
                }),
            }
        }
        if problems.is_empty() {
            Ok(given)
        } else {
            Err(problems)
        }
    }
}
