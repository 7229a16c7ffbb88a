//! From the cases that were found to those that are run: selected, in parts, in order.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use camino::Utf8PathBuf;
use thiserror::Error;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::config::ConfigView;
use zaf_core::prelude::*;

use super::Rerun;
use super::earlier::{EarlierRun, EarlierRunError};
use super::filter::{Filter, FilterError, FilterPatterns};
use super::near::Named;
use super::options::{
    AVAILABLE, EXCLUDE, EXCLUDE_REGEX, INCLUDE, INCLUDE_REGEX, ORDER, OWNER, PARAMETERS, REPEAT,
    REPEAT_FOR, REPEAT_UNTIL_FAILURE, RERUN, RERUN_FROM, RESOURCES, SEED, SHARD, SHARD_FROM, TAGS,
};
use super::order::Order;
use super::repetition::{Repetition, base_id};
use super::shard::{Shard, ShardError};
use super::tag_expression::{TagExpression, TagExpressionError};
use crate::case::TestCase;
use crate::results::LATEST_LINK;
use crate::supervisor::guard;

/// What is wrong with the options of the scheduler.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A rule of a filter.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// An expression of tags.
    #[error("option `tests.tags`: `{expression}`: {source}")]
    Tags {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        source: TagExpressionError,
    },
    /// A part of a run.
    #[error("option `tests.shard`: {0}")]
    Shard(#[from] ShardError),
    /// Something that is to be written with `=`.
    #[error("option `{option}`: `{text}` is not of the form {form}")]
    Pair {
        /// Key of the option.
        option: &'static str,
        /// What was given.
        text: String,
        /// What was expected.
        form: &'static str,
    },
    /// The same cases zero times.
    #[error("option `tests.repeat`: cases cannot be run 0 times; leave them out by a filter")]
    Never,
    /// A seed without a shuffle.
    #[error("option `tests.seed` has a meaning only with `--tests-order shuffle`")]
    SeedWithoutShuffle,
    /// A run to balance by without a part.
    #[error("option `tests.shard.from` has a meaning only with `--tests-shard n/m`")]
    ShardFromWithoutShard,
    /// The earlier run.
    #[error("{}", chained(.0))]
    Earlier(#[from] EarlierRunError),
}

/// The error with its causes, of which some are in its own text already.
fn chained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text += ": ";
            text += &cause;
        }
    }
    text
}

/// All that is wrong, as one error: wrong use of the command line or the configuration.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(|one| chained(one)).collect::<Vec<_>>().join("\n"))]
pub struct PlanErrors(pub Vec<PlanError>);

/// Which cases are run, in which order, and what they need.
#[derive(Debug)]
pub struct Plan {
    /// The run goes on in another runner: it is about the cases that were selected when it began, and no others.
    is_resumed: bool,
    filter: Filter,
    /// What is asked for by name, owners in lower case; of what is empty there is no filter.
    named: Named,
    rerun: Vec<Rerun>,
    order: Order,
    shard: Option<Shard>,
    resources: Vec<(Filter, String)>,
    pub(super) available: BTreeMap<String, u32>,
    pub(super) repetition: Repetition,
    earlier: EarlierRun,
    balance: EarlierRun,
}

