//! What a lane does, with threads of the system; the models in `tests/models` try every order of them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use super::lane::{Lane, by_who_waits};

fn lane() -> Lane {
    Lane::start("lane".to_owned()).unwrap()
}

fn far() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[test]
fn what_a_lane_asks_for_is_done_by_who_waits() {
    let lane = lane();
    let this = std::thread::current().id();
    for count in 0..1_000 {
        let ids = lane.run(far(), move || {
            let here = std::thread::current().id();
            let there = by_who_waits(|| std::thread::current().id());
            (count, here, there)
        });
        let (counted, here, there) = ids.unwrap().result();
        assert_eq!((counted, there), (count, Some(this)));
        assert_ne!(here, this);
    }
    // A thread that is no lane does it itself.
    assert_eq!(by_who_waits(|| std::thread::current().id()), Some(this));
    lane.end();
}

#[test]
fn a_panic_of_what_is_asked_for_comes_back_to_who_asked() {
    let lane = lane();
    let caught = lane.run(far(), || {
        catch_unwind(|| by_who_waits(|| resume_unwind(Box::new(7)))).is_err()
    });
    assert!(caught.unwrap().result());
    let result = lane.run(far(), || resume_unwind(Box::new(7))).unwrap();
    let result: Result<(), _> = catch_unwind(AssertUnwindSafe(|| result.result()));
    assert_eq!(result.unwrap_err().downcast_ref::<i32>(), Some(&7));
    lane.end();
}

#[test]
fn what_does_not_return_is_left_and_asks_nobody_any_more() {
    let lane = lane();
    let (go_on, waits) = bounded::<()>(0);
    let (tell, told) = bounded(1);
    let outcome = lane.run(Instant::now() + Duration::from_millis(20), move || {
        waits.recv().unwrap();
        tell.send(by_who_waits(|| 1)).unwrap();
    });
    assert!(outcome.is_err());
    go_on.send(()).unwrap();
    assert_eq!(told.recv_timeout(Duration::from_mins(1)), Ok(None));
    // Its thread ends as soon as it returns.
    lane.join();
}
