//! How many instructions the bus needs, beside the committed counts.
//!
//! ```text
//! cargo bench -p zaf-core --bench instructions               compares with baseline.toml; more than 5 % above it fails
//! cargo bench -p zaf-core --bench instructions -- --update   writes baseline.toml
//! ```
//!
//! Counting needs valgrind and `gungraun-runner`, in the version of the crate `gungraun`; `.ci/setup` installs both. Counts
//! are the same in each run, whatever else the machine does, and differ with the compiler and the C library. So the
//! baseline says what it is for; with anything else the counts are shown, but nothing is compared.
//!
//! With arguments of gungraun it is a benchmark of gungraun like any other, for those who want to look closer:
//! `-- --callgrind-args=…`.
#![expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a program of its own that starts tools; its main function is written by gungraun"
)]

mod baseline;
mod work;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use baseline::{Baseline, Counts, Environment};

/// Beside this file.
const BASELINE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/instructions/baseline.toml"
);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `--bench` is what cargo says to all benchmarks.
    let is_ours = |argument: &String| argument == "--bench" || argument == "--update";
    if !arguments.iter().all(is_ours) {
        work::run();
        return Ok(ExitCode::SUCCESS);
    }
    let measured = Baseline {
        environment: environment()?,
        counts: count()?,
    };
    let mut out = std::io::stdout();
    if arguments.iter().any(|argument| argument == "--update") {
        if let Ok(before) = std::fs::read_to_string(BASELINE) {
            write!(out, "{}", Baseline::parse(&before)?.compare(&measured))?;
        }
        std::fs::write(BASELINE, measured.to_string())?;
        writeln!(out, "written: {BASELINE}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let committed = Baseline::parse(&std::fs::read_to_string(BASELINE)?)?;
    let comparison = committed.compare(&measured);
    write!(out, "{comparison}")?;
    Ok(ExitCode::from(u8::from(comparison.is_failed())))
}

/// Runs all work under valgrind. gungraun does that in a process of its own and tells on standard output, a line of JSON for
/// each.
fn count() -> Result<Counts, Box<dyn Error>> {
    let run = Command::new(std::env::current_exe()?)
        .args(["--bench", "--output-format=json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !run.status.success() {
        return Err(
            "the instructions could not be counted; `.ci/setup` installs what is needed".into(),
        );
    }
    let mut counts = Counts::new();
    for line in String::from_utf8(run.stdout)?.lines() {
        let summary: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| summary[key].as_str().ok_or(format!("no {key} in: {line}"));
        let values = &summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"];
        // Beside an older run of the same directory, which says nothing to us, there are two.
        let both = &values["both"][0];
        let total = if both.is_null() { &values["new"] } else { both };
        let total = total.as_f64().ok_or(format!("no count in: {line}"))?;
        let name = format!("{}.{}", text("function_name")?, text("id")?);
        counts.insert(name, total / f64::from(work::REPETITIONS));
    }
    if counts.is_empty() {
        return Err("gungraun counted nothing".into());
    }
    Ok(counts)
}

fn environment() -> Result<Environment, Box<dyn Error>> {
    let compiler = said(Command::new("rustc").args(["--version", "--verbose"]))?;
    let target = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "));
    Ok(Environment {
        compiler: compiler.lines().next().unwrap_or_default().to_owned(),
        target: target.unwrap_or_default().to_owned(),
        flags: code_flags(option_env!("RUSTFLAGS").unwrap_or_default()),
        libc: said(Command::new("getconf").arg("GNU_LIBC_VERSION"))?,
        valgrind: said(Command::new("valgrind").arg("--version"))?,
    })
}

/// The flags that change what is built: not the levels of lints.
fn code_flags(flags: &str) -> String {
    let mut kept = Vec::new();
    let mut words = flags.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-A" | "-W" | "-D" | "-F" => drop(words.next()),
            _ if word.starts_with("-A") || word.starts_with("-W") || word.starts_with("-D") => {}
            _ => kept.push(word),
        }
    }
    kept.join(" ")
}

/// What a program prints. In the folder of the package, for which a toolchain may be chosen.
fn said(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let run = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !run.status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(String::from_utf8(run.stdout)?.trim().to_owned())
}
