//! Systems under test: how they are described, which case runs on which, what stands around the cases, and what happens when one resets.

use std::fs;

use crate::session::{Ended, Session, example, text, wait};

/// Runs the test command of a product line.
fn bench(session: &Session, arguments: &[&str]) -> Ended {
    let program = example("zk2-testbench");
    let program = program.to_str().unwrap().to_owned();
    wait(session.program(&program, arguments).spawn().unwrap())
}

/// Runs some of its cases, on these systems.
fn run(session: &Session, cases: &[&str], more: &[&str]) -> Ended {
    let cases: Vec<String> = cases
        .iter()
        .map(|case| format!("--tests-include=zk2_testbench::{case}"))
        .collect();
    let mut arguments = vec!["run"];
    arguments.extend(cases.iter().map(String::as_str));
    arguments.extend(more);
    bench(session, &arguments)
}

/// What the cases and handlers have noted, in order.
fn story(session: &Session) -> Vec<String> {
    let story = fs::read_to_string(session.path().join("story")).unwrap_or_default();
    story
        .lines()
        .map(|line| line.replace("zk2_testbench::", ""))
        .collect()
}

fn suts_of(session: &Session, case: &str) -> Vec<String> {
    let record = session.finished_case(case);
    let suts = record.get("suts").and_then(|suts| suts.as_array().cloned());
    let suts = suts.unwrap_or_default();
    suts.iter()
        .map(|sut| sut.as_str().unwrap().to_owned())
        .collect()
}

fn reason_of(session: &Session, case: &str) -> String {
    text(&session.finished_case(case), "reason")
}

const TWO: [&str; 4] = ["--suts-ids", "box", "--suts-ids", "phone"];

