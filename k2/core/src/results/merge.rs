//! One log out of several: of machines that shared the work, or of attempts at the same cases.
//!
//! What is said of a case is the same wherever and whenever it was said: verdict, reason, exit, steps. Of executions that say the same one stays. If
//! some say different things the case is a *conflict*: all of them stay, and the most serious decides. A case that one log leaves without a
//! verdict has the verdict of another.
//!
//! Invariants
//! - The result depends on the set of logs only: not on their order, on how often one is given, or on whether some were merged before.
//! - Of an execution some hundred bytes are kept in memory: what it says as a hash, and where it stands in its log. It is read once more
//!   when it is written, so outputs may be as long as they like.
//!
//! Long because what is the same, what stays, and how it is written are one definition.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zaf_core::application::ExitCode;

use super::event_log::{EventLogReader, ReadError};
use super::merge_log::{Log, Said, runs_of};
use super::model::{
    CapturedOutput, CasesSelected, HookFailed, RunEnd, RunFinished, RunMerged, RunStarted,
    SutRecovery, TestCaseFinished,
};
use super::record::RecordBody;
use crate::case::{CaseId, Verdict};

/// Where the files of a run stand in the directory of a merged one, below a directory with its id.
const FILES: &str = "runs";

/// A log that can be read here and there.
pub trait LogFile: Read + Seek + Send {}

impl<R: Read + Seek + Send> LogFile for R {}

/// Several logs as one.
#[derive(Default)]
pub struct Merged {
    logs: Vec<Source>,
    /// By id of the run.
    runs: BTreeMap<Arc<str>, RunMerged>,
    /// What is said of each case, by what it is.
    cases: BTreeMap<(CaseId, Hash), Told>,
    hooks: BTreeMap<String, HookFailed>,
    /// In the order in which they were told.
    recoveries: BTreeMap<(Timestamp, String), SutRecovery>,
    /// Where the files are that cases name.
    files: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

type Hash = [u8; 32];

/// A log that was taken in.
struct Source {
    reader: EventLogReader<Box<dyn LogFile>>,
    place: Place,
}

/// Where a log is.
#[derive(Debug, Clone)]
struct Place {
    id: Arc<str>,
    /// Its directory as its records name it.
    named: Utf8PathBuf,
    /// Its directory now.
    directory: Utf8PathBuf,
}

/// An execution of a case.
#[derive(Debug)]
struct Told {
    verdict: Verdict,
    started: Timestamp,
    rank: Rank,
    origin: Origin,
}

/// Which of those that say the same stays: that with the most attempts, then any, but always the same.
type Rank = (usize, Hash);

/// Where an execution stands.
#[derive(Debug)]
enum Origin {
    /// In this log; where the line of each attempt begins.
    Lines(usize, Box<[u64]>),
    /// Nowhere: a log ends without it.
    Open(Box<TestCaseFinished>),
}

impl Merged {
    /// Takes one log in; `directory` is where it is. It is read again later.
    ///
    /// # Errors
    /// If it cannot be read to its end. Then nothing of the whole may be used.
    pub fn add(
        &mut self,
        log: impl LogFile + 'static,
        directory: &Utf8Path,
    ) -> Result<(), ReadError> {
        let log: Box<dyn LogFile> = Box::new(log);
        let mut source = Source {
            reader: EventLogReader::new(log),
            place: Place {
                id: directory.file_name().unwrap_or_default().into(),
                named: Utf8PathBuf::new(),
                directory: directory.to_owned(),
            },
        };
        let mut log = Log::default();
        while let Some(record) = source.reader.next() {
            let line = source.reader.line_start();
            match log.add(record?.body, line) {
                Said::Run(run) => {
                    source.place.id = Arc::clone(&run.run);
                    source.place.named.clone_from(&run.directory);
                }
                Said::Execution(attempts) => {
                    for attempts in runs_of(attempts) {
                        self.tell(attempts, &source.place);
                    }
                }
                Said::Nothing => {}
            }
        }
        let last_time = log.last_time;
        for mut case in std::mem::take(&mut log.open).into_cases(last_time) {
            adopt(&mut case, &source.place, &mut |_, _| {});
            let (key, rank) = identity(std::slice::from_ref(&case));
            let told = Told {
                verdict: case.verdict,
                started: case.started,
                rank,
                origin: Origin::Open(Box::new(case)),
            };
            self.keep(key, told);
        }
        self.logs.push(source);
        self.add_run(log);
        Ok(())
    }

