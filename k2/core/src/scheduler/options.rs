//! The options of the scheduler: which cases, in which order, how often, and what they share.

use camino::Utf8PathBuf;
use std::time::Duration;

use zaf_core::config::OptionId;

use super::{Order, Rerun};

/// Runs only cases whose id starts with these parts, or matches these globs.
///
/// CLI `--tests-include`, environment `K2_TESTS_INCLUDE`, repeatable, no default (everything).
pub const INCLUDE: OptionId<Vec<String>> = OptionId::text("tests.include")
    .describe("Run only cases whose id starts with these parts, or matches this glob")
    .multiple();

/// Runs only cases in whose id one of these expressions is found.
///
/// CLI `--tests-include-regex`, environment `K2_TESTS_INCLUDE_REGEX`, repeatable, no default.
pub const INCLUDE_REGEX: OptionId<Vec<String>> = OptionId::text("tests.include.regex")
    .describe("Run only cases in whose id this regular expression is found")
    .multiple();

/// Leaves out cases whose id starts with these parts, or matches these globs.
///
/// CLI `--tests-exclude`, environment `K2_TESTS_EXCLUDE`, repeatable, no default.
pub const EXCLUDE: OptionId<Vec<String>> = OptionId::text("tests.exclude")
    .describe("Leave out cases whose id starts with these parts, or matches this glob")
    .multiple();

/// Leaves out cases in whose id one of these expressions is found.
///
/// CLI `--tests-exclude-regex`, environment `K2_TESTS_EXCLUDE_REGEX`, repeatable, no default.
pub const EXCLUDE_REGEX: OptionId<Vec<String>> = OptionId::text("tests.exclude.regex")
    .describe("Leave out cases in whose id this regular expression is found")
    .multiple();

/// Runs only cases for whose tags all these expressions are true.
///
/// CLI `--tests-tags 'smoke and not slow'`, environment `K2_TESTS_TAGS`, repeatable, no default.
pub const TAGS: OptionId<Vec<String>> = OptionId::text("tests.tags")
    .describe("Run only cases whose tags match: words with `and`, `or`, `not` and parentheses")
    .multiple();

/// Runs only cases that one of these people or teams looks after; without regard to capitals.
///
/// CLI `--tests-owner 'network team'`, environment `K2_TESTS_OWNER`, repeatable, no default.
pub const OWNER: OptionId<Vec<String>> = OptionId::text("tests.owner")
    .describe("Run only cases that this person or team looks after")
    .multiple();

/// Runs only cases with these values of parameters: of one parameter any, of several all.
///
/// CLI `--tests-parameters NAME=VALUE`, environment `K2_TESTS_PARAMETERS`, repeatable, no default.
pub const PARAMETERS: OptionId<Vec<String>> = OptionId::text("tests.parameters")
    .describe("Run only cases whose parameter NAME has this VALUE, given as NAME=VALUE")
    .multiple();

/// Runs only cases that an earlier run ended with one of these verdicts.
///
/// CLI `--rerun failed`, environment `K2_RERUN`, repeatable, no default. `failed` means all that did not pass, `unfinished` those
/// without a verdict.
pub const RERUN: OptionId<Vec<String>> = OptionId::choice("rerun", Rerun::WORDS)
    .describe("Run only cases that ended like this in an earlier run: see --rerun-from")
    .multiple();

/// Directory of the earlier run.
///
/// CLI `--rerun-from`, environment `K2_RERUN_FROM`; by default the last run in the output directory.
pub const RERUN_FROM: OptionId<Utf8PathBuf> = OptionId::path("rerun.from")
    .describe("Directory of the run that --rerun and --tests-order longest-first look at; default: the last one");

/// In which order cases are handed out.
///
/// CLI `--tests-order`, environment `K2_TESTS_ORDER`, default `definition`.
pub const ORDER: OptionId<String> = OptionId::choice("tests.order", Order::WORDS)
    .describe("In which order cases begin: as found, at random, or those first that took longest")
    .default("definition");

/// What the order is drawn with.
///
/// CLI `--tests-seed`, environment `K2_TESTS_SEED`; by default another one each time, which the run shows.
pub const SEED: OptionId<u64> = OptionId::count("tests.seed")
    .describe("Seed of --tests-order shuffle: the same seed gives the same order");

/// Which part of the cases is run here.
///
/// CLI `--tests-shard 2/5`, environment `K2_TESTS_SHARD`, no default (all).
pub const SHARD: OptionId<String> = OptionId::text("tests.shard")
    .describe("Run only part n of m, as n/m: every case belongs to exactly one part");

/// Directory of a run whose durations balance the parts. It has to be the same run for all parts, or cases are lost between them.
///
/// CLI `--tests-shard-from`, environment `K2_TESTS_SHARD_FROM`; without it all cases count alike.
pub const SHARD_FROM: OptionId<Utf8PathBuf> = OptionId::path("tests.shard.from").describe(
    "Directory of a run by whose durations the parts are balanced; the same for all parts",
);

/// How often each case is run.
///
/// CLI `--tests-repeat`, environment `K2_TESTS_REPEAT`, no default (once).
pub const REPEAT: OptionId<u64> =
    OptionId::count("tests.repeat").describe("Run all cases so many times");

/// For how long rounds begin.
///
/// CLI `--tests-repeat-for`, environment `K2_TESTS_REPEAT_FOR`, no default.
pub const REPEAT_FOR: OptionId<Duration> = OptionId::duration("tests.repeat.for")
    .describe("Run all cases again and again; no round begins after that time");

/// Whether rounds begin until a case ends in failure.
///
/// CLI `--tests-repeat-until-failure`, environment `K2_TESTS_REPEAT_UNTIL_FAILURE`, default false.
pub const REPEAT_UNTIL_FAILURE: OptionId<bool> = OptionId::flag("tests.repeat.until.failure")
    .describe("Run all cases again and again until one fails")
    .default(false);

/// What cases need for themselves, besides what they say.
///
/// CLI `--tests-resources 'net::*=network'`, environment `K2_TESTS_RESOURCES`, repeatable, no default.
pub const RESOURCES: OptionId<Vec<String>> = OptionId::text("tests.resources")
    .describe("Cases that match need this resource and take turns, given as PATTERN=NAME")
    .multiple();

/// How many cases may have a resource at a time.
///
/// CLI `--resources-available gpu=2`, environment `K2_RESOURCES_AVAILABLE`, repeatable; 1 of each that is not named.
pub const AVAILABLE: OptionId<Vec<String>> = OptionId::text("resources.available")
    .describe("How many cases may have a resource at a time, given as NAME=NUMBER; otherwise one")
    .multiple();
