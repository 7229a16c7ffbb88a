//! Whether a run that goes on for hours holds more and more: `cargo bench --bench soak`, and `-- 8h` for another time than half an hour.
//!
//! One run of short cases of all kinds (linked functions in the runner and in processes of their own, programs that pass, fail, skip, die, speak TAP, write
//! much, attach files and leave processes behind), again and again for that time. One of the cases looks what guard and runner hold. Prints how much each figure grows in an
//! hour over the last two thirds of the time, by least squares, and ends with 1 if any grows by more than its limit. `--leak descriptor` (or `thread`, `memory`) adds
//! a case that leaves one behind in each round: then it has to end with 1.
//!
//! The binary has two faces, chosen by its first argument: the measurement, and the command with linked cases that it starts.
//! Source of the times: reliability, G7 (30 minutes nightly, 8 hours weekly).

#[path = "../measure/mod.rs"]
mod measure;
mod rounds;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::IntoRawFd;
use std::process::ExitCode;

use zaf_core::thread;

use self::measure::{Result, Target, command, print_all};
use self::rounds::{FIGURES, Sample, read_samples, slope, write_suite};

/// How long it goes on unless told otherwise.
const TIME: &str = "30m";

/// Most that descriptors and threads may grow by in an hour. They are counted while other cases run, so a sample is off by some; over half an hour the slope of
/// that is below one. What leaks one in a thousand executions leaks a hundred in an hour.
const MOST: f64 = 4.0;

/// The same for memory, in KiB. A hundred bytes for each execution would be ten thousand. An allocator needs some hours to find its size.
const MOST_MEMORY: f64 = 2048.0;

/// In the runner.
#[k2::test_case]
fn computes(#[foreach([1, 2, 3])] number: u64) {
    assert_eq!((1..=number).sum::<u64>(), number * (number + 1) / 2);
}

/// In the runner.
#[k2::test_case]
fn panics() {
    panic!("on purpose");
}

/// In a process of its own.
#[k2::test_case(isolation = "process")]
fn apart() {}

/// In a process of its own, which it takes down.
#[k2::test_case(isolation = "process")]
#[expect(clippy::disallowed_methods, reason = "that is what is tried")]
fn takes_its_process_down() {
    std::process::abort();
}

mod leaking {
    use super::{File, IntoRawFd, thread};

    #[k2::test_case]
    fn descriptor() -> std::io::Result<()> {
        let _number = File::open("/dev/null")?.into_raw_fd();
        Ok(())
    }

    #[k2::test_case(name = "thread")]
    fn a_thread() -> std::io::Result<()> {
        drop(thread::spawn("left behind", || {
            loop {
                std::thread::park();
            }
        })?);
        Ok(())
    }

    #[k2::test_case]
    fn memory() {
        vec![1_u8; 16 * 1024].leak();
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|word| word == "run" || word == "__case")
    {
        return k2::application("soak").run();
    }
    soak(&arguments).unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "soak: {error}"));
        ExitCode::from(101)
    })
}

fn soak(arguments: &[String]) -> Result<ExitCode> {
    let (mut time, mut leak) = (TIME, None);
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--bench" => {}
            "--leak" => match words.next() {
                Some(what @ ("descriptor" | "thread" | "memory")) => leak = Some(what),
                other => {
                    let found = other.unwrap_or("nothing");
                    return Err(format!(
                        "--leak: expected `descriptor`, `thread` or `memory`, not `{found}`"
                    )
                    .into());
                }
            },
            word => time = word,
        }
    }
    let directory = tempfile::tempdir()?;
    let samples = directory.path().join("samples");
    let suite = directory.path().join("suite");
    write_suite(&suite, &samples)?;
    let mut run = command(std::env::current_exe()?, ["run"]);
    run.current_dir(directory.path()).arg(&suite).args([
        "--tests-repeat-for",
        time,
        "--parallel-workers",
        "2",
        // It notes 50 000 executions before it lets them go: hours of what a slope would be told of.
        "--no-history",
    ]);
    for case in ["computes", "panics", "apart", "takes_its_process_down"] {
        run.arg(format!("rust:soak::{case}"));
    }
    if let Some(leak) = leak {
        run.arg(format!("rust:soak::leaking::{leak}"));
    }
    let status = run.status()?;
    if status.code() != Some(1) {
        return Err(
            format!("the run ended with {status}, not with 1, as one in which cases fail").into(),
        );
    }
    let samples = read_samples(&samples)?;
    let later = &samples[samples.len() / 3..];
    let (Some(first), Some(last)) = (later.first(), later.last()) else {
        return Err("nobody looked".into());
    };
    let count = later.len();
    let minutes = (last.at - first.at) / 60.0;
    writeln!(
        io::stdout(),
        "growth in an hour, by {count} samples of the last {minutes:.1} minutes"
    )?;
    let targets = FIGURES.into_iter().enumerate().map(|(index, name)| Target {
        name,
        measured: in_an_hour(later, index),
        limit: if name.starts_with("memory") {
            MOST_MEMORY
        } else {
            MOST
        },
        unit: "/h",
    });
    print_all(&targets.collect::<Vec<_>>())
}

fn in_an_hour(samples: &[Sample], index: usize) -> f64 {
    let start = samples.first().map_or(0.0, |first| first.at);
    let points = samples
        .iter()
        .map(|sample| ((sample.at - start) / 3600.0, sample.figures[index]));
    slope(&points.collect::<Vec<_>>())
}
