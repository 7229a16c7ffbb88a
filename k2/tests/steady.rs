//! What guard and runner hold does not grow from round to round: the short form of `cargo bench --bench soak`.

#[path = "../benches/soak/rounds.rs"]
mod rounds;

use crate::session::{Session, example, wait};
use rounds::{FIGURES, Sample, read_samples, slope, write_suite};

/// Rounds in which everything is there that is made when it is needed first, and as many again.
const ROUNDS: usize = 12;

/// Most memory that a round may leave behind, in KiB: the twelve cases of one take thousands.
const MOST_MEMORY: f64 = 48.0;

/// What grows.
#[derive(Debug, PartialEq)]
struct Growth {
    figure: &'static str,
    /// In the middle, and at the end; of memory, in each round.
    from: f64,
    to: f64,
}

/// What is not at the end of the rounds what it was in the middle: descriptors and threads have to be the same number, memory may grow by `most` KiB
/// in each round, as allocators do. The first half is left out: there is much that is made when it is needed first.
fn growth(samples: &[Sample], most: f64) -> Vec<Growth> {
    let later = &samples[samples.len().saturating_sub(1) / 2..];
    let (Some(middle), Some(end)) = (later.first(), later.last()) else {
        return Vec::new();
    };
    let figures = FIGURES.into_iter().enumerate();
    let grown = figures.filter_map(|(index, figure)| {
        let (from, to) = if figure.starts_with("memory") {
            let points = later.iter().zip(0_u32..);
            let points: Vec<_> = points
                .map(|(sample, round)| (round.into(), sample.figures[index]))
                .collect();
            let each = slope(&points);
            if each <= most {
                return None;
            }
            (0.0, each)
        } else {
            (middle.figures[index], end.figures[index])
        };
        ((to - from).abs() > 0.5).then_some(Growth { figure, from, to })
    });
    grown.collect()
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
    growth(&samples, MOST_MEMORY)
}

#[test]
fn g7_descriptors_threads_and_memory_of_guard_and_runner_stay_what_they_are() {
    assert_eq!(grown(&["nothing", "nothing_apart"]), []);
}

#[test]
fn g7_a_case_that_leaves_something_in_the_runner_in_each_round_is_found_out() {
    let growths = [
        ("a_descriptor", "descriptors of the runner"),
        ("a_thread", "threads of the runner"),
        ("memory", "memory of the runner, KiB"),
    ]
    .map(|(case, figure)| (grown(&[&format!("leaking::{case}")]), figure));
    for (grown, figure) in growths {
        let found = grown.iter().find(|growth| growth.figure == figure);
        let more = found.map(|growth| growth.to - growth.from);
        assert!(more.is_some_and(|more| more >= 11.0), "{figure}: {grown:?}");
    }
}
