//! One log out of several: of machines that shared the work, or of attempts at the same cases.
//!
//! What is said of a case is the same wherever and whenever it was said: verdict, reason, exit, steps. Of executions that say the same one stays. If
//! some say different things the case is a *conflict*: all of them stay, and the most serious decides. A case that one log leaves without a
//! verdict has the verdict of another.
//!
//! Invariants
//! - The result depends on the set of logs only: not on their order, on how often one is given, or on whether some were merged before.
//! - Everything is kept in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::model::{
    CapturedOutput, CasesSelected, HookFailed, RunEnd, RunFinished, RunMerged, RunStarted,
    TestCaseFinished,
};
use super::record::RecordBody;
use super::run_log::OpenCases;
use crate::case::CaseId;

/// Where the files of a run stand in the directory of a merged one, below a directory with its id.
const FILES: &str = "runs";

/// Several logs as one.
#[derive(Debug, Default)]
pub struct Merged {
    /// By id of the run.
    runs: BTreeMap<Arc<str>, RunMerged>,
    /// What is said of each case, by what it is.
    cases: BTreeMap<CaseId, BTreeMap<[u8; 32], Told>>,
    hooks: BTreeMap<String, HookFailed>,
    /// Where the files are that cases name.
    files: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

/// An execution of a case, without its number.
#[derive(Debug)]
struct Told {
    last: TestCaseFinished,
    earlier: Vec<TestCaseFinished>,
}

impl Told {
    /// Which of those that say the same stays: that with the most attempts, then any, but always the same.
    fn rank(&self) -> (usize, String) {
        let attempts = self.earlier.iter().chain([&self.last]);
        (self.earlier.len(), attempts.map(json).collect())
    }
}

impl Merged {
    /// Takes the records of one log in; `directory` is where it is.
    pub fn add(&mut self, records: impl IntoIterator<Item = RecordBody>, directory: &Utf8Path) {
        let mut log = Log::default();
        for record in records {
            log.add(record);
        }
        let named = log
            .run
            .as_ref()
            .map_or_else(Utf8PathBuf::new, |run| run.directory.clone());
        let id: Arc<str> = log.run.as_ref().map_or_else(
            || directory.file_name().unwrap_or_default().into(),
            |run| Arc::clone(&run.run),
        );
        let place = Place {
            id: &id,
            named: &named,
            directory,
        };
        for (told, executed) in log.executions() {
            let mut told = told;
            for case in told.earlier.iter_mut().chain([&mut told.last]) {
                self.take_files(case, &place);
                case.execution = 0;
                case.conflict = false;
                case.run.get_or_insert_with(|| Arc::clone(&id));
            }
            self.tell(executed, told);
        }
        for hook in log.hooks {
            self.hooks.insert(json(&hook), hook);
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
                std::collections::btree_map::Entry::Occupied(mut known) => {
                    if rank(known.get()) < rank(&run) {
                        known.insert(run);
                    }
                }
                std::collections::btree_map::Entry::Vacant(place) => _ = place.insert(run),
            }
        }
    }

