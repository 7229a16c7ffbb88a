//! What a guard says on standard error about a runner that died: how, and what becomes of the cases.

use std::fmt::Write as _;
use std::io::IsTerminal;

use camino::Utf8Path;

use super::Ended;
use super::aftermath::Verdicts;
use super::continuation::{Continuation, Part};
use crate::results::{EVENT_LOG_FILE, Progress, printable_line};

/// Cases of each sort that are named; of more only the number is told.
const NAMED: usize = 20;

/// Writes `text` to standard error.
pub(super) fn write(text: &str) {
    let mut all = String::new();
    if std::io::stderr().is_terminal() {
        all.push_str(if anstyle_query::term_supports_ansi_color() {
            // The progress of the run may stand in the line, and nobody is left who would erase it.
            "\r\u{1b}[2K"
        } else {
            "\n"
        });
    }
    all.push_str(text);
    // Nobody is left to be told that it cannot be told.
    let _ = rustix::io::write(rustix::stdio::stderr(), all.as_bytes());
}

/// The run is over.
pub(super) fn of_run(ended: Ended, log: Option<(&Utf8Path, &Progress, &Verdicts)>) -> String {
    let mut text = head(ended);
    let Some((directory, progress, verdicts)) = log else {
        return text;
    };
    let lines = verdicts.broken_off.iter();
    list(
        &mut text,
        lines.map(|(case, verdict, reason)| (verdict.to_string(), case.as_str(), reason.as_str())),
    );
    if verdicts.not_run > 0 {
        let _ = writeln!(text, "  not-run  {}", cases(verdicts.not_run));
    }
    let log = directory.join(EVENT_LOG_FILE);
    let _ = writeln!(text, "  log      {log}, {} records", progress.records);
    text
}

/// The run goes on.
pub(super) fn of_runner(ended: Ended, progress: &Progress, next: &Continuation) -> String {
    let mut text = head(ended);
    let broken_off = next.broken_off.iter().map(|case| {
        let word = match case.part {
            Part::Guilty => "error",
            Part::Suspect | Part::Bystander => "again",
        };
        (word.to_owned(), case.case.as_str(), case.reason.as_str())
    });
    list(&mut text, broken_off);
    let again = next.broken_off.iter();
    let again = again.filter(|case| case.part != Part::Guilty).count() as u64;
    let apart = if next.apart {
        "; functions run in processes of their own from now on"
    } else {
        ""
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  the run goes on in a new runner with {}{apart}",
        cases(progress.waiting() + again)
    );
    text
}

fn head(ended: Ended) -> String {
    let how = ended.how();
    format!("error: runner {how}; what it had started was killed\n")
}

fn cases(count: u64) -> String {
    let cases = if count == 1 { "case" } else { "cases" };
    format!("{count} {cases}")
}

