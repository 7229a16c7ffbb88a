//! An answer against another answer, a time-out, and the one who waits.

use loom::thread;

use crate::explore;
use crate::message::reply_set::ReplySet;
use crate::sync::Arc;

#[test]
fn b2_b4_of_value_and_cancellation_exactly_one_wins() {
    explore(|| {
        let set = Arc::new(ReplySet::new(1));
        let others: Vec<_> = ["value", "cancelled"]
            .into_iter()
            .map(|answer| {
                let set = Arc::clone(&set);
                thread::spawn(move || set.settle(0, answer).is_ok())
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
            thread::spawn(move || set.settle(0, 1).is_ok())
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
                thread::spawn(move || assert!(set.settle(index, index).is_ok()))
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
                thread::spawn(move || assert!(set.settle(index, index).is_ok()))
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