    /// Takes in what a log says of runs.
    fn add_run(&mut self, log: Log) {
        for hook in log.hooks {
            self.hooks.insert(json(&hook), hook);
        }
        for recovery in log.recoveries {
            self.recoveries
                .insert((recovery.at, json(&recovery)), recovery);
        }
        let runs = if log.merged.is_empty() {
            log.run.map(|run| RunMerged {
                run,
                finished: log.end,
                selected: log.selected,
                filtered_out: log.filtered_out,
                sources: log.sources,
            })
        } else {
            None
        };
        for run in log.merged.into_iter().chain(runs) {
            let rank = |run: &RunMerged| (run.finished.is_some(), json(run));
            match self.runs.entry(Arc::clone(&run.run.run)) {
                Entry::Occupied(mut known) => {
                    if rank(known.get()) < rank(&run) {
                        known.insert(run);
                    }
                }
                Entry::Vacant(place) => _ = place.insert(run),
            }
        }
    }

    /// Takes an execution in: the attempts at it in one run, each with the place of its line in the log that is being read.
    fn tell(&mut self, attempts: Vec<(u64, TestCaseFinished)>, place: &Place) {
        let (lines, mut cases): (Vec<u64>, Vec<TestCaseFinished>) = attempts.into_iter().unzip();
        for case in &mut cases {
            adopt(case, place, &mut |target, source| {
                self.files.insert(target, source);
            });
        }
        let Some(last) = cases.last() else { return };
        let (verdict, started) = (last.verdict, last.started);
        let (key, rank) = identity(&cases);
        let told = Told {
            verdict,
            started,
            rank,
            origin: Origin::Lines(self.logs.len(), lines.into()),
        };
        self.keep(key, told);
    }

    fn keep(&mut self, key: (CaseId, Hash), told: Told) {
        match self.cases.entry(key) {
            Entry::Occupied(mut known) => {
                if known.get().rank < told.rank {
                    known.insert(told);
                }
            }
            Entry::Vacant(place) => _ = place.insert(told),
        }
    }

    /// Hands the records of the one log to `each`, for a run with this id in this directory.
    ///
    /// # Errors
    /// What `each` returns, or that a log cannot be read any more.
    pub fn records<E: From<ReadError>>(
        &mut self,
        id: &Arc<str>,
        directory: &Utf8Path,
        mut each: impl FnMut(RecordBody) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self {
            logs,
            runs,
            cases,
            hooks,
            recoveries,
            ..
        } = self;
        let mut decided: Vec<Decided<'_>> = decide_all(cases).collect();
        decided.sort_by_key(|decided| (decided.told.started, decided.case));
        let started = runs.values().map(|run| run.run.started).min();
        let started = started.unwrap_or(Timestamp::UNIX_EPOCH);
        if let Some(whole) = whole(runs, id, directory, started) {
            each(RecordBody::RunStarted(whole))?;
        }
        for run in runs.values() {
            each(RecordBody::RunMerged(run.clone()))?;
        }
        let all = runs.values().map(|run| run.selected + run.filtered_out);
        each(RecordBody::CasesSelected(CasesSelected {
            cases: decided.iter().map(|decided| decided.case.clone()).collect(),
            filtered_out: all.max().unwrap_or(0).saturating_sub(decided.len() as u64),
            sources: runs.values().map(|run| run.sources).max().unwrap_or(0),
            seed: None,
        }))?;
        let is_complete = decided
            .iter()
            .all(|decided| !decided.told.verdict.is_incomplete());
        for (decided, execution) in decided.into_iter().zip(1..) {
            decided.records(logs, execution, directory, &mut each)?;
        }
        for recovery in recoveries.values() {
            each(RecordBody::SutRecovery(recovery.clone()))?;
        }
        for hook in hooks.values() {
            each(RecordBody::HookFailed(hook.clone()))?;
        }
        match end(runs, started, is_complete) {
            Some(end) => each(RecordBody::RunFinished(end)),
            None => Ok(()),
        }
    }

