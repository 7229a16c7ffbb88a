//! How much is logged.

use tracing::level_filters::LevelFilter;

use super::declare::Declaration;
use crate::application::logging::set_level;
use crate::config::OptionId;
use crate::error::Result;
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};

/// Least serious log events that are shown on standard error. `--log-level`, `<PREFIX>_LOG_LEVEL`; default `warn`.
pub const LOG_LEVEL: OptionId<String> = OptionId::choice(
    "log.level",
    &["off", "error", "warn", "info", "debug", "trace"],
)
.describe("Least serious log events that are shown.")
.default("warn");

/// Sets the level that [`LOG_LEVEL`] asks for. What is logged before, while configuration is read, is shown from `warn` on.
#[derive(Debug)]
pub struct Logging;

pub(super) const LOGGING: ExtensionDescriptor = Declaration {
    name: "logging",
    description: "Shows log events on standard error.",
    load_order: 101,
    config_options: &[LOG_LEVEL.optional()],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<Logging>();

impl Extension for Logging {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        set_level(level(&cx.config().get(LOG_LEVEL)?));
        Ok(Self)
    }
}

/// The level of one of the words of [`LOG_LEVEL`].
fn level(word: &str) -> LevelFilter {
    match word {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => LevelFilter::WARN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kind;

    #[test]
    fn every_word_has_a_level_of_its_own() {
        let Kind::Choice(words) = LOG_LEVEL.descriptor().kind else {
            panic!("log.level is a choice");
        };
        let levels: Vec<LevelFilter> = words.iter().map(|word| level(word)).collect();
        assert_eq!(
            levels,
            [
                LevelFilter::OFF,
                LevelFilter::ERROR,
                LevelFilter::WARN,
                LevelFilter::INFO,
                LevelFilter::DEBUG,
                LevelFilter::TRACE
            ]
        );
    }
}
