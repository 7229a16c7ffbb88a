//! Which records a sink wants. Pure.

use std::collections::BTreeMap;

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Words of all levels, the quietest first.
pub(crate) const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// The levels of [`LEVELS`], in its order.
const FILTERS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

/// The level of one of the words of [`LEVELS`].
pub(crate) fn level_of(word: &str) -> Option<LevelFilter> {
    let index = LEVELS.iter().position(|level| *level == word)?;
    FILTERS.get(index).copied()
}

/// The level that is `steps` more talkative, or quieter if it is negative; the last one at either end.
pub(crate) fn louder(level: LevelFilter, steps: i64) -> LevelFilter {
    let at = FILTERS.iter().position(|filter| *filter == level);
    let last = i64::try_from(FILTERS.len()).unwrap_or(i64::MAX) - 1;
    let at = i64::try_from(at.unwrap_or(0)).unwrap_or(0);
    let wanted = at.saturating_add(steps).clamp(0, last);
    let index = usize::try_from(wanted).unwrap_or(0);
    FILTERS.get(index).copied().unwrap_or(level)
}

/// How much a sink wants: of everybody, of some extensions, and of some modules.
///
/// What is said about an extension wins over what is said about a module, a longer module over a shorter one, and either over
/// what is said about everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Levels {
    general: LevelFilter,
    extensions: BTreeMap<String, LevelFilter>,
    /// Longest first.
    modules: Vec<(String, LevelFilter)>,
}

impl Levels {
    /// This level for everybody.
    pub(crate) const fn all(general: LevelFilter) -> Self {
        Self {
            general,
            extensions: BTreeMap::new(),
            modules: Vec::new(),
        }
    }

    /// Another level for what an extension logs.
    pub(crate) fn set_extension(&mut self, name: &str, level: LevelFilter) {
        self.extensions.insert(name.to_owned(), level);
    }

    /// Another level for what is logged in a module, in those below it, or in a crate.
    pub(crate) fn set_module(&mut self, path: &str, level: LevelFilter) {
        self.modules.retain(|(other, _)| other != path);
        self.modules.push((path.to_owned(), level));
        self.modules
            .sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    }

    /// The level of everybody who is not mentioned.
    pub(crate) fn general(&self) -> LevelFilter {
        self.general
    }

    /// The most talkative of all levels: beyond it nothing is wanted.
    pub(crate) fn most(&self) -> LevelFilter {
        let named = self.extensions.values();
        let of_modules = self.modules.iter().map(|(_, level)| level);
        let all = named.chain(of_modules).copied();
        all.fold(self.general, std::cmp::max)
    }

    /// Whether a record of this level, logged in `module`, is wanted. `extension` tells who logs it; it is asked only if that
    /// decides.
    pub(crate) fn wants(
        &self,
        level: Level,
        module: &str,
        extension: impl FnOnce() -> Option<&'static str>,
    ) -> bool {
        if !self.extensions.is_empty()
            && let Some(of_extension) = extension().and_then(|name| self.extensions.get(name))
        {
            return level <= *of_extension;
        }
        let of_module = self
            .modules
            .iter()
            .find(|(path, _)| is_below(module, path))
            .map_or(self.general, |(_, level)| *level);
        level <= of_module
    }
}

/// Whether `module` is `path` or a part of it.
fn is_below(module: &str, path: &str) -> bool {
    module
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_level_of_its_own() {
        let levels: Vec<LevelFilter> = LEVELS.iter().filter_map(|word| level_of(word)).collect();
        assert_eq!(levels, FILTERS);
        assert_eq!(level_of("loud"), None);
    }

    #[test]
    fn steps_end_at_the_last_level() {
        assert_eq!(louder(LevelFilter::WARN, 1), LevelFilter::INFO);
        assert_eq!(louder(LevelFilter::WARN, -2), LevelFilter::OFF);
        assert_eq!(louder(LevelFilter::WARN, i64::MAX), LevelFilter::TRACE);
        assert_eq!(louder(LevelFilter::WARN, i64::MIN), LevelFilter::OFF);
        assert_eq!(louder(LevelFilter::OFF, 0), LevelFilter::OFF);
    }

    #[test]
    fn the_most_special_word_decides() {
        let mut levels = Levels::all(LevelFilter::WARN);
        levels.set_extension("junit", LevelFilter::DEBUG);
        levels.set_extension("quiet", LevelFilter::OFF);
        levels.set_module("k2", LevelFilter::INFO);
        levels.set_module("k2::runner", LevelFilter::ERROR);
        levels.set_module("k2::runner", LevelFilter::TRACE);
        assert_eq!(levels.most(), LevelFilter::TRACE);
        for (extension, module, level, wanted) in [
            (None, "other", Level::WARN, true),
            (None, "other", Level::INFO, false),
            (None, "k2", Level::INFO, true),
            (None, "k2::command", Level::INFO, true),
            (None, "k2x", Level::INFO, false),
            (None, "k2::command", Level::DEBUG, false),
            (None, "k2::runner::pool", Level::TRACE, true),
            (Some("junit"), "other", Level::DEBUG, true),
            (Some("junit"), "k2::runner", Level::TRACE, false),
            (Some("quiet"), "k2::runner", Level::ERROR, false),
            (Some("nobody"), "k2", Level::INFO, true),
        ] {
            assert_eq!(
                levels.wants(level, module, || extension),
                wanted,
                "{extension:?} {module} {level}"
            );
        }
    }

    #[test]
    fn nobody_is_asked_who_logs_if_that_decides_nothing() {
        let mut levels = Levels::all(LevelFilter::WARN);
        levels.set_module("k2", LevelFilter::INFO);
        assert!(levels.wants(Level::WARN, "x", || panic!("was asked")));
    }
}