#[test]
fn f17_a_run_without_a_sut_is_a_run() {
    let session = Session::new();
    session.script("host.sh", "test -z \"$K2_SUT$K2_SUTS\"");
    let ended = session.zk2(&["run", "host.sh"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let session = Session::new();
    let ended = run(&session, &["host_only"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(story(&session), ["host_only"]);
}

#[test]
fn f16_an_addon_for_suts_asks_for_nothing_before_there_is_one() {
    let session = Session::new();
    let ended = run(&session, &["host_only"], &["--suts-ids", "box"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = bench(&session, &["run", "--help"]);
    assert!(ended.stdout.contains("--suts-ids"), "{}", ended.stdout);
}

#[test]
fn without_the_extension_there_are_no_suts_and_everything_else_is_as_ever() {
    let session = Session::new();
    session.script("host.sh", "exit 0");
    let ended = session.zk2(&["--ext-sut@enabled", "false", "run", "host.sh"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = session.zk2(&[
        "--ext-sut@enabled",
        "false",
        "run",
        "--suts-ids",
        "a",
        "host.sh",
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn a_case_without_its_sut_is_skipped_and_says_what_there_is() {
    let session = Session::new();
    let cases = ["any", "on_arm", "boots", "link", "by_component"];
    let ended = run(&session, &cases, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["skipped"; 6]);
    assert_eq!(
        reason_of(&session, "::any"),
        "it needs a SUT; there is none: name one with --suts-ids"
    );
    assert_eq!(
        reason_of(&session, "::by_component"),
        "`shell: Shell` needs a SUT; there is none: name one with --suts-ids"
    );
    assert_eq!(story(&session), Vec::<String>::new());

    let more = ["--suts-ids", "box", "--suts-box@add-can", "mips"];
    let ended = run(&session, &["on_arm", "link"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        reason_of(&session, "::on_arm"),
        "it needs a SUT that can `arm`; there is `box` (can mips)"
    );
}

#[test]
fn a_missing_sut_is_an_error_where_that_is_wanted() {
    let session = Session::new();
    let ended = run(&session, &["any"], &["--suts-missing", "error"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(text(&session.finished_case("::any"), "verdict"), "error");
}

#[test]
fn f20_a_foreach_over_suts_is_listed_as_it_is_run_and_never_vanishes() {
    let session = Session::new();
    let list = |more: &[&str]| {
        let mut arguments = vec!["list", "--tests-include=zk2_testbench::boots"];
        arguments.extend(more);
        bench(&session, &arguments).stdout
    };
    assert_eq!(
        list(&[]),
        "zk2_testbench::boots[how=cold]\nzk2_testbench::boots[how=warm]\n"
    );
    assert_eq!(
        list(&TWO),
        "zk2_testbench::boots[how=cold,sut=box]\n\
         zk2_testbench::boots[how=cold,sut=phone]\n\
         zk2_testbench::boots[how=warm,sut=box]\n\
         zk2_testbench::boots[how=warm,sut=phone]\n"
    );
    let ended = run(&session, &["boots"], &TWO);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 4);
    assert_eq!(suts_of(&session, "boots[how=warm,sut=phone]"), ["phone"]);
    // Variants are selected like those of values.
    let mut more = TWO.to_vec();
    more.extend(["--tests-parameters", "sut=phone"]);
    assert_eq!(list(&more).lines().count(), 2);
    // In a run without its SUT the case is there, and says why it is skipped.
    let ended = run(&session, &["boots"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let reason = reason_of(&session, "boots[how=cold]");
    assert!(
        reason.starts_with("it has no variant: it needs a SUT; "),
        "{reason}"
    );
}

#[test]
fn what_is_given_restricts_values_and_suts_of_one_case() {
    let session = Session::new();
    let list = |more: &[&str]| {
        let arguments = [&["list", "--tests-include=zk2_testbench::boots"], &TWO[..]].concat();
        bench(&session, &[&arguments[..], more].concat())
    };
    let cases = |more: &[&str]| {
        let listed = list(more).stdout;
        let cases = listed
            .lines()
            .map(|line| line.replace("zk2_testbench::", ""));
        cases.collect::<Vec<_>>()
    };
    assert_eq!(
        cases(&["-p", "how=hot"]),
        ["boots[how=hot,sut=box]", "boots[how=hot,sut=phone]"]
    );
    assert_eq!(
        cases(&["-p", "sut=phone", "-p", "how=warm"]),
        ["boots[how=warm,sut=phone]"]
    );
    assert_eq!(
        cases(&["--parameter-exclude", "how=cold,sut=box"]),
        [
            "boots[how=cold,sut=phone]",
            "boots[how=warm,sut=box]",
            "boots[how=warm,sut=phone]"
        ]
    );
    assert_eq!(cases(&["--parameter-exclude", "sut!=attic"]), ["boots"]);
    let wrong = list(&["-p", "sut=phoen"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.stderr.contains("there is no SUT `phoen`")
            && wrong.stderr.contains("did you mean `phone`?"),
        "{wrong:?}"
    );
    let more = [&TWO[..], &["-p", "sut=phone", "-p", "how=hot"]].concat();
    let apart = [&more[..], &["--isolation", "process"]].concat();
    for (count, arguments) in [(1, more), (2, apart)] {
        let ended = run(&session, &["boots"], &arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(session.verdicts().len(), 1);
        assert_eq!(suts_of(&session, "boots[how=hot,sut=phone]"), ["phone"]);
        let mut story = story(&session);
        story.retain(|line| line.starts_with("boots"));
        assert_eq!(story, vec!["boots hot phone"; count]);
    }
}

#[test]
fn a_component_of_a_foreach_is_given_by_its_name() {
    let session = Session::new();
    let ended = run(&session, &["with_each"], &["-p", "tool=hammer"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(story(&session), ["with_each hammer"]);
    let wrong = run(&session, &["with_each"], &["-p", "tool=hamer"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.stderr.contains("there is no component `hamer`"),
        "{wrong:?}"
    );
}

#[test]
fn a_foreach_over_components_makes_a_variant_for_each_that_can() {
    let session = Session::new();
    let ended = run(
        &session,
        &["with_each", "with_each_fast"],
        &["--parallel-workers", "1"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let cases: Vec<_> = session.verdicts().into_keys().collect();
    assert_eq!(
        cases,
        [
            "zk2_testbench::with_each[tool=file]",
            "zk2_testbench::with_each[tool=hammer]",
            "zk2_testbench::with_each_fast[tool=hammer]",
        ]
    );
    assert_eq!(story(&session), ["with_each file", "with_each hammer"]);
}

#[test]
fn the_first_that_can_is_chosen_and_is_in_the_record() {
    let session = Session::new();
    let mut more = TWO.to_vec();
    more.extend(["--suts-phone@add-can", "arm"]);
    let ended = run(&session, &["any", "on_arm"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(suts_of(&session, "::any"), ["box"]);
    assert_eq!(suts_of(&session, "::on_arm"), ["phone"]);
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    assert!(log.starts_with(r#"{"schema":"1.6","#), "{log}");
}

#[test]
fn several_suts_at_once_are_different_ones() {
    let session = Session::new();
    let mut more = TWO.to_vec();
    more.extend(["--suts-phone@telnet-port", "23"]);
    let ended = run(&session, &["link"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(suts_of(&session, "::link"), ["phone", "box"]);
    let one = ["--suts-ids", "box", "--suts-box@telnet-port", "23"];
    let ended = run(&session, &["link"], &one);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        reason_of(&session, "::link"),
        "it needs 2 different SUTs at a time; there is `box` (can telnet)"
    );
}

#[test]
fn all_of_a_case_lies_on_one_sut() {
    let session = Session::new();
    // Both have telnet, one can `arm`: the component alone would take the first.
    let more = [
        "--suts-ids=box",
        "--suts-ids=phone",
        "--suts-box@telnet-port=1",
        "--suts-phone@telnet-port=2",
        "--suts-phone@ip=10.0.0.2",
        "--suts-phone@add-can=arm",
    ];
    let cases = ["component_and_case_share_a_sut", "by_component"];
    let mut arguments = vec!["--parallel-workers=1"];
    arguments.extend(more);
    let ended = run(&session, &cases, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut told = story(&session);
    told.retain(|line| line.contains(" at "));
    told.sort();
    assert_eq!(
        told,
        [
            "by_component box at localhost:1",
            "share phone at 10.0.0.2:2"
        ]
    );
    // One can `arm`, the other has telnet: no SUT has both.
    let more = [
        "--suts-ids=box",
        "--suts-ids=phone",
        "--suts-box@telnet-port=1",
        "--suts-phone@add-can=arm",
    ];
    let ended = run(&session, &cases[..1], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let reason = reason_of(&session, "share_a_sut");
    assert!(reason.starts_with("not on SUT `phone`: "), "{reason}");
}

#[test]
fn a_case_in_a_process_of_its_own_has_its_sut_and_what_addons_add() {
    let session = Session::new();
    let mut more = TWO.to_vec();
    more.extend(["--suts-phone@telnet-port", "23", "--suts-spread", "true"]);
    let ended = run(&session, &["any", "apart"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        story(&session).contains(&"apart phone phone at localhost:23".to_owned()),
        "{:?}",
        story(&session)
    );
}

#[test]
fn one_sut_is_used_by_one_case_at_a_time() {
    let session = Session::new();
    let more = ["--suts-ids=box", "--parallel-workers=8"];
    let ended = run(&session, &["exclusive"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 10);
}

#[test]
fn a_shared_sut_is_used_by_several_cases_at_a_time() {
    let session = Session::new();
    let more = [
        "--suts-ids=box",
        "--suts-box@shared=true",
        "--parallel-workers=2",
    ];
    let ended = run(&session, &["meeting"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(suts_of(&session, "::one"), suts_of(&session, "::other"));
}

#[test]
fn cases_are_spread_over_suts_that_are_alike() {
    let session = Session::new();
    // They can end only together, so they run on two.
    let mut more = TWO.to_vec();
    more.extend(["--suts-spread=true", "--parallel-workers=2"]);
    let ended = run(&session, &["meeting"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut suts = [suts_of(&session, "::one"), suts_of(&session, "::other")].concat();
    suts.sort();
    assert_eq!(suts, ["box", "phone"]);
}

#[test]
fn a_sut_that_is_given_is_the_only_one_of_an_executable() {
    let session = Session::new();
    session.script("net/b.sh", "echo \"$K2_SUT $K2_PARAM_SUT\"");
    let arguments = [
        "run",
        "net",
        "--tests-suts=net::b.sh=each:",
        "-p",
        "sut=phone",
    ];
    let ended = bench(&session, &[&arguments[..], &TWO].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 1);
    let record = session.finished_case("b.sh[sut=phone]");
    let head = record.pointer("/stdout/head").unwrap();
    assert_eq!(head.as_str().unwrap().trim(), "phone phone");
}

#[test]
fn executables_are_told_of_their_sut() {
    let session = Session::new();
    session.script(
        "net/a.sh",
        "echo \"$K2_SUT,$K2_SUT_IP,$K2_SUT_CAN,$K2_SUT_TELNET_PORT,$K2_SUTS\"",
    );
    session.script("net/b.sh", "echo \"$K2_SUT $K2_SUT2 $K2_SUTS\"");
    session.script("disk/c.sh", "echo \"$K2_SUT\"");
    let ended = bench(
        &session,
        &[
            "run",
            "net",
            "disk",
            "--suts-ids=box",
            "--suts-ids=phone",
            "--suts-phone@ip=10.0.0.2",
            "--suts-phone@telnet-port=23",
            "--tests-suts=net::a.sh=telnet",
            "--tests-suts=net::b.sh=each:",
            "--tests-suts=net::b.sh=",
        ],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let printed = |case: &str| {
        let record = session.finished_case(case);
        let head = record
            .pointer("/stdout/head")
            .and_then(|head| head.as_str());
        head.unwrap_or_default().trim().to_owned()
    };
    assert_eq!(printed("a.sh"), "phone,10.0.0.2,phone telnet,23,phone");
    assert_eq!(printed("b.sh[sut=box]"), "box phone box phone");
    assert_eq!(printed("b.sh[sut=phone]"), "phone box phone box");
    assert_eq!(printed("c.sh"), "");
    let ended = bench(&session, &["run", "net", "--tests-suts=net=serial"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let reason = reason_of(&session, "a.sh");
    assert!(
        reason.starts_with("it needs a SUT that can `serial`"),
        "{reason}"
    );
}

#[test]
fn wrong_input_is_wrong_use_and_all_of_it_is_said() {
    let session = Session::new();
    let ended = run(
        &session,
        &["any"],
        &[
            "--tests-suts=telnet",
            "--tests-suts={a=telnet",
            "--suts-ids=box",
        ],
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for said in [
        "expected PATTERN=WORD,WORD or PATTERN=each:WORD",
        "`{a` is none",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("failed in"), "{}", ended.stderr);
    let ended = run(&session, &["any"], &["--suts-ids=box", "--suts-bix@ip=1"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--suts-box@ip"), "{}", ended.stderr);
}

#[test]
fn a_wrong_rule_in_a_file_is_shown_where_it_stands() {
    let session = Session::new();
    session.write(
        "testbench.yaml",
        "tests:\n  suts:\n    - net=arm\n    - disk=eahc:arm\n",
    );
    let ended = run(&session, &["any"], &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    insta::assert_snapshot!(ended.stderr, @"
    error: option `tests.suts` has a value that is not accepted
      ╭▸ testbench.yaml:4:7
      │
    4 │     - disk=eahc:arm
      │       ━━━━━━━━━━━━━ expected `disk=each:arm`
      │
      ╰ set by the local file testbench.yaml; the command line would win: --tests-suts VALUE

    1 problem in the configuration; nothing was run (exit 2)
    ");
}

#[test]
fn suts_can_be_described_in_a_file() {
    let session = Session::new();
    session.write("testbench.yaml", &example_of_the_page("yaml"));
    let ended = run(&session, &["component_and_case_share_a_sut"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(story(&session).contains(&"share box at 192.168.0.7:2323".to_owned()));
}

#[test]
fn each_phase_is_for_all_suts_before_the_next() {
    let session = Session::new();
    let ended = run(&session, &["host_only"], &TWO);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        story(&session),
        [
            "PRE_INITIALIZE_SUT box",
            "PRE_INITIALIZE_SUT phone",
            "INITIALIZE_SUT box",
            "INITIALIZE_SUT phone",
            "POST_INITIALIZE_SUT box",
            "POST_INITIALIZE_SUT phone",
            "started host_only",
            "started host_only",
            "host_only",
            "passed host_only",
            "passed host_only",
            "UNINITIALIZE_SUT phone",
            "UNINITIALIZE_SUT box",
        ]
    );
}

/// The lines of the story about the sequence points of SUTs.
fn points(session: &Session) -> Vec<String> {
    let mut points = story(session);
    points.retain(|line| line.contains("INITIALIZE_SUT "));
    points
}

#[test]
fn f3_what_was_initialised_is_uninitialised_when_an_initialisation_fails_panics_or_hangs() {
    for (trouble, said) in [
        ("initialize-fails", "trouble: no power"),
        ("initialize-panics", "no socket"),
        ("initialize-hangs", "do not come to an end"),
    ] {
        let session = Session::new();
        let trouble = format!("--suts-box@trouble={trouble}");
        let mut more = TWO.to_vec();
        more.extend([trouble.as_str(), "--hooks-timeout=300ms"]);
        let ended = run(&session, &["host_only"], &more);
        assert_eq!(ended.code, Some(7), "{ended:?}");
        assert_eq!(
            points(&session),
            [
                "PRE_INITIALIZE_SUT box",
                "PRE_INITIALIZE_SUT phone",
                "INITIALIZE_SUT box",
                "UNINITIALIZE_SUT phone",
                "UNINITIALIZE_SUT box",
            ]
        );
        let record = session.finished_case("host_only");
        assert_eq!(text(&record, "verdict"), "not-run");
        let reason = text(&record, "reason");
        assert!(
            reason.starts_with("INITIALIZE_SUT of SUT `box`: ") && reason.contains(said),
            "{reason}"
        );
    }
}

#[test]
fn f3_a_sut_that_cannot_be_put_away_keeps_no_other_from_it() {
    let session = Session::new();
    let mut more = TWO.to_vec();
    more.push("--suts-phone@trouble=uninitialize-fails");
    let ended = run(&session, &["host_only"], &more);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(
        ended.stderr.contains("no way to switch it off"),
        "{}",
        ended.stderr
    );
    let points = points(&session);
    assert_eq!(
        points[6..],
        ["UNINITIALIZE_SUT phone", "UNINITIALIZE_SUT box"]
    );
    assert_eq!(
        text(&session.finished_case("host_only"), "verdict"),
        "passed"
    );
}

/// Every report that is a file.
const REPORTS: [(&str, &str); 8] = [
    ("ctrf", "ctrf.json"),
    ("html", "report.html"),
    ("json", "report.json"),
    ("junit", "junit.xml"),
    ("markdown", "summary.md"),
    ("tap", "results.tap"),
    ("testng", "testng-results.xml"),
    ("text", "report.txt"),
];

/// A report without what its page is given by chance.
fn without_nonce(path: &std::path::Path) -> String {
    let report = fs::read_to_string(path).unwrap();
    let nonce = report
        .split("nonce-")
        .nth(1)
        .and_then(|rest| rest.get(..32));
    nonce.map_or_else(|| report.clone(), |nonce| report.replace(nonce, ""))
}

/// A run in which this goes wrong with a system under test; how it ended, and its directory.
fn in_trouble(session: &Session, output: &str, trouble: &str) -> (Ended, std::path::PathBuf) {
    let reports = REPORTS.map(|(name, _)| format!("--reports-{name}=true"));
    let mut more = TWO.to_vec();
    more.extend(reports.iter().map(String::as_str));
    more.extend([trouble, "--output-dir", output]);
    let ended = run(session, &["host_only"], &more);
    let directory = session.path().join(output).join("latest");
    (ended, fs::canonicalize(directory).unwrap())
}

#[test]
fn p12_what_goes_wrong_with_a_sut_is_in_every_report_and_reports_end_as_the_run_did() {
    for (trouble, phase, said) in [
        (
            "uninitialize-fails",
            "UNINITIALIZE_SUT",
            "no way to switch it off",
        ),
        ("initialize-fails", "INITIALIZE_SUT", "no power"),
    ] {
        let session = Session::new();
        let (ended, directory) =
            in_trouble(&session, "one", &format!("--suts-phone@trouble={trouble}"));
        assert_eq!(ended.code, Some(7), "{ended:?}");
        assert!(ended.stdout.contains("\n  exit 7"), "{}", ended.stdout);
        let row = format!("\n  hook     {phase}: trouble: SUT `phone`: {said}");
        assert!(ended.stdout.contains(&row), "{}", ended.stdout);
        let read = || REPORTS.map(|(_, file)| without_nonce(&directory.join(file)));
        let written = read();
        for ((name, _), report) in REPORTS.iter().zip(&written) {
            assert!(report.contains(said), "{trouble}, {name}: {report}");
        }
        assert!(!written[1].contains("<title>Passed"), "{trouble}");
        assert!(!written[4].contains('✅'), "{trouble}: {}", written[4]);
        let totals = written[3]
            .lines()
            .find(|line| line.starts_with("<testsuites"));
        assert!(!totals.unwrap().contains("errors=\"0\""), "{totals:?}");

        // Made anew they are the same, and end in the same way.
        for (_, file) in REPORTS {
            fs::remove_file(directory.join(file)).unwrap();
        }
        let options = REPORTS.map(|(name, _)| format!("--reports-{name}=true"));
        let mut line = vec!["report", "one"];
        line.extend(options.iter().map(String::as_str));
        let later = bench(&session, &line);
        assert_eq!(later.code, Some(7), "{later:?}");
        assert!(later.stdout.contains(&row), "{}", later.stdout);
        assert_eq!(read(), written, "{trouble}");

        // And so does a whole of which it is a part.
        let good = run(&session, &["host_only"], &["--output-dir", "two"]);
        assert_eq!(good.code, Some(0), "{good:?}");
        let whole = bench(&session, &["report", "two", "one"]);
        assert_eq!(whole.code, Some(7), "{whole:?}");
    }
}

#[test]
fn f3_what_was_initialised_is_uninitialised_after_a_signal() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let session = Session::new();
        session.script("stop.sh", &format!("kill -{signal} $PPID; exec sleep 600"));
        let mut arguments = vec!["run", "stop.sh"];
        arguments.extend(TWO);
        let ended = bench(&session, &arguments);
        let ended_by = ended.signal.map_or(ended.code, |signal| Some(128 + signal));
        assert_eq!(ended_by, Some(code), "{ended:?}");
        let points = points(&session);
        assert_eq!(
            points[6..],
            ["UNINITIALIZE_SUT phone", "UNINITIALIZE_SUT box"]
        );
    }
}

#[test]
fn a_runner_that_goes_on_initialises_its_suts_again() {
    let session = Session::new();
    let more = ["--suts-ids=box", "--parallel-workers=1"];
    let ended = run(&session, &["any", "kills_the_runner"], &more);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(text(&session.finished_case("::any"), "verdict"), "passed");
    let once = [
        "PRE_INITIALIZE_SUT",
        "INITIALIZE_SUT",
        "POST_INITIALIZE_SUT",
    ];
    let mut expected = [once, once].concat();
    expected.push("UNINITIALIZE_SUT");
    let expected: Vec<_> = expected
        .iter()
        .map(|point| format!("{point} box"))
        .collect();
    assert_eq!(points(&session), expected);
}

#[test]
fn f15_a_reset_that_is_announced_before_the_run_pauses_it() {
    let session = Session::new();
    let more = ["--suts-ids=box", "--suts-box@trouble=resets-before-the-run"];
    let ended = run(&session, &["any"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = story(&session);
    let place = |line: &str| told.iter().position(|one| one == line);
    assert!(place("paused box").is_some(), "{told:?}");
    assert!(place("back") < place("started any"), "{told:?}");
}

#[test]
fn a_reset_keeps_back_the_cases_of_its_sut_and_no_others() {
    // The one that resets is back when nothing else is left to do: one worker takes what it can.
    for (workers, shared) in [("1", "false"), ("4", "false"), ("2", "true")] {
        let session = Session::new();
        let more = [
            "--suts-ids=phone",
            "--suts-ids=box",
            "--suts-box@add-can=arm",
            "--suts-box@trouble=resets-before-the-run",
            &format!("--suts-box@shared={shared}"),
            &format!("--parallel-workers={workers}"),
        ];
        let ended = run(&session, &["on_arm", "any", "host_only"], &more);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let told = story(&session);
        let place = |line: &str| told.iter().position(|one| one == line).unwrap();
        for others in ["passed any", "passed host_only"] {
            assert!(place(others) < place("paused box"), "{workers} {told:?}");
        }
        assert!(
            place("back") < place("started on_arm"),
            "{workers} {told:?}"
        );
        assert_eq!(session.verdicts().len(), 3);
    }
}

#[test]
fn a_reset_in_a_case_lets_it_end_and_keeps_the_next_of_its_sut_from_beginning() {
    let session = Session::new();
    let more = [
        "--suts-ids=box",
        "--suts-box@trouble=resets-in-a-case",
        "--parallel-workers=1",
    ];
    let ended = run(&session, &["any", "boots"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut told = story(&session);
    told.retain(|line| !line.contains("INITIALIZE") && line != "continued");
    let place = |line: &str| told.iter().position(|one| one == line);
    assert!(place("passed any") < place("paused box"), "{told:?}");
    assert!(place("paused box") < place("back"), "{told:?}");
}

#[test]
fn f15_a_reset_that_never_ends_ends_the_run_with_a_clear_reason() {
    for workers in ["1", "4"] {
        let session = Session::new();
        let more = [
            "--suts-ids=box",
            "--suts-box@trouble=never-comes-back",
            "--suts-box@resetdone-timeout=50ms",
            &format!("--parallel-workers={workers}"),
        ];
        let ended = run(&session, &["any"], &more);
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert_eq!(text(&session.finished_case("::any"), "verdict"), "not-run");
        assert_eq!(
            reason_of(&session, "::any"),
            "SUT `box` has been resetting for more than 50ms (suts.box.resetdone.timeout)"
        );
        assert!(points(&session).contains(&"UNINITIALIZE_SUT box".to_owned()));
    }
}

#[test]
fn a_sut_that_is_found_dead_is_brought_back_before_the_cases() {
    let session = Session::new();
    let mut more = TWO.to_vec();
    more.push("--suts-box@trouble=is-dead");
    let ended = run(&session, &["any"], &more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = story(&session);
    let from = told
        .iter()
        .position(|line| line == "POST_INITIALIZE_SUT box");
    assert_eq!(
        told[from.unwrap() + 1..][..6],
        [
            "SUT_RECOVERY_STARTED box",
            "SUT_RESET_EXPECTED box",
            "SUT_RESET_NOT_EXPECTED box",
            "SUT_RECOVERY_COMPLETED box",
            "is back",
            "POST_INITIALIZE_SUT phone",
        ]
    );
    assert!(told.contains(&"passed any".to_owned()), "{told:?}");
}

#[test]
fn a_sut_that_nobody_can_bring_back_ends_the_run_with_the_reason() {
    let session = Session::new();
    let more = ["--suts-ids=box", "--suts-box@trouble=is-dead-for-good"];
    let ended = run(&session, &["any"], &more);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let record = session.finished_case("::any");
    assert_eq!(text(&record, "verdict"), "not-run");
    let reason = text(&record, "reason");
    assert!(
        reason.contains("POST_INITIALIZE_SUT of SUT `box`"),
        "{reason}"
    );
    assert!(reason.contains("there is no smoke left in it"), "{reason}");
    assert!(points(&session).contains(&"UNINITIALIZE_SUT box".to_owned()));
}

/// What a log or a report says of attempts to bring systems back: which, and whether it came to an end.
fn recoveries_in(report: &std::path::Path) -> Vec<(String, bool)> {
    let report = fs::read_to_string(report).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let told = report["summary"]["recoveries"].as_array().cloned();
    let of = |one: &serde_json::Value| (text(one, "sut"), one["duration_us"].is_u64());
    told.unwrap_or_default().iter().map(of).collect()
}

#[test]
fn recoveries_of_a_live_run_are_in_its_log_and_in_every_report_that_names_them() {
    let (is_dead, never_ends) = (
        "--suts-box@trouble=is-dead",
        "--suts-phone@trouble=dies-while-it-is-brought-back",
    );
    let in_a_case = "--suts-box@trouble=dies-in-a-case";
    for (cases, trouble, code, expected) in [
        // Before the cases.
        (&["any"][..], &[is_dead][..], 0, &[("box", true)][..]),
        // One that does not come to an end: the run ends with it.
        (
            &["any"],
            &[is_dead, never_ends],
            7,
            &[("box", true), ("phone", false)],
        ),
        // Between cases, each time anew.
        (&["on_arm", "any"], &[in_a_case], 0, &[("box", true); 2]),
        // The runner that goes on finds it dead, too.
        (
            &["any", "kills_the_runner"],
            &[is_dead],
            1,
            &[("box", true); 2],
        ),
    ] {
        let session = Session::new();
        let mut more = TWO.to_vec();
        more.extend([
            "--parallel-workers=1",
            "--suts-box@add-can=arm",
            "--reports-text=true",
            "--reports-text-format=summary",
            "--reports-json=true",
        ]);
        more.extend(trouble);
        let ended = run(&session, cases, &more);
        assert_eq!(ended.code, Some(code), "{trouble:?} {ended:?}");
        let told: Vec<_> = expected
            .iter()
            .map(|(sut, is_over)| ((*sut).to_owned(), *is_over))
            .collect();

        let records = session.records();
        let of = |record: &&serde_json::Value| text(record, "kind") == "sut-recovery";
        let logged: Vec<_> = records.iter().filter(of).collect();
        let begun = logged.iter().filter(|one| one["duration_us"].is_null());
        let begun: Vec<_> = begun.map(|one| text(one, "sut")).collect();
        let expected_begun: Vec<_> = told.iter().map(|(sut, _)| sut.clone()).collect();
        assert_eq!(begun, expected_begun, "{trouble:?} {records:#?}");
        let over = logged.len() - begun.len();
        assert_eq!(over, told.iter().filter(|(_, is_over)| *is_over).count());

        let check = |directory: &std::path::Path| {
            assert_eq!(recoveries_in(&directory.join("report.json")), told);
            let report = fs::read_to_string(directory.join("report.txt")).unwrap();
            let lines = report.lines().filter_map(|line| {
                let said = line.strip_prefix("  recovery of ")?;
                let sut = said.split(' ').next()?.to_owned();
                Some((sut, !said.ends_with("did not come to an end")))
            });
            assert_eq!(lines.collect::<Vec<_>>(), told, "{report}");
        };
        check(&session.latest());

        // The same of the log alone.
        for report in ["report.json", "report.txt"] {
            fs::remove_file(session.latest().join(report)).unwrap();
        }
        let reports = ["--reports-text-format=summary", "--reports-json=true"];
        let again = bench(&session, &[&["report"][..], &reports].concat());
        assert_eq!(again.code, Some(code), "{again:?}");
        check(&session.latest());
    }
}

#[test]
fn recoveries_of_several_runs_are_those_of_the_whole() {
    let session = Session::new();
    for sut in ["box", "phone"] {
        let output = format!("--output-dir={sut}");
        let trouble = format!("--suts-{sut}@trouble=is-dead");
        let mut more = TWO.to_vec();
        more.extend([output.as_str(), &trouble]);
        let ended = run(&session, &["any"], &more);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let whole = [
        "report",
        "box/latest",
        "phone/latest",
        "--reports-json=true",
    ];
    let ended = bench(&session, &whole);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = recoveries_in(&session.latest().join("report.json"));
    let expected = [("box".to_owned(), true), ("phone".to_owned(), true)];
    assert_eq!(told, expected);
}

#[test]
fn an_abort_ends_a_pause_at_once() {
    let session = Session::new();
    let more = ["--suts-ids=box", "--suts-box@trouble=abort-while-paused"];
    let ended = run(&session, &["any", "boots"], &more);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["not-run"; 3]
    );
    assert_eq!(reason_of(&session, "::any"), "enough");
}

#[test]
fn an_unexpected_reset_aborts_the_run_where_that_is_wanted() {
    let session = Session::new();
    let more = [
        "--suts-ids=box",
        "--suts-box@trouble=unexpected-reset",
        "--abort-on-unexpected-sut-reset",
        "--parallel-workers=1",
    ];
    let ended = run(&session, &["any", "host_only"], &more);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert_eq!(text(&session.finished_case("::any"), "verdict"), "not-run");
    assert_eq!(
        reason_of(&session, "::any"),
        "SUT `box` has reset unexpectedly"
    );
}

/// The first example in this language on the page about systems under test, from the top of a file on.
fn example_of_the_page(language: &str) -> String {
    let page = include_str!("../../docs/src/suts.md");
    let begin = format!("```{language}\n");
    let from = page.find(&begin).unwrap() + begin.len();
    let rest = &page[from..];
    rest[..rest.find("```").unwrap()].to_owned()
}

#[test]
fn the_page_shows_the_addon_that_is_tested() {
    let page = include_str!("../../docs/src/suts.md");
    let addon = include_str!("testbench/addon.rs");
    let code = addon.split_once("\n\n").unwrap().1;
    assert!(page.contains(&format!("```rust\n{code}```")), "{code}");
}
