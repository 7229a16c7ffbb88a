//! One line for each row on standard output, and all of them in a file if that is asked for.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::machine::Machine;
use super::record::{Figure, Record, Role, Row, Verdict};
use super::rounds::Series;

/// What the command line asked for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Parts of the names of works; empty: all.
    works: Vec<String>,
    /// Where the record goes.
    json: Option<PathBuf>,
}

impl Options {
    /// Reads the command line. What begins with a hyphen and is not known is cargo's.
    pub(crate) fn read() -> Self {
        let mut options = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--json" => options.json = arguments.next().map(PathBuf::from),
                _ if argument.starts_with('-') => {}
                _ => options.works.push(argument),
            }
        }
        options
    }

    pub(crate) fn wants(&self, work: &str) -> bool {
        self.works.is_empty() || self.works.iter().any(|part| work.contains(part.as_str()))
    }
}

/// The rows so far.
pub(crate) struct Report {
    benchmark: &'static str,
    options: Options,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(benchmark: &'static str, options: Options) -> Self {
        Self {
            benchmark,
            options,
            rows: Vec::new(),
        }
    }

    pub(crate) fn wants(&self, work: &str) -> bool {
        self.options.wants(work)
    }

    /// The bus beside its yardstick, as a ratio that must not be more than `limit`.
    pub(crate) fn ratio(
        &mut self,
        row: Row,
        [own, other]: [&Series; 2],
        yardstick: &str,
        limit: f64,
    ) {
        let ratio = own.beside(other).median();
        let figures = vec![
            Figure::new(Role::Ours, "zaf", own),
            Figure::new(Role::Floor, yardstick, other),
        ];
        let verdict = Some(Verdict::at_most(ratio, limit, "x"));
        self.add(Row {
            figures,
            verdict,
            ..row
        });
    }

    /// A time, or a count, that must not be more than `limit`.
    pub(crate) fn absolute(&mut self, row: Row, own: &Series, limit: f64) {
        let verdict = Some(Verdict::at_most(own.median(), limit, &row.unit));
        self.add(Row {
            figures: vec![Figure::new(Role::Ours, "zaf", own)],
            verdict,
            ..row
        });
    }

    pub(crate) fn add(&mut self, row: Row) {
        let (mut measured, mut target, mut word) = (String::new(), String::new(), "");
        if let Some(verdict) = &row.verdict {
            measured = amount(verdict.measured, &verdict.unit);
            let sign = if verdict.at_least { ">=" } else { "<=" };
            target = format!("{sign} {}", amount(verdict.limit, &verdict.unit));
            word = verdict.word();
        }
        let figures: Vec<String> = row
            .figures
            .iter()
            .map(|figure| format!("{} {}", amount(figure.median, &row.unit), figure.who))
            .collect();
        let mut out = std::io::stdout().lock();
        // Nobody reads: the exit code still tells.
        let _unread = writeln!(
            out,
            "{:<50}  {measured:>10}  {target:<10}  {word:<5}  {}",
            row.name,
            figures.join(", "),
        );
        self.rows.push(row);
    }

    /// Writes the record. 0 if all rows reached what they were to reach, 1 if not, 2 if the record could not be written.
    pub(crate) fn end(self, lock_file: &str, packages: &[&str]) -> ExitCode {
        let is_met = |row: &Row| row.verdict.as_ref().is_none_or(Verdict::is_met);
        let code = u8::from(!self.rows.iter().all(is_met));
        let Some(file) = self.options.json else {
            return code.into();
        };
        let record = Record {
            benchmark: self.benchmark.to_owned(),
            measured: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M UTC")
                .to_string(),
            machine: Machine::look(lock_file, packages),
            rows: self.rows,
        };
        match record.write(&file) {
            Ok(()) => code.into(),
            Err(error) => {
                let _unread = writeln!(std::io::stderr(), "{}: {error}", file.display());
                ExitCode::from(2)
            }
        }
    }
}

/// Three digits that say something, with a unit that suits them.
pub(crate) fn amount(figure: f64, unit: &str) -> String {
    let (figure, unit) = match unit {
        "ns" if figure >= 1e6 => (figure / 1e6, "ms"),
        "ns" if figure >= 1e3 => (figure / 1e3, "µs"),
        // The name of the row says of what.
        "allocations" => (figure, ""),
        "x" => (figure, "×"),
        unit => (figure, unit),
    };
    let digits = match figure {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$} {unit}").trim_end().to_owned()
}

/// A row to be filled in: one sender, nanoseconds.
pub(crate) fn row(work: impl Into<String>, name: impl Into<String>, dispatchers: usize) -> Row {
    Row {
        work: work.into(),
        name: name.into(),
        dispatchers,
        senders: 1,
        unit: "ns".to_owned(),
        figures: Vec::new(),
        verdict: None,
    }
}
