//! The queue of cases that wait for a worker.
//!
//! Pure; the extension in [`super`] puts it behind a lock and on the bus. Cases that need the same resources wait in a lane of their
//! own, so that to find the next one takes as long as there are lanes, however many cases wait for a resource.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::case::{CaseId, TestCase};

/// Cases that wait, in the order in which they are handed out.
#[derive(Debug, Default)]
pub struct RunQueue {
    lanes: Vec<Lane>,
    /// Of resources that more than one case may have at a time.
    capacity: BTreeMap<String, u32>,
    in_use: BTreeMap<String, u32>,
    /// What cases that were handed out have.
    held: BTreeMap<CaseId, Vec<Vec<String>>>,
    /// Place of the next case that is added.
    next_place: u64,
    last: Option<Arc<TestCase>>,
    closed: bool,
    /// Nothing can be added any more.
    sealed: bool,
}

/// Cases that need the same.
#[derive(Debug)]
struct Lane {
    resources: Vec<String>,
    waiting: VecDeque<(u64, Arc<TestCase>)>,
}

/// What there is for a worker.
#[derive(Debug)]
pub enum HandOut {
    /// This case.
    Case(Arc<TestCase>),
    /// Nothing before a case that runs has given back what it has.
    Blocked,
    /// Nothing.
    Nothing,
}

impl RunQueue {
    /// An empty queue. Of a resource that is not in `capacity` there is one.
    pub fn new(capacity: BTreeMap<String, u32>) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// Adds cases at the end; false if the queue takes none any more.
    pub fn add(&mut self, cases: impl IntoIterator<Item = Arc<TestCase>>) -> bool {
        if self.sealed {
            return false;
        }
        for case in cases {
            let place = self.next_place;
            self.next_place += 1;
            self.lane_of(&case).push_back((place, case));
        }
        true
    }