impl Plan {
    /// Reads the options, and the earlier run if one of them asks for it.
    ///
    /// # Errors
    /// [`PlanErrors`] with everything that is wrong, as wrong use (exit code 2).
    pub fn read(config: &ConfigView) -> Result<Self> {
        if let Some(earlier) = run_that_goes_on()? {
            return Self::resumed(config, earlier);
        }
        let mut problems = Vec::new();
        let texts = |option| -> Result<Vec<String>> {
            Ok(config.get_optional(option)?.unwrap_or_default())
        };
        let patterns = FilterPatterns {
            include: texts(INCLUDE)?,
            include_regex: texts(INCLUDE_REGEX)?,
            exclude: texts(EXCLUDE)?,
            exclude_regex: texts(EXCLUDE_REGEX)?,
        };
        let filter = Filter::new(&patterns).unwrap_or_else(|wrong| {
            problems.extend(wrong.into_iter().map(PlanError::from));
            Filter::default()
        });
        let mut tags = Vec::new();
        for text in texts(TAGS)? {
            match TagExpression::parse(&text) {
                Ok(expression) => tags.push(expression),
                Err(source) => problems.push(PlanError::Tags {
                    expression: text,
                    source,
                }),
            }
        }
        let owners = texts(OWNER)?;
        let owners = owners.iter().map(|owner| owner.to_lowercase()).collect();
        let parameters = parameters(&texts(PARAMETERS)?, &mut problems);
        let shard = config.get_optional(SHARD)?.and_then(|text: String| {
            let shard = text.parse::<Shard>();
            shard.map_err(|wrong| problems.push(wrong.into())).ok()
        });
        let repetition = repetition(config)?;
        if repetition.times == Some(0) {
            problems.push(PlanError::Never);
        }
        let rerun = texts(RERUN)?;
        let rerun: Vec<_> = rerun
            .iter()
            .filter_map(|word| Rerun::of_word(word))
            .collect();
        let order = order(config, &mut problems)?;
        let mut read = |directory: Utf8PathBuf| {
            let run = EarlierRun::read(&directory);
            run.unwrap_or_else(|wrong| {
                problems.push(wrong.into());
                EarlierRun::default()
            })
        };
        let needs_earlier = !rerun.is_empty() || order == Order::LongestFirst;
        let earlier = match config.get_optional(RERUN_FROM)? {
            Some(directory) => read(directory),
            None if needs_earlier => read(config.get(OUTPUT_DIR)?.join(LATEST_LINK)),
            None => EarlierRun::default(),
        };
        let balance = match config.get_optional(SHARD_FROM)? {
            Some(directory) => read(directory),
            None => EarlierRun::default(),
        };
        if shard.is_none()
            && config.get_optional(SHARD)?.is_none()
            && config.get_optional(SHARD_FROM)?.is_some()
        {
            problems.push(PlanError::ShardFromWithoutShard);
        }
        let resources = resources(&texts(RESOURCES)?, &mut problems);
        let available = available(&texts(AVAILABLE)?, &mut problems);
        if !problems.is_empty() {
            return Err(ExitCode::Usage.with_error(PlanErrors(problems)));
        }
        Ok(Self {
            is_resumed: false,
            filter,
            named: Named {
                include: patterns.include,
                tags,
                owners,
                parameters,
            },
            rerun,
            order,
            shard,
            resources,
            available,
            repetition,
            earlier,
            balance,
        })
    }

    /// The same cases again, whatever else can be found by now. Their order does not matter: what has its verdict is passed over.
    fn resumed(config: &ConfigView, earlier: EarlierRun) -> Result<Self> {
        let texts = |option| -> Result<Vec<String>> {
            Ok(config.get_optional(option)?.unwrap_or_default())
        };
        // They were right when the run began.
        let mut problems = Vec::new();
        Ok(Self {
            is_resumed: true,
            filter: Filter::default(),
            named: Named::default(),
            rerun: Vec::new(),
            order: Order::Definition,
            shard: None,
            resources: resources(&texts(RESOURCES)?, &mut problems),
            available: available(&texts(AVAILABLE)?, &mut problems),
            repetition: repetition(config)?,
            earlier,
            balance: EarlierRun::default(),
        })
    }

    /// Why nothing is selected, if nothing is: what filters name that no case has.
    pub fn near(&self, cases: &[TestCase]) -> Vec<String> {
        if cases.iter().any(|case| self.selects(case)) {
            return Vec::new();
        }
        self.named.unknown(cases)
    }

    /// Keeps the cases to run and puts them in order; returns how many were left out.
    pub fn apply(&self, cases: &mut Vec<TestCase>) -> usize {
        let before = cases.len();
        cases.retain(|case| self.selects(case));
        if let Some(shard) = self.shard {
            shard.keep(cases, &self.balance);
        }
        self.order.apply(cases, &self.earlier);
        for case in &mut *cases {
            for (pattern, resource) in &self.resources {
                if pattern.selects_id(case.id.as_str()) {
                    case.need(resource);
                }
            }
        }
        before - cases.len()
    }

    /// What the order is drawn with, if it is.
    pub fn seed(&self) -> Option<u64> {
        match self.order {
            Order::Shuffle { seed } => Some(seed),
            _ => None,
        }
    }

