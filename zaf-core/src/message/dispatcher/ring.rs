//! Messages of one type in order, in places that are there before they come.
//!
//! Who adds a message is told by the queue how many of its run are there, and writes the message and nothing else: where the
//! run begins is read only. So several senders that take turns exchange two cache lines for a message, that of the queue's counts and
//! that of the place; a list that kept its own length would be a third.

/// Places of a ring that has held one message.
const LEAST_PLACES: usize = 4;

/// Positions are counted on for ever, and wrap around.
#[derive(Debug)]
pub(super) struct Ring<T> {
    /// As many as a power of two, or none.
    places: Box<[Option<T>]>,
    /// Position of the first message.
    front: u32,
    /// Position behind the last message of all runs that have ended: where the one that has not begins.
    begin: u32,
}

impl<T> Ring<T> {
    pub(super) fn new() -> Self {
        Self {
            places: Box::new([]),
            front: 0,
            begin: 0,
        }
    }

    /// Adds the message, which is there, to the run that has not ended, and of which there are `before`.
    #[inline]
    pub(super) fn put(&mut self, message: &mut Option<T>, before: u32) {
        let at = self.begin.wrapping_add(before);
        if at.wrapping_sub(self.front) as usize >= self.places.len() {
            self.grow(at);
        }
        if let Some(place) = self.place(at) {
            std::mem::swap(place, message);
        }
        debug_assert!(
            message.is_none(),
            "a place behind the last message is empty"
        );
    }

    /// Ends the run, of which there are `count`.
    pub(super) fn end_run(&mut self, count: u32) {
        self.begin = self.begin.wrapping_add(count);
    }

    /// Takes the first message out. `left_of_open_run`: if it is one of the run that has not ended, how many of it are there then.
    #[inline]
    pub(super) fn take_first(&mut self, left_of_open_run: Option<u32>) -> Option<T> {
        let message = self.place(self.front)?.take()?;
        self.front = self.front.wrapping_add(1);
        if let Some(left) = left_of_open_run {
            self.begin = self.begin.wrapping_add(1);
            if left == 0 {
                // The next one lies where the first one lay, and not where no cache has been for long.
                (self.front, self.begin) = (0, 0);
            }
        }
        Some(message)
    }

    #[inline]
    fn place(&mut self, at: u32) -> Option<&mut Option<T>> {
        let last = self.places.len().wrapping_sub(1);
        self.places.get_mut(at as usize & last)
    }

    /// Makes room for twice as many. Those from the front to `end` keep their positions.
    #[cold]
    fn grow(&mut self, end: u32) {
        let count = (self.places.len() * 2).max(LEAST_PLACES);
        let places = std::iter::repeat_with(|| None).take(count).collect();
        let mut old = std::mem::replace(&mut self.places, places);
        let mut at = self.front;
        while at != end && !old.is_empty() {
            let last = old.len() - 1;
            let message = old.get_mut(at as usize & last).and_then(Option::take);
            if let Some(place) = self.place(at) {
                *place = message;
            }
            at = at.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Put,
        Take,
        EndRun,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step =
            prop_oneof![5 => Just(Step::Put), 4 => Just(Step::Take), 1 => Just(Step::EndRun)];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        /// As a queue does it: it knows how many messages of which run there are.
        #[test]
        fn a_ring_is_a_list(steps in steps(), start in prop_oneof![Just(0), Just(u32::MAX - 9)]) {
            let mut ring = Ring::new();
            (ring.front, ring.begin) = (start, start);
            let mut list = VecDeque::new();
            let mut runs = VecDeque::from([0]);
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Put => {
                        let last = runs.back_mut().unwrap();
                        let mut message = Some(number);
                        ring.put(&mut message, *last);
                        prop_assert_eq!(message, None);
                        *last += 1;
                        list.push_back(number);
                    }
                    Step::Take => {
                        while runs.len() > 1 && runs[0] == 0 {
                            runs.pop_front();
                        }
                        let is_open = runs.len() == 1;
                        runs[0] = u32::saturating_sub(runs[0], 1);
                        let left = is_open.then_some(runs[0]);
                        prop_assert_eq!(ring.take_first(left), list.pop_front());
                    }
                    Step::EndRun => {
                        ring.end_run(*runs.back().unwrap());
                        runs.push_back(0);
                    }
                }
            }
            let left: Vec<usize> = std::iter::from_fn(|| ring.take_first(None)).collect();
            prop_assert_eq!(left, Vec::from(list));
        }
    }
}
