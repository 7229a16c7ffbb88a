//! Which cases are selected: include and exclude rules by prefix, glob and regular expression.
//!
//! Pure. A case is a candidate if there is no include rule at all or at least one matches; then any matching exclude rule
//! removes it. Source: the K2 scheduler, "Filtering".

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};
use thiserror::Error;

use super::repetition::base_id;
use crate::case::CaseId;

/// Size of a compiled expression in bytes; larger ones are refused, so that no pattern exhausts the memory.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// A filter rule cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A regular expression is wrong.
    #[error("option `{option}`: `{pattern}` is not a regular expression")]
    Regex {
        /// Key of the option it was given to.
        option: &'static str,
        /// What was given.
        pattern: String,
        /// Where it is wrong.
        source: Box<regex::Error>,
    },
    /// A glob pattern is wrong.
    #[error("option `{option}`: `{pattern}` is not a glob pattern")]
    Glob {
        /// Key of the option it was given to.
        option: &'static str,
        /// What was given.
        pattern: String,
        /// Where it is wrong.
        source: globset::Error,
    },
}

/// The texts that the rules are made from.
#[derive(Debug, Clone, Default)]
pub struct FilterPatterns {
    /// `tests.include`: prefixes of whole parts, or globs.
    pub include: Vec<String>,
    /// `tests.include.regex`: searched anywhere in the id.
    pub include_regex: Vec<String>,
    /// `tests.exclude`: prefixes of whole parts, or globs.
    pub exclude: Vec<String>,
    /// `tests.exclude.regex`: searched anywhere in the id.
    pub exclude_regex: Vec<String>,
}

/// Compiled include and exclude rules.
#[derive(Debug, Default)]
pub struct Filter {
    include: Vec<Rule>,
    exclude: Vec<Rule>,
}

#[derive(Debug)]
pub(super) enum Rule {
    /// Whole parts from the left; parts end at `::`, `/` and before `[`.
    Prefix(String),
    /// Matches the whole id, with or without its parameters.
    Glob(GlobMatcher),
    Regex(Regex),
}

impl Filter {
    /// Compiles the rules.
    ///
    /// # Errors
    /// All rules that are wrong, in the order given; never empty.
    pub fn new(patterns: &FilterPatterns) -> Result<Self, Vec<FilterError>> {
        let mut problems = Vec::new();
        let mut rules = |plain: &[String], plain_option, regexes: &[String], regex_option| {
            let plain = plain.iter().map(|text| Rule::plain(text, plain_option));
            let regexes = regexes.iter().map(|text| Rule::regex(text, regex_option));
            plain
                .chain(regexes)
                .filter_map(|rule| rule.map_err(|problem| problems.push(problem)).ok())
                .collect::<Vec<_>>()
        };
        let include = rules(
            &patterns.include,
            "tests.include",
            &patterns.include_regex,
            "tests.include.regex",
        );
        let exclude = rules(
            &patterns.exclude,
            "tests.exclude",
            &patterns.exclude_regex,
            "tests.exclude.regex",
        );
        if problems.is_empty() {
            Ok(Self { include, exclude })
        } else {
            Err(problems)
        }
    }

    /// Whether a case of this id is selected.
    pub fn selects_id(&self, id: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|rule| rule.matches(id)))
            && !self.exclude.iter().any(|rule| rule.matches(id))
    }
}

impl Rule {
    /// A text with one of `*?[{` before any parameter list is a glob, else a prefix.
    pub(super) fn plain(text: &str, option: &'static str) -> Result<Self, FilterError> {
        if !text.contains(['*', '?', '{']) {
            // The rounds of a case are made after it was selected.
            let id = base_id(&CaseId::new(text));
            return Ok(Self::Prefix(id.as_str().to_owned()));
        }
        GlobBuilder::new(text)
            .literal_separator(false)
            .build()
            .map(|glob| Self::Glob(glob.compile_matcher()))
            .map_err(|source| FilterError::Glob {
                option,
                pattern: text.to_owned(),
                source,
            })
    }

