//! A suite with cases of many kinds, one of which looks how much guard and runner hold, and what becomes of that from round to round.
//!
//! Shared by the bench and by a test, which sees that each kind of leak is told.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Kinds of programs: what each does, by its name.
const PROGRAMS: [(&str, &str); 8] = [
    ("passes", "exit 0"),
    ("fails", "echo something is wrong >&2; exit 3"),
    ("skips", "echo not here; exit 77"),
    ("dies", "kill -SEGV $$"),
    (
        "points.tap",
        "echo 1..3; echo ok 1; echo not ok 2 - colour; echo ok 3",
    ),
    (
        "floods",
        "i=0; while [ $i -lt 3000 ]; do echo a line that nobody reads to its end; i=$((i+1)); done",
    ),
    (
        "attaches",
        "mkdir -p \"$K2_ATTACHMENTS_DIR\"; echo kept > \"$K2_ATTACHMENTS_DIR/note.txt\"",
    ),
    ("leaves-behind", "setsid sleep 300 & exit 0"),
];

/// Looks at the runner, which is its parent, and at the guard, the parent of that: seconds since the machine began, and of each the number of
/// descriptors and of threads and the resident memory in KiB.
const SAMPLER: &str = r#"
read now rest < /proc/uptime
line=$now
guard=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$PPID/status")
for process in "$PPID" "$guard"; do
    set -- "/proc/$process/fd/"*
    threads=$(sed -n 's/^Threads:[^0-9]*//p' "/proc/$process/status")
    memory=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$process/status")
    line="$line $# $threads $memory"
done
echo "$line" >> "$SAMPLES"
"#;

/// What is looked at, in the order of a sample.
pub(crate) const FIGURES: [&str; 6] = [
    "descriptors of the runner",
    "threads of the runner",
    "memory of the runner, KiB",
    "descriptors of the guard",
    "threads of the guard",
    "memory of the guard, KiB",
];

/// Writes the suite into `directory`; the last of its programs adds a sample to the file `samples`.
pub(crate) fn write_suite(directory: &Path, samples: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let looks = SAMPLER.replace("$SAMPLES", &samples.display().to_string());
    let programs = PROGRAMS.iter().copied();
    for (name, body) in programs.chain([("z-samples", &*looks)]) {
        let path = directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// How much there was when somebody looked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// In seconds, from any time on.
    pub(crate) at: f64,
    /// In the order of [`FIGURES`].
    pub(crate) figures: [f64; 6],
}

/// The samples of a file, in order.
pub(crate) fn read_samples(path: &Path) -> io::Result<Vec<Sample>> {
    let text = fs::read_to_string(path)?;
    let sample = |line: &str| {
        let mut numbers = line.split(' ').map(str::parse::<f64>);
        let mut next = || numbers.next()?.ok();
        let (at, mut figures) = (next()?, [0.0; 6]);
        for figure in &mut figures {
            *figure = next()?;
        }
        Some(Sample { at, figures })
    };
    let read = |line: &str| {
        sample(line)
            .ok_or_else(|| io::Error::other(format!("`{line}` is no sample of seven numbers")))
    };
    text.lines().map(read).collect()
}

/// By how much a figure grows with each step of `x`, by least squares; 0 for fewer than two places.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody looks 2^52 times")]
    let count = points.len() as f64;
    let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (middle(|point| point.0), middle(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let along: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    if spread > 0.0 { along / spread } else { 0.0 }
}
