//! What is shown, as a function of events and the time: no clock, no stream. Times count from any one moment, without those for which the
//! run was stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use k2::case::CaseId;
use k2::messages::TestCaseFinished;

use super::event::{Event, Row};
use crate::layout::{columns, fit, many, pad, seconds};
use crate::words::{BAD, DIM, GOOD, ODD};

/// Column at which remarks stand below each other if ids are not longer.
const ID_COLUMNS: usize = 34;

/// Columns before an id: verdict and duration.
const HEAD_COLUMNS: usize = 5 + 6 + 8 + 2;

/// Fewest columns of a long remark; where there are less, it stands below the id.
const FEWEST_REMARK_COLUMNS: usize = 20;

/// Columns before a line of output.
const TAIL_COLUMNS: usize = 12 + 2;

/// Letters of the bar.
const BAR: usize = 16;

/// How long a case may run before it is named as slow.
const SLOW: Duration = Duration::from_secs(10);

/// Most cases that one line names.
const NAMED: usize = 8;

/// The state of a display.
#[derive(Debug, Default)]
pub(crate) struct Display {
    total: u64,
    done: u64,
    failures: u64,
    header: Option<(String, String)>,
    running: BTreeMap<u64, Running>,
    ended: bool,
}

#[derive(Debug)]
struct Running {
    case: CaseId,
    since: Duration,
    is_named: bool,
}

impl Running {
    fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }
}

impl Display {
    /// Takes in what happened by `now` and returns the lines to show for it, each with a line break, `width` columns wide; without
    /// limit if there is no width. Colour sequences are in it.
    pub(crate) fn apply(
        &mut self,
        event: Event,
        now: Duration,
        width: Option<usize>,
    ) -> Option<String> {
        match event {
            Event::Began { who, how } => {
                self.header = Some((who, how));
                None
            }
            Event::Selected {
                total,
                filtered_out,
                sources,
                seed,
            } => {
                self.total = total;
                let (who, mut how) = self.header.take()?;
                if let Some(seed) = seed {
                    how = format!(" · order drawn with seed {seed}{how}");
                }
                Some(head_line(&who, total, filtered_out, sources, &how))
            }
            Event::Resumed {
                runner,
                total,
                done,
                failures,
            } => {
                (self.total, self.done, self.failures) = (total, done, failures);
                let text = format!("runner {runner} goes on · {done}/{total} cases are done");
                Some(format!("  {DIM}{text}{DIM:#}\n"))
            }
            Event::Started { execution, case } => {
                self.running.insert(
                    execution,
                    Running {
                        case,
                        since: now,
                        is_named: false,
                    },
                );
                None
            }
            Event::Finished(row) => {
                self.running.remove(&row.execution);
                if row.retried {
                    return None;
                }
                self.done += 1;
                self.failures += u64::from(row.verdict.is_failure());
                Some(case_line(&row, width) + &tail_lines(&row.tail, width))
            }
            Event::Ended => {
                self.running.clear();
                self.ended = true;
                None
            }
        }
    }

    /// Whether something is going on that a progress line could tell.
    pub(crate) fn is_under_way(&self) -> bool {
        self.total > 0 && !self.ended
    }

    /// The progress line, without a line break, at most `width` columns.
    pub(crate) fn progress(&self, now: Duration, width: usize) -> String {
        let filled = (self.done * BAR as u64)
            .checked_div(self.total)
            .unwrap_or(0);
        let filled = usize::try_from(filled).unwrap_or(BAR).min(BAR);
        let bar = format!("  ▕{}{}▏ ", "█".repeat(filled), " ".repeat(BAR - filled));
        let text = self.progress_text(now);
        let room = width.saturating_sub(columns(&bar));
        if room < columns(&format!("{}/{}", self.done, self.total)) {
            return fit(&format!("{}/{}", self.done, self.total), width);
        }
        let style = if self.failures > 0 { BAD } else { GOOD };
        format!("{style}{bar}{style:#}{}", fit(&text, room))
    }

    fn progress_text(&self, now: Duration) -> String {
        let failed = match self.failures {
            0 => String::new(),
            failures => format!(" · {failures} failed"),
        };
        let running = match self.running.len() {
            0 => String::new(),
            count => format!(" · {count} running: {}", self.names(now)),
        };
        format!("{}/{}{failed}{running}", self.done, self.total)
    }

