//! The four extensions on a bus: what the `run` command and the event log say goes in, files and answers come out.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use k2::messages::{
    RECORDED, REPORTS_WRITTEN, RESULTS, ReportsWritten, WRITE_REPORTS, WriteReports, WrittenReport,
};
use k2::results::Summary;
use zaf_core::application::ExitCode;
use zaf_core::extension::Extension;
use zaf_harness::HarnessError;
use zaf_harness::prelude::*;

use crate::{JUNIT, JUNIT_FILE, JunitReport, Live, SummaryReport, TEXT, TextReport, canned};

const LIMIT: Duration = Duration::from_secs(10);

/// A directory with the log of the canned run.
struct Run {
    directory: tempfile::TempDir,
    log: Utf8PathBuf,
}

impl Run {
    fn new() -> Self {
        let (directory, log) = canned::log(&canned::run());
        Self { directory, log }
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).unwrap()
    }

    fn request(&self) -> WriteReports {
        WriteReports {
            log: self.log.clone(),
            directory: self.path().to_owned(),
        }
    }

    fn reports_written(&self) -> ReportsWritten {
        ReportsWritten {
            log: self.log.clone(),
            directory: self.path().to_owned(),
            reports: Vec::new(),
            failures: Vec::new(),
            summary: Arc::new(Summary::of(&canned::run())),
            exit: ExitCode::CasesFailed,
            signal: None,
        }
    }
}

/// What `run` and the event log define.
fn defined<E: Extension>(
    builder: zaf_harness::HarnessBuilder<E>,
) -> zaf_harness::HarnessBuilder<E> {
    builder
        .define(RESULTS, [RECORDED])
        .define(RESULTS, [WRITE_REPORTS])
        .define(RESULTS, [REPORTS_WRITTEN])
}

fn text(option: bool) -> zaf_core::Result<ExtensionTestHarness<TextReport>> {
    defined(ExtensionTestHarness::builder())
        .config(TEXT, option)
        .start()
}

fn junit(file: Option<&Utf8Path>) -> zaf_core::Result<ExtensionTestHarness<JunitReport>> {
    let builder = defined(ExtensionTestHarness::builder()).config(JUNIT, true);
    match file {
        Some(file) => builder.config(JUNIT_FILE, file.to_owned()),
        None => builder,
    }
    .start()
}

fn only<E>(
    harness: &ExtensionTestHarness<E>,
    request: WriteReports,
) -> zaf_core::Result<WrittenReport> {
    let replies = harness.send_request(WRITE_REPORTS, RESULTS, request)?;
    let mut reports = replies.values(LIMIT)?.concat();
    assert_eq!(reports.len(), 1, "{reports:?}");
    Ok(reports.remove(0))
}

#[test]
fn the_text_report_is_in_the_directory_of_the_run() -> TestResult {
    let run = Run::new();
    let report = only(&text(true)?, run.request())?;
    assert_eq!(&*report.name, "text");
    assert_eq!(report.path, run.path().join("report.txt"));
    let written = std::fs::read_to_string(&report.path)?;
    for case in canned::cases() {
        assert!(written.contains(case.case.as_str()), "{}", case.case);
    }
    Ok(())
}

#[test]
fn a_report_that_is_switched_off_does_not_listen() -> TestResult {
    let run = Run::new();
    let harness = text(false)?;
    assert!(!harness.is_active());
    assert!(
        harness
            .send_request(WRITE_REPORTS, RESULTS, run.request())
            .is_err(),
        "nobody is there to answer"
    );
    assert!(!run.path().join("report.txt").exists());
    Ok(())
}

#[test]
fn a_log_that_cannot_be_read_is_the_answer_and_leaves_no_file() -> TestResult {
    let run = Run::new();
    let request = WriteReports {
        log: run.path().join("gone.jsonl"),
        ..run.request()
    };
    let harness = text(true)?;
    let replies = harness.send_request(WRITE_REPORTS, RESULTS, request)?;
    let mut replies = replies.all(LIMIT);
    assert_eq!(replies.len(), 1);
    let error = replies.remove(0).result.expect_err("there is no log");
    let text = format!("{:#}", zaf_core::Error::from(error));
    assert!(!run.path().join("report.txt").exists());
    assert!(text.contains("gone.jsonl"), "{text}");
    Ok(())
}

#[test]
fn the_junit_report_stands_where_the_option_says() -> TestResult {
    let run = Run::new();
    let report = only(&junit(None)?, run.request())?;
    assert_eq!(report.path, run.path().join("junit.xml"));

    let elsewhere = run.path().join("elsewhere.xml");
    let report = only(&junit(Some(&elsewhere))?, run.request())?;
    assert_eq!(report.path, elsewhere);
    let document = std::fs::read_to_string(&elsewhere)?;
    let document = roxmltree::Document::parse(&document).expect("well-formed");
    assert!(document.root_element().has_tag_name("testsuites"));
    Ok(())
}

#[test]
fn the_junit_report_of_an_older_run_is_gone_when_a_run_starts() -> TestResult {
    let run = Run::new();
    let file = run.path().join("elsewhere.xml");
    std::fs::write(&file, "of yesterday")?;
    let harness = junit(Some(&file))?;
    let started = canned::run().remove(0);
    harness.trigger_event(RECORDED, RESULTS, Arc::new(started))?;
    harness.wait_until_idle()?;
    assert!(!file.exists());
    Ok(())
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_of_its_own() -> TestResult {
    let run = Run::new();
    let file = run.log.join("a-file-is-no-directory.xml");
    let harness = junit(Some(&file))?;
    let replies = harness.send_request(WRITE_REPORTS, RESULTS, run.request())?;
    let replies = replies.all(LIMIT);
    assert!(replies[0].result.is_err(), "{replies:?}");
    Ok(())
}

#[test]
fn the_summary_answers_to_the_end_of_the_run_only() -> TestResult {
    let run = Run::new();
    let harness = defined(ExtensionTestHarness::<SummaryReport>::builder()).start()?;
    let record = Arc::new(canned::run().remove(0));
    let report = harness.trigger_event(RECORDED, RESULTS, record)?;
    assert_eq!(report.delivered, 0);
    let report = harness.trigger_event(REPORTS_WRITTEN, RESULTS, run.reports_written())?;
    assert_eq!(report.delivered, 1);
    assert!(report.failed().is_empty(), "{report:?}");
    harness.destroy()?;
    Ok(())
}

#[test]
fn the_live_display_takes_every_record_and_ends_with_the_run() -> TestResult {
    let harness = defined(ExtensionTestHarness::<Live>::builder()).start()?;
    for record in canned::run() {
        let report = harness.trigger_event(RECORDED, RESULTS, Arc::new(record))?;
        assert!(report.failed().is_empty(), "{report:?}");
    }
    harness.wait_until_idle()?;
    // Its thread is joined here, within the limits of the teardown.
    harness.destroy()?;
    Ok(())
}

#[test]
fn a_display_that_saw_nothing_has_no_thread_to_end() -> Result<(), HarnessError> {
    let harness = defined(ExtensionTestHarness::<Live>::builder())
        .start()
        .expect("nothing is missing");
    harness.destroy()
}
