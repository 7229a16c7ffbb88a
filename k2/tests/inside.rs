//! A run inside another program: a product that calls it, or the test of an extension.

use serde_json::Value;
use zaf_core::application::{Captured, Console, ExitCode};
use zaf_core::command::Invocation;

use crate::session::Session;

/// Runs two cases in this process, of which one fails: what was shown, and how the log begins.
fn run(more: &[&str]) -> (Captured, Value) {
    let session = Session::new();
    session.script("suite/one", "exit 0");
    session.script("suite/two", "echo not today; exit 1");
    let (suite, output) = (session.path().join("suite"), session.path().join("output"));
    let (console, printed) = Console::captured();
    let line = ["run", "--output-dir", output.to_str().unwrap()];
    let line = [&line, more, &[suite.to_str().unwrap()]].concat();
    let code = k2::application("inside").run_with(Invocation::new(line), &console);
    let start = session.records().swap_remove(0);
    assert_eq!(code, ExitCode::CasesFailed, "{}", printed.stderr());
    (printed, start)
}

fn words(record: &Value, key: &str) -> Vec<String> {
    serde_json::from_value(record[key].clone()).unwrap()
}

#[test]
fn a_run_inside_another_program_records_its_own_command_line() {
    let (_, start) = run(&["--tests-order", "definition", "--parallel-workers=1"]);
    let line = words(&start, "command_line");
    assert_eq!(line[..3], ["inside", "run", "--output-dir"]);
    assert_eq!(
        line[4..7],
        ["--tests-order", "definition", "--parallel-workers=1"]
    );
    assert!(line[7].ends_with("/suite"), "{line:?}");
    let again = words(&start, "again");
    assert_eq!(again[..4], line[..4]);
    assert_eq!(again[4..], line[6..]);
}

#[test]
fn a_run_inside_another_program_shows_its_cases_and_its_summary_there() {
    let (printed, _) = run(&[]);
    let shown = printed.stdout();
    for part in [
        "2 cases from 1 source",
        "suite/two",
        "not today",
        "1 failed",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_report_on_the_standard_output_of_a_run_inside_another_program_has_it_alone() {
    for (report, begins) in [("tap", "TAP version"), ("junit", "<?xml")] {
        let on = format!("--reports-{report}");
        let file = format!("--reports-{report}-file=-");
        let (printed, _) = run(&[&on, &file]);
        let (shown, beside) = (printed.stdout(), printed.stderr());
        assert!(shown.starts_with(begins), "{report}: {shown}");
        assert!(!shown.contains("1 failed"), "{report}: {shown}");
        assert!(beside.contains("1 failed"), "{report}: {beside}");
    }
}
