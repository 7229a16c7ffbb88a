//! The extensions of this crate, each run by the harness: the code of registration is that of applications.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::component::{Askers, Requirement};
use zaf_core::extension::Extension;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;
use zaf_harness::{CommandRun, HarnessBuilder};

use crate::command::{
    ListCommand, PastRunMessages, REPORT_COMMAND, ReapCommand, ReportCommand, RunCommand,
};
use crate::finder::{
    Executables, FIND_TEST_CASES, FINDER, FindTestCases, FoundUnit, GoogleTestBinaries,
    LibtestBinaries, LinkedCases, SourceKind, SourceSpec, TapProducers, TestFinder, Unit, expand,
};
use crate::hooks::{HOOK_FAILED, HOOKS};
use crate::messages::{
    RECORDED, RUNNER, TEST_CASE_FINISHED, TEST_CASE_STARTED, TEST_CASES_SELECTED,
    TEST_RUN_FINISHED, TEST_RUN_RESUMED, TEST_RUN_STARTED, TestCaseFinished,
};
use crate::results::EVENT_LOG_FILE;
use crate::results::event_log::EventLog;
use crate::runner::{RunLogs, TestRunner};
use crate::scheduler::TestScheduler;
use crate::supervisor::GUARD;

const LIMIT: Duration = Duration::from_mins(1);

/// A directory with an executable of this text.
fn script(text: &str) -> (tempfile::TempDir, Utf8PathBuf) {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(directory.path())
        .unwrap()
        .join("script");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    (directory, path)
}

/// What the finder `E` answers about a file of this kind.
fn found<E: Extension>(kind: SourceKind, path: &Utf8Path) -> Vec<FoundUnit> {
    let harness = ExtensionTestHarness::<E>::builder()
        .define(FINDER, [FIND_TEST_CASES])
        .define(MOCK_ENDPOINT, [zaf_core::application::ABORT])
        .define(MOCK_ENDPOINT, [zaf_core::application::CRITICAL_ABORT])
        .start()
        .unwrap();
    let source = SourceSpec::parse(format!("{}:{path}", kind.prefix()).as_ref());
    let units = expand(&[source]).files.into_iter().map(Unit::File);
    let request = FindTestCases {
        units: units.collect(),
        directory: std::path::PathBuf::new(),
    };
    assert_eq!(request.units.len(), 1, "{request:?}");
    let replies = harness
        .send_request(FIND_TEST_CASES, FINDER, request)
        .unwrap();
    let answers = replies.values(LIMIT).unwrap().concat();
    harness.destroy().unwrap();
    answers
}

fn ids(answers: &[FoundUnit]) -> Vec<&str> {
    let cases = answers.iter().flat_map(|answer| &answer.found.cases);
    cases.map(|case| case.id.as_str()).collect()
}

#[test]
fn each_finder_answers_for_its_kind_and_for_no_other() {
    let (_directory, path) = script("#!/bin/sh\necho 'one: test'\n");
    assert_eq!(
        ids(&found::<Executables>(SourceKind::Executable, &path)).len(),
        1
    );
    assert_eq!(ids(&found::<TapProducers>(SourceKind::Tap, &path)).len(), 1);
    assert_eq!(
        ids(&found::<LibtestBinaries>(SourceKind::Libtest, &path)).len(),
        1
    );
    assert!(found::<Executables>(SourceKind::Tap, &path).is_empty());
    assert!(found::<TapProducers>(SourceKind::Executable, &path).is_empty());
    assert!(found::<LibtestBinaries>(SourceKind::GoogleTest, &path).is_empty());
    assert!(found::<GoogleTestBinaries>(SourceKind::Libtest, &path).is_empty());
    assert!(found::<LinkedCases>(SourceKind::Executable, &path).is_empty());
}

#[test]
fn the_finder_of_googletest_asks_the_binary() {
    let (_directory, path) = script("#!/bin/sh\nprintf 'Suite.\\n  First\\n  Second\\n'\n");
    let answers = found::<GoogleTestBinaries>(SourceKind::GoogleTest, &path);
    let ids = ids(&answers);
    assert!(ids.len() == 2 && ids[0].ends_with("Suite.First"), "{ids:?}");
}

#[test]
fn the_linked_finder_answers_for_what_is_linked() {
    let harness = ExtensionTestHarness::<LinkedCases>::builder()
        .define(FINDER, [FIND_TEST_CASES])
        .start()
        .unwrap();
    let request = FindTestCases {
        units: vec![Unit::Linked(SourceSpec::parse("rust:no::such".as_ref()))],
        directory: std::path::PathBuf::new(),
    };
    let replies = harness
        .send_request(FIND_TEST_CASES, FINDER, request)
        .unwrap();
    let answers = replies.values(LIMIT).unwrap().concat();
    // No test function is linked into this program: that is said.
    assert_eq!((answers.len(), answers[0].found.problems.len()), (1, 1));
}

#[test]
fn the_test_finder_defines_where_cases_are_asked_for_and_says_who_asks_for_components() {
    let harness = ExtensionTestHarness::<TestFinder>::builder()
        .start()
        .unwrap();
    let messages = harness.bus().messages();
    let is_there = |name: &str| {
        messages
            .iter()
            .any(|(message, at)| message.name == name && !at.is_empty())
    };
    assert!(is_there("FIND_TEST_CASES"));
    let askers = Requirement::of::<Askers>("askers");
    let askers = harness.host().session().resolve::<Askers>(&askers).unwrap();
    assert_eq!(askers.scopes(), crate::case::SCOPES);
}

