//! What a guard says about a runner that died: how, and which cases have no verdict because of it.
//!
//! The event log knows; it is read, never written: it ends with the last thing that is certain.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;

use camino::Utf8Path;
use rustix::process::Signal;

use crate::case::CaseId;
use crate::results::event_log::EventLogReader;
use crate::results::{EVENT_LOG_FILE, RecordBody, printable_line};
use crate::supervisor::signal_name;

/// Cases of each sort that are named; of more only the number is told.
const NAMED: usize = 20;

/// Signals by which a process kills itself, by a mistake of its own.
const FAULTS: [Signal; 6] = [
    Signal::ABORT,
    Signal::SEGV,
    Signal::BUS,
    Signal::ILL,
    Signal::FPE,
    Signal::SYS,
];

/// What of a run the log says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    /// Cases that were running, in the order in which they had started.
    running: Vec<CaseId>,
    /// How many had not been started.
    not_run: usize,
    /// Whole records of the log.
    records: u64,
}

/// Writes it to standard error.
pub(super) fn write(signal: i32, directory: Option<&Path>) {
    let mut text = String::new();
    if std::io::stderr().is_terminal() {
        // The progress of the run may stand in the line.
        text.push('\n');
    }
    text.push_str(&render(signal, directory.and_then(Utf8Path::from_path)));
    // Nobody is left to be told that it cannot be told.
    let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
}

fn render(signal: i32, directory: Option<&Utf8Path>) -> String {
    let how = how(signal);
    let mut text = format!("error: runner {how}; the processes that it had started were killed\n");
    let Some(directory) = directory else {
        return text;
    };
    let log = directory.join(EVENT_LOG_FILE);
    let left = read(&log);
    let guilt = match left.running.as_slice() {
        [_] if is_fault(signal) => format!(
            "killed the runner ({}), unless an extension did",
            name(signal)
        ),
        _ => format!("was running when the runner {how}"),
    };
    for case in left.running.iter().take(NAMED) {
        let case = printable_line(case.as_str());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  error    {case}: {guilt}");
    }
    if let more @ 1.. = left.running.len().saturating_sub(NAMED) {
        let _ = writeln!(text, "  error    {more} more: {guilt}");
    }
    if left.not_run > 0 {
        let cases = if left.not_run == 1 { "case" } else { "cases" };
        let _ = writeln!(text, "  not-run  {} {cases}", left.not_run);
    }
    let _ = writeln!(text, "  log      {log}, {} records", left.records);
    text
}

fn name(signal: i32) -> String {
    signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

fn is_fault(signal: i32) -> bool {
    FAULTS.iter().any(|fault| fault.as_raw() == signal)
}

fn how(signal: i32) -> String {
    let name = name(signal);
    if signal == Signal::ABORT.as_raw() {
        format!("aborted ({name})")
    } else if is_fault(signal) {
        format!("crashed ({name})")
    } else {
        format!("was killed ({name})")
    }
}

/// What can be read counts; a log that cannot be read says nothing.
fn read(log: &Utf8Path) -> Left {
    let mut left = Left::default();
    let mut selected = BTreeSet::new();
    let Ok(records) = EventLogReader::open(log) else {
        return left;
    };
    for record in records.map_while(Result::ok) {
        left.records += 1;
        match record.body {
            RecordBody::CasesSelected(found) => selected.extend(found.cases.iter().cloned()),
            RecordBody::CaseStarted(case) => {
                selected.remove(&case.case);
                left.running.retain(|running| *running != case.case);
                left.running.push(case.case);
            }
            RecordBody::CaseFinished(case) => {
                selected.remove(&case.case);
                left.running.retain(|running| *running != case.case);
            }
            RecordBody::RunStarted(_) | RecordBody::RunFinished(_) => {}
        }
    }
    left.not_run = selected.len();
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        let text: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                format!(
                    "{{\"schema\":\"1.0\",\"seq\":{},\"time\":\"2026-11-21T03:00:00Z\",{line}}}\n",
                    at + 1
                )
            })
            .collect();
        std::fs::write(path.join(EVENT_LOG_FILE), text.concat() + "{\"torn").unwrap();
        (directory, path)
    }

    const SELECTED: &str = r#""kind":"cases-selected","data":{"cases":["s::a","s::b","s::c"],"filtered_out":0,"sources":1}"#;

    fn started(case: &str) -> String {
        format!(
            r#""kind":"case-started","data":{{"execution":1,"case":"{case}","attempt":1,"started":"2026-11-21T03:00:00Z","worker":1}}"#
        )
    }

    #[test]
    fn a6_the_one_case_that_ran_is_named_as_the_cause_of_a_fault() {
        let (_dir, path) = log(&[SELECTED, &started("s::a")]);
        let text = render(6, Some(&path)).replace(path.as_str(), "DIR");
        assert_eq!(
            text,
            "error: runner aborted (SIGABRT); the processes that it had started were killed\n\
             \x20 error    s::a: killed the runner (SIGABRT), unless an extension did\n\
             \x20 not-run  2 cases\n\
             \x20 log      DIR/events.jsonl, 2 records\n"
        );
    }

    #[test]
    fn d17_nobody_is_blamed_for_a_signal_from_outside() {
        let (_dir, path) = log(&[SELECTED, &started("s::a"), &started("s::b")]);
        let text = render(9, Some(&path));
        assert!(
            text.starts_with("error: runner was killed (SIGKILL);"),
            "{text}"
        );
        assert_eq!(
            text.matches(": was running when the runner was killed (SIGKILL)\n")
                .count(),
            2,
            "{text}"
        );
        assert!(text.contains("  not-run  1 case\n"), "{text}");
    }

    #[test]
    fn a_run_without_a_log_is_told_in_one_line() {
        assert_eq!(render(11, None).lines().count(), 1);
        assert!(render(11, None).contains("crashed (SIGSEGV)"));
        let (dir, path) = log(&[]);
        drop(dir);
        assert!(render(9, Some(&path)).contains(" 0 records"));
    }
}
