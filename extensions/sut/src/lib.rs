//! Systems under test: makes them of the configuration and of what addons say.
//!
//! What a SUT is, how cases get one, and all messages stand in [`k2::sut`]. This extension reads the options of each entity of
//! `suts.ids`, asks addons by [`DESCRIBE_SUT`] for what they add, and answers [`GET_SUTS`]. Without it, or without an entity, there is none
//! and nothing else changes.
//!
//! A product has it by linking this crate. A program is told which system it runs on:
//!
//! ```
//! use k2_sut as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("environment", "/usr/bin/env")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = ["--suts-ids=box".into(), "--suts-box@ip=192.168.0.7".into(), "--tests-suts=*environment=box".into()];
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let log = std::fs::read_to_string(output.join("latest/events.jsonl"))?;
//!     assert!(log.contains("192.168.0.7") && log.contains("\"suts\":[\"box\"]"), "{log}");
//!     Ok(())
//! }
//! ```

use std::sync::Arc;
use std::time::Duration;

use k2::sut::{
    DESCRIBE_SUT, GET_SUTS, INITIALIZE_SUT, Missing, POST_INITIALIZE_SUT, PRE_INITIALIZE_SUT, SUT,
    SUT_ADD_CAN, SUT_IDS, SUT_IP, SUT_LOG_SOURCES, SUT_RECOVERY_COMPLETED, SUT_RECOVERY_PERFORM,
    SUT_RECOVERY_STARTED, SUT_RESET_DONE, SUT_RESET_DONE_TIMEOUT, SUT_RESET_EXPECTED,
    SUT_RESET_NOT_EXPECTED, SUT_RESET_STARTED, SUT_RESET_STARTED_TIMEOUT, SUT_SHARED, SUTS,
    SUTS_MISSING, SUTS_SPREAD, Sut, SutOffer, SutPart, SutRule, SutRuleError, Suts, TESTS_SUTS,
    UNINITIALIZE_SUT,
};
use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::prelude::*;

/// What the configuration itself is called in contradictions.
const CONFIGURATION: &str = "configuration";

/// An addon cannot describe a SUT.
#[derive(Debug, Error)]
#[error("`{addon}` cannot describe SUT `{sut}`")]
pub struct NotDescribed {
    addon: String,
    sut: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Describes systems under test by their options, and by what addons add.
#[command_extension(
    name = "sut",
    extends = ["sut"],
    config_options = [
        SUT_IDS.optional(),
        SUT_IP.optional(),
        SUT_ADD_CAN.optional(),
        SUT_RESET_STARTED_TIMEOUT.optional(),
        SUT_RESET_DONE_TIMEOUT.optional(),
        SUT_SHARED.optional(),
        SUT_LOG_SOURCES.optional(),
        TESTS_SUTS.optional(),
        SUTS_MISSING.required(),
        SUTS_SPREAD.required(),
    ],
    endpoints_and_messages = {
        SUT: [
            GET_SUTS,
            DESCRIBE_SUT,
            PRE_INITIALIZE_SUT,
            INITIALIZE_SUT,
            POST_INITIALIZE_SUT,
            UNINITIALIZE_SUT,
            SUT_RECOVERY_PERFORM,
            SUT_RECOVERY_STARTED,
            SUT_RECOVERY_COMPLETED,
            SUT_RESET_EXPECTED,
            SUT_RESET_NOT_EXPECTED,
            SUT_RESET_STARTED,
            SUT_RESET_DONE,
        ],
    },
)]
#[derive(Debug)]
pub struct SutExtension {
    /// As the configuration describes them.
    configured: Vec<Sut>,
    missing: Missing,
    spread: bool,
    rules: Arc<[SutRule]>,
    /// The SUTs with what addons have added.
    described: Mutex<Option<Suts>>,
}

impl Extension for SutExtension {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let config = cx.config();
        let entities = config.entities(&SUTS)?;
        let configured = entities.iter().map(|entity| configured(config, entity));
        let rules = config.get_optional(TESTS_SUTS)?.unwrap_or_default();
        // What is no rule has been refused where it stands.
        let rules: Result<Vec<SutRule>, SutRuleError> =
            rules.iter().map(|text| SutRule::parse(text)).collect();
        Ok(Self {
            configured: configured.collect::<Result<_>>()?,
            missing: match config.get(SUTS_MISSING)?.as_str() {
                "error" => Missing::Error,
                _ => Missing::Skip,
            },
            spread: config.get(SUTS_SPREAD)?,
            rules: rules
                .map_err(|wrong| ExitCode::Usage.with_error(wrong))?
                .into(),
            described: Mutex::new(None),
        })
    }
}

#[dispatchers]
impl SutExtension {
    #[callback_dispatcher(GET_SUTS, long_running = true)]
    fn suts(&self, _message: &Message<()>, bus: &MessageBus) -> Result<SutOffer> {
        let known = self.described.lock().clone();
        let suts = match known {
            Some(suts) => suts,
            None => self.describe(bus)?,
        };
        Ok(SutOffer {
            suts,
            missing: self.missing,
            spread: self.spread,
            rules: Arc::clone(&self.rules),
        })
    }
}

impl SutExtension {
    /// Asks the addons about all SUTs; later calls get the same ones.
    fn describe(&self, bus: &MessageBus) -> Result<Suts> {
        let mut suts = Vec::new();
        for configured in &self.configured {
            let mut sut = configured.clone();
            let entity = sut.entity().clone();
            let replies = bus.send_request_optional(DESCRIBE_SUT, SUT, Some(&entity), ())?;
            // As long as it takes: an addon has its limits itself.
            for reply in replies.all(Duration::MAX) {
                let addon = reply.handler.split(['.', '[']).next().unwrap_or_default();
                let part = reply.result.map_err(|error| NotDescribed {
                    addon: addon.to_owned(),
                    sut: sut.name().to_owned(),
                    source: Box::new(error),
                })?;
                sut.add(addon, part)?;
            }
            suts.push(Arc::new(sut));
        }
        let mut described = self.described.lock();
        Ok(described.get_or_insert_with(|| Suts::new(suts)).clone())
    }
}

/// The SUT as its options describe it.
fn configured(config: &ConfigView, entity: &Entity) -> Result<Sut> {
    let mut sut = Sut::new(entity.name());
    sut.ip = config.get_for(SUT_IP, entity)?;
    if let Some(limit) = config.get_for(SUT_RESET_STARTED_TIMEOUT, entity)? {
        sut.reset_started_timeout = limit;
    }
    if let Some(limit) = config.get_for(SUT_RESET_DONE_TIMEOUT, entity)? {
        sut.reset_done_timeout = limit;
    }
    sut.shared = config.get_for(SUT_SHARED, entity)?.unwrap_or(false);
    let mut part = SutPart::new();
    for word in config.get_for(SUT_ADD_CAN, entity)?.unwrap_or_default() {
        part = part.can(word);
    }
    for source in config.get_for(SUT_LOG_SOURCES, entity)?.unwrap_or_default() {
        part = part.log_source(source);
    }
    sut.add(CONFIGURATION, part)?;
    Ok(sut)
}
