//! What an author is told about a plugin.

use zaf_plugins::link::{CheckReport, Launch, Outcome, check_library_plugin, check_program};
use zaf_plugins::protocol::Kind;

use crate::c::{build, examples, have};
use crate::library::wrong;
use crate::scripted::{SHORT, START, STOP, Scripted, plugin, plugin_with, raw};

/// Those of the plugins of these tests; of the messages of k2 nobody knows.
fn kind_of(name: &str) -> Option<Kind> {
    (name == "EVENT").then_some(Kind::Event)
}

/// Text of a check that failed, with its fix.
fn failure(report: &CheckReport, step: &str) -> String {
    let finding = report.findings.iter().find(|finding| finding.step == step);
    match finding.map(|finding| &finding.outcome) {
        Some(Outcome::Failed { what, fix }) => format!("{what}; {fix}"),
        _ => panic!("{step} did not fail:\n{report}"),
    }
}

fn check(scripted: &Scripted) -> CheckReport {
    check_program(&scripted.launch, &kind_of)
}

fn launch(file: &str) -> Launch {
    let mut launch = raw("").launch;
    launch.file = examples().join(file);
    launch
}

#[test]
fn the_example_in_shell_is_right() {
    let report = check_program(&launch("shell/notify.sh"), &kind_of);
    let expected = "\
plugin notify 1.0
  describe                   ok
  fields                     ok
  start                      ok
  message TEST_RUN_FINISHED  ok
  unknown message            ok
  bad frame                  ok
  stop                       ok
  end of input               ok
It is right.
";
    assert_eq!(report.to_string(), expected);
    assert!(report.is_ok());
}

#[test]
fn the_example_in_python_is_right() {
    if !have("python3") {
        return;
    }
    let report = check_program(&launch("python/slowest.py"), &kind_of);
    assert!(report.is_ok(), "{report}");
    let skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped { .. });
    assert!(
        !report
            .findings
            .iter()
            .any(|finding| skipped(&finding.outcome)),
        "{report}"
    );
}

#[test]
fn the_examples_in_c_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("adder");
    let Some(()) = build(&examples().join("c-program/adder.c"), &program, &[]) else {
        return;
    };
    let report = check_program(&launch(program.to_str().unwrap()), &kind_of);
    assert!(
        report.is_ok() && report.to_string().contains("message SUM"),
        "{report}"
    );
    let library = folder.path().join("counter.so");
    build(&examples().join("c-library/counter.c"), &library, &[]).unwrap();
    let report = check_library_plugin(&Launch::new(&library), &kind_of);
    assert!(
        report.is_ok() && report.to_string().contains("message COUNT"),
        "{report}"
    );
}

#[test]
fn a_library_that_hangs_is_told_which_function_returns_too_late() {
    const FIX: &str =
        "; return from every function and constructor, also when what it waits for never comes";
    for (macros, step) in [
        ("-DHANG", "describe"),
        ("-DSTUCK=\"describe\"", "describe"),
        ("-DSTUCK=\"start\"", "start"),
        ("-DSTUCK=\"message\"", "unknown message"),
        ("-DSTUCK=\"stop\"", "stop"),
    ] {
        let Some(built) = wrong(&[macros]) else {
            return;
        };
        let mut launch = built.launch();
        let deadlines = &mut launch.deadlines;
        let limit = match step {
            "describe" => &mut deadlines.describe,
            "start" => &mut deadlines.start,
            "stop" => &mut deadlines.stop,
            _ => &mut deadlines.deliver,
        };
        *limit = SHORT;
        let report = check_library_plugin(&launch, &kind_of);
        let failure = failure(&report, step);
        assert!(
            failure.starts_with("did not return within 100ms") && failure.ends_with(FIX),
            "{report}"
        );
    }
}

#[test]
fn a_library_that_crashes_when_it_is_opened_or_described_is_told_so() {
    for (macros, signal) in [("-DCRASH", "SIGSEGV"), ("-DABORT", "SIGABRT")] {
        let Some(built) = wrong(&[macros]) else {
            return;
        };
        let report = check_library_plugin(&built.launch(), &kind_of);
        let failure = failure(&report, "describe");
        assert!(
            failure.contains(signal) && failure.contains("open it in a debugger"),
            "{report}"
        );
    }
}

#[test]
fn what_cannot_be_loaded_fails_at_once() {
    let report = check_program(&Launch::new("/nowhere/plugin"), &kind_of);
    assert!(
        failure(&report, "describe").contains("make it executable"),
        "{report}"
    );
    let report = check(&raw("echo hello; exit 1"));
    assert!(failure(&report, "describe").contains("what is for people goes to standard error"));
    assert_eq!(report.findings.len(), 1);
    let report = check_library_plugin(&launch("shell/notify.sh"), &kind_of);
    assert!(failure(&report, "describe").contains("it is no ELF file; it begins with `#!/bin/sh"));
}