    /// The cases that run, longest first.
    fn names(&self, now: Duration) -> String {
        let mut running: Vec<_> = self.running.values().collect();
        running.sort_by_key(|running| running.since);
        let mut names: Vec<_> = running
            .iter()
            .take(NAMED)
            .map(|running| {
                format!(
                    "{} {:.1}s",
                    short(&running.case),
                    running.age(now).as_secs_f64()
                )
            })
            .collect();
        if running.len() > NAMED {
            names.push("…".to_owned());
        }
        names.join(", ")
    }

    /// The line that says from time to time what still runs, where there is no progress line.
    pub(crate) fn still_running(&self, now: Duration) -> Option<String> {
        if !self.is_under_way() {
            return None;
        }
        let text = self.progress_text(now);
        Some(format!("  {}\n", k2::results::printable_line(&text)))
    }

    /// Lines that name the cases that have become slow since the last call, each with a line break.
    pub(crate) fn newly_slow(&mut self, now: Duration, width: Option<usize>) -> String {
        let mut lines = String::new();
        for running in self.running.values_mut() {
            let age = running.age(now);
            if age < SLOW || running.is_named {
                continue;
            }
            running.is_named = true;
            let remark = "still running".to_owned();
            lines.push_str(&line(
                ("SLOW", ODD),
                Some(age),
                &running.case,
                Some(&remark),
                width,
            ));
        }
        lines
    }
}

fn head_line(who: &str, total: u64, filtered_out: u64, sources: u64, how: &str) -> String {
    let sources = match sources {
        0 => String::new(),
        sources => format!(" from {}", many(sources, "source")),
    };
    let filtered = match filtered_out {
        0 => String::new(),
        filtered => format!(" ({filtered} filtered out)"),
    };
    let text = format!("{who} · {}{sources}{filtered}{how}", many(total, "case"));
    format!("  {DIM}{}{DIM:#}\n\n", k2::results::printable_line(&text))
}

/// An id without the directories of its source: the line is about what runs, not about where it is.
fn short(case: &CaseId) -> &str {
    let id = case.as_str();
    let plain = id.split_once('[').map_or(id, |(plain, _)| plain);
    let start = plain.rfind('/').map_or(0, |slash| slash + 1);
    id.get(start..)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(id)
}

/// The line of a finished case, as wide as it is.
pub(crate) fn case_row(case: &TestCaseFinished) -> String {
    case_line(&Row::of(case), None)
}

/// The last lines of the output of a case that failed, below its own.
fn tail_lines(tail: &str, width: Option<usize>) -> String {
    let mut lines = String::new();
    for line in tail.lines() {
        let plain = anstream::adapter::strip_str(line).to_string();
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(TAIL_COLUMNS));
        let plain = fit(plain.trim_end_matches('\r'), room);
        let line = format!("            {DIM}│ {plain}{DIM:#}\n");
        lines.push_str(&line);
    }
    lines
}

/// The line of a finished case.
fn case_line(row: &Row, width: Option<usize>) -> String {
    line(
        row.word,
        row.duration,
        &row.case,
        row.remark.as_deref(),
        width,
    )
}

