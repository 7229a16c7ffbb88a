//! The targets of speed and size of `zk2`, measured: `cargo bench --bench targets`.
//!
//! Prints one line per target (name, measured, target, `ok` or `short`) and ends with 1 if any falls short. Work and yardstick are
//! run alternately, so that a busy machine hits both; medians are compared.
//!
//! The binary has three faces, chosen by its first argument: the measurement; an application with 5 000 linked empty cases (`run …`),
//! which the measurement starts; and a small process that starts one program and tells how much memory that took (`--memory-of …`). The last
//! is needed because the kernel reports the peak of *all* children that a process has waited for.

use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ZK2: &str = env!("CARGO_BIN_EXE_zk2");
const EMPTY_CASES: u32 = 5_000;
const FEW_CASES: u32 = 50;

/// Starts of a short command: enough for a stable median, done in a second or two.
const STARTS: usize = 100;
/// Runs of what takes a second.
const RUNS: usize = 7;

/// Does nothing: what is measured is everything around it. 100 × 50 cases.
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
) {
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        None | Some("--bench") => measure(),
        Some("--memory-of") => print_memory_of(&arguments[1..]),
        Some(_) => return k2::application("targets").run(),
    };
    done.unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "targets: {error}"));
        ExitCode::from(101)
    })
}

/// One line of the result.
struct Target {
    name: &'static str,
    measured: f64,
    limit: f64,
    unit: &'static str,
}

impl Target {
    fn is_met(&self) -> bool {
        self.measured <= self.limit
    }

    fn print(&self) -> io::Result<()> {
        let Self {
            name,
            measured,
            limit,
            unit,
        } = self;
        let word = if self.is_met() { "ok" } else { "short" };
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{name:<48} {measured:>9.2} {unit:<4} ≤ {limit:>6.2} {unit:<4} {word}"
        )?;
        out.flush()
    }
}

fn measure() -> Result<ExitCode> {
    let directory = tempfile::tempdir()?;
    let mut targets = start_and_end()?;
    targets.extend(memory_of_a_start()?);
    targets.extend(empty_cases(directory.path())?);
    targets.push(programs_beside_xargs(directory.path())?);
    let is_all_met = targets.iter().all(Target::is_met);
    for target in &targets {
        target.print()?;
    }
    Ok(if is_all_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// `zk2 noop` and `zk2 --help`, from start to end.
fn start_and_end() -> Result<Vec<Target>> {
    let (mut noop, mut help) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        noop.push(time(&mut command(ZK2, ["noop"]))?);
        help.push(time(&mut command(ZK2, ["--help"]))?);
    }
    let target = |name, times| Target {
        name,
        measured: millis(median(times)),
        limit: 10.0,
        unit: "ms",
    };
    Ok(vec![
        target("zk2 noop, start to end", noop),
        target("zk2 --help, start to end", help),
    ])
}

fn memory_of_a_start() -> Result<Vec<Target>> {
    let target = |name, argument| -> Result<Target> {
        let kib = memory_of(ZK2, &[argument])?;
        Ok(Target {
            name,
            measured: kib / 1024.0,
            limit: 12.0,
            unit: "MiB",
        })
    };
    Ok(vec![
        target("zk2 noop, peak memory", "noop")?,
        target("zk2 --help, peak memory", "--help")?,
    ])
}

/// 5 000 linked functions that do nothing, with event log, text report and JUnit report.
fn empty_cases(directory: &Path) -> Result<Vec<Target>> {
    let this = std::env::current_exe()?;
    let output = directory.join("empty");
    let output = output
        .to_str()
        .ok_or("the temporary directory is not UTF-8")?;
    let all = [
        "run",
        "--output-dir",
        output,
        "--reports-text",
        "true",
        "--reports-junit",
        "true",
    ];
    let few: Vec<&str> = all
        .iter()
        .copied()
        .chain(["--tests-include", FEW_PATTERN])
        .collect();

    let mut times = Vec::new();
    let (mut memory_all, mut memory_few) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        times.push(time(&mut command(&this, all))?);
        memory_all.push(memory_of(&this, &all)?);
        memory_few.push(memory_of(&this, &few)?);
    }
    memory_all.sort_by(f64::total_cmp);
    memory_few.sort_by(f64::total_cmp);
    let growth = memory_all[RUNS / 2] - memory_few[RUNS / 2];
    Ok(vec![
        Target {
            name: "5 000 empty cases, reports and log on, per case",
            measured: millis(median(times)) * 1000.0 / f64::from(EMPTY_CASES),
            limit: 50.0,
            unit: "µs",
        },
        Target {
            name: "5 000 empty cases, memory growth per case",
            measured: (growth / f64::from(EMPTY_CASES - FEW_CASES)).max(0.0),
            limit: 1.0,
            unit: "KiB",
        },
    ])
}

/// Selects the [`FEW_CASES`] cases of the first row.
const FEW_PATTERN: &str = "*row=0,*";

/// 500 × `/bin/true` with four workers, beside `xargs` that starts the same.
fn programs_beside_xargs(directory: &Path) -> Result<Target> {
    const PROGRAMS: usize = 500;
    let suite = directory.join("programs");
    std::fs::create_dir(&suite)?;
    let mut input = String::new();
    for number in 0..PROGRAMS {
        let link = suite.join(format!("true-{number:03}"));
        std::os::unix::fs::symlink("/bin/true", &link)?;
        input.push_str("x\n");
    }
    let input_file = directory.join("input");
    std::fs::write(&input_file, input)?;
    let output = directory.join("programs-output");

    let (mut ours, mut xargs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut run = command(ZK2, ["run", "--parallel-workers", "4", "--output-dir"]);
        ours.push(time(run.arg(&output).arg(&suite))?);
        let mut peer = command("xargs", ["-P4", "-n1", "/bin/true"]);
        xargs.push(time(peer.stdin(std::fs::File::open(&input_file)?))?);
    }
    Ok(Target {
        name: "500 x /bin/true with 4 workers, beside xargs -P4",
        measured: median(ours).as_secs_f64() / median(xargs).as_secs_f64(),
        limit: 1.3,
        unit: "x",
    })
}

#[expect(clippy::disallowed_methods, reason = "measures programs from outside")]
fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: I,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Time from before the start of the program to after its end.
fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(elapsed)
}

/// Peak memory of a program in KiB, its children included.
fn memory_of(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<f64> {
    let mut probe = command(std::env::current_exe()?, ["--memory-of"]);
    let output = probe
        .arg(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .output()?;
    if !output.status.success() {
        return Err(format!("{probe:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Runs the program and prints its peak memory in KiB.
fn print_memory_of(line: &[String]) -> Result<ExitCode> {
    let (program, arguments) = line.split_first().ok_or("--memory-of wants a program")?;
    time(&mut command(program, arguments))?;
    writeln!(
        io::stdout(),
        "{}",
        getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
