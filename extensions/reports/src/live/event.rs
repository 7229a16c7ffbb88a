//! What the display needs of a record: small, so that a queue of many takes little memory.

use std::sync::Arc;
use std::time::Duration;

use anstyle::Style;
use k2::case::{CaseId, Verdict};
use k2::messages::{CasesSelected, RunStarted, TestCaseFinished};
use k2::results::{Record, RecordBody};

use crate::layout::many;
use crate::words::{case_word, remark};

/// Longest remark that is kept, in bytes: no terminal line is longer.
const LONGEST_REMARK: usize = 1000;

/// Lines of output that are shown of a case that failed, and most bytes of them: many cases may fail while a terminal takes
/// nothing.
const TAIL_LINES: usize = 5;
const LONGEST_TAIL: usize = 500;

/// Something that changes what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The run is known: who runs, and how.
    Began { who: String, how: String },
    /// Its cases are known.
    Selected {
        total: u64,
        filtered_out: u64,
        sources: u64,
        seed: Option<u64>,
    },
    /// Another runner goes on with the run.
    Resumed {
        runner: u32,
        total: u64,
        done: u64,
        failures: u64,
    },
    /// A case runs.
    Started { execution: u64, case: CaseId },
    /// A case has ended, or one attempt of it.
    Finished(Box<Row>),
    /// Nothing more runs.
    Ended,
}

/// A line about a finished case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) execution: u64,
    pub(crate) case: CaseId,
    pub(crate) verdict: Verdict,
    /// The word for how it ended, and its colour.
    pub(crate) word: (&'static str, Style),
    /// Whether another attempt follows: then there is no line, but the case does not run at the moment.
    pub(crate) retried: bool,
    pub(crate) duration: Option<Duration>,
    pub(crate) remark: Option<Arc<str>>,
    /// The last lines that a case that failed wrote; empty for others.
    pub(crate) tail: Arc<str>,
}

impl Event {
    /// What `record` changes; none if nothing that is shown.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        Some(match &record.body {
            RecordBody::RunStarted(run) => began(run),
            RecordBody::CasesSelected(CasesSelected {
                cases,
                filtered_out,
                sources,
                seed,
            }) => {
                let total = cases.len() as u64;
                Self::Selected {
                    total,
                    filtered_out: *filtered_out,
                    sources: *sources,
                    seed: *seed,
                }
            }
            RecordBody::RunResumed(run) => Self::Resumed {
                runner: run.runner,
                total: run.selected,
                done: run.finished,
                failures: run.failures,
            },
            RecordBody::CaseStarted(case) => Self::Started {
                execution: case.execution,
                case: case.case.clone(),
            },
            RecordBody::CaseFinished(case) => Self::Finished(Box::new(Row::of(case))),
            RecordBody::RunFinished(_) => Self::Ended,
            _ => return None,
        })
    }
}

impl Row {
    /// What is shown of `case`.
    pub(crate) fn of(case: &TestCaseFinished) -> Self {
        Self {
            execution: case.execution,
            case: case.case.clone(),
            verdict: case.verdict,
            word: case_word(case),
            retried: case.retried,
            duration: case.duration,
            remark: remark(case).map(|remark| {
                let end = remark.floor_char_boundary(LONGEST_REMARK);
                remark.get(..end).unwrap_or_default().into()
            }),
            tail: match tail(case) {
                "" => Arc::default(),
                tail => tail.into(),
            },
        }
    }
}

/// The last lines of what a case that failed wrote to standard error, or to standard output if it wrote nothing there.
fn tail(case: &TestCaseFinished) -> &str {
    if !case.verdict.is_failure() {
        return "";
    }
    let outputs = [&case.stderr, &case.stdout];
    let texts = outputs.map(|output| output.end().trim_end());
    let text = texts.into_iter().find(|text| !text.is_empty());
    let text = text.unwrap_or_default();
    let before = text.rmatch_indices('\n').nth(TAIL_LINES - 1);
    let start = before.map_or(0, |(at, _)| at + 1);
    let least = text.ceil_char_boundary(text.len().saturating_sub(LONGEST_TAIL));
    text.get(start.max(least)..).unwrap_or_default()
}

fn began(run: &RunStarted) -> Event {
    let workers = match run.workers {
        0 => String::new(),
        workers => format!(" · {}", many(u64::from(workers), "worker")),
    };
    Event::Began {
        who: format!("{} {}", run.application, run.version),
        how: format!("{workers} · run {}", run.run),
    }
}