fn list<'a>(text: &mut String, lines: impl ExactSizeIterator<Item = (String, &'a str, &'a str)>) {
    let more = lines.len().saturating_sub(NAMED);
    for (word, case, reason) in lines.take(NAMED) {
        let case = printable_line(case);
        let _ = writeln!(text, "  {word:<8} {case}: {reason}");
    }
    if more > 0 {
        let _ = writeln!(text, "           and {more} more");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use camino::Utf8PathBuf;

    use super::super::{aftermath, continuation};
    use super::*;

    fn log(lines: &[&str]) -> (tempfile::TempDir, Utf8PathBuf, Progress) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
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
        let progress = Progress::read(&path.join(EVENT_LOG_FILE)).unwrap();
        (directory, path, progress)
    }

    const SELECTED: &str = r#""kind":"cases-selected","data":{"cases":["s::a","s::b","s::c"],"filtered_out":0,"sources":1}"#;

    fn started(execution: u64, case: &str, in_process: bool) -> String {
        format!(
            r#""kind":"case-started","data":{{"execution":{execution},"case":"{case}","attempt":1,"started":"2026-11-21T03:00:00Z","worker":1,"in_process":{in_process}}}"#
        )
    }

    fn goes_on(ended: Ended, lines: &[&str]) -> String {
        let (_dir, path, progress) = log(lines);
        let next = continuation::after(ended, &path, &progress, Duration::ZERO, None).unwrap();
        of_runner(ended, &progress, &next)
    }

    fn is_over(ended: Ended, lines: &[&str]) -> String {
        let (_dir, path, progress) = log(lines);
        let verdicts = aftermath::verdicts(ended, ended.request(), &progress, None);
        of_run(ended, Some((&path, &progress, &verdicts))).replace(path.as_str(), "DIR")
    }

    #[test]
    fn e31_the_one_function_that_ran_is_named_and_the_run_goes_on() {
        let text = goes_on(
            Ended::Signal(6),
            &[
                SELECTED,
                &started(1, "s::a", true),
                &started(2, "s::b", false),
            ],
        );
        assert_eq!(
            text,
            "error: runner aborted (SIGABRT); what it had started was killed\n\
             \x20 error    s::a: killed the runner (SIGABRT)\n\
             \x20 again    s::b: was ended because the runner aborted (SIGABRT); runs again\n\
             \x20 the run goes on in a new runner with 2 cases\n"
        );
    }

    #[test]
    fn e31_what_is_told_of_a_function_that_kills_the_runner_is_what_the_book_says() {
        let cases: Vec<String> = (1..=11).map(|case| format!("suite::{case}")).collect();
        let selected = SELECTED.replace(
            r#""s::a","s::b","s::c""#,
            &format!(
                r#""suite::talks_to_the_board","suite/flash.sh","{}""#,
                cases.join(r#"",""#)
            ),
        );
        let text = goes_on(
            Ended::Signal(11),
            &[
                &selected,
                &started(1, "suite::talks_to_the_board", true),
                &started(2, "suite/flash.sh", false),
            ],
        );
        let page = include_str!("../../../../../docs/src/when-something-dies.md");
        assert!(page.contains(&format!("\n```text\n{text}```\n")), "{text}");
    }

    #[test]
    fn e31_of_several_functions_none_is_blamed_without_a_proof() {
        let text = goes_on(
            Ended::Code(0),
            &[
                SELECTED,
                &started(1, "s::a", true),
                &started(2, "s::b", true),
            ],
        );
        let reason = "ran when the runner exited with 0, beside 1 other function; runs again apart";
        assert_eq!(text.matches(reason).count(), 2, "{text}");
        assert!(text.contains("a new runner with 3 cases"), "{text}");
    }

    #[test]
    fn d17_nobody_is_blamed_for_a_signal_from_outside() {
        let text = is_over(
            Ended::Signal(9),
            &[
                SELECTED,
                &started(1, "s::a", true),
                &started(2, "s::b", true),
            ],
        );
        assert_eq!(
            text,
            "error: runner was killed (SIGKILL); what it had started was killed\n\
             \x20 error    s::a: was running when the runner was killed (SIGKILL)\n\
             \x20 error    s::b: was running when the runner was killed (SIGKILL)\n\
             \x20 not-run  1 case\n\
             \x20 log      DIR/events.jsonl, 3 records\n"
        );
        let text = is_over(Ended::Signal(3), &[SELECTED, &started(1, "s::a", true)]);
        assert!(
            text.contains("  aborted  s::a: SIGQUIT received\n"),
            "{text}"
        );
    }

    #[test]
    fn a_runner_that_only_ran_processes_was_not_killed_by_a_case() {
        let (_dir, path, progress) = log(&[SELECTED, &started(1, "s::a", false)]);
        let ended = Ended::Signal(11);
        assert_eq!(
            continuation::after(ended, &path, &progress, Duration::ZERO, None),
            None
        );
    }

    #[test]
    fn e31_what_a_runner_did_not_come_to_say_the_next_one_says() {
        let (_dir, path, progress) = log(&[SELECTED, &started(1, "s::a", true)]);
        let first =
            continuation::after(Ended::Signal(11), &path, &progress, Duration::ZERO, None).unwrap();
        assert_eq!((first.runner, first.apart), (2, false));
        // It died before it could say it, and ran nothing.
        let none = continuation::after(
            Ended::Signal(6),
            &path,
            &progress,
            Duration::ZERO,
            Some(&first),
        );
        assert_eq!(none, None);
        let verdicts = aftermath::verdicts(Ended::Signal(6), None, &progress, Some(&first));
        assert_eq!(verdicts.broken_off[0].2, "killed the runner (SIGSEGV)");

        let (_dir, path, progress) = log(&[
            SELECTED,
            &started(1, "s::a", true),
            &started(2, "s::b", true),
        ]);
        let mut third = Continuation { runner: 3, ..first };
        third = continuation::after(
            Ended::Signal(6),
            &path,
            &progress,
            Duration::ZERO,
            Some(&third),
        )
        .unwrap();
        let reasons: Vec<_> = third.broken_off.iter().map(|case| &*case.reason).collect();
        assert_eq!(
            reasons,
            ["killed the runner (SIGSEGV)", "killed the runner (SIGABRT)"]
        );
        assert!(third.apart);
    }
}
