//! What a run takes does not grow with the number of its cases more than it has to.

use nix::sys::resource::{UsageWho, getrusage};

use crate::session::{Session, example, wait};

/// Executions of the smaller and of the larger run.
const FEW: u32 = 20_000;
const MANY: u32 = 100_000;

/// Most bytes that an execution may add to the peak of memory: two words in the queue and two among those selected, and while these are written
/// down, once, their names and the line with them. By far less than what is known of a case; 270 to 312 were measured, not optimised.
const MOST: i64 = 400;

/// Highest peak of memory, in bytes, of any process that this test has waited for: the largest, with guard and runner each for itself.
fn peak() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() * 1024
}

fn run(executions: u32) -> i64 {
    let session = Session::new();
    let program = example("zk2-testbench");
    let repeat = executions.to_string();
    let line = [
        "run",
        "--tests-include=zk2_testbench::nothing",
        "--tests-repeat",
        &repeat,
    ];
    let ended = wait(
        session
            .program(program.to_str().unwrap(), &line)
            .spawn()
            .unwrap(),
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let passed = format!("  {executions} passed ");
    assert!(ended.stdout.contains(&passed), "no {passed:?}");
    let peak = peak();
    // The history has every one, also of a run that is put into it bit by bit.
    for repetition in [1, executions / 2, executions / 2 + 1, executions] {
        let case = format!("zk2_testbench::nothing[repetition={repetition}]");
        let known = session.zk2(&["results", "trend", &case]);
        assert_eq!(known.code, Some(0), "{case}: {known:?}");
    }
    peak
}

#[test]
fn g5_an_execution_more_takes_some_words_of_memory_whatever_is_reported() {
    let few = run(FEW);
    let many = run(MANY);
    let each = (many - few) / i64::from(MANY - FEW);
    assert!(
        each <= MOST,
        "{few} bytes, then {many}: {each} for each more"
    );
    // The larger one is the larger: what is measured are these two.
    assert!(each > 0, "{few} bytes, then {many}");
}
