//! Tests of the configuration as a whole. Names that begin with `h` and a number are rows of the list of bad input.

mod environment;
mod files;
mod json;
mod keys;
mod merging;
mod operations;
mod options;
mod pictures;
mod references;
mod secrets;
mod toml;
mod values;
mod yaml;

use super::load::{self, Format};
use super::{
    ConfigLayer, ConfigStore, Document, OptionDescriptor, OptionId, Priority, Problems, Source,
    Value,
};
use crate::message::Entity;

pub(super) const OUTPUT_DIR: OptionId<camino::Utf8PathBuf> =
    OptionId::path("output.dir").default("./output");
pub(super) const WORKERS: OptionId<u64> = OptionId::count("parallel.workers").default(1);
pub(super) const INCLUDE: OptionId<Vec<String>> = OptionId::text("tests.include").multiple();
pub(super) const JUNIT: OptionId<bool> = OptionId::flag("reports.junit").default(false);
pub(super) const JUNIT_FILE: OptionId<String> = OptionId::text("reports.junit.file");
pub(super) const TIMEOUT: OptionId<std::time::Duration> = OptionId::duration("tests.timeout");
pub(super) const LEVEL: OptionId<String> =
    OptionId::choice("log.level", &["debug", "info", "warn"]).default("info");
pub(super) const SUTS: OptionId<Vec<Entity>> = OptionId::entities("suts.ids");
pub(super) static SUTS_DESCRIPTOR: OptionDescriptor = SUTS.descriptor();
pub(super) const SUT_IP: OptionId<String> = OptionId::text("ip").at(&SUTS_DESCRIPTOR);
pub(super) const SUT_PORT: OptionId<u64> =
    OptionId::count("ssh.port").default(22).at(&SUTS_DESCRIPTOR);

/// A store that knows the options above.
pub(super) fn store() -> ConfigStore {
    let mut store = ConfigStore::new();
    let declared = [
        (OUTPUT_DIR.descriptor(), "output"),
        (WORKERS.descriptor(), "run"),
        (INCLUDE.descriptor(), "run"),
        (JUNIT.descriptor(), "junit"),
        (JUNIT_FILE.descriptor(), "junit"),
        (TIMEOUT.descriptor(), "run"),
        (LEVEL.descriptor(), "logging"),
        (SUTS.descriptor(), "sut"),
        (SUT_IP.descriptor(), "sut"),
        (SUT_PORT.descriptor(), "ssh"),
    ];
    for (option, owner) in declared {
        store.define(&option, owner).unwrap();
    }
    store
}

pub(super) fn yaml(text: &str) -> Result<ConfigLayer, Problems> {
    load::text(
        Document::new("k2.yaml", text),
        Format::Yaml,
        Priority::LOCAL,
    )
}

pub(super) fn toml(text: &str) -> Result<ConfigLayer, Problems> {
    load::text(
        Document::new("k2.toml", text),
        Format::Toml,
        Priority::LOCAL,
    )
}

pub(super) fn json(text: &str) -> Result<ConfigLayer, Problems> {
    load::text(
        Document::new("k2.json", text),
        Format::Json,
        Priority::LOCAL,
    )
}

/// Key and value of each entry, in the order written.
pub(super) fn pairs(layer: &ConfigLayer) -> Vec<(String, Value)> {
    layer
        .entries()
        .iter()
        .map(|entry| (entry.key.to_string(), entry.value.clone()))
        .collect()
}

/// Title and place of each problem, in order.
pub(super) fn refused(result: Result<ConfigLayer, Problems>) -> Vec<String> {
    result
        .expect_err("it should be refused")
        .list()
        .iter()
        .map(|problem| match problem.position() {
            Some((_, line, column)) => {
                format!("{line}:{column} {}: {}", problem.title(), problem.label())
            }
            None => problem.title().to_owned(),
        })
        .collect()
}

pub(super) fn flag(name: &str) -> Source {
    Source::CommandLine { flag: name.into() }
}