/// An application of all that a run is made of.
fn whole<E: Extension>() -> HarnessBuilder<E> {
    ExtensionTestHarness::<E>::builder()
        .with_extension::<TestFinder>()
        .with_extension::<Executables>()
        .with_extension::<TestScheduler>()
        .with_extension::<TestRunner>()
        .with_extension::<RunLogs>()
        .with_extension::<EventLog>()
}

fn run(output: &Utf8Path, line: &[&str]) -> CommandRun {
    whole::<RunCommand>()
        .config(OUTPUT_DIR, output.to_owned())
        .config(GUARD, false)
        .run_command(line.iter().copied())
        .unwrap()
}

/// Event logs below the directory of outputs.
fn logs(output: &Utf8Path) -> Vec<Utf8PathBuf> {
    let runs = output.read_dir_utf8().unwrap().map(|entry| entry.unwrap());
    let runs = runs.filter(|entry| entry.file_type().unwrap().is_dir());
    let logs = runs.map(|entry| entry.path().join(EVENT_LOG_FILE));
    logs.filter(|log| log.is_file()).collect()
}

#[test]
fn a_run_is_found_scheduled_run_and_recorded() {
    let (directory, path) = script("#!/bin/sh\nexit 3\n");
    let output = Utf8Path::from_path(directory.path())
        .unwrap()
        .join("output");
    let ended = run(&output, &["run", path.as_str()]);
    let ended = ended.expect_code(ExitCode::CasesFailed).unwrap();
    ended.logs.expect_none(Level::ERROR).unwrap();
    let logs = logs(&output);
    let [log] = &logs[..] else {
        panic!("one run, not {logs:?}")
    };
    let log = fs::read_to_string(log).unwrap();
    for record in [
        "run-started",
        "case-started",
        "case-finished",
        "run-finished",
    ] {
        assert!(log.contains(record), "no {record} in {log}");
    }
    // What was run can be reported again by whoever writes reports, of which there is none here.
    let run = output.join(logs[0].parent().unwrap().file_name().unwrap());
    let ended = ExtensionTestHarness::<ReportCommand>::builder()
        .with_extension::<PastRunMessages>()
        .with_extension::<RunLogs>()
        .run_command([REPORT_COMMAND.name, run.as_str()])
        .unwrap();
    assert_eq!(ended.code, ExitCode::CasesFailed, "{ended}");
}

#[test]
fn the_list_command_lists_what_would_be_run() {
    let (_directory, path) = script("#!/bin/sh\n");
    let ended = whole::<ListCommand>()
        .with_extension::<RunCommand>()
        .run_command(["list", path.as_str()])
        .unwrap()
        .expect_success()
        .unwrap();
    assert!(ended.stdout.contains("script"), "{ended}");
}

#[test]
fn the_reap_command_says_what_it_would_end() {
    let ended = ExtensionTestHarness::<ReapCommand>::builder()
        .run_command(["reap", "--dry-run"])
        .unwrap();
    let ended = ended.expect_success().unwrap();
    assert!(!ended.stdout.is_empty());
}

#[test]
fn a_report_of_what_is_no_run_is_wrong_use() {
    let directory = tempfile::tempdir().unwrap();
    let ended = ExtensionTestHarness::<ReportCommand>::builder()
        .with_extension::<PastRunMessages>()
        .run_command(["report", directory.path().to_str().unwrap()])
        .unwrap();
    assert_eq!(ended.code, ExitCode::Usage, "{ended}");
}

#[test]
fn the_event_log_does_not_start_where_nobody_runs_cases() {
    let error = ExtensionTestHarness::<EventLog>::builder()
        .define(RUNNER, [TEST_CASE_FINISHED])
        .start()
        .unwrap_err();
    let error = format!("{error:#}");
    // It listens to everything that a runner says; what is missing here is named.
    assert!(error.contains("eventlog"), "{error}");
    assert!(error.contains("TEST_RUN_STARTED"), "{error}");
}

#[test]
fn the_event_log_refuses_what_belongs_to_no_run() {
    let harness = ExtensionTestHarness::<EventLog>::builder()
        .define(RUNNER, [TEST_RUN_STARTED])
        .define(RUNNER, [TEST_CASES_SELECTED])
        .define(RUNNER, [TEST_CASE_STARTED])
        .define(RUNNER, [TEST_CASE_FINISHED])
        .define(RUNNER, [TEST_RUN_FINISHED])
        .define(RUNNER, [TEST_RUN_RESUMED])
        .define(HOOKS, [HOOK_FAILED])
        .start()
        .unwrap();
    let recorder = harness.record([RECORDED]).unwrap();
    let told = harness
        .trigger_event(TEST_CASE_FINISHED, RUNNER, TestCaseFinished::example())
        .unwrap();
    recorder.expect_nothing_else().unwrap();
    let error = format!("{:#}", told.into_result().unwrap_err());
    assert!(
        error.contains("a message of a run that has not begun cannot be recorded"),
        "{error}"
    );
}