#[test]
fn a_field_of_another_type_is_named_with_what_helps() {
    let described = |more: &str| {
        let report = check(&plugin_with(more, ""));
        failure(&report, "describe")
    };
    for (more, field, expected) in [
        (r#","options":"none""#, "options", "expected a sequence"),
        (
            r#","groups":[],"codec":"xml""#,
            "codec",
            "unknown variant `xml`, expected",
        ),
        (
            r#","options":[{"name":"a"},{"name":"b","type":"text","description":3}]"#,
            "options[1].description",
            "invalid type: integer `3`, expected a string",
        ),
        (
            r#","endpoints":[{"name":"e","messages":[{"name":"M","kind":"evnt"}]}]"#,
            "endpoints[0].messages[0].kind",
            "unknown variant `evnt`, expected `event` or `request`",
        ),
    ] {
        let failure = described(more);
        let field = format!("the field `plugin.{field}` of a frame of type `description` is wrong");
        assert!(failure.contains(&field), "{failure}");
        assert!(failure.contains(expected), "{failure}");
        assert!(
            failure.ends_with("write this field as the page on the plugin protocol shows it"),
            "{failure}"
        );
    }
}

#[test]
fn a_mistyped_field_is_named() {
    let scripted = plugin_with(
        r#","dispatcher":[],"options":[{"name":"a","type":"text","description":"A.","requird":true}]"#,
        &format!("{START}{STOP}"),
    );
    let report = check(&scripted);
    let failure = failure(&report, "fields");
    assert!(
        failure.contains(
            "`dispatcher` (did you mean `dispatchers`?), `options[0].requird` (did you mean `required`?)"
        ),
        "{failure}"
    );
}

#[test]
fn a_plugin_that_answers_everything_and_ends_without_a_word_is_told_so() {
    let scripted = plugin(&format!(
        r#"{START}while read -r frame; do
            id=${{frame##*\"id\":}}; id=${{id%%[!0-9]*}}
            case $frame in
                *'"stop"'*) exit 0 ;;
                *'"request"'*) echo "{{\"type\":\"reply\",\"id\":$id}}" ;;
            esac
        done"#
    ));
    let report = check(&scripted);
    assert!(
        failure(&report, "unknown message").contains("it answered a request that it cannot know")
    );
    assert!(failure(&report, "bad frame").contains("in silence"));
    assert!(failure(&report, "stop").contains("it ended without a frame `stopped`"));
    assert!(
        report.to_string().ends_with("3 checks failed.\n"),
        "{report}"
    );
}

#[test]
fn a_plugin_that_prints_between_its_frames_is_told_so() {
    let scripted = plugin_with(
        r#","samples":{"EVENT":1}"#,
        &format!("{START}read -r event; echo handling; echo lost >&2; sleep 1000"),
    );
    let report = check(&scripted);
    let failure = failure(&report, "message EVENT");
    assert!(
        failure.contains(
            "not a JSON object with the fields of a frame: expected value at column 1: handling"
        ),
        "{failure}"
    );
}

#[test]
fn a_plugin_that_outlives_its_host_is_told_so() {
    let mut scripted = plugin("while :; do sleep 1000 & wait; done");
    scripted.launch.deadlines.stop = SHORT;
    scripted.launch.deadlines.start = SHORT;
    let report = check(&scripted);
    assert!(
        failure(&report, "start").contains("answer each frame with its id"),
        "{report}"
    );
    assert!(failure(&report, "end of input").contains("end when nothing more can be read"));
}

#[test]
fn a_sample_that_is_refused_fails_and_one_that_is_missing_is_skipped() {
    let scripted = plugin_with(
        r#","samples":{"EVENT":1}"#,
        &format!(
            r#"{START}read -r event; echo '{{"type":"error","id":3,"text":"no such case"}}'
            read -r unknown; echo '{{"type":"error","id":4,"text":"unknown"}}'
            read -r garbage; echo '{{"type":"error","text":"no frame"}}'
            read -r unknown; echo '{{"type":"error","id":5,"text":"unknown"}}'
            {STOP}"#
        ),
    );
    let report = check(&scripted);
    assert!(
        failure(&report, "message EVENT").starts_with("no such case; "),
        "{report}"
    );
    let text = report.to_string();
    assert!(
        text.contains("message ASK      skipped: there is no sample of it; add one to `samples`"),
        "{text}"
    );
    assert!(text.contains("1 check failed."), "{text}");
}
