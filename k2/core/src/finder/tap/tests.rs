//! Streams and their verdicts.

use proptest::prelude::*;

use super::*;

fn verdict(text: &str) -> (Verdict, String) {
    let (verdict, reason) = parse(text).verdict(0);
    (verdict, reason.unwrap_or_default())
}

fn names(text: &str) -> Vec<(String, Verdict)> {
    let steps = parse(text).steps();
    steps
        .into_iter()
        .map(|step| (step.name, step.verdict))
        .collect()
}

#[test]
fn a_complete_stream_passes() {
    let text = "TAP version 14\n1..2\nok 1 - a\nok 2 b\n";
    assert_eq!(verdict(text), (Verdict::Passed, String::new()));
    assert_eq!(
        names(text),
        [
            ("1 a".to_owned(), Verdict::Passed),
            ("2 b".to_owned(), Verdict::Passed)
        ]
    );
    assert_eq!(parse(text).version, Some(14));
    // The plan may come last.
    assert_eq!(verdict("ok\nok\n1..2\n").0, Verdict::Passed);
}

#[test]
fn failed_points_fail_and_are_counted() {
    let (verdict, reason) = verdict("1..3\nok\nnot ok 2 - b\nnot ok\n");
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(reason, "2 of 3 points failed, first 2 b");
}

#[test]
fn directives_are_recognised() {
    let text = "1..6\nok 1 # SKIP no board\nnot ok 2 - b # todo later\nok 3 - c # TODO\nok 4 \\# skip is not one\nok 5 #hash\nok 6 # Skipped: why\n";
    let stream = parse(text);
    let directives: Vec<_> = stream.points.iter().map(|p| p.directive.clone()).collect();
    assert_eq!(
        directives,
        [
            Some(Directive::Skip("no board".into())),
            Some(Directive::Todo("later".into())),
            Some(Directive::Todo(String::new())),
            None,
            None,
            Some(Directive::Skip("why".into())),
        ]
    );
    assert_eq!(stream.points[3].description, "# skip is not one");
    assert_eq!(stream.verdict(0).0, Verdict::Passed);
    assert_eq!(stream.steps()[1].verdict, Verdict::Skipped);
    assert!(
        stream.steps()[2]
            .detail
            .as_deref()
            .unwrap()
            .contains("by now")
    );
}

#[test]
fn skipped_streams_are_skipped() {
    assert_eq!(
        verdict("1..0 # SKIP no network\n"),
        (Verdict::Skipped, "no network".to_owned())
    );
    assert_eq!(verdict("1..0\n").0, Verdict::Skipped);
    assert_eq!(
        verdict("1..2\nok 1 # SKIP x\nok 2 # SKIP y\n"),
        (Verdict::Skipped, "all points are skipped: x".to_owned())
    );
    assert_eq!(verdict("1..2\nok 1 # SKIP x\nok 2\n").0, Verdict::Passed);
}

#[test]
fn incomplete_streams_are_errors() {
    for (text, word) in [
        ("", "no TAP"),
        ("just text\n", "no TAP"),
        ("ok 1\nok 2\n", "no plan"),
        (
            "TAP version 13\n1..3\nok 1 - first\nnot ok 2 - sec",
            "3 points were planned, 2 came",
        ),
        ("1..1\nok 1\nok 2\n", "point 2 is not in the plan"),
        ("1..2\nok 1\nok 1\n", "point 1 comes twice"),
        ("1..1\nok\n1..1\n", "second plan"),
        ("ok\n1..2\nok\n", "after the plan"),
        (
            "1..2\nok 1\nBail out! out of paper\n",
            "bailed out: out of paper",
        ),
        ("1..1\nok 0\n", "point 0"),
        ("1..1\nok\n  ---\n  a: 1\n", "not closed"),
        ("pragma +strict\n1..1\nok\nnoise\n", "strict"),
    ] {
        let (verdict, reason) = verdict(text);
        assert_eq!(verdict, Verdict::Error, "{text}");
        assert!(reason.contains(word), "{text}: {reason}");
    }
}

#[test]
fn the_exit_code_counts() {
    let (verdict, reason) = parse("1..1\nok\n").verdict(3);
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(reason.unwrap(), "exit code 3, although no point failed");
    assert_eq!(parse("1..0 # SKIP x\n").verdict(3).0, Verdict::Failed);
}

