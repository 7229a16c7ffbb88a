//! What a run of a million cases takes: `cargo bench --bench million`.
//!
//! Runs 50 000 linked empty cases 20 times over, with the event log, the reports that are written unless told otherwise, and the history; prints one
//! line per target (name, measured, target, `ok` or `short`) and ends with 1 if any falls short. `-- --repeat 200` runs them
//! 200 times over. Takes a minute and a gigabyte on the disk, so CI has the slope of memory instead (`k2/tests/growth.rs`).
//!
//! The binary has three faces, chosen by its first argument, like that of `targets`.

mod measure;

use std::io::{self, Write};
use std::process::ExitCode;

use self::measure::{Result, Target, command, memory_of, print_all, print_memory_of, time};

/// Linked cases.
const CASES: u64 = 50_000;
/// How often they are repeated unless told otherwise.
const REPEAT: u64 = 20;

/// Does nothing: what is measured is everything around it. 100 × 50 × 10 cases.
#[k2::test_case]
fn empty(
    #[foreach([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
        34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64,
        65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95,
        96, 97, 98, 99,
    ])]
    _row: i64,
    #[foreach([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
        34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
    ])]
    _column: i64,
    #[foreach([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])] _page: i64,
) {
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        None | Some("--bench" | "--repeat") => measure(&arguments),
        Some("--memory-of") => print_memory_of(&arguments[1..]),
        Some(_) => return k2::application("million").run(),
    };
    done.unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "million: {error}"));
        ExitCode::from(101)
    })
}

fn measure(arguments: &[String]) -> Result<ExitCode> {
    let asked = arguments.iter().position(|word| word == "--repeat");
    let repeat = match asked.map(|at| arguments.get(at + 1)) {
        None => REPEAT,
        Some(times) => {
            let times = times.ok_or("--repeat: expected how often the cases are repeated")?;
            let number = times.parse().ok().filter(|&times| times > 0);
            number.ok_or_else(|| format!("--repeat: `{times}` is no number from 1"))?
        }
    };
    let directory = tempfile::tempdir()?;
    let output = directory.path().join("output");
    let output = output
        .to_str()
        .ok_or("the temporary directory is not UTF-8")?;
    let this = std::env::current_exe()?;
    let this = this
        .to_str()
        .ok_or("the path of this program is not UTF-8")?;
    let repeat = repeat.to_string();
    let line = |times| {
        [
            "run",
            "--output-dir",
            output,
            "--parameter-limit",
            "50000",
            "--tests-repeat",
            times,
        ]
    };
    let single = memory_of(this, &line("1"))?;
    let elapsed = time(&mut command(this, line(&repeat)))?;
    let whole = memory_of(this, &line(&repeat))?;
    let executions = CASES * repeat.parse::<u64>()?;
    drop(writeln!(
        io::stdout(),
        "{CASES} cases, {executions} executions"
    ));
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of cases is far below 2^52"
    )]
    let (count, more) = (
        executions as f64,
        (executions.max(CASES + 1) - CASES) as f64,
    );
    print_all(&[
        Target {
            name: "50 000 cases once, peak memory",
            measured: single / 1024.0,
            limit: 300.0,
            unit: "MiB",
        },
        Target {
            name: "all executions, peak memory",
            measured: whole / 1024.0,
            limit: 300.0,
            unit: "MiB",
        },
        Target {
            name: "memory per further execution",
            measured: (whole - single) * 1024.0 / more,
            limit: 256.0,
            unit: "B",
        },
        Target {
            name: "time per execution",
            measured: elapsed.as_secs_f64() * 1e6 / count,
            limit: 30.0,
            unit: "us",
        },
    ])
}
