//! The committed counts, and what a run says beside them. Pure: text in, text and verdicts out.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// Instructions for each piece of work, by its name.
pub(crate) type Counts = BTreeMap<String, f64>;

/// A change of more than this is one that somebody made: what a build or a run changes by itself is far less.
const TOLERANCE: f64 = 0.05;

/// On what the counts depend beside the code. Another compiler or C library makes other instructions of the same source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// As `rustc --version` says.
    pub(crate) compiler: String,
    /// The host of the compiler, for which benchmarks are built.
    pub(crate) target: String,
    /// Flags of the compiler that were given by `RUSTFLAGS`, without those that set the levels of lints.
    pub(crate) flags: String,
    /// Name and version of the C library: its allocator is counted with what allocates.
    pub(crate) libc: String,
    /// As `valgrind --version` says.
    pub(crate) valgrind: String,
}

impl Environment {
    /// What differs, as `compiler: … instead of …`; empty if counts can be compared.
    fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = [
            ("compiler", &self.compiler, &other.compiler),
            ("target", &self.target, &other.target),
            ("flags", &self.flags, &other.flags),
            ("libc", &self.libc, &other.libc),
            ("valgrind", &self.valgrind, &other.valgrind),
        ];
        let different = pairs.iter().filter(|(_, here, there)| here != there);
        different
            .map(|(name, here, there)| format!("{name} `{here}` instead of `{there}`"))
            .collect()
    }
}

/// Counts, and what they are for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    pub(crate) environment: Environment,
    pub(crate) counts: Counts,
}

impl Baseline {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// What `measured` says beside this.
    pub(crate) fn compare(&self, measured: &Self) -> Comparison {
        let names: std::collections::BTreeSet<&String> =
            self.counts.keys().chain(measured.counts.keys()).collect();
        let lines = names.into_iter().map(|name| Line {
            name: name.clone(),
            before: self.counts.get(name).copied(),
            now: measured.counts.get(name).copied(),
        });
        Comparison {
            differences: measured.environment.differences(&self.environment),
            lines: lines.collect(),
        }
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = &self.environment;
        writeln!(
            f,
            "# Instructions for each piece of work of zaf-core/benches/instructions. Written by\n\
             #     cargo bench -p zaf-core --bench instructions -- --update\n\
             # A run that counts more than 5 % above these fails.\n\n\
             [environment]\n\
             compiler = {:?}\ntarget = {:?}\nflags = {:?}\nlibc = {:?}\nvalgrind = {:?}\n\n\
             [counts]",
            environment.compiler,
            environment.target,
            environment.flags,
            environment.libc,
            environment.valgrind
        )?;
        for (name, count) in &self.counts {
            writeln!(f, "{name:?} = {count:.1}")?;
        }
        Ok(())
    }
}

/// One piece of work before and now.
#[derive(Debug)]
struct Line {
    name: String,
    before: Option<f64>,
    now: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Dearer,
    Cheaper,
    /// Measured, but not in the baseline.
    New,
    /// In the baseline, but not measured.
    Gone,
}

impl Line {
    /// Share by which it grew; 0.05 is 5 %.
    fn change(&self) -> Option<f64> {
        Some(self.now? / self.before? - 1.0)
    }

    fn verdict(&self) -> Verdict {
        match (self.before, self.now, self.change()) {
            (None, ..) => Verdict::New,
            (_, None, _) => Verdict::Gone,
            (.., Some(change)) if change > TOLERANCE => Verdict::Dearer,
            (.., Some(change)) if change <= -TOLERANCE => Verdict::Cheaper,
            _ => Verdict::Same,
        }
    }
}

/// What became of the counts. Its text is a table, and what to do.
#[derive(Debug)]
pub(crate) struct Comparison {
    differences: Vec<String>,
    lines: Vec<Line>,
}

impl Comparison {
    /// Whether something is dearer than it may be, or the baseline does not name the same work. Never in another
    /// environment.
    pub(crate) fn is_failed(&self) -> bool {
        self.differences.is_empty()
            && (self.has(Verdict::Dearer) || self.has(Verdict::New) || self.has(Verdict::Gone))
    }

    fn has(&self, verdict: Verdict) -> bool {
        self.lines.iter().any(|line| line.verdict() == verdict)
    }
}

/// With one digit after the point, and without the sign of what is rounded to nothing.
fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0 + 0.0
}

/// How the baseline is written anew.
const UPDATE: &str = "cargo bench -p zaf-core --bench instructions -- --update";

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<36} {:>12} {:>12} {:>9}",
            "instructions", "baseline", "now", "change"
        )?;
        let figure =
            |count: Option<f64>| count.map_or("-".to_owned(), |count| format!("{count:.1}"));
        for line in &self.lines {
            let change = line.change();
            let change = change.map_or("-".to_owned(), |share| format!("{:+.1} %", percent(share)));
            let (before, now) = (figure(line.before), figure(line.now));
            let verdict = match line.verdict() {
                Verdict::Same => "ok",
                Verdict::Dearer => "DEARER",
                Verdict::Cheaper => "cheaper",
                Verdict::New => "not in the baseline",
                Verdict::Gone => "not measured",
            };
            let name = &line.name;
            writeln!(
                f,
                "{name:<36} {before:>12} {now:>12} {change:>9}  {verdict}"
            )?;
        }
        if !self.differences.is_empty() {
            let differences = self.differences.join(", ");
            return writeln!(
                f,
                "NOTICE: nothing is compared: the baseline is for another environment ({differences})"
            );
        }
        if self.has(Verdict::Dearer) {
            writeln!(
                f,
                "Some work needs over 5 % more instructions than the committed baseline. If it is worth that, say why in the \
                 commit that updates it: {UPDATE}"
            )?;
        }
        if self.has(Verdict::New) || self.has(Verdict::Gone) {
            writeln!(
                f,
                "The baseline does not name the work that is measured. Update it: {UPDATE}"
            )?;
        }
        if self.has(Verdict::Cheaper) {
            writeln!(
                f,
                "Some work needs over 5 % less: update the baseline, so that it stays so: {UPDATE}"
            )?;
        }
        Ok(())
    }
}