#[test]
fn text_between_points_is_harmless() {
    let stream = parse("hello\n1..1\n  indented\nokay then\nnot okay\n1..x\nok 1\n# comment\n");
    assert_eq!(stream.verdict(0).0, Verdict::Passed);
    assert_eq!(stream.other_lines, 5);
}

#[test]
fn diagnostics_are_kept() {
    let text = "1..2\nnot ok 1 - a\n  ---\n  got: 1\n    more: x\n  ...\nok 2\n";
    let stream = parse(text);
    assert_eq!(stream.points[0].diagnostics, "got: 1\n  more: x");
    assert_eq!(
        stream.steps()[0].detail.as_deref(),
        Some("got: 1\n  more: x")
    );
    assert_eq!(stream.verdict(0).0, Verdict::Failed);
}

#[test]
fn subtests_belong_to_the_point_behind_them() {
    let text = "\
TAP version 14
1..2
# Subtest: outer
    1..2
    ok 1 - inner a
        ok 1 - deep
        1..1
    not ok 2 - inner b
      ---
      why: not
      ...
not ok 1 - outer
ok 2 - plain
";
    assert_eq!(
        names(text)
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        [
            "1 outer / 1 inner a",
            "1 outer / 2 inner b / 1 deep",
            "1 outer / 2 inner b",
            "1 outer",
            "2 plain"
        ]
    );
    assert_eq!(parse(text).points[0].children[1].diagnostics, "why: not");
    assert_eq!(verdict(text).0, Verdict::Failed);
}

#[test]
fn incomplete_subtests_are_errors() {
    let (kind, reason) = verdict("1..1\n    1..3\n    ok 1\nok 1 - outer\n");
    assert_eq!(kind, Verdict::Error);
    assert!(
        reason.contains("subtest of point 1: 3 points were planned, 1 came"),
        "{reason}"
    );
    let (kind, reason) = verdict("1..1\nok 1\n    ok 1\n");
    assert_eq!(kind, Verdict::Error);
    assert!(reason.contains("no point sums up"), "{reason}");
}

#[test]
fn nesting_has_a_limit() {
    let text: String = (0..500)
        .flat_map(|n| [" ".repeat(n * 4), "ok\n".to_owned()])
        .collect();
    let stream = parse(&text);
    assert_eq!(stream.verdict(0).0, Verdict::Error);
}

fn tap_like() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "( {0,10})(not )?ok ?[0-9]{0,3}( - [a-z#\\\\]{0,5})?( # (SKIP|todo)[ a-z]{0,5})?",
        " {0,9}1\\.\\.[0-9]{0,21}( # .{0,5})?",
        " {0,9}(---|\\.\\.\\.|TAP version 14|Bail out!|pragma \\+strict|# x)",
        ".{0,20}",
    ];
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_panics(text in tap_like(), code in 0..3) {
        let stream = parse(&text);
        drop(stream.steps());
        let (verdict, reason) = stream.verdict(code);
        prop_assert_eq!(reason.is_none(), verdict == Verdict::Passed);
    }

    #[test]
    fn a_pass_needs_exit_code_0_a_plan_and_as_many_points(text in tap_like(), code in 0..3) {
        let stream = parse(&text);
        if stream.verdict(code).0 == Verdict::Passed {
            prop_assert_eq!(code, 0);
            prop_assert_eq!(stream.plan.unwrap().count, stream.points.len() as u64);
            prop_assert!(stream.points.iter().all(|p| p.verdict() != Verdict::Failed));
        }
    }

    #[test]
    fn what_is_written_is_read(points in prop::collection::vec((any::<bool>(), "[a-z#\\\\][a-z #\\\\]{0,8}[a-z#\\\\]"), 0..9)) {
        let mut text = format!("1..{}\n", points.len());
        for (index, (ok, description)) in points.iter().enumerate() {
            let not = if *ok { "" } else { "not " };
            let description = description.replace('\\', "\\\\").replace('#', "\\#");
            let number = (index + 1).to_string();
            text.extend([not, "ok ", &number, " - ", &description, "\n"]);
        }
        let read: Vec<_> = parse(&text).points.into_iter().map(|p| (p.ok, p.description)).collect();
        prop_assert_eq!(read, points);
    }
}
