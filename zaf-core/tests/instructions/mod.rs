//! What the comparison of instruction counts says and when it fails.

#[path = "../../benches/instructions/baseline.rs"]
mod baseline;

use baseline::{Baseline, Environment};

fn baseline(counts: &[(&str, f64)]) -> Baseline {
    Baseline {
        environment: Environment {
            compiler: "rustc 1.0.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            flags: String::new(),
            libc: "glibc 2.36".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
        },
        counts: counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
    }
}

fn said(before: &Baseline, now: &Baseline) -> (bool, String) {
    let comparison = before.compare(now);
    (comparison.is_failed(), comparison.to_string())
}

#[test]
fn what_is_written_is_read_back() {
    let written = baseline(&[("event.n_1", 357.2), ("event.n_10", 699.0)]);
    assert_eq!(Baseline::parse(&written.to_string()), Ok(written));
}

#[test]
fn the_committed_baseline_is_one() {
    let text = include_str!("../../benches/instructions/baseline.toml");
    let committed = Baseline::parse(text).expect("it is written by the benchmark");
    assert_eq!(committed.to_string(), text);
    assert!(committed.counts.len() >= 16, "{:?}", committed.counts);
}

#[test]
fn five_per_cent_are_allowed_and_six_are_not() {
    let before = baseline(&[("event", 100.0)]);
    let (failed, text) = said(&before, &baseline(&[("event", 104.9)]));
    assert!(!failed, "{text}");
    assert!(!text.contains("update"), "{text}");
    let (failed, text) = said(&before, &baseline(&[("event", 106.0)]));
    assert!(failed);
    assert!(text.contains("+6.0 %  DEARER"), "{text}");
    assert!(text.contains("-- --update"), "{text}");
}

#[test]
fn what_became_cheaper_asks_for_a_new_baseline_and_fails_nothing() {
    let (failed, text) = said(
        &baseline(&[("event", 100.0)]),
        &baseline(&[("event", 95.0)]),
    );
    assert!(!failed, "{text}");
    assert!(text.contains("update the baseline"), "{text}");
}

#[test]
fn work_that_only_one_side_has_fails() {
    let (one, both) = (
        baseline(&[("event", 1.0)]),
        baseline(&[("event", 1.0), ("request", 2.0)]),
    );
    let (failed, text) = said(&one, &both);
    assert!(failed && text.contains("not in the baseline"), "{text}");
    let (failed, text) = said(&both, &one);
    assert!(failed && text.contains("not measured"), "{text}");
}

#[test]
fn another_environment_is_a_notice_and_no_failure() {
    let before = baseline(&[("event", 100.0)]);
    let mut now = baseline(&[("event", 900.0)]);
    now.environment.compiler = "rustc 2.0.0".to_owned();
    let (failed, text) = said(&before, &now);
    assert!(!failed, "{text}");
    assert!(
        text.contains("NOTICE: nothing is compared")
            && text.contains("compiler `rustc 2.0.0` instead of `rustc 1.0.0`"),
        "{text}"
    );
}
