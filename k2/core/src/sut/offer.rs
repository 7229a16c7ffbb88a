//! The SUTs of a run, and the rules by which cases get them.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use zaf_core::prelude::*;

use super::{GET_SUTS, SUT, Sut, TESTS_SUTS};
use crate::scheduler::{Filter, FilterPatterns};

/// All SUTs of a run, in the order of `suts.ids`: a component of the session.
#[derive(Debug, Clone, Default)]
pub struct Suts(Arc<[Arc<Sut>]>);

impl Suts {
    /// These.
    pub fn new(suts: impl IntoIterator<Item = Arc<Sut>>) -> Self {
        Self(suts.into_iter().collect())
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Sut>> {
        self.0.iter().find(|sut| sut.name() == name)
    }

    /// All, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Sut>> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Suts {
    type Item = &'a Arc<Sut>;
    type IntoIter = std::slice::Iter<'a, Arc<Sut>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What becomes of a case whose SUT is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// It is skipped.
    #[default]
    Skip,
    /// It ends in error.
    Error,
}

/// Answer to [`GET_SUTS`].
#[derive(Debug, Clone, Default)]
pub struct SutOffer {
    /// The SUTs.
    pub suts: Suts,
    /// What becomes of cases whose SUT is not there.
    pub missing: Missing,
    /// Whether cases are dealt out to all SUTs that fit, not to the first.
    pub spread: bool,
    /// Which executables run on a SUT.
    pub rules: Arc<[SutRule]>,
}

impl SutOffer {
    /// The same with these SUTs only, in this order.
    pub(crate) fn only(&self, names: &[Arc<str>]) -> Self {
        let suts = names.iter().filter_map(|name| self.suts.get(name).cloned());
        Self {
            suts: Suts::new(suts),
            ..self.clone()
        }
    }
}

/// Asks for the SUTs; none if nobody offers any.
///
/// # Errors
/// What describing them has failed by.
pub(crate) fn ask_for_suts(bus: &MessageBus) -> Result<SutOffer> {
    if !bus.has_receivers(GET_SUTS, SUT) {
        return Ok(SutOffer::default());
    }
    let mut replies = bus.send_request(GET_SUTS, SUT, ())?;
    // As long as it takes: this is work of the command itself.
    match replies.next(Duration::MAX) {
        Some(reply) => Ok(reply.result?),
        None => Ok(SutOffer::default()),
    }
}

/// A value of [`TESTS_SUTS`] cannot be used.
#[derive(Debug, Error)]
#[error("option `{}`: `{text}` is not {expected}", TESTS_SUTS.key())]
pub struct SutRuleError {
    text: String,
    expected: String,
}

impl SutRuleError {
    /// What would have been right.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

/// Which executables run on which SUT: `PATTERN=WORD,WORD` on one that can all these, `PATTERN=each:WORD` once on each of them. Without a
/// word every SUT will do.
#[derive(Debug)]
pub struct SutRule {
    pattern: Filter,
    pub(super) can: Vec<String>,
    pub(super) each: bool,
}

impl SutRule {
    /// Reads one; patterns are those of `tests.include`.
    ///
    /// # Errors
    /// [`SutRuleError`] if it is of another form.
    pub fn parse(text: &str) -> Result<Self, SutRuleError> {
        let wrong = |expected: String| SutRuleError {
            text: text.to_owned(),
            expected,
        };
        let Some((pattern, words)) = text.rsplit_once('=') else {
            let expected = "PATTERN=WORD,WORD or PATTERN=each:WORD";
            return Err(wrong(expected.to_owned()));
        };
        if let Some((each, word)) = words.split_once(':')
            && each != "each"
            && zaf_core::config::nearest(each, ["each"]).is_some()
        {
            return Err(wrong(format!("`{pattern}=each:{word}`")));
        }
        let (each, words) = match words.strip_prefix("each:") {
            Some(words) => (true, words),
            None if words == "each" => (true, ""),
            None => (false, words),
        };
        let patterns = FilterPatterns {
            include: vec![pattern.to_owned()],
            ..FilterPatterns::default()
        };
        let pattern = Filter::new(&patterns).map_err(|_| {
            wrong(format!(
                "PATTERN=WORD with a pattern such as those of `tests.include`; `{pattern}` is none"
            ))
        })?;
        let words = words.split(',').map(str::trim);
        Ok(Self {
            pattern,
            can: words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            each,
        })
    }

    /// Whether it is about the case of this id.
    pub(super) fn is_about(&self, id: &str) -> bool {
        self.pattern.selects_id(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_a_pattern_and_words() {
        let one = SutRule::parse("net::*=telnet, arm").unwrap();
        assert_eq!(
            (one.can, one.each),
            (vec!["telnet".into(), "arm".into()], false)
        );
        assert!(one.pattern.selects_id("net::a.sh") && !one.pattern.selects_id("disk::a.sh"));
        let each = SutRule::parse("a=b=each:arm").unwrap();
        assert_eq!((each.can, each.each), (vec!["arm".into()], true));
        assert!(SutRule::parse("x=each").unwrap().each);
        assert!(SutRule::parse("x=").unwrap().can.is_empty());
        // A word with a colon that is none of ours.
        let other = SutRule::parse("x=board:arm").unwrap();
        assert_eq!((other.can, other.each), (vec!["board:arm".into()], false));
        let said = |wrong| SutRule::parse(wrong).unwrap_err().to_string();
        assert_eq!(
            said("telnet"),
            "option `tests.suts`: `telnet` is not PATTERN=WORD,WORD or PATTERN=each:WORD"
        );
        assert_eq!(
            said("{a=telnet"),
            "option `tests.suts`: `{a=telnet` is not PATTERN=WORD with a pattern such as those of `tests.include`; `{a` is none"
        );
        assert_eq!(
            said("net::*=eahc:arm"),
            "option `tests.suts`: `net::*=eahc:arm` is not `net::*=each:arm`"
        );
    }
}
