//! An answer against another answer, a time-out, and the one who waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::message::ReplyError;
use crate::message::dispatcher::Core;
use crate::message::reply::{Replier, Replies, SharedReplies};
use crate::message::reply_set::ReplySet;
use crate::sync::Arc;
use crate::{activity, explore, thread};

#[test]
fn b2_b4_of_value_and_cancellation_exactly_one_wins() {
    explore(|| {
        let set = Arc::new(ReplySet::new(1));
        let others: Vec<_> = ["value", "cancelled"]
            .into_iter()
            .map(|answer| {
                let set = Arc::clone(&set);
                thread::start(move || set.settle(0, answer).is_ok())
            })
            .collect();
        // Without a deadline: a lost wake-up is a deadlock.
        let answer = set.take(0, None).unwrap();
        let won: Vec<bool> = others.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(won, [answer == "value", answer == "cancelled"]);
    });
}

#[test]
fn b3_an_answer_and_a_time_out_agree_on_who_came_first() {
    explore(|| {
        let set = Arc::new(ReplySet::new(1));
        let other = {
            let set = Arc::clone(&set);
            thread::start(move || set.settle(0, 1).is_ok())
        };
        let taken = set.take(0, Some(std::time::Instant::now()));
        assert_eq!(other.join().unwrap(), taken.is_some());
        assert!(set.take(0, Some(std::time::Instant::now())).is_none());
    });
}

#[test]
fn b5_two_answers_are_taken_once_each_in_order_of_completion() {
    explore(|| {
        let set = Arc::new(ReplySet::new(2));
        let others: Vec<_> = (0..2)
            .map(|index| {
                let set = Arc::clone(&set);
                thread::start(move || assert!(set.settle(index, index).is_ok()))
            })
            .collect();
        let first = set.take_completed(None).unwrap();
        let second = set.take_completed(None).unwrap();
        assert_eq!(first.0 + second.0, 1);
        assert_eq!((first.0, second.0), (first.1, second.1));
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn b4_who_waits_for_all_is_woken_by_the_last_and_not_by_one_that_was_given_up() {
    explore(|| {
        let set = Arc::new(ReplySet::new(3));
        // The first place is given up before anybody answers.
        assert!(set.take(0, Some(std::time::Instant::now())).is_none());
        let others: Vec<_> = (1..3)
            .map(|index| {
                let set = Arc::clone(&set);
                thread::start(move || assert!(set.settle(index, index).is_ok()))
            })
            .collect();
        // Without a deadline: a lost wake-up is a deadlock.
        assert!(set.wait_for_all(None));
        for index in 1..3 {
            assert!(!set.is_waiting(index));
            assert_eq!(set.take(index, None), Some(index));
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// The obligation to give one answer.
struct Owed {
    shared: Arc<SharedReplies<usize>>,
    index: usize,
}

impl Owed {
    fn send(self, answer: usize) {
        Replier::new(&*self.shared, self.index).send(Ok(answer));
    }

    /// As a handler that ends without an answer.
    fn forget(self) {
        drop(Replier::new(&*self.shared, self.index));
    }
}

/// A request to `count` dispatchers: the obligations, what their sender holds, and the count of late answers.
fn request(count: usize) -> (Vec<Owed>, Replies<usize>, Arc<AtomicU64>) {
    let activity = activity();
    let late = Arc::new(AtomicU64::new(0));
    let core = |index| Core::new(&activity, 7 + index as u64, 1, 8);
    let shared = SharedReplies::new((0..count).map(core).collect(), Arc::clone(&late));
    let owed = |index| Owed {
        shared: Arc::clone(&shared),
        index,
    };
    let owed = (0..count).map(owed).collect();
    (owed, Replies::pending(shared), late)
}

#[test]
fn b2_b3_b4_a_value_an_obligation_that_is_dropped_and_a_time_out_are_one_result_each() {
    explore(|| {
        let (mut owed, mut replies, late) = request(2);
        let (second, first) = (owed.pop().unwrap(), owed.pop().unwrap());
        let answers = thread::start(move || first.send(5));
        let forgets = thread::start(move || second.forget());
        // The time is up at once, or the answer was there before.
        let one = replies.next(Duration::ZERO).unwrap().result;
        let other = replies.next(Duration::ZERO).unwrap().result;
        assert!(replies.next(Duration::ZERO).is_none());
        answers.join().unwrap();
        forgets.join().unwrap();
        let timed_out = |result: &Result<usize, ReplyError>| {
            u64::from(matches!(result, Err(ReplyError::TimedOut { .. })))
        };
        assert_eq!(
            late.load(Ordering::SeqCst),
            timed_out(&one) + timed_out(&other)
        );
        assert!(timed_out(&one) == 1 || matches!(one, Ok(5)));
        assert!(timed_out(&other) == 1 || matches!(other, Err(ReplyError::Abandoned { .. })));
    });
}

#[test]
fn b2_who_waits_for_ever_is_woken_by_an_obligation_that_is_dropped() {
    explore(|| {
        let (mut owed, mut replies, _) = request(1);
        let forgotten = owed.pop().unwrap();
        let forgets = thread::start(move || forgotten.forget());
        // A lost wake-up is a deadlock.
        let reply = replies.next(Duration::MAX).unwrap();
        assert!(matches!(reply.result, Err(ReplyError::Abandoned { .. })));
        forgets.join().unwrap();
    });
}

#[test]
fn b5_as_completed_gives_each_answer_once() {
    explore(|| {
        let (owed, replies, late) = request(2);
        let answers = owed
            .into_iter()
            .enumerate()
            .map(|(index, owed)| thread::start(move || owed.send(index)));
        let answers: Vec<_> = answers.collect();
        let mut seen: Vec<usize> = replies
            .as_completed(Duration::MAX)
            .map(|reply| reply.result.unwrap())
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
        for answer in answers {
            answer.join().unwrap();
        }
        assert_eq!(late.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn b5_as_completed_whose_time_is_up_has_one_result_for_each_receiver() {
    explore(|| {
        let (owed, replies, late) = request(2);
        let answers = owed
            .into_iter()
            .enumerate()
            .map(|(index, owed)| thread::start(move || owed.send(index)));
        let answers: Vec<_> = answers.collect();
        let results: Vec<_> = replies
            .as_completed(Duration::ZERO)
            .map(|reply| reply.result)
            .collect();
        for answer in answers {
            answer.join().unwrap();
        }
        assert_eq!(results.len(), 2);
        let in_time: Vec<usize> = results
            .iter()
            .filter_map(|one| one.as_ref().ok().copied())
            .collect();
        assert_ne!(in_time, [0, 0]);
        assert_ne!(in_time, [1, 1]);
        assert_eq!(late.load(Ordering::SeqCst), 2 - in_time.len() as u64);
    });
}