    /// How many cases wait.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.waiting.is_empty())
    }

    /// The cases that wait, next one first.
    pub fn waiting(&self) -> Vec<Arc<TestCase>> {
        let all = self.lanes.iter().flat_map(|lane| &lane.waiting);
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, case)| Arc::clone(case)).collect()
    }

    /// Hands out the next case whose resources are free.
    pub fn hand_out(&mut self) -> HandOut {
        if self.closed {
            return HandOut::Nothing;
        }
        let next = (0..self.lanes.len())
            .filter_map(|index| {
                let lane = self.lanes.get(index)?;
                let (place, _) = lane.waiting.front()?;
                self.has_free(&lane.resources).then_some((*place, index))
            })
            .min();
        let Some((_, index)) = next else {
            return if self.is_empty() {
                HandOut::Nothing
            } else {
                HandOut::Blocked
            };
        };
        let lane = self.lanes.get_mut(index);
        let Some((_, case)) = lane.and_then(|lane| lane.waiting.pop_front()) else {
            return HandOut::Nothing;
        };
        if let Some(lane) = self
            .lanes
            .get(index)
            .filter(|lane| !lane.resources.is_empty())
        {
            for resource in &lane.resources {
                *self.in_use.entry(resource.clone()).or_default() += 1;
            }
            let held = self.held.entry(case.id.clone()).or_default();
            held.push(lane.resources.clone());
        }
        self.last = Some(Arc::clone(&case));
        HandOut::Case(case)
    }

    /// Takes back what a case had; true if it had anything.
    pub fn release(&mut self, case: &CaseId) -> bool {
        let Some(held) = self.held.get_mut(case) else {
            return false;
        };
        for resource in held.pop().unwrap_or_default() {
            if let Some(count) = self.in_use.get_mut(&resource) {
                *count = count.saturating_sub(1);
            }
        }
        if held.is_empty() {
            self.held.remove(case);
        }
        true
    }

    /// The case that was handed out last.
    pub fn last(&self) -> Option<&Arc<TestCase>> {
        self.last.as_ref()
    }

    /// Takes out all cases with one of these ids, in the order of the queue.
    pub fn remove(&mut self, ids: &[CaseId]) -> Vec<Arc<TestCase>> {
        let mut removed = Vec::new();
        for lane in &mut self.lanes {
            lane.waiting.retain(|entry| {
                let goes = ids.contains(&entry.1.id);
                if goes {
                    removed.push(entry.clone());
                }
                !goes
            });
        }
        removed.sort_unstable_by_key(|(place, _)| *place);
        removed.into_iter().map(|(_, case)| case).collect()
    }

    /// Moves these cases to the front, in this order; those that do not wait are passed over.
    pub fn move_to_front(&mut self, ids: &[CaseId]) {
        let mut rank: BTreeMap<&CaseId, usize> = BTreeMap::new();
        for (index, id) in ids.iter().enumerate() {
            rank.entry(id).or_insert(index);
        }
        let mut all = self.waiting();
        // Stable: the others stay as they are.
        all.sort_by_key(|case| rank.get(&case.id).copied().unwrap_or(usize::MAX));
        for lane in &mut self.lanes {
            lane.waiting.clear();
        }
        let sealed = std::mem::take(&mut self.sealed);
        self.add(all);
        self.sealed = sealed;
    }

    /// Takes no case any more; those that wait are still handed out.
    pub fn seal(&mut self) {
        self.sealed = true;
    }

    /// Whether nothing can be added.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Closes the queue: nothing is handed out any more. Returns what was left, in order; empty the second time.
    pub fn close(&mut self) -> Vec<Arc<TestCase>> {
        let left = self.waiting();
        self.lanes.clear();
        self.closed = true;
        self.sealed = true;
        left
    }

    fn has_free(&self, resources: &[String]) -> bool {
        resources.iter().all(|resource| {
            let used = self.in_use.get(resource).copied().unwrap_or(0);
            used < self.capacity.get(resource).copied().unwrap_or(1)
        })
    }

    fn lane_of(&mut self, case: &TestCase) -> &mut VecDeque<(u64, Arc<TestCase>)> {
        let found = self
            .lanes
            .iter()
            .position(|lane| lane.resources == case.resources);
        let index = found.unwrap_or_else(|| {
            self.lanes.push(Lane {
                resources: case.resources.clone(),
                waiting: VecDeque::new(),
            });
            self.lanes.len() - 1
        });
        &mut self.lanes[index].waiting
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::case::CaseAction;

    fn case(name: &str, resources: &[&str]) -> Arc<TestCase> {
        let action = CaseAction::LoadFailure(String::new());
        let mut case = TestCase::new(CaseId::new(name), action);
        case.resources = resources.iter().map(|&name| name.to_owned()).collect();
        Arc::new(case)
    }

    fn next(queue: &mut RunQueue) -> String {
        match queue.hand_out() {
            HandOut::Case(case) => case.id.as_str().to_owned(),
            other => format!("{other:?}"),
        }
    }

    fn names(cases: &[Arc<TestCase>]) -> Vec<&str> {
        cases.iter().map(|case| case.id.as_str()).collect()
    }

    #[test]
    fn cases_that_share_a_resource_take_turns() {
        let mut queue = RunQueue::default();
        queue.add([
            case("a", &["db"]),
            case("b", &["db"]),
            case("c", &[]),
            case("d", &["db", "net"]),
        ]);
        assert_eq!(
            [next(&mut queue), next(&mut queue), next(&mut queue)],
            ["a", "c", "Blocked"]
        );
        assert!(queue.release(&CaseId::new("a")) && !queue.release(&CaseId::new("c")));
        assert_eq!([next(&mut queue), next(&mut queue)], ["b", "Blocked"]);
        queue.release(&CaseId::new("b"));
        assert_eq!([next(&mut queue), next(&mut queue)], ["d", "Nothing"]);
    }

    #[test]
    fn of_some_resources_there_are_several() {
        let mut queue = RunQueue::new(BTreeMap::from([("gpu".to_owned(), 2)]));
        queue.add(["a", "b", "c"].map(|name| case(name, &["gpu"])));
        assert_eq!(
            [next(&mut queue), next(&mut queue), next(&mut queue)],
            ["a", "b", "Blocked"]
        );
        queue.release(&CaseId::new("b"));
        assert_eq!(next(&mut queue), "c");
    }

    #[test]
    fn the_queue_can_be_changed_while_it_is_worked_on() {
        let mut queue = RunQueue::default();
        queue.add(["a", "b", "c"].map(|name| case(name, &[])));
        queue.add([case("d", &["db"])]);
        queue.move_to_front(&[CaseId::new("d"), CaseId::new("x"), CaseId::new("c")]);
        assert_eq!(names(&queue.waiting()), ["d", "c", "a", "b"]);
        assert_eq!(names(&queue.remove(&[CaseId::new("a")])), ["a"]);
        assert_eq!(next(&mut queue), "d");
        assert_eq!(queue.last().map(|case| case.id.as_str()), Some("d"));
        queue.seal();
        assert!(!queue.add([case("e", &[])]));
        assert_eq!(names(&queue.close()), ["c", "b"]);
        assert_eq!(next(&mut queue), "Nothing");
        assert!(queue.close().is_empty());
    }

    proptest! {
        #[test]
        fn every_case_is_handed_out_once_and_no_resource_twice(
            needs in prop::collection::vec(prop::collection::btree_set(0_usize..3, 0..3), 0..30),
            workers in 1_usize..5,
        ) {
            let resources = ["x", "y", "z"];
            let mut queue = RunQueue::default();
            for (index, needs) in needs.iter().enumerate() {
                let needs: Vec<_> = needs.iter().map(|&need| resources[need]).collect();
                queue.add([case(&index.to_string(), &needs)]);
            }
            let mut running: VecDeque<Arc<TestCase>> = VecDeque::new();
            let mut seen = BTreeSet::new();
            loop {
                let handed = if running.len() < workers { queue.hand_out() } else { HandOut::Blocked };
                match handed {
                    HandOut::Case(case) => {
                        let taken = running.iter().flat_map(|other| &other.resources);
                        let taken: BTreeSet<_> = taken.collect();
                        prop_assert!(case.resources.iter().all(|need| !taken.contains(need)));
                        prop_assert!(seen.insert(case.id.clone()));
                        running.push_back(case);
                    }
                    HandOut::Blocked => {
                        let ended = running.pop_front();
                        prop_assert!(ended.is_some(), "blocked, and nobody works");
                        queue.release(&ended.unwrap().id);
                    }
                    HandOut::Nothing => break,
                }
            }
            prop_assert_eq!(seen.len(), needs.len());
        }
    }
}
