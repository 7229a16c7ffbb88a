//! The targets of speed and size of `zk2`, measured: `cargo bench --bench targets`.
//!
//! Prints one line per target (name, measured, target, `ok` or `short`) and ends with 1 if any falls short.
//!
//! What else the machine does makes everything slower and nothing faster. So an absolute time is the best of several rounds, which are
//! run alternately with those of the other measurements and so spread over the whole time; a ratio is that of two such times,
//! with work and yardstick by turns.
//!
//! The binary has three faces, chosen by its first argument: the measurement; an application with 5 000 linked empty cases (`run …`),
//! which the measurement starts; and a small process that starts one program and tells how much memory that took (`--memory-of …`). The last
//! is needed because the kernel reports the peak of *all* children that a process has waited for.

mod builders;
mod libtest;
mod measure;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use self::builders::Builders;
use self::libtest::Libtest;
use self::measure::{
    Result, Target, best, command, kept_bytes, median, memory_of, millis, print_all,
    print_memory_of, time,
};

const ZK2: &str = env!("CARGO_BIN_EXE_zk2");
const EMPTY_CASES: u32 = 5_000;
const FEW_CASES: u32 = 50;

/// Rounds of a measurement.
const ROUNDS: usize = 10;
/// Every so many of them have the long measurements, too.
const LONG_ROUNDS: usize = 3;
/// Starts of a short command in a round, of which the median counts: enough that no lucky start decides.
const STARTS: usize = 15;

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

fn measure() -> Result<ExitCode> {
    let directory = tempfile::tempdir()?;
    let mut measurements = Measurements::new(directory.path())?;
    for _ in 0..ROUNDS {
        measurements.round()?;
    }
    let targets = measurements.into_targets()?;
    print_all(&targets)
}

/// What was measured so far: times of each round, memory of each.
struct Measurements {
    programs: Programs,
    more_programs: Programs,
    libtest: Option<Libtest>,
    empty: EmptyCases,
    builders: Builders,
    noop: Vec<Duration>,
    help: Vec<Duration>,
}

impl Measurements {
    fn new(directory: &Path) -> Result<Self> {
        Ok(Self {
            programs: Programs::new(
                directory,
                "500 x /bin/true with 4 workers, beside xargs -P4",
                500,
            )?,
            more_programs: Programs::new(
                directory,
                "5 000 x /bin/true with 4 workers, beside xargs",
                5000,
            )?,
            libtest: Libtest::new(directory)?,
            empty: EmptyCases::new(directory)?,
            builders: Builders::new(ZK2, directory)?,
            noop: Vec::new(),
            help: Vec::new(),
        })
    }

    fn round(&mut self) -> Result<()> {
        let (mut noop, mut help) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            noop.push(time(&mut command(ZK2, ["noop"]))?);
            help.push(time(&mut command(ZK2, ["--help"]))?);
        }
        self.noop.push(median(noop));
        self.help.push(median(help));
        self.empty.round()?;
        self.builders.round()?;
        if let Some(libtest) = &mut self.libtest {
            libtest.round()?;
        }
        // Takes ten times as long as the others, and varies less.
        if self.noop.len() % LONG_ROUNDS == 1 {
            self.more_programs.round()?;
        }
        self.programs.round()
    }

    fn into_targets(self) -> Result<Vec<Target>> {
        let start = |name, times: &[Duration]| Target {
            name,
            measured: millis(best(times)),
            limit: 10.0,
            unit: "ms",
        };
        let mut targets = vec![
            start("zk2 noop, start to end", &self.noop),
            start("zk2 --help, start to end", &self.help),
            memory_of_a_start("zk2 noop, peak memory", "noop")?,
            memory_of_a_start("zk2 --help, peak memory", "--help")?,
        ];
        targets.extend(self.empty.into_targets());
        targets.extend(self.builders.into_targets());
        targets.push(self.programs.into_target());
        let kept = self.more_programs.kept()?;
        targets.push(self.more_programs.into_target());
        targets.push(kept);
        targets.extend(self.libtest.into_iter().flat_map(Libtest::into_targets));
        Ok(targets)
    }
}

fn memory_of_a_start(name: &'static str, argument: &str) -> Result<Target> {
    Ok(Target {
        name,
        measured: memory_of(ZK2, &[argument])? / 1024.0,
        limit: 12.0,
        unit: "MiB",
    })
}

