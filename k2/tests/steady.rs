//! What guard and runner hold does not grow from round to round: the short form of `cargo bench --bench soak`.

#[path = "../benches/soak/rounds.rs"]
mod rounds;

use crate::session::{Session, example, wait};
use rounds::{FIGURES, Sample, read_samples, slope, write_suite};

/// Rounds in which everything is there that is made when it is needed first, and as many again.
const ROUNDS: usize = 12;

/// Most memory that a round may leave behind, in KiB: the twelve cases of one take thousands.
const MOST_MEMORY: f64 = 48.0;

/// Most descriptors and threads that a round may leave behind. A leak leaves one in each; a sample that is taken while the case before is cleared away has
/// one or two more or less than the others, which is a slope of a tenth.
const MOST_HANDLES: f64 = 0.25;

/// What grows, by so much in each round.
#[derive(Debug, PartialEq)]
struct Growth {
    figure: &'static str,
    each: f64,
}

/// What grows by more than it may, in the second half of the rounds: in the first there is much that is made when it is needed first.
fn growth(samples: &[Sample]) -> Vec<Growth> {
    let later = &samples[samples.len().saturating_sub(1) / 2..];
    let figures = FIGURES.into_iter().enumerate();
    let growths = figures.map(|(index, figure)| {
        let points = later.iter().zip(0_u32..);
        let points: Vec<_> = points
            .map(|(sample, round)| (round.into(), sample.figures[index]))
            .collect();
        let each = slope(&points);
        Growth { figure, each }
    });
    growths
        .filter(|growth| {
            let is_memory = growth.figure.starts_with("memory");
            growth.each > if is_memory { MOST_MEMORY } else { MOST_HANDLES }
        })
        .collect()
}

/// What grows in a run with these linked cases besides the programs.
fn grown(linked: &[&str]) -> Vec<Growth> {
    let session = Session::new();
    let samples = session.path().join("samples");
    write_suite(&session.path().join("suite"), &samples).unwrap();
    let rounds = (2 * ROUNDS).to_string();
    let mut line = vec![
        "run",
        "suite",
        "--parallel-workers",
        "1",
        "--tests-repeat",
        &rounds,
    ];
    let linked: Vec<_> = linked
        .iter()
        .map(|case| format!("rust:zk2_testbench::{case}"))
        .collect();
    line.extend(linked.iter().map(String::as_str));
    let program = example("zk2-testbench");
    let run = session.program(program.to_str().unwrap(), &line).spawn();
    let ended = wait(run.unwrap());
    // Some fail on purpose.
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let samples = read_samples(&samples).unwrap();
    assert_eq!(samples.len(), 2 * ROUNDS, "{ended:?}");
    growth(&samples)
}

#[test]
fn g7_descriptors_threads_and_memory_of_guard_and_runner_stay_what_they_are() {
    assert_eq!(grown(&["nothing", "nothing_apart"]), []);
}

#[test]
fn g7_a_case_that_leaves_something_in_the_runner_in_each_round_is_found_out() {
    let growths = [
        ("a_descriptor", "descriptors of the runner", 0.9),
        ("a_thread", "threads of the runner", 0.9),
        ("memory", "memory of the runner, KiB", MOST_MEMORY),
    ]
    .map(|(case, figure, least)| (grown(&[&format!("leaking::{case}")]), figure, least));
    for (grown, figure, least) in growths {
        let found = grown.iter().find(|growth| growth.figure == figure);
        assert!(
            found.is_some_and(|growth| growth.each >= least),
            "{figure}: {grown:?}"
        );
    }
}
