//! What reports say of the systems under test of a case, and of cases of which several runs tell.

use std::sync::Arc;
use std::time::Duration;

use k2::case::{CaseId, Verdict};
use k2::messages::TestCaseFinished;
use k2::results::{Record, RecordBody, SutRecovery};
use serde_json::{Value, json};

use crate::canned::{self, START};
use crate::schema::Schema;

fn case(execution: u64, id: &str, verdict: Verdict, suts: &[&str]) -> TestCaseFinished {
    TestCaseFinished {
        suts: suts.iter().map(|&sut| sut.into()).collect(),
        ..TestCaseFinished::new(execution, CaseId::new(id), verdict, START)
    }
}

/// Cases on no system, on one, and on two; one of them is tried again.
fn laboratory() -> Vec<Record> {
    let tried = case(3, "net::link", Verdict::Failed, &["phone", "box & co"]);
    let cases = vec![
        case(1, "host::only", Verdict::Passed, &[]),
        case(2, "net::ping", Verdict::Passed, &["box"]),
        TestCaseFinished {
            retried: true,
            ..tried.clone()
        },
        TestCaseFinished {
            attempt: 2,
            ..tried
        },
    ];
    canned::records_of(&cases)
}

/// A case of which one run says that it failed and another that it passed.
fn conflict() -> Vec<Record> {
    let told = |run: &str, verdict| TestCaseFinished {
        run: Some(Arc::from(run)),
        ..case(1, "net::ping", verdict, &["box"])
    };
    canned::records_of(&[
        TestCaseFinished {
            retried: true,
            ..told("r1", Verdict::Passed)
        },
        TestCaseFinished {
            conflict: true,
            reason: Some("exit code 7".into()),
            ..told("r2", Verdict::Failed)
        },
    ])
}

fn json_document(records: &[Record]) -> Value {
    let document: Value =
        serde_json::from_str(&canned::document(records, crate::json::write_document)).unwrap();
    let schema = Schema::of(include_str!("../../../docs/src/schemas/report-1.json"));
    assert_eq!(schema.problems(&document), [""; 0]);
    document
}

#[test]
fn json_names_the_suts_of_every_attempt() {
    let document = json_document(&laboratory());
    let cases = &document["cases"];
    assert_eq!(cases[0].get("suts"), None);
    assert_eq!(cases[1]["suts"], json!(["box"]));
    assert_eq!(
        cases[2]["suts"],
        json!(["phone", "box & co"]),
        "in the order of the parameters"
    );
    assert_eq!(cases[2]["earlier"][0]["suts"], json!(["phone", "box & co"]));
}

#[test]
fn junit_has_a_property_for_each_sut() {
    let document = canned::document(&laboratory(), crate::junit::write_document);
    let of = |name: &str| {
        let from = document.find(&format!("name=\"{name}\"")).unwrap();
        let case = &document[from..];
        let suts = case[..case.find("<testcase").unwrap_or(case.len())].lines();
        let suts = suts.filter(|line| line.contains("<property name=\"sut\""));
        suts.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("only"), [""; 0]);
    assert_eq!(of("ping"), ["<property name=\"sut\" value=\"box\"/>"]);
    assert_eq!(
        of("link"),
        [
            "<property name=\"sut\" value=\"phone\"/>",
            "<property name=\"sut\" value=\"box &amp; co\"/>"
        ]
    );
}

#[test]
fn the_text_of_a_failure_says_on_what_it_ran() {
    let text = canned::document(&laboratory(), |log, out| {
        crate::text::write_report(log, "full", out)
    });
    assert!(text.contains("    on      phone box & co\n"), "{text}");
}

#[test]
fn every_other_report_names_the_suts_of_a_case() {
    let ctrf = canned::document(&laboratory(), crate::ctrf::write_document);
    let ctrf: Value = serde_json::from_str(&ctrf).unwrap();
    let tests = &ctrf["results"]["tests"];
    assert_eq!(tests[0]["extra"].get("suts"), None);
    assert_eq!(tests[1]["extra"]["suts"], json!(["box"]));
    assert_eq!(tests[2]["extra"]["suts"], json!(["phone", "box & co"]));

    let tap = canned::document(&laboratory(), |log, out| {
        crate::tap::write_document(log, "14", out)
    });
    assert_eq!(tap.matches("  suts: ").count(), 2, "{tap}");
    assert!(tap.contains("  suts: [\"phone\",\"box & co\"]\n"), "{tap}");

    let testng = canned::document(&laboratory(), crate::testng::write_document);
    assert!(testng.contains(" description=\"on box\""), "{testng}");
    assert!(
        testng.contains("description=\"on phone, box &amp; co\""),
        "{testng}"
    );

    let markdown = canned::document(&laboratory(), crate::markdown::write_document);
    assert!(markdown.contains("on: ` phone, box & co `\n"), "{markdown}");
}

#[test]
fn recoveries_are_told_with_how_long_they_took() {
    let told = |sut: &str, seconds: i64, duration| {
        RecordBody::SutRecovery(SutRecovery {
            sut: sut.into(),
            at: START + jiff::SignedDuration::from_secs(seconds),
            duration,
        })
    };
    let mut records = canned::run();
    records.extend(canned::records(vec![
        told("box", 1, None),
        told("phone", 2, None),
        told("box", 3, Some(Duration::from_millis(2500))),
    ]));
    let document = json_document(&records);
    let expected = json!([
        {"sut": "box", "started": "2026-11-21T02:10:01Z", "duration_us": 2_500_000},
        {"sut": "phone", "started": "2026-11-21T02:10:02Z"},
    ]);
    assert_eq!(document["summary"]["recoveries"], expected);
    let text = canned::document(&records, |log, out| {
        crate::text::write_report(log, "summary", out)
    });
    let lines = "  recovery of box at 2026-11-21T02:10:01Z, took 2.500 s\n  recovery of phone at 2026-11-21T02:10:02Z, did not come to an end\n";
    assert!(text.ends_with(lines), "{text}");
}

#[test]
fn f18_a_conflict_of_runs_is_shown_with_what_each_of_them_says() {
    let document = json_document(&conflict());
    let case = &document["cases"][0];
    assert_eq!(document["summary"]["conflicts"], 1);
    assert_eq!(
        (&case["verdict"], &case["conflict"], &case["run"]),
        (&json!("failed"), &json!(true), &json!("r2"))
    );
    let other = &case["earlier"][0];
    assert_eq!(
        (&other["verdict"], &other["run"]),
        (&json!("passed"), &json!("r1"))
    );

    let xml = canned::document(&conflict(), crate::junit::write_document);
    assert!(xml.contains("<property name=\"conflict\""), "{xml}");
    assert!(
        xml.contains("message=\"conflict of runs: exit code 7\""),
        "{xml}"
    );
    let text = canned::document(&conflict(), |log, out| {
        crate::text::write_report(log, "full", out)
    });
    assert!(text.contains("    other   passed in run r1\n"), "{text}");
    assert!(text.contains("1 failed · 1 conflict"), "{text}");
}
