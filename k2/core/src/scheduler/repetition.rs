//! Running the same cases more than once.

use std::time::{Duration, Instant};

use crate::case::{CaseId, TestCase};

/// Name of the parameter that tells one repetition of a case from the others.
pub const REPETITION: &str = "repetition";

/// How long cases are repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repetition {
    /// So many times; `None` if that does not decide.
    pub times: Option<u64>,
    /// For that long: no further round begins afterwards.
    pub duration: Option<Duration>,
    /// Until a case ends in failure: no further round begins afterwards.
    pub until_failure: bool,
}

impl Repetition {
    /// Whether cases are run once and keep their names.
    pub fn is_single(&self) -> bool {
        *self == Self::default()
            || *self
                == Self {
                    times: Some(1),
                    ..Self::default()
                }
    }

    /// Rounds that are known before the run begins; the others are added while it goes on.
    pub fn rounds_at_once(&self) -> u64 {
        match self.times {
            Some(times) if self.duration.is_none() && !self.until_failure => times,
            _ => 1,
        }
    }

    /// Whether there is another round after `rounds` of them.
    pub fn goes_on(&self, rounds: u64, started: Instant, failed: bool) -> bool {
        let more = match self.times {
            Some(times) => rounds < times,
            // Without a number only these two end it.
            None => self.duration.is_some() || self.until_failure,
        };
        let in_time = self.duration.is_none_or(|limit| started.elapsed() < limit);
        more && in_time && !(self.until_failure && failed)
    }
}

/// A case as it is called in one round, from 1.
pub(super) fn in_round(case: &TestCase, round: u64) -> TestCase {
    let mut case = case.clone();
    let parameter = (REPETITION.into(), round.to_string().into());
    case.parameters = case.parameters.and([parameter]);
    let name = base_name(case.id.as_str());
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    case.id = CaseId::with_parameters(name, &case.parameters);
    case
}

/// The id of a case without the number of its repetition.
pub fn base_id(id: &CaseId) -> CaseId {
    let text = id.as_str();
    let base = base_name(text);
    if base.len() == text.len() {
        return id.clone();
    }
    match base.strip_suffix('[') {
        Some(name) => CaseId::new(name),
        None => CaseId::new(format!("{}]", base.trim_end_matches(','))),
    }
}

/// What stands in front of the last parameter if that is the number of a repetition; else all of it.
fn base_name(id: &str) -> &str {
    let inner = id.strip_suffix(']').unwrap_or("");
    let digits = inner.trim_end_matches(|c: char| c.is_ascii_digit());
    if digits.len() == inner.len() {
        return id;
    }
    let word = digits
        .strip_suffix('=')
        .and_then(|rest| rest.strip_suffix(REPETITION));
    match word {
        Some(rest) if rest.ends_with(['[', ',']) => rest,
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseAction, Parameters};

    const TWICE: Repetition = Repetition {
        times: Some(2),
        duration: None,
        until_failure: false,
    };

    fn case(name: &str, parameters: &[(&str, &str)]) -> TestCase {
        let parameters: Parameters = parameters.iter().copied().collect();
        let id = CaseId::with_parameters(name, &parameters);
        let mut case = TestCase::new(id, CaseAction::LoadFailure(String::new()));
        case.parameters = parameters;
        case
    }

    #[test]
    fn rounds_have_names_that_lead_back_to_the_case() {
        for case in [case("a::b", &[]), case("a::b", &[("x", "1"), ("y", "]")])] {
            let second = in_round(&case, 2);
            assert!(
                second.id.as_str().ends_with("repetition=2]"),
                "{}",
                second.id
            );
            assert_ne!(second.id, in_round(&case, 1).id);
            assert_eq!(base_id(&second.id), case.id);
            assert_eq!(base_id(&case.id), case.id);
        }
    }

    #[test]
    fn what_ends_the_rounds_is_what_was_asked_for() {
        let start = Instant::now();
        assert!(TWICE.goes_on(1, start, true) && !TWICE.goes_on(2, start, true));
        assert_eq!(
            (
                TWICE.rounds_at_once(),
                Repetition::default().rounds_at_once()
            ),
            (2, 1)
        );
        let until_failure = Repetition {
            until_failure: true,
            ..Repetition::default()
        };
        assert!(
            until_failure.goes_on(1000, start, false) && !until_failure.goes_on(1, start, true)
        );
        let timed = Repetition {
            duration: Some(Duration::ZERO),
            ..Repetition::default()
        };
        assert!(!timed.goes_on(1, start, false));
        assert!(!Repetition::default().goes_on(1, start, false));
        let both = Repetition {
            times: Some(2),
            until_failure: true,
            ..Repetition::default()
        };
        assert_eq!(both.rounds_at_once(), 1);
        assert!(both.goes_on(1, start, false) && !both.goes_on(2, start, false));
    }
}
