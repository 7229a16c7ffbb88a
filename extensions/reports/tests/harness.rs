//! Each report on a bus: asked for, it writes its file from the event log; switched off, it does not listen.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use k2::case::CaseId;
use k2::messages::{RECORDED, RESULTS, TestCaseFinished, WRITE_REPORTS, WriteReports};
use k2::results::event_log::EventLogWriter;
use k2::results::{CasesSelected, EVENT_LOG_FILE, RecordBody, RunEnd, RunFinished};
use k2_reports::{
    CTRF, CtrfReport, GITHUB, GITHUB_FILE, GithubReport, JSON, JUNIT, JsonReport, JunitReport,
    MARKDOWN, MarkdownReport, TAP, TESTNG, TEXT, TapReport, TestngReport, TextReport,
};
use zaf_core::config::OptionId;
use zaf_core::extension::Extension;
use zaf_harness::prelude::*;

/// The event log of a run of one case that fails, one that takes too long, and one that passes.
fn log(directory: &Utf8Path) -> Utf8PathBuf {
    let path = directory.join(EVENT_LOG_FILE);
    std::fs::write(&path, "").expect("a temporary directory can be written");
    let mut log = EventLogWriter::new(path.clone());
    let [case, slow, works] = ["suite::breaks", "suite::hangs", "suite::works"].map(CaseId::new);
    log.append(RecordBody::CasesSelected(CasesSelected {
        cases: [case.clone(), slow.clone(), works.clone()]
            .into_iter()
            .collect::<Arc<[_]>>(),
        filtered_out: 0,
        sources: 1,
        seed: None,
    }));
    log.append(RecordBody::CaseFinished(TestCaseFinished {
        case,
        verdict: k2::case::Verdict::Failed,
        reason: Some("it is broken".into()),
        ..TestCaseFinished::example()
    }));
    log.append(RecordBody::CaseFinished(TestCaseFinished {
        execution: 2,
        case: slow,
        verdict: k2::case::Verdict::TimedOut,
        reason: Some("not done after 3s".into()),
        ..TestCaseFinished::example()
    }));
    log.append(RecordBody::CaseFinished(TestCaseFinished {
        execution: 3,
        case: works,
        ..TestCaseFinished::example()
    }));
    log.append(RecordBody::RunFinished(RunFinished {
        finished: Timestamp::UNIX_EPOCH,
        duration: Duration::from_secs(2),
        end: RunEnd::Completed,
        exit_code: None,
    }));
    log.sync();
    path
}

/// The one file that the report writes, with the cases, their reasons and what it `tells` of all of them; and nobody listens if it is
/// switched off.
fn writes<E: Extension>(
    switch: OptionId<bool>,
    tells: &[&str],
    more: &[(OptionId<Utf8PathBuf>, &str)],
) -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = Utf8Path::from_path(directory.path()).expect("temporary directories are UTF-8");
    let log = log(path);
    for is_on in [true, false] {
        let mut builder = ExtensionTestHarness::<E>::builder()
            .define(RESULTS, [WRITE_REPORTS])
            .define(RESULTS, [RECORDED])
            .config(switch, is_on);
        for (option, name) in more {
            builder = builder.config(*option, path.join(name));
        }
        let harness = builder.start()?;
        assert_eq!(harness.is_active(), is_on);
        if !is_on {
            continue;
        }
        let request = WriteReports {
            log: log.clone(),
            directory: path.to_owned(),
        };
        let replies = harness.send_request(WRITE_REPORTS, RESULTS, request)?;
        let written = replies.values(Duration::from_secs(30))?.concat();
        assert_eq!(written.len(), 1, "{written:?}");
        for report in written {
            assert!(report.path.starts_with(path), "{report:?}");
            let text = std::fs::read_to_string(&report.path)?;
            let reasons = ["breaks", "it is broken", "hangs", "not done after 3s"];
            for told in reasons.iter().chain(tells) {
                assert!(text.contains(told), "{told}: {text}");
            }
        }
        harness.logs().expect_none(Level::WARN)?;
        harness.destroy()?;
    }
    Ok(())
}

macro_rules! reports {
    ($($name:ident: $extension:ty, $switch:expr, $tells:expr $(, $option:expr => $file:literal)?;)*) => {
        $(
            #[test]
            fn $name() -> TestResult {
                writes::<$extension>($switch, &$tells, &[$(($option, $file))?])
            }
        )*
    };
}

reports! {
    ctrf: CtrfReport, CTRF, ["\"tests\":3", "\"passed\":1", "\"failed\":2"];
    github: GithubReport, GITHUB, ["::error"], GITHUB_FILE => "annotations";
    json: JsonReport, JSON, ["\"failed\":1", "\"timed-out\":1", "\"passed\":1", "works"];
    junit: JunitReport, JUNIT, ["tests=\"3\" skipped=\"0\" failures=\"2\" errors=\"0\""];
    markdown: MarkdownReport, MARKDOWN, ["| 1 |"];
    tap: TapReport, TAP, ["1..3", "not ok 1", "not ok 2", "ok 3"];
    testng: TestngReport, TESTNG, ["total=\"3\" passed=\"1\" failed=\"2\""];
    text: TextReport, TEXT, ["1 passed", "1 failed", "1 timed out"];
}