    /// The files that cases name: where each is to be in the directory of the merged run, and where it is.
    pub fn files(&self) -> impl Iterator<Item = (&Utf8Path, &Utf8Path)> {
        let files = self.files.iter();
        files.map(|(target, source)| (target.as_path(), source.as_path()))
    }

    /// How many cases there are of which different things are said.
    pub fn conflicts(&self) -> usize {
        let decided = decide_all(&self.cases);
        decided.filter(|decided| !decided.others.is_empty()).count()
    }
}

impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merged")
            .field("runs", &self.runs)
            .field("cases", &self.cases.len())
            .finish_non_exhaustive()
    }
}

/// How the whole began.
fn whole(
    runs: &BTreeMap<Arc<str>, RunMerged>,
    id: &Arc<str>,
    directory: &Utf8Path,
    started: Timestamp,
) -> Option<RunStarted> {
    let first = runs
        .values()
        .min_by_key(|run| (run.run.started, json(run)))?;
    let mut hosts: Vec<&str> = runs.values().map(|run| &*run.run.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    Some(RunStarted {
        run: Arc::clone(id),
        started,
        host: hosts.join(", ").into(),
        directory: directory.to_owned(),
        workers: runs.values().map(|run| run.run.workers).sum(),
        ..first.run.clone()
    })
}

/// How the whole ended; none if a part was killed and nobody has done what it left.
fn end(
    runs: &BTreeMap<Arc<str>, RunMerged>,
    started: Timestamp,
    is_complete: bool,
) -> Option<RunFinished> {
    let ends = || runs.values().map(|run| run.finished.as_ref());
    let finished = ends().flatten().map(|end| end.finished).max()?;
    let end = if is_complete {
        RunEnd::Completed
    } else {
        let ends: Option<Vec<_>> = ends().map(|end| end.map(|end| &end.end)).collect();
        let early = ends?.into_iter().filter(|end| **end != RunEnd::Completed);
        early.min_by_key(json).cloned()?
    };
    Some(RunFinished {
        finished,
        duration: finished.duration_since(started).unsigned_abs(),
        end,
        exit_code: ends()
            .flatten()
            .filter_map(RunFinished::fault)
            .reduce(ExitCode::merge),
    })
}

/// Makes what a log says of an attempt what the merged one says. Names its files by where they will be, and tells `moved` where each is.
fn adopt(
    case: &mut TestCaseFinished,
    place: &Place,
    moved: &mut dyn FnMut(Utf8PathBuf, Utf8PathBuf),
) {
    let is_merged = case.run.is_some();
    let mut target_of = |file: &Utf8Path| {
        let target = if is_merged {
            file.to_owned()
        } else {
            Utf8Path::new(FILES).join(&*place.id).join(file)
        };
        moved(target.clone(), place.directory.join(file));
        target
    };
    for output in [&mut case.stdout, &mut case.stderr] {
        let file = output.file.as_deref();
        if let Some(file) = file.and_then(|file| file.strip_prefix(&place.named).ok()) {
            output.file = Some(target_of(file));
        }
    }
    for attachment in &mut case.attachments {
        attachment.file = target_of(&attachment.file);
    }
    case.execution = 0;
    case.conflict = false;
    case.retried = false;
    case.run.get_or_insert_with(|| Arc::clone(&place.id));
}

/// What an execution is known by, and which of those with the same content it is: its attempts, the one that decided last.
fn identity(attempts: &[TestCaseFinished]) -> ((CaseId, Hash), Rank) {
    let mut all = Sha256::new();
    for attempt in attempts {
        all.update(json(attempt));
    }
    let last = attempts
        .last()
        .expect("invariant: an execution has an attempt");
    let rank = (attempts.len(), all.finalize().into());
    ((last.case.clone(), content(last)), rank)
}

/// What counts of a case.
struct Decided<'a> {
    case: &'a CaseId,
    told: &'a Told,
    /// What else is said of it; empty as a rule.
    others: Vec<&'a Told>,
}