    fn regex(text: &str, option: &'static str) -> Result<Self, FilterError> {
        RegexBuilder::new(text)
            .size_limit(REGEX_SIZE_LIMIT)
            .build()
            .map(Self::Regex)
            .map_err(|source| FilterError::Regex {
                option,
                pattern: text.to_owned(),
                source: Box::new(source),
            })
    }

    pub(super) fn matches(&self, id: &str) -> bool {
        match self {
            Self::Prefix(prefix) => is_prefix(prefix, id),
            Self::Glob(glob) => glob.is_match(id) || glob.is_match(without_parameters(id)),
            Self::Regex(regex) => regex.is_match(id),
        }
    }
}

/// Whether `prefix` ends at a boundary of parts of `id`.
fn is_prefix(prefix: &str, id: &str) -> bool {
    let prefix = prefix.strip_suffix("::").unwrap_or(prefix);
    id.strip_prefix(prefix).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with("::") || rest.starts_with('/') || rest.starts_with('[')
    })
}

fn without_parameters(id: &str) -> &str {
    id.split_once('[').map_or(id, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Filter::new(&FilterPatterns {
            include: texts(include),
            exclude: texts(exclude),
            ..FilterPatterns::default()
        })
        .unwrap()
    }

    #[test]
    fn a_prefix_matches_whole_parts_only() {
        let filter = filter(&["git::log"], &[]);
        assert!(filter.selects_id("git::log"));
        assert!(filter.selects_id("git::log::is_sorted"));
        assert!(filter.selects_id("git::log[flag=-s]"));
        assert!(!filter.selects_id("git::logs"));
        assert!(!filter.selects_id("git"));
    }

    #[test]
    fn a_glob_matches_with_and_without_parameters() {
        let filter = filter(&["git::*_sorted"], &[]);
        assert!(filter.selects_id("git::log::is_sorted"));
        assert!(filter.selects_id("git::log::is_sorted[n=1]"));
        assert!(!filter.selects_id("hg::is_sorted"));
    }

    #[test]
    fn a_prefix_may_name_one_set_of_parameters() {
        let filter = filter(&["kernel_name[flag=-s]"], &[]);
        assert!(filter.selects_id("kernel_name[flag=-s]"));
        assert!(!filter.selects_id("kernel_name[flag=-r]"));
    }

    #[test]
    fn excludes_win_over_includes() {
        let filter = filter(&["a"], &["a::b"]);
        assert!(filter.selects_id("a::c"));
        assert!(!filter.selects_id("a::b"));
    }

    #[test]
    fn all_wrong_rules_are_reported() {
        let problems = Filter::new(&FilterPatterns {
            include: vec!["a{b".to_owned()],
            exclude_regex: vec!["(".to_owned(), "ok".to_owned()],
            ..FilterPatterns::default()
        })
        .unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "option `tests.include`: `a{b` is not a glob pattern",
                "option `tests.exclude.regex`: `(` is not a regular expression",
            ]
        );
    }

    #[test]
    fn a_huge_expression_is_refused_instead_of_compiled() {
        let patterns = FilterPatterns {
            include_regex: vec!["(((a{1000}){1000}){1000})".to_owned()],
            ..FilterPatterns::default()
        };
        assert!(Filter::new(&patterns).is_err());
    }

    proptest! {
        #[test]
        fn without_rules_everything_is_selected(id in ".*") {
            prop_assert!(Filter::default().selects_id(&id));
        }

        #[test]
        fn every_leading_run_of_parts_is_a_prefix(parts in prop::collection::vec("[a-z_]{1,6}", 1..5), n in 1usize..5) {
            let id = parts.join("::");
            let prefix = parts[..n.min(parts.len())].join("::");
            prop_assert!(is_prefix(&prefix, &id));
        }
    }
}