    fn tell(&mut self, case: CaseId, told: Told) {
        let contents = self.cases.entry(case).or_default();
        match contents.entry(content(&told.last)) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                if known.get().rank() < told.rank() {
                    known.insert(told);
                }
            }
            std::collections::btree_map::Entry::Vacant(place) => _ = place.insert(told),
        }
    }

    /// Names the files of a case by where they will be, and notes where they are.
    fn take_files(&mut self, case: &mut TestCaseFinished, place: &Place<'_>) {
        let is_merged = case.run.is_some();
        let mut moved = |file: &Utf8Path| {
            let target = if is_merged {
                file.to_owned()
            } else {
                Utf8Path::new(FILES).join(&**place.id).join(file)
            };
            let source = place.directory.join(file);
            self.files.insert(target.clone(), source);
            target
        };
        let output = |output: &mut CapturedOutput,
                      moved: &mut dyn FnMut(&Utf8Path) -> Utf8PathBuf| {
            let file = output.file.as_deref();
            if let Some(file) = file.and_then(|file| file.strip_prefix(place.named).ok()) {
                output.file = Some(moved(file));
            }
        };
        output(&mut case.stdout, &mut moved);
        output(&mut case.stderr, &mut moved);
        for attachment in &mut case.attachments {
            attachment.file = moved(&attachment.file);
        }
    }

    /// The records of the one log, for a run with this id in this directory.
    pub fn records(&self, id: &Arc<str>, directory: &Utf8Path) -> Vec<RecordBody> {
        let mut cases: Vec<Decided<'_>> = self.cases.values().filter_map(decide).collect();
        cases.sort_by_key(|decided| (decided.last.started, &decided.last.case));
        let mut records = Vec::new();
        let started = self.runs.values().map(|run| run.run.started).min();
        let started = started.unwrap_or(Timestamp::UNIX_EPOCH);
        if let Some(first) = self
            .runs
            .values()
            .min_by_key(|run| (run.run.started, json(run)))
        {
            let mut hosts: Vec<&str> = self.runs.values().map(|run| &*run.run.host).collect();
            hosts.sort_unstable();
            hosts.dedup();
            records.push(RecordBody::RunStarted(RunStarted {
                run: Arc::clone(id),
                started,
                host: hosts.join(", ").into(),
                directory: directory.to_owned(),
                workers: self.runs.values().map(|run| run.run.workers).sum(),
                ..first.run.clone()
            }));
        }
        let runs = self.runs.values().cloned();
        records.extend(runs.map(RecordBody::RunMerged));
        let all = self
            .runs
            .values()
            .map(|run| run.selected + run.filtered_out);
        records.push(RecordBody::CasesSelected(CasesSelected {
            cases: cases
                .iter()
                .map(|decided| decided.last.case.clone())
                .collect(),
            filtered_out: all.max().unwrap_or(0).saturating_sub(cases.len() as u64),
            sources: self.runs.values().map(|run| run.sources).max().unwrap_or(0),
            seed: None,
        }));
        let is_complete = cases
            .iter()
            .all(|decided| !decided.last.verdict.is_incomplete());
        for (decided, execution) in cases.into_iter().zip(1..) {
            records.extend(decided.records(execution, directory));
        }
        records.extend(self.hooks.values().cloned().map(RecordBody::HookFailed));
        records.extend(self.end(started, is_complete).map(RecordBody::RunFinished));
        records
    }

    /// How the whole ended; none if a part was killed and nobody has done what it left.
    fn end(&self, started: Timestamp, is_complete: bool) -> Option<RunFinished> {
        let ends = || self.runs.values().map(|run| run.finished.as_ref());
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
        })
    }

    /// The files that cases name: where each is to be in the directory of the merged run, and where it is.
    pub fn files(&self) -> impl Iterator<Item = (&Utf8Path, &Utf8Path)> {
        let files = self.files.iter();
        files.map(|(target, source)| (target.as_path(), source.as_path()))
    }

    /// How many cases there are of which different things are said.
    pub fn conflicts(&self) -> usize {
        let decided = self.cases.values().filter_map(decide);
        decided.filter(|decided| !decided.others.is_empty()).count()
    }
}

/// Where a log is.
struct Place<'a> {
    id: &'a Arc<str>,
    /// Its directory as its records name it.
    named: &'a Utf8Path,
    /// Its directory now.
    directory: &'a Utf8Path,
}

/// What counts of a case.
struct Decided<'a> {
    last: &'a TestCaseFinished,
    told: &'a Told,
    /// What else is said of it; empty as a rule.
    others: Vec<&'a Told>,
}

/// The most serious of what is said of a case decides; that it has no verdict only if nobody knows one.
fn decide(contents: &BTreeMap<[u8; 32], Told>) -> Option<Decided<'_>> {
    let is_known = |told: &&Told| !told.last.verdict.is_incomplete();
    let mut all: Vec<&Told> = contents.values().filter(is_known).collect();
    if all.is_empty() {
        // It was running, or not even that: the log that says more.
        all.extend(
            contents
                .values()
                .max_by_key(|told| (told.last.verdict, told.rank())),
        );
    }
    all.sort_by_cached_key(|told| (told.last.verdict, told.rank()));
    let told = all.pop()?;
    Some(Decided {
        last: &told.last,
        told,
        others: all,
    })
}

