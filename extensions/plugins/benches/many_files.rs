//! How long it takes to find one plugin among 10 000 other files in the plugin path: row G10 of reliability says less than a second.
//!
//! `cargo bench -p zaf-plugins --bench many_files` prints one line and ends with exit code 1 if it falls short.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "prints what it measures"
)]

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use zaf_plugins::package::{MANIFEST, find};

const FILES: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(1);
const ROUNDS: usize = 20;

fn main() -> ExitCode {
    let path = tempfile::tempdir().expect("a directory");
    for number in 0..FILES {
        let file = path.path().join(format!("file{number}.so"));
        fs::write(file, "x").expect("a file");
    }
    let plugin = path.path().join("plugin");
    fs::create_dir(&plugin).expect("a folder");
    fs::write(plugin.join(MANIFEST), "").expect("a manifest");
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let found = find(path.path()).expect("a directory");
            assert_eq!(found.folders.len(), 1);
            begun.elapsed()
        })
        .collect();
    times.sort();
    let median = times[ROUNDS / 2];
    let verdict = if median > LIMIT { "short" } else { "ok" };
    println!("{FILES} files in the plugin path {median:>12.2?} {LIMIT:>8.2?} {verdict}");
    ExitCode::from(u8::from(median > LIMIT))
}