fn line(
    (word, style): (&str, anstyle::Style),
    duration: Option<Duration>,
    case: &CaseId,
    remark: Option<&str>,
    width: Option<usize>,
) -> String {
    let duration = duration.map_or_else(String::new, seconds);
    let id = k2::results::printable_line(case.as_str());
    let head = format!("     {style}{word:<6}{style:#}{duration:>8}  ");
    let Some(remark) = remark else {
        return format!("{head}{id}\n");
    };
    let used = HEAD_COLUMNS + columns(&id).max(ID_COLUMNS) + 2;
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(used));
    if room < FEWEST_REMARK_COLUMNS.min(columns(remark)) {
        // Below the id, rather than wrapped by the terminal anywhere.
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(HEAD_COLUMNS));
        let remark = fit(remark, room.max(FEWEST_REMARK_COLUMNS));
        return format!("{head}{id}\n{:HEAD_COLUMNS$}{remark}\n", "");
    }
    format!("{head}{}  {}\n", pad(&id, ID_COLUMNS), fit(remark, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;

    /// When all begins.
    const START: Duration = Duration::from_secs(1000);

    fn strip(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn shown(width: Option<usize>) -> (Display, String) {
        let mut display = Display::default();
        let mut lines = String::new();
        for record in canned::run() {
            let event = Event::of(&record).unwrap();
            if event == Event::Ended {
                break;
            }
            lines.extend(display.apply(event, START, width));
        }
        (display, strip(&lines))
    }

    #[test]
    fn a_remark_that_does_not_fit_behind_a_long_id_stands_below_it() {
        let id = CaseId::new("suite/with/a/long/name::and-a-case-with-a-name-that-is-long");
        let shown = |remark, width| strip(&line(("FAIL", BAD), None, &id, Some(remark), width));
        let below = shown("exit code 1, which was not expected", Some(80));
        let lines: Vec<&str> = below.lines().collect();
        assert_eq!(
            lines.get(1).map(|line| line.trim_start()),
            Some("exit code 1, which was not expected")
        );
        assert_eq!(lines.len(), 2);
        assert_eq!(
            shown("exit code 1, which was not expected", None)
                .lines()
                .count(),
            1
        );
        assert_eq!(shown("exit code 1", Some(120)).lines().count(), 1);
    }

    #[test]
    fn each_finished_case_is_one_line_and_a_failure_has_the_end_of_its_output_below() {
        let (_, lines) = shown(Some(100));
        insta::assert_snapshot!(lines, @r"
        zk2 0.1.0 · 11 cases from 3 sources (2 filtered out) · 4 workers · run 019e8b0d3a11-7f3a

           PASS    0.004s  git::version_is_recent
           SKIP            docker::daemon_answers              no docker on this machine
           FAIL    0.012s  coreutils::sort_is_stable           exit status 1, expected 0
                  │ expected 'a 1', got 'a 2'
           FLAKY   0.220s  net::port_opens                     passed on try 2
           TIME    5.001s  slow::never_ends                    stopped after 5 s (TERM, then KILL); left …
                  │ y
                  │ y
                  │ last line
           FAIL    0.003s  suite/door.tap                      1 of 2 points failed
           FAIL    0.000s  rust::parse[flag=-s]                assertion failed: left == right; left: 1; …
           ERROR           suite/broken.sh                     cannot start `suite/broken.sh`: permission…
           IGNORE          old::never_worked                   needs hardware
           ABORT   0.100s  slow::sleeps                        interrupted
           NOTRUN          late::never_started                 the run was aborted
        ");
    }

    #[test]
    fn remarks_are_cut_to_the_width_and_nothing_else_is() {
        let (_, lines) = shown(Some(80));
        for line in lines.lines() {
            assert!(columns(line) <= 80 || !line.contains('…'), "{line}");
        }
        let (_, unlimited) = shown(None);
        assert!(!unlimited.contains('…'));
    }

    #[test]
    fn a_run_that_goes_on_counts_what_is_done() {
        let mut display = Display::default();
        let resumed = Event::Resumed {
            runner: 2,
            total: 5,
            done: 3,
            failures: 1,
        };
        let line = display.apply(resumed, START, None).unwrap();
        assert_eq!(strip(&line), "  runner 2 goes on · 3/5 cases are done\n");
        let text = display.progress(START, 80);
        assert!(strip(&text).contains("3/5 · 1 failed"), "{text}");
    }

    #[test]
    fn the_progress_line_says_what_runs_now() {
        let (mut display, _) = shown(None);
        display.apply(canned::started(9, "slow::sleeps"), START, None);
        let now = START + Duration::from_millis(3100);
        insta::assert_snapshot!(strip(&display.progress(now, 79)), @"  ▕████████████████▏ 11/11 · 5 failed · 1 running: slow::sleeps 3.1s");
        insta::assert_snapshot!(display.still_running(now).unwrap(), @"  11/11 · 5 failed · 1 running: slow::sleeps 3.1s");
    }

    #[test]
    fn m1_any_width_gives_a_line_that_fits() {
        let (mut display, _) = shown(None);
        display.apply(canned::started(9, "slow::大\u{1b}[2J\n"), START, None);
        for width in 0..200 {
            let line = strip(&display.progress(START, width));
            assert!(columns(&line) <= width, "{width}: {line}");
            assert!(!line.contains(['\u{1b}', '\n']));
        }
    }

    #[test]
    fn a_slow_case_is_named_once() {
        let mut display = Display::default();
        display.apply(canned::started(1, "slow::sleeps"), START, None);
        let at = |seconds| START + Duration::from_secs(seconds);
        assert_eq!(display.newly_slow(at(9), None), "");
        insta::assert_snapshot!(strip(&display.newly_slow(at(11), None)), @"     SLOW   11.000s  slow::sleeps                        still running");
        assert_eq!(display.newly_slow(at(12), None), "");
    }

    #[test]
    fn e11_hostile_names_and_reasons_do_nothing_to_the_terminal() {
        let mut display = Display::default();
        let lines = display.apply(canned::hostile(), START, Some(100)).unwrap();
        insta::assert_snapshot!(strip(&lines), @r"
             FAIL    0.001s  x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202e}y\u{0}  x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202…
                    │ x\r\u{202e}y
                    │
        ");
    }
}
