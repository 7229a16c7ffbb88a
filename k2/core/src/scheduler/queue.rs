//! The queue of cases that wait for a worker.
//!
//! Pure; the extension in [`super`] puts it behind a lock and on the bus. Cases that need the same resources wait in a lane of their
//! own, so that to find the next one takes as long as there are lanes, however many cases wait for a resource. So do cases that share
//! something, which workers keep at hand.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::queued::{QueuedCase, Wanted};
use crate::case::{CaseId, TestCase};

/// Cases that wait, in the order in which they are handed out.
#[derive(Debug, Default)]
pub struct RunQueue {
    lanes: Vec<Lane>,
    /// The lane of each set of resources and affinity.
    lane_of: BTreeMap<Vec<String>, BTreeMap<Option<Arc<str>>, usize>>,
    /// The lanes of each affinity.
    lanes_with: BTreeMap<Arc<str>, Vec<usize>>,
    /// The place of the first case of each lane that has one, and the lane.
    heads: BTreeMap<u64, usize>,
    waiting: usize,
    /// Of resources that more than one case may have at a time.
    capacity: BTreeMap<String, u32>,
    in_use: BTreeMap<String, u32>,
    /// Systems under test that nobody may use now.
    held_back: BTreeSet<String>,
    /// What cases that were handed out have.
    held: BTreeMap<CaseId, Vec<Vec<String>>>,
    /// What workers have at hand: the affinity of the cases that they had last.
    at_hand: BTreeMap<u32, Arc<str>>,
    /// Cases in front of this place were moved there: they are handed out in this order, whoever asks.
    urgent: u64,
    /// Place of the next case that is added.
    next_place: u64,
    last: Option<Arc<TestCase>>,
    closed: bool,
    /// Nothing can be added any more.
    sealed: bool,
}

/// Cases that need the same, and share the same.
#[derive(Debug)]
struct Lane {
    resources: Vec<String>,
    /// Names of the systems under test that they use.
    suts: Vec<String>,
    affinity: Option<Arc<str>>,
    waiting: VecDeque<(u64, QueuedCase)>,
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
    pub fn add(&mut self, cases: impl IntoIterator<Item: Into<QueuedCase>>) -> bool {
        if self.sealed {
            return false;
        }
        for case in cases {
            self.push(case.into());
        }
        true
    }