    /// A case that could not be loaded stands for cases that nobody knows: no filter hides it.
    fn selects(&self, case: &TestCase) -> bool {
        let meant = |rerun: &Rerun| self.earlier.is_meant(&base_id(&case.id), *rerun);
        if self.is_resumed {
            return self.earlier.knows(&case.id);
        }
        case.is_load_failure()
            || self.filter.selects_id(case.id.as_str())
                && self.named.tags.iter().all(|tags| tags.matches(&case.tags))
                && self.has_owner(case)
                && self.has_parameters(case)
                && (self.rerun.is_empty() || self.rerun.iter().any(meant))
    }

    fn has_owner(&self, case: &TestCase) -> bool {
        let is_wanted = |owner: &str| self.named.owners.contains(&owner.to_lowercase());
        self.named.owners.is_empty() || case.owner.as_deref().is_some_and(is_wanted)
    }

    fn has_parameters(&self, case: &TestCase) -> bool {
        self.named.parameters.iter().all(|(name, values)| {
            let mut own = case.parameters.iter();
            own.any(|(key, value)| **key == **name && values.iter().any(|one| **one == **value))
        })
    }
}

/// What this run has recorded so far, if it goes on in this process.
fn run_that_goes_on() -> Result<Option<EarlierRun>> {
    let Some(continuation) = guard::continuation() else {
        return Ok(None);
    };
    Ok(Some(EarlierRun::read(&continuation.directory)?))
}

fn repetition(config: &ConfigView) -> Result<Repetition> {
    Ok(Repetition {
        times: config.get_optional(REPEAT)?,
        duration: config.get_optional(REPEAT_FOR)?,
        until_failure: config.get(REPEAT_UNTIL_FAILURE)?,
    })
}

fn order(config: &ConfigView, problems: &mut Vec<PlanError>) -> Result<Order> {
    let seed = config.get_optional(SEED)?;
    let order = match config.get(ORDER)?.as_str() {
        "shuffle" => Order::Shuffle {
            seed: seed.unwrap_or_else(any_seed),
        },
        "longest-first" => Order::LongestFirst,
        _ => Order::Definition,
    };
    if seed.is_some() && !matches!(order, Order::Shuffle { .. }) {
        problems.push(PlanError::SeedWithoutShuffle);
    }
    Ok(order)
}

/// Another number each time; short, because people type it.
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

/// `NAME=VALUE`, each name with its values.
fn parameters(texts: &[String], problems: &mut Vec<PlanError>) -> BTreeMap<String, Vec<String>> {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in texts {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                let values = parameters.entry(name.to_owned()).or_default();
                values.push(value.to_owned());
            }
            _ => problems.push(PlanError::Pair {
                option: PARAMETERS.key(),
                text: text.clone(),
                form: "NAME=VALUE",
            }),
        }
    }
    parameters
}

/// `PATTERN=NAME`; patterns as in `tests.include`.
fn resources(texts: &[String], problems: &mut Vec<PlanError>) -> Vec<(Filter, String)> {
    let mut resources = Vec::new();
    for text in texts {
        let Some((pattern, name)) = text.rsplit_once('=').filter(|(_, name)| !name.is_empty())
        else {
            problems.push(PlanError::Pair {
                option: RESOURCES.key(),
                text: text.clone(),
                form: "PATTERN=NAME",
            });
            continue;
        };
        let patterns = FilterPatterns {
            include: vec![pattern.to_owned()],
            ..FilterPatterns::default()
        };
        match Filter::new(&patterns) {
            Ok(filter) => resources.push((filter, name.to_owned())),
            Err(wrong) => problems.extend(wrong.into_iter().map(PlanError::from)),
        }
    }
    resources
}

/// `NAME=NUMBER`.
fn available(texts: &[String], problems: &mut Vec<PlanError>) -> BTreeMap<String, u32> {
    let mut available = BTreeMap::new();
    for text in texts {
        let pair = text.split_once('=');
        let number = pair.and_then(|(name, number)| {
            let number = number.parse().ok().filter(|&number| number > 0)?;
            (!name.is_empty()).then(|| (name.to_owned(), number))
        });
        match number {
            Some((name, number)) => _ = available.insert(name, number),
            None => problems.push(PlanError::Pair {
                option: AVAILABLE.key(),
                text: text.clone(),
                form: "NAME=NUMBER with a number from 1 on",
            }),
        }
    }
    available
}
