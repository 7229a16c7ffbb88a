//! The targets of reports, measured with 50 000 cases that do nothing: `cargo bench --bench reports`.
//!
//! Prints one line per target, like `targets`, and ends with 1 if any falls short. The time of a whole run with every report on is
//! divided by the number of its cases; the page is opened in a headless Chromium, if there is one, and the time is what the page
//! itself says it took from the beginning of its loading until everything could be used.

mod measure;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use self::measure::{
    Result, Target, best, command, kept_bytes, memory_of, millis, print_all, print_memory_of, time,
};

const CASES: u32 = 50_000;
/// As many variants of one function are allowed.
const LIMIT: &str = "50000";
const ROUNDS: usize = 5;

/// Does nothing: what is measured is everything around it. 100 × 100 × 5 cases.
#[k2::test_case]
fn empty(
    #[foreach([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99])]
    _row: i64,
    #[foreach([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99])]
    _column: i64,
    #[foreach([0, 1, 2, 3, 4])] _layer: i64,
) {
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        None | Some("--bench") => measure(),
        Some("--memory-of") => print_memory_of(&arguments[1..]),
        Some(_) => return k2::application("reports").run(),
    };
    done.unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "reports: {error}"));
        ExitCode::from(101)
    })
}

/// Words of the command line in front of the options for reports.
const REPORTS_FROM: usize = 5;

/// Every report that there is.
const REPORTS: [&str; 8] = [
    "text", "html", "junit", "testng", "tap", "json", "ctrf", "markdown",
];

/// A run that writes nothing but its event log.
fn without_reports(output: &str) -> [&str; 7] {
    [
        "run",
        "--output-dir",
        output,
        "--parameter-limit",
        LIMIT,
        "--no-reports-text",
        "--no-reports-html",
    ]
}

fn measure() -> Result<ExitCode> {
    let directory = tempfile::tempdir()?;
    let this = std::env::current_exe()?;
    let output = directory.path().join("output");
    let output = output
        .to_str()
        .ok_or("the temporary directory is not UTF-8")?;
    let mut line: Vec<String> = ["run", "--output-dir", output, "--parameter-limit", LIMIT]
        .map(str::to_owned)
        .to_vec();
    for report in REPORTS {
        line.extend([format!("--reports-{report}"), "true".to_owned()]);
    }
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let plain = without_reports(output);
    let shown = directory.path().join("live");
    let (mut all, mut none, mut anew, mut kept) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        for (times, line) in [(&mut all, &line[..]), (&mut none, &plain[..])] {
            let shown = std::fs::File::create(&shown)?;
            times.push(time(command(&this, line).stdout(shown))?);
        }
        // The last run wrote no report: now they are made of its log.
        let rebuild = [&["report", "--output-dir", output], &line[REPORTS_FROM..]].concat();
        if anew.is_empty() {
            kept = kept_bytes(&newest(Path::new(output))?)?;
        }
        anew.push(time(&mut command(&this, rebuild))?);
    }
    let per_case = |times: &[Duration]| millis(best(times)) * 1000.0 / f64::from(CASES);
    let mut targets = vec![
        Target {
            name: "50 000 empty cases, all reports on, per case",
            measured: per_case(&all),
            limit: 20.0,
            unit: "µs",
        },
        Target {
            name: "50 000 empty cases, event log alone, per case",
            measured: per_case(&none),
            limit: 20.0,
            unit: "µs",
        },
        Target {
            name: "50 000 empty cases, all reports anew, in all",
            measured: millis(best(&anew)) / 1000.0,
            limit: 10.0,
            unit: "s",
        },
        Target {
            name: "50 000 empty cases, event log and logs, per case",
            measured: f64::from(u32::try_from(kept)?) / f64::from(CASES),
            limit: 1000.0,
            unit: "B",
        },
        Target {
            name: "50 000 empty cases, all reports on, peak memory",
            measured: memory_of(&this, &line)? / 1024.0,
            limit: 300.0,
            unit: "MiB",
        },
    ];
    let page = newest(Path::new(output))?.join("report.html");
    match opening(&page, directory.path())? {
        Some(took) => targets.push(Target {
            name: "50 000 cases, HTML report opens",
            measured: took / 1000.0,
            limit: 2.0,
            unit: "s",
        }),
        None => writeln!(
            io::stdout(),
            "NOTICE: Chromium is not installed: opening the page is not measured"
        )?,
    }
    targets.push(merged(&this, output, directory.path())?);
    targets.extend(history(&this, output)?);
    print_all(&targets)
}

/// What it takes to put two runs together, and to make the reports of the whole.
fn merged(this: &Path, output: &str, scratch: &Path) -> Result<Target> {
    let runs = std::fs::read_dir(output)?.collect::<io::Result<Vec<_>>>()?;
    let is_run = |run: &PathBuf| !run.is_symlink() && run.join("events.jsonl").is_file();
    let runs = runs.iter().map(std::fs::DirEntry::path).filter(is_run);
    let runs: Vec<String> = runs.map(|run| run.display().to_string()).take(2).collect();
    let whole = scratch.join("merged").display().to_string();
    let mut line = vec!["report", "--output-dir", &whole];
    line.extend(runs.iter().map(String::as_str));
    Ok(Target {
        name: "2 runs of 50 000 cases as one, peak memory",
        measured: memory_of(this, &line)? / 1024.0,
        limit: 300.0,
        unit: "MiB",
    })
}

/// What the history of these runs costs: to keep one more of them, and to answer each question.
fn history(this: &Path, output: &str) -> Result<Vec<Target>> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let line = without_reports(output);
    for _ in 0..ROUNDS {
        with.push(time(&mut command(this, line))?);
        without.push(time(command(this, line).arg("--no-history"))?);
    }
    let cost = best(&with).saturating_sub(best(&without));
    let mut targets = vec![Target {
        name: "50 000 cases, put into the history, per case",
        measured: millis(cost) * 1000.0 / f64::from(CASES),
        limit: 5.0,
        unit: "µs",
    }];
    let case = "reports::empty[_row=7,_column=8,_layer=3]";
    for (name, words) in [
        ("15 runs of 50 000 cases, results list", &["list"][..]),
        ("the same, results show", &["show"]),
        ("the same, results diff", &["diff"]),
        ("the same, results trend", &["trend", case]),
        ("the same, results flaky", &["flaky"]),
        ("the same, results slowest", &["slowest"]),
    ] {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let mut ask = command(this, ["results"]);
            times.push(time(ask.args(words).args(["--output-dir", output]))?);
        }
        targets.push(Target {
            name,
            measured: millis(best(&times)),
            limit: 500.0,
            unit: "ms",
        });
    }
    Ok(targets)
}

fn newest(output: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(output.join("latest"))
}

/// Milliseconds until the page could be used, the best of some; none without a browser.
fn opening(page: &Path, scratch: &Path) -> Result<Option<f64>> {
    let mut best: Option<f64> = None;
    for round in 0..ROUNDS {
        let mut browser = command(
            "chromium",
            ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"],
        );
        browser
            .arg(format!(
                "--user-data-dir={}",
                scratch.join(format!("browser-{round}")).display()
            ))
            .arg(format!("file://{}", page.display()))
            .stdout(Stdio::piped());
        let output = match browser.output() {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let dom = String::from_utf8_lossy(&output.stdout);
        let ready = dom
            .split_once("data-ready=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let (took, _) = ready.ok_or("the page did not become ready")?;
        let took: f64 = took.parse()?;
        best = Some(best.map_or(took, |least| least.min(took)));
    }
    Ok(best)
}