    /// How many cases wait.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// The cases that wait, next one first.
    pub fn waiting(&self) -> Vec<QueuedCase> {
        if let [lane] = &*self.lanes {
            return lane.waiting.iter().map(|(_, case)| case.clone()).collect();
        }
        let all = self.lanes.iter().flat_map(|lane| &lane.waiting);
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, case)| case.clone()).collect()
    }

    /// Hands out the next case whose resources are free.
    ///
    /// A worker with a number above 0 first gets what shares something with the case that it had last, and what shares something with
    /// those of another worker only if there is nothing else: rather than that a worker is idle.
    pub fn hand_out(&mut self, worker: u32) -> HandOut {
        if self.closed {
            return HandOut::Nothing;
        }
        let Some(index) = self.next_lane(worker) else {
            return if self.is_empty() {
                self.at_hand.remove(&worker);
                HandOut::Nothing
            } else {
                HandOut::Blocked
            };
        };
        let Some(case) = self.pop(index) else {
            return HandOut::Nothing;
        };
        if !case.resources.is_empty() {
            for resource in &case.resources {
                *self.in_use.entry(resource.clone()).or_default() += 1;
            }
            let held = self.held.entry(case.id.clone()).or_default();
            held.push(case.resources.clone());
        }
        self.note_at_hand(worker, &case);
        self.last = Some(Arc::clone(&case));
        HandOut::Case(case)
    }

    /// The lane whose first case is next for a worker.
    fn next_lane(&self, worker: u32) -> Option<usize> {
        let is_free = |lane: usize| {
            let lane = self.lanes.get(lane);
            lane.is_some_and(|lane| self.has_free(&lane.resources) && !self.holds_back(&lane.suts))
        };
        let mut heads = self.heads.iter().map(|(&place, &lane)| (place, lane));
        let mut urgent = heads.clone().take_while(|(place, _)| *place < self.urgent);
        if let Some((_, lane)) = urgent.find(|&(_, lane)| is_free(lane)) {
            return Some(lane);
        }
        let own = self.at_hand.get(&worker);
        let own_lanes = own.and_then(|own| self.lanes_with.get(own));
        let own_lanes = own_lanes.into_iter().flatten().copied();
        let own_lanes = own_lanes.filter_map(|lane| Some((self.head_of(lane)?, lane)));
        if let Some((_, lane)) = own_lanes.filter(|&(_, lane)| is_free(lane)).min() {
            return Some(lane);
        }
        let mut elsewhere = None;
        let mine = heads.find(|&(_, lane)| {
            if !is_free(lane) {
                return false;
            }
            let affinity = self.lanes.get(lane).and_then(|lane| lane.affinity.as_ref());
            let is_others = affinity.is_some_and(|affinity| {
                let mut others = self.at_hand.iter().filter(|(other, _)| **other != worker);
                others.any(|(_, at_hand)| at_hand == affinity)
            });
            if is_others {
                elsewhere.get_or_insert(lane);
            }
            !is_others
        });
        mine.map(|(_, lane)| lane).or(elsewhere)
    }

    fn head_of(&self, lane: usize) -> Option<u64> {
        let lane = self.lanes.get(lane)?;
        lane.waiting.front().map(|(place, _)| *place)
    }

    fn note_at_hand(&mut self, worker: u32, case: &TestCase) {
        if worker == 0 {
            return;
        }
        let own = self.at_hand.get(&worker);
        if let Some(affinity) = &case.affinity {
            self.at_hand.insert(worker, Arc::clone(affinity));
        } else if own.is_none_or(|own| **own != *case.module()) {
            // What is shared within a module outlives cases of it that do not ask for it.
            self.at_hand.remove(&worker);
        }
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
        let wanted = Wanted::new(ids.iter().map(|id| (id.clone(), ())));
        let mut removed = Vec::new();
        for lane in &mut self.lanes {
            lane.waiting.retain(|entry| {
                let goes = wanted.of(&entry.1).is_some();
                if goes {
                    removed.push(entry.clone());
                }
                !goes
            });
        }
        self.waiting -= removed.len();
        self.heads = (0..self.lanes.len())
            .filter_map(|lane| Some((self.head_of(lane)?, lane)))
            .collect();
        removed.sort_unstable_by_key(|(place, _)| *place);
        removed.iter().map(|(_, case)| case.to_case()).collect()
    }

    /// Moves these cases to the front, in this order; those that do not wait are passed over.
    pub fn move_to_front(&mut self, ids: &[CaseId]) {
        let wanted = Wanted::new(ids.iter().cloned().zip(0_usize..));
        let all = self.waiting().into_iter();
        let mut all: Vec<_> = all.map(|case| (wanted.of(&case), case)).collect();
        // Stable: the others stay as they are.
        all.sort_by_key(|(rank, _)| rank.unwrap_or(usize::MAX));
        let moved = all.iter().filter(|(rank, _)| rank.is_some());
        self.urgent = self.next_place + moved.count() as u64;
        self.forget_waiting();
        for (_, case) in all {
            self.push(case);
        }
    }

    /// Takes no case any more; those that wait are still handed out.
    pub fn seal(&mut self) {
        self.sealed = true;
    }

    /// Whether nothing can be added.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Hands out no case that uses this system under test before [`RunQueue::let_go`].
    pub fn hold_back(&mut self, sut: &str) {
        self.held_back.insert(sut.to_owned());
    }

    /// Hands out cases that use it again.
    pub fn let_go(&mut self, sut: &str) {
        self.held_back.remove(sut);
    }

    /// Whether cases of a system under test are held back.
    pub fn is_held_back(&self) -> bool {
        !self.held_back.is_empty()
    }

    fn holds_back(&self, suts: &[String]) -> bool {
        self.is_held_back() && suts.iter().any(|sut| self.held_back.contains(sut))
    }

    /// Closes the queue: nothing is handed out any more. Returns what was left, in order; empty the second time.
    pub fn close(&mut self) -> Vec<QueuedCase> {
        let left = self.waiting();
        self.forget_waiting();
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

    fn push(&mut self, case: QueuedCase) {
        let place = self.next_place;
        self.next_place += 1;
        self.waiting += 1;
        let index = self.lane_of(case.found());
        if let Some(lane) = self.lanes.get_mut(index) {
            if lane.waiting.is_empty() {
                self.heads.insert(place, index);
            }
            lane.waiting.push_back((place, case));
        }
    }

    fn pop(&mut self, index: usize) -> Option<Arc<TestCase>> {
        let lane = self.lanes.get_mut(index)?;
        let (place, case) = lane.waiting.pop_front()?;
        self.heads.remove(&place);
        if let Some((next, _)) = lane.waiting.front() {
            self.heads.insert(*next, index);
        }
        self.waiting -= 1;
        Some(case.to_case())
    }

    fn forget_waiting(&mut self) {
        for lane in &mut self.lanes {
            lane.waiting.clear();
        }
        self.heads.clear();
        self.waiting = 0;
    }

    fn lane_of(&mut self, case: &TestCase) -> usize {
        let key = lane_key(case);
        let same = self.lane_of.get(&*key);
        if let Some(&lane) = same.and_then(|same| same.get(&case.affinity)) {
            return lane;
        }
        let index = self.lanes.len();
        self.lanes.push(Lane {
            resources: case.resources.clone(),
            suts: suts(case).map(str::to_owned).collect(),
            affinity: case.affinity.clone(),
            waiting: VecDeque::new(),
        });
        let same = self.lane_of.entry(key.into_owned()).or_default();
        same.insert(case.affinity.clone(), index);
        if let Some(affinity) = &case.affinity {
            let lanes = self.lanes_with.entry(Arc::clone(affinity)).or_default();
            lanes.push(index);
        }
        index
    }
}

/// Names of the systems under test that a case uses.
fn suts(case: &TestCase) -> impl Iterator<Item = &str> {
    case.binding.suts().iter().map(|sut| sut.name())
}

