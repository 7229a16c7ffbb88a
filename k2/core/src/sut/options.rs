//! The options of SUTs, and of who gets which.

use std::time::Duration;

use zaf_core::config::OptionDescriptor;
use zaf_core::prelude::*;

use super::SutRule;

/// The systems under test.
///
/// CLI `--suts-ids box`, environment `K2_SUTS_IDS`, repeatable, no default: nothing is tested that has a name.
pub const SUT_IDS: OptionId<Vec<Entity>> = OptionId::entities("suts.ids")
    .describe("Systems under test: a name for each, by which its own options are called");

/// [`SUT_IDS`] for options that hang at it: `OptionId::text("power.port").at(&SUTS)`.
pub const SUTS: OptionDescriptor = SUT_IDS.descriptor();

/// Where the SUT can be reached.
///
/// CLI `--suts-box@ip`, environment `K2_SUTS_BOX_IP`, no default.
pub const SUT_IP: OptionId<String> = OptionId::text("ip")
    .describe("Address of the system under test")
    .at(&SUTS);

/// What the SUT can, besides being itself.
///
/// CLI `--suts-box@add-can arm`, environment `K2_SUTS_BOX_ADD_CAN`, repeatable, no default.
pub const SUT_ADD_CAN: OptionId<Vec<String>> = OptionId::text("add.can")
    .describe("A word for what this system under test can; cases ask for such words")
    .multiple()
    .at(&SUTS);

/// Longest time from a cause of a reset to its beginning.
///
/// CLI `--suts-box@resetstarted-timeout 30s`, environment `K2_SUTS_BOX_RESETSTARTED_TIMEOUT`, default 60 s. For extensions that wait
/// for resets.
pub const SUT_RESET_STARTED_TIMEOUT: OptionId<Duration> =
    OptionId::duration("resetstarted.timeout")
        .describe("Longest wait for the beginning of a reset that was caused")
        .default(Duration::from_mins(1))
        .at(&SUTS);

/// Longest time from the beginning of a reset to its end.
///
/// CLI `--suts-box@resetdone-timeout 5m`, environment `K2_SUTS_BOX_RESETDONE_TIMEOUT`, default 120 s. When it is over, the run is
/// aborted: see [`SUT_RESET_STARTED`](super::SUT_RESET_STARTED).
pub const SUT_RESET_DONE_TIMEOUT: OptionId<Duration> = OptionId::duration("resetdone.timeout")
    .describe("Longest time that a reset may take; no case begins meanwhile, and the run is aborted when it is over")
    .default(Duration::from_mins(2))
    .at(&SUTS);

/// Whether several cases may use the SUT at the same time.
///
/// CLI `--suts-box@shared true`, environment `K2_SUTS_BOX_SHARED`, default false.
pub const SUT_SHARED: OptionId<bool> = OptionId::flag("shared")
    .describe("Whether several cases may use this system under test at the same time")
    .default(false)
    .at(&SUTS);

/// Entities whose log lines come from the SUT. For extensions that read logs; addons add to them.
///
/// CLI `--suts-box@log-sources serial-tty0`, environment `K2_SUTS_BOX_LOG_SOURCES`, repeatable, hidden, no default.
pub const SUT_LOG_SOURCES: OptionId<Vec<String>> = OptionId::text("log.sources")
    .describe("Names of what logs on behalf of this system under test")
    .multiple()
    .hidden()
    .at(&SUTS);

/// Which executables run on a SUT: see [`SutRule`](super::SutRule).
///
/// CLI `--tests-suts 'net::*=telnet'`, environment `K2_TESTS_SUTS`, repeatable, no default.
pub const TESTS_SUTS: OptionId<Vec<String>> = OptionId::text("tests.suts")
    .describe(
        "Executables that match run on a system under test that can all these words, given as \
         PATTERN=WORD,WORD; PATTERN=each:WORD once on each of them",
    )
    .transform(rule)
    .multiple();

/// The same, if it is a rule: a wrong one is shown where it stands, before anything is made of it.
fn rule(text: String) -> Result<String, String> {
    match SutRule::parse(&text) {
        Ok(_) => Ok(text),
        Err(wrong) => Err(wrong.expected().to_owned()),
    }
}

/// What becomes of a case whose SUT is not there.
///
/// CLI `--suts-missing error`, environment `K2_SUTS_MISSING`, default `skip`.
pub const SUTS_MISSING: OptionId<String> = OptionId::choice("suts.missing", &["skip", "error"])
    .describe("How a case ends that asks for a system under test which is not there")
    .default("skip");

/// Whether cases are dealt out to all SUTs that fit.
///
/// CLI `--suts-spread true`, environment `K2_SUTS_SPREAD`, default false: each gets the first that fits, in the order of `suts.ids`.
pub const SUTS_SPREAD: OptionId<bool> = OptionId::flag("suts.spread")
    .describe("Whether cases are dealt out to all systems under test that fit, not to the first")
    .default(false);