impl Decided<'_> {
    /// The attempts of all, those of the one that decides last.
    fn records(self, execution: u64, directory: &Utf8Path) -> Vec<RecordBody> {
        let is_conflict = !self.others.is_empty();
        let others = self.others.iter();
        let others = others.flat_map(|told| told.earlier.iter().chain([&told.last]));
        let before = others.chain(&self.told.earlier).map(|case| (case, true));
        let all = before.chain([(self.last, false)]);
        let placed = |output: &CapturedOutput| CapturedOutput {
            file: output.file.as_ref().map(|file| {
                if file.starts_with(FILES) {
                    directory.join(file)
                } else {
                    file.clone()
                }
            }),
            ..output.clone()
        };
        all.map(|(case, retried)| {
            RecordBody::CaseFinished(TestCaseFinished {
                execution,
                retried,
                conflict: is_conflict && !retried,
                stdout: placed(&case.stdout),
                stderr: placed(&case.stderr),
                ..case.clone()
            })
        })
        .collect()
    }
}

/// What a log says, by execution.
#[derive(Debug, Default)]
struct Log {
    run: Option<RunStarted>,
    end: Option<RunFinished>,
    selected: u64,
    filtered_out: u64,
    sources: u64,
    merged: Vec<RunMerged>,
    hooks: Vec<HookFailed>,
    attempts: BTreeMap<u64, Vec<TestCaseFinished>>,
    open: OpenCases,
    last_time: Timestamp,
}

impl Log {
    fn add(&mut self, record: RecordBody) {
        self.open.add(&record);
        match record {
            RecordBody::RunStarted(run) => {
                self.last_time = self.last_time.max(run.started);
                self.run = Some(run);
            }
            RecordBody::CasesSelected(selected) => {
                self.selected = selected.cases.len() as u64;
                self.filtered_out = selected.filtered_out;
                self.sources = selected.sources;
            }
            RecordBody::CaseFinished(case) => {
                self.last_time = self.last_time.max(case.started);
                self.attempts.entry(case.execution).or_default().push(case);
            }
            RecordBody::RunMerged(run) => self.merged.push(run),
            RecordBody::HookFailed(hook) => self.hooks.push(hook),
            RecordBody::RunFinished(end) => self.end = Some(end),
            RecordBody::CaseStarted(_) | RecordBody::RunResumed(_) => {}
        }
    }

    /// What was said of each case: once by a log of a run, perhaps several times by one that was merged.
    fn executions(&mut self) -> Vec<(Told, CaseId)> {
        let mut executions = Vec::new();
        for (_, attempts) in std::mem::take(&mut self.attempts) {
            // Those of an execution that was torn off have no last one, and the case is open.
            if attempts.last().is_none_or(|last| last.retried) {
                continue;
            }
            let mut told: Option<Told> = None;
            for mut case in attempts {
                // In a merged log the attempts of one run stand together, and each is a log of its own.
                let continues = told.as_ref().is_some_and(|told| {
                    told.last.run == case.run && told.last.attempt < case.attempt
                });
                case.retried = false;
                match told.as_mut() {
                    Some(told) if continues => {
                        let before = std::mem::replace(&mut told.last, case);
                        told.earlier.push(before);
                    }
                    _ => {
                        let next = Told {
                            last: case,
                            earlier: Vec::new(),
                        };
                        executions.extend(told.replace(next));
                    }
                }
            }
            executions.extend(told);
        }
        let open = std::mem::take(&mut self.open).into_cases(self.last_time);
        executions.extend(open.map(|last| Told {
            last,
            earlier: Vec::new(),
        }));
        let with_id = |told: Told| {
            let case = told.last.case.clone();
            (told, case)
        };
        executions.into_iter().map(with_id).collect()
    }
}

/// What is said of a case, without when, where and how long: the same on two machines.
#[derive(Serialize)]
struct Content<'a> {
    verdict: crate::case::Verdict,
    reason: &'a Option<Arc<str>>,
    detail: &'a Option<Arc<str>>,
    exit: Option<&'a super::ExitStatus>,
    steps: &'a [crate::case::Step],
    expected_failure: Option<&'a super::ExpectedFailure>,
}

fn content(case: &TestCaseFinished) -> [u8; 32] {
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