/// What cases of one lane have in common besides their affinity: resources, and systems under test that are none because they are shared.
fn lane_key(case: &TestCase) -> Cow<'_, [String]> {
    let shared = suts(case).map(|sut| format!("sut:{sut}"));
    let shared: Vec<_> = shared.filter(|sut| !case.resources.contains(sut)).collect();
    if shared.is_empty() {
        return Cow::Borrowed(&case.resources);
    }
    // No resource is called like that.
    let shared = shared.into_iter().map(|sut| format!("\0{sut}"));
    Cow::Owned(case.resources.iter().cloned().chain(shared).collect())
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
        match queue.hand_out(0) {
            HandOut::Case(case) => case.id.as_str().to_owned(),
            other => format!("{other:?}"),
        }
    }

    fn names(cases: impl IntoIterator<Item: Into<QueuedCase>>) -> Vec<String> {
        let cases = cases.into_iter().map(Into::into);
        cases
            .map(|case: QueuedCase| case.id().as_str().to_owned())
            .collect()
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

    fn sharing(name: &str, affinity: &str) -> Arc<TestCase> {
        let mut case = TestCase::clone(&case(name, &[]));
        case.affinity = Some(affinity.into());
        Arc::new(case)
    }

    fn next_of(queue: &mut RunQueue, worker: u32) -> String {
        match queue.hand_out(worker) {
            HandOut::Case(case) => case.id.as_str().to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn f8_cases_that_share_something_stay_with_their_worker() {
        let mut queue = RunQueue::default();
        queue.add([sharing("m::1", "m"), sharing("m::2", "m")]);
        queue.add([
            sharing("n::1", "n"),
            case("o::1", &[]),
            sharing("n::2", "n"),
        ]);
        assert_eq!(next_of(&mut queue, 1), "m::1");
        // Passes over what the first worker has at hand.
        assert_eq!(next_of(&mut queue, 2), "n::1");
        assert_eq!(next_of(&mut queue, 2), "n::2");
        assert_eq!(next_of(&mut queue, 1), "m::2");
        assert_eq!(next_of(&mut queue, 1), "o::1");
        assert_eq!(next_of(&mut queue, 2), "Nothing");
    }

    #[test]
    fn f8_no_worker_is_idle_for_the_sake_of_what_is_shared() {
        let mut queue = RunQueue::default();
        queue.add(["m::1", "m::2", "m::3"].map(|name| sharing(name, "m")));
        assert_eq!(next_of(&mut queue, 1), "m::1");
        assert_eq!(next_of(&mut queue, 2), "m::2");
        assert_eq!(next_of(&mut queue, 1), "m::3");
    }

    #[test]
    fn f8_a_case_of_the_module_that_needs_nothing_does_not_give_the_rest_away() {
        let mut queue = RunQueue::default();
        queue.add([sharing("m::1", "m"), case("m::2", &[])]);
        queue.add([sharing("m::3", "m"), case("o::1", &[])]);
        assert_eq!(next_of(&mut queue, 1), "m::1");
        // Out of turn, by hand: the worker has the second case too.
        queue.note_at_hand(1, &case("m::2", &[]));
        assert_eq!(next_of(&mut queue, 2), "m::2");
        assert_eq!(next_of(&mut queue, 2), "o::1");
        queue.note_at_hand(1, &case("p::1", &[]));
        assert_eq!(next_of(&mut queue, 2), "m::3");
    }

    #[test]
    fn what_is_moved_to_the_front_is_next_for_every_worker() {
        let mut queue = RunQueue::default();
        queue.add(["m::1", "m::2"].map(|name| sharing(name, "m")));
        queue.add([case("o::1", &[]), sharing("n::1", "n")]);
        assert_eq!(next_of(&mut queue, 1), "m::1");
        queue.move_to_front(&[CaseId::new("n::1"), CaseId::new("m::2")]);
        assert_eq!(next_of(&mut queue, 1), "n::1");
        assert_eq!(next_of(&mut queue, 2), "m::2");
        assert_eq!(next_of(&mut queue, 1), "o::1");
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
        assert_eq!(names(queue.waiting()), ["d", "c", "a", "b"]);
        assert_eq!(names(queue.remove(&[CaseId::new("a")])), ["a"]);
        assert_eq!(next(&mut queue), "d");
        assert_eq!(queue.last().map(|case| case.id.as_str()), Some("d"));
        queue.seal();
        assert!(!queue.add([case("e", &[])]));
        assert_eq!(names(queue.close()), ["c", "b"]);
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
                let mut case = TestCase::clone(&case(&index.to_string(), &needs));
                case.affinity = (index % 3 > 0).then(|| (index % 7).to_string().into());
                queue.add([Arc::new(case)]);
            }
            let mut running: VecDeque<Arc<TestCase>> = VecDeque::new();
            let mut seen = BTreeSet::new();
            let mut worker = 0;
            loop {
                worker = (worker + 1) % 5;
                let handed = if running.len() < workers { queue.hand_out(worker) } else { HandOut::Blocked };
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