/// 5 000 linked functions that do nothing, with event log, text report and JUnit report, and live output to a file.
struct EmptyCases {
    this: PathBuf,
    output: String,
    live: PathBuf,
    times: Vec<Duration>,
    /// Peak with all cases and with [`FEW_CASES`], in KiB.
    memory: (Vec<f64>, Vec<f64>),
}

impl EmptyCases {
    fn new(directory: &Path) -> Result<Self> {
        let output = directory.join("empty");
        let output = output
            .to_str()
            .ok_or("the temporary directory is not UTF-8")?;
        Ok(Self {
            this: std::env::current_exe()?,
            output: output.to_owned(),
            live: directory.join("live"),
            times: Vec::new(),
            memory: (Vec::new(), Vec::new()),
        })
    }

    fn round(&mut self) -> Result<()> {
        let all = [
            "run",
            "--output-dir",
            &self.output,
            "--reports-text",
            "true",
            "--reports-junit",
            "true",
        ];
        let mut run = command(&self.this, all);
        let live = std::fs::File::create(&self.live)?;
        self.times.push(time(run.stdout(live))?);
        let few: Vec<&str> = all
            .into_iter()
            .chain(["--tests-include", FEW_PATTERN])
            .collect();
        self.memory.0.push(memory_of(&self.this, &all)?);
        self.memory.1.push(memory_of(&self.this, &few)?);
        Ok(())
    }

    fn into_targets(self) -> [Target; 2] {
        let (mut all, mut few) = self.memory;
        all.sort_by(f64::total_cmp);
        few.sort_by(f64::total_cmp);
        let growth = all[ROUNDS / 2] - few[ROUNDS / 2];
        [
            Target {
                name: "5 000 empty cases, reports and log on, per case",
                measured: millis(best(&self.times)) * 1000.0 / f64::from(EMPTY_CASES),
                limit: 50.0,
                unit: "µs",
            },
            Target {
                name: "5 000 empty cases, memory growth per case",
                measured: (growth / f64::from(EMPTY_CASES - FEW_CASES)).max(0.0),
                limit: 1.0,
                unit: "KiB",
            },
        ]
    }
}

/// Selects the [`FEW_CASES`] cases of the first row.
const FEW_PATTERN: &str = "*row=0,*";

/// `/bin/true` so many times with four workers, beside `xargs` that starts the same.
struct Programs {
    name: &'static str,
    limit: f64,
    suite: PathBuf,
    input: PathBuf,
    output: PathBuf,
    ours: Vec<Duration>,
    xargs: Vec<Duration>,
    count: usize,
}

impl Programs {
    fn new(directory: &Path, name: &'static str, count: usize) -> Result<Self> {
        let suite = directory.join(format!("programs-{count}"));
        std::fs::create_dir(&suite)?;
        for number in 0..count {
            let link = suite.join(format!("true-{number:04}"));
            std::os::unix::fs::symlink("/bin/true", &link)?;
        }
        let input = directory.join(format!("input-{count}"));
        std::fs::write(&input, "x\n".repeat(count))?;
        Ok(Self {
            name,
            limit: 1.15,
            suite,
            input,
            output: directory.join(format!("output-{count}")),
            ours: Vec::new(),
            xargs: Vec::new(),
            count,
        })
    }

    fn round(&mut self) -> Result<()> {
        let mut run = command(ZK2, ["run", "--parallel-workers", "4", "--output-dir"]);
        self.ours
            .push(time(run.arg(&self.output).arg(&self.suite))?);
        let mut peer = command("xargs", ["-P4", "-n1", "/bin/true"]);
        let input = std::fs::File::open(&self.input)?;
        self.xargs.push(time(peer.stdin(input))?);
        Ok(())
    }

    /// What the last run has left without its reports, for each program.
    fn kept(&self) -> Result<Target> {
        let run = std::fs::canonicalize(self.output.join("latest"))?;
        let reports = ["report.txt", "report.html"].map(|name| run.join(name));
        let reports: u64 = reports
            .iter()
            .filter_map(|report| Some(report.metadata().ok()?.len()))
            .sum();
        let kept = u32::try_from(kept_bytes(&run)? - reports)?;
        Ok(Target {
            name: "the same, event log, logs and outputs, per case",
            measured: f64::from(kept) / f64::from(u32::try_from(self.count)?),
            limit: 1000.0,
            unit: "B",
        })
    }

    fn into_target(self) -> Target {
        Target {
            name: self.name,
            measured: best(&self.ours).as_secs_f64() / best(&self.xargs).as_secs_f64(),
            limit: self.limit,
            unit: "x",
        }
    }
}