/// What counts of each case.
fn decide_all(cases: &BTreeMap<(CaseId, Hash), Told>) -> impl Iterator<Item = Decided<'_>> {
    let mut all = cases.iter().peekable();
    std::iter::from_fn(move || {
        let ((case, _), first) = all.next()?;
        let mut told = vec![first];
        while let Some((_, next)) = all.next_if(|((other, _), _)| other == case) {
            told.push(next);
        }
        Some(decide(case, &told))
    })
}

/// The most serious of what is said of a case decides; that it has no verdict only if nobody knows one.
fn decide<'a>(case: &'a CaseId, all: &[&'a Told]) -> Decided<'a> {
    let order = |told: &&Told| (told.verdict, told.rank);
    let mut known: Vec<&Told> = all
        .iter()
        .copied()
        .filter(|told| !told.verdict.is_incomplete())
        .collect();
    if known.is_empty() {
        // It was running, or not even that: the log that says more.
        known.extend(all.iter().copied().max_by_key(order));
    }
    known.sort_by_key(order);
    let told = known
        .pop()
        .expect("invariant: something is said of each case");
    Decided {
        case,
        told,
        others: known,
    }
}

impl Decided<'_> {
    /// The attempts of all, those of the one that decides last.
    fn records<E: From<ReadError>>(
        self,
        logs: &mut [Source],
        execution: u64,
        directory: &Utf8Path,
        each: &mut impl FnMut(RecordBody) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_conflict = !self.others.is_empty();
        let placed = |output: &mut CapturedOutput| {
            if let Some(file) = &mut output.file
                && file.starts_with(FILES)
            {
                *file = directory.join(&*file);
            }
        };
        for told in self.others.iter().chain([&self.told]) {
            let decides = std::ptr::eq(*told, self.told);
            let mut attempts = told.origin.attempts(logs)?.into_iter().peekable();
            while let Some(mut case) = attempts.next() {
                let is_last = decides && attempts.peek().is_none();
                placed(&mut case.stdout);
                placed(&mut case.stderr);
                each(RecordBody::CaseFinished(TestCaseFinished {
                    execution,
                    retried: !is_last,
                    conflict: is_conflict && is_last,
                    ..case
                }))?;
            }
        }
        Ok(())
    }
}

impl Origin {
    /// The attempts, as the merged log says them.
    fn attempts(&self, logs: &mut [Source]) -> Result<Vec<TestCaseFinished>, ReadError> {
        let (log, lines) = match self {
            Self::Open(case) => return Ok(vec![TestCaseFinished::clone(case)]),
            Self::Lines(log, lines) => (*log, lines),
        };
        let mut attempts = Vec::with_capacity(lines.len());
        for &line in lines {
            let source = logs.get_mut(log);
            let Some(Source { reader, place }) = source else {
                break;
            };
            if let Some(RecordBody::CaseFinished(mut case)) = reader.record_at(line)? {
                adopt(&mut case, place, &mut |_, _| {});
                attempts.push(case);
            }
        }
        Ok(attempts)
    }
}

/// What is said of a case, without when, where and how long: the same on two machines.
#[derive(Serialize)]
struct Content<'a> {
    verdict: Verdict,
    reason: &'a Option<Arc<str>>,
    detail: &'a Option<Arc<str>>,
    exit: Option<&'a super::ExitStatus>,
    steps: &'a [crate::case::Step],
    expected_failure: Option<&'a super::ExpectedFailure>,
}

fn content(case: &TestCaseFinished) -> Hash {
    let content = Content {
        verdict: case.verdict,
        reason: &case.reason,
        detail: &case.detail,
        exit: case.exit.as_ref(),
        steps: &case.steps,
        expected_failure: case.expected_failure.as_deref(),
    };
    Sha256::digest(json(&content)).into()
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: records are written as JSON")
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
