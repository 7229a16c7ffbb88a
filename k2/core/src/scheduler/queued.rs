//! A case that waits for its turn.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::base_id;
use super::repetition::in_round;
use crate::case::{CaseId, TestCase};

/// A case that waits, and which repetition of it. The repetitions share what was found: one takes two words, however much is known of the case, and
/// becomes a case with a name of its own when somebody asks for it.
#[derive(Debug, Clone)]
pub struct QueuedCase {
    found: Arc<TestCase>,
    /// From 1; none for a case that is not repeated.
    round: Option<NonZeroU64>,
}

impl QueuedCase {
    /// The repetition of `found` with this number, from 1; 0 if it is not repeated.
    pub fn in_round(found: Arc<TestCase>, round: u64) -> Self {
        Self {
            found,
            round: NonZeroU64::new(round),
        }
    }

    /// The case as it was found. What is known of it holds for every repetition, but id and parameters.
    pub fn found(&self) -> &Arc<TestCase> {
        &self.found
    }

    /// Its id.
    pub fn id(&self) -> CaseId {
        match self.round {
            Some(_) => self.to_case().id.clone(),
            None => self.found.id.clone(),
        }
    }

    /// The case as it is run.
    pub fn to_case(&self) -> Arc<TestCase> {
        match self.round {
            Some(round) => Arc::new(in_round(&self.found, round.get())),
            None => Arc::clone(&self.found),
        }
    }
}

impl From<Arc<TestCase>> for QueuedCase {
    /// Not repeated.
    fn from(found: Arc<TestCase>) -> Self {
        Self { found, round: None }
    }
}

/// Finds queued cases by their ids. To ask a repetition for its id costs more than all the rest, so it is asked only if one of the ids is of
/// a repetition of the same case.
#[derive(Debug)]
pub(super) struct Wanted<V> {
    by_id: BTreeMap<CaseId, V>,
    bases: BTreeSet<CaseId>,
}

impl<V: Copy> Wanted<V> {
    /// Of several values for one id the first counts.
    pub(super) fn new(ids: impl IntoIterator<Item = (CaseId, V)>) -> Self {
        let mut wanted = Self {
            by_id: BTreeMap::new(),
            bases: BTreeSet::new(),
        };
        for (id, value) in ids {
            wanted.bases.insert(base_id(&id));
            wanted.by_id.entry(id).or_insert(value);
        }
        wanted
    }

    /// What belongs to the id of `case`.
    pub(super) fn of(&self, case: &QueuedCase) -> Option<V> {
        let found = &case.found.id;
        match case.round {
            None => self.by_id.get(found),
            Some(_) if self.bases.contains(found) => self.by_id.get(&case.id()),
            Some(_) => None,
        }
        .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseAction;

    fn case(name: &str) -> Arc<TestCase> {
        let action = CaseAction::LoadFailure(String::new());
        Arc::new(TestCase::new(CaseId::new(name), action))
    }

    #[test]
    fn g5_a_repetition_takes_two_words_and_has_its_own_name_when_asked() {
        assert_eq!(size_of::<QueuedCase>(), 2 * size_of::<usize>());
        let found = case("a");
        let second = QueuedCase::in_round(Arc::clone(&found), 2);
        assert_eq!(second.id().as_str(), "a[repetition=2]");
        assert_eq!(second.to_case().parameters.value("repetition"), Some("2"));
        assert!(Arc::ptr_eq(second.found(), &found));
        assert!(Arc::ptr_eq(
            &QueuedCase::from(Arc::clone(&found)).to_case(),
            &found
        ));
        assert_eq!(QueuedCase::in_round(found, 0).id().as_str(), "a");
    }

    #[test]
    fn queued_cases_are_found_by_the_ids_that_they_will_have() {
        let ids = ["a[repetition=2]", "b", "c[repetition=1]"].map(CaseId::new);
        let wanted = Wanted::new(ids.into_iter().zip(0_usize..));
        let repeated = |name, round| wanted.of(&QueuedCase::in_round(case(name), round));
        assert_eq!([repeated("a", 1), repeated("a", 2)], [None, Some(0)]);
        assert_eq!([repeated("b", 0), repeated("b", 1)], [Some(1), None]);
        // Found under a name that only looks like that of a repetition.
        assert_eq!(repeated("c[repetition=1]", 0), Some(2));
    }
}
