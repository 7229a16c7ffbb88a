//! Parameters that are given, excluded and shown; owners; and the list as a dry run.

use serde_json::Value;

use crate::scopes::scopes;
use crate::session::{Session, text};

/// The reasons of the skipped cases, which say what each was given, by the end of the id.
fn given(session: &Session) -> Vec<String> {
    let finished = session.finished();
    let mut lines: Vec<String> = finished
        .iter()
        .map(|record| {
            let case = text(record, "case");
            let short = case.rsplit("::given::").next().unwrap().to_owned();
            let short = short.replace("Mode::", "");
            format!("{short} {}", text(record, "reason"))
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn functions_get_what_is_given_as_their_own_types() {
    let session = Session::new();
    let run = |arguments: &[&str]| {
        let arguments = [&["run", "--tests-include-regex", "typed"], arguments].concat();
        let ended = scopes(&session, &arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        given(&session)
    };
    assert_eq!(
        run(&[]),
        [
            "typed[count=5,host=nobody,mode=Fast] 5 nobody Fast",
            "typed[count=5,host=nobody,mode=Slow] 5 nobody Slow",
        ]
    );
    assert_eq!(
        run(&[
            "-p",
            "count=7",
            "-p",
            "mode=Mode::Slow",
            "-p",
            "host=a",
            "-p",
            "host=b"
        ]),
        [
            "typed[count=7,host=a,mode=Slow] 7 a Slow",
            "typed[count=7,host=b,mode=Slow] 7 b Slow",
        ]
    );
    session.write("scopes.yaml", "parameter: [count=9, mode=Mode::Fast]\n");
    assert_eq!(
        run(&[]),
        ["typed[count=9,host=nobody,mode=Fast] 9 nobody Fast"]
    );
}

#[test]
fn a_function_in_a_process_of_its_own_gets_them_too() {
    let session = Session::new();
    let run = |arguments: &[&str]| {
        let arguments = [&["run", "--tests-include-regex", "::apart"], arguments].concat();
        let ended = scopes(&session, &arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        given(&session)
    };
    assert_eq!(
        run(&[]),
        [
            "apart[x=1,y=1] 1 1",
            "apart[x=2,y=1] 2 1",
            "apart[x=2,y=2] 2 2"
        ]
    );
    assert_eq!(run(&["-p", "x=4", "-p", "y=8"]), ["apart[x=4,y=8] 4 8"]);
}

#[test]
fn combinations_are_left_out_and_one_that_matches_nothing_is_told() {
    let session = Session::new();
    let arguments = [
        "list",
        "--tests-tags",
        "given",
        "--parameter-exclude",
        "apart[x=2]",
        "--parameter-exclude",
        "*typed[mode!=Mode::Fast]",
        "--parameter-exclude",
        "*::apart[x=2,y=1]",
    ];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let short: Vec<_> = ended
        .stdout
        .lines()
        .map(|line| line.replace("zk2_scopes::given::", ""))
        .collect();
    assert_eq!(
        short,
        [
            "typed[count=5,host=nobody,mode=Mode::Fast]",
            "apart[x=1,y=1]",
            "apart[x=2,y=2]"
        ]
    );
    assert!(
        ended.stderr.contains("`apart[x=2]` leaves nothing out"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("typed"), "{ended:?}");
}

#[test]
fn f20_wrong_parameters_are_wrong_use_and_name_what_was_meant() {
    let session = Session::new();
    let refused = |arguments: &[&str]| {
        let arguments = [&["list", "rust:zk2_scopes::given"], arguments].concat();
        let ended = scopes(&session, &arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{ended:?}"
        );
        ended.stderr
    };
    assert!(refused(&["-p", "cuont=7"]).contains("did you mean `count`?"));
    let unreadable = refused(&["-p", "count=many"]);
    assert!(unreadable.contains("it is no `u32`"), "{unreadable}");
    assert!(
        unreadable.contains("k2/tests/scopes/main.rs:"),
        "{unreadable}"
    );
    assert!(refused(&["-p", "mode=Mode::Fest"]).contains("did you mean `Mode::Fast`?"));
    let both = refused(&["-p", "count", "--parameter-exclude", "x"]);
    assert!(
        both.contains("`count` is not of the form NAME=VALUE"),
        "{both}"
    );
    assert!(both.contains("option `parameter.exclude`: `x`"), "{both}");
    let many = refused(&["--parameter-limit", "1"]);
    assert!(many.contains("has 2 variants"), "{many}");
    assert!(
        many.contains("has 4 variants (2 of `x` × 2 of `y`)"),
        "{many}"
    );
}

#[test]
fn programs_find_their_parameters_in_variables_and_ids_show_them() {
    let session = Session::new();
    session.script("suite/any", "echo $K2_PARAM_HOST_NAME; exit 0");
    session.script(
        "suite/own",
        "# Checks the disk.\n# k2-owner: storage team\n# k2-tags: disk\n# k2-parameter: size = 1M, 1G\n\
         [ -z \"$K2_PARAM_HOST_NAME\" ] && echo size is $K2_PARAM_SIZE",
    );
    let ended = session.zk2(&["run", "suite", "-p", "host-name=a b"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = |end: &str| {
        let record = session.finished_case(end);
        record["stdout"]["head"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("::any[host-name=a b]"), "a b\n");
    assert_eq!(said("::own[size=1M]"), "size is 1M\n");
    let own = session.finished_case("::own[size=1G]");
    assert_eq!(own["parameters"], serde_json::json!([["size", "1G"]]));
    assert_eq!(
        (text(&own, "owner"), &own["tags"]),
        ("storage team".to_owned(), &serde_json::json!(["disk"]))
    );
    let filtered = |arguments: &[&str]| {
        let ended = session.zk2(&[&["list", "suite"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    assert_eq!(
        filtered(&[
            "--tests-owner",
            "Storage Team",
            "--tests-parameters",
            "size=1G"
        ]),
        "suite::own[size=1G]\n"
    );
    // A run inside a case is not told about variables that it does not know.
    let mut nested = session.command(&["list", "suite"]);
    nested.env("K2_PARAM_HOST_NAME", "a");
    let nested = nested.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&nested.stderr), "");
}

#[test]
fn f22_the_owner_of_a_case_is_in_reports_also_if_it_never_started() {
    let session = Session::new();
    session.script("suite/a", "# k2-owner: a team\nexit 1");
    session.script("suite/b", "# k2-owner: b team\nexit 0");
    let arguments = [
        "run",
        "suite",
        "--fail-fast",
        "1",
        "--parallel-workers",
        "1",
        "--reports-junit",
        "--reports-json",
        "--reports-testng",
        "--reports-ctrf",
        "--reports-markdown",
    ];
    let ended = session.zk2(&arguments);
    assert_eq!(session.verdicts()["suite::b"], "not-run", "{ended:?}");
    let b = session.finished_case("suite::b");
    assert_eq!(text(&b, "owner"), "b team");
    assert_eq!(b.get("parameters"), None);
    assert!(ended.stdout.contains("owner   a team"), "{ended:?}");
    for report in [
        "junit.xml",
        "report.json",
        "testng-results.xml",
        "ctrf.json",
    ] {
        let text = std::fs::read_to_string(session.latest().join(report)).unwrap();
        for owner in ["a team", "b team"] {
            assert!(
                text.contains(owner),
                "{owner} is missing in {report}: {text}"
            );
        }
    }
    for report in ["report.txt", "report.html", "summary.md"] {
        let text = std::fs::read_to_string(session.latest().join(report)).unwrap();
        assert!(text.contains("a team"), "{report}: {text}");
    }
}

/// The list, checked against its published schema as far as fields and their types go.
fn listed(text: &str) -> Value {
    let list: Value = serde_json::from_str(text).unwrap();
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/src/schemas/list-1.json")).unwrap();
    check(&schema, &list);
    assert_eq!(schema["properties"]["schema"]["const"], list["schema"]);
    list
}

fn check(schema: &Value, value: &Value) {
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => {
            for (name, value) in fields {
                let field = &schema["properties"][name];
                assert!(field.is_object(), "{name} is in no schema");
                check(field, value);
            }
            for name in schema["required"].as_array().unwrap() {
                assert!(fields.contains_key(name.as_str().unwrap()), "{name}");
            }
        }
        (Some("array"), Value::Array(items)) => {
            for item in items {
                check(&schema["items"], item);
            }
        }
        (Some("string"), Value::String(_)) => {}
        (Some("integer"), value) => assert!(value.is_u64(), "{value}"),
        (None, value) => {
            let choices = schema["enum"].as_array();
            assert!(schema["const"] == *value || choices.is_some_and(|all| all.contains(value)));
        }
        (wanted, value) => panic!("{value} is no {wanted:?}"),
    }
}

#[test]
fn f20_the_list_in_json_is_a_dry_run_with_all_that_is_known() {
    let session = Session::new();
    let arguments = [
        "list",
        "rust:zk2_scopes",
        "--format",
        "json",
        "--tests-tags",
        "given or chain",
        "--tests-exclude-regex",
        "apart",
        "--tests-order",
        "shuffle",
        "--tests-seed",
        "4",
        "--tests-shard",
        "1/2",
        "-p",
        "mode=Mode::Fast",
    ];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!session.path().join("output").exists());
    let list = listed(&ended.stdout);
    assert_eq!(list["seed"], 4);
    let cases = list["cases"].as_array().unwrap();
    let ids: Vec<String> = cases.iter().map(|case| text(case, "id")).collect();
    assert!(list["filtered_out"].as_u64().unwrap() > 0);
    let mut run = arguments.to_vec();
    run[0] = "run";
    run.drain(2..4);
    run.extend(["--parallel-workers", "1"]);
    let ended = scopes(&session, &run);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ran: Vec<String> = session
        .finished()
        .iter()
        .map(|record| text(record, "case"))
        .collect();
    assert_eq!(ids, ran);
    let every = [
        "list",
        "rust:zk2_scopes",
        "--format",
        "json",
        "--tests-tags",
        "given or chain",
    ];
    let list = listed(&scopes(&session, &every).stdout);
    let find = |name: &str| {
        let mut cases = list["cases"].as_array().unwrap().iter();
        cases.find(|case| case["name"] == name).unwrap().clone()
    };
    let typed = find("typed");
    assert_eq!(typed["kind"], "rust");
    assert_eq!(typed["source"], "rust:zk2_scopes");
    assert_eq!(typed["module"], "zk2_scopes::given");
    assert_eq!(typed["owner"], "parameter team");
    assert_eq!(typed["description"], "Says what it was given.");
    assert_eq!(
        typed["parameters"][0],
        serde_json::json!({"name": "count", "value": "5"})
    );
    assert!(
        typed["file"]
            .as_str()
            .unwrap()
            .ends_with("tests/scopes/main.rs")
    );
    assert!(typed["line"].as_u64().unwrap() > 1);
    let first = find("first");
    assert_eq!(
        (&first["class"], &first["owner"]),
        (&"One".into(), &"everybody".into())
    );
    assert_eq!(first["module"], "zk2_scopes::chain");
    assert_eq!(find("apart")["isolation"], "process");
}

#[test]
fn what_cannot_be_loaded_is_in_the_list_with_the_reason() {
    let session = Session::new();
    session.script("suite/a", "# k2-owners: me\nexit 0");
    let ended = session.zk2(&["list", "suite", "libtest:/bin/false"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "suite::a  (error: suite/a:2: unknown `k2-owners:`; did you mean `k2-owner:`?)"
    );
    assert!(
        lines[1].contains("(error: cannot list the tests of `/bin/false`"),
        "{lines:?}"
    );
    let json = session.zk2(&["list", "suite", "--format", "json"]);
    let list = listed(&json.stdout);
    assert!(text(&list["cases"][0], "error").contains("k2-owners"));
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(1));
    assert_eq!(session.verdicts()["suite::a"], "error");
}

#[test]
fn an_extension_finds_and_runs_cases_of_a_kind_of_its_own() {
    let session = Session::new();
    session.write("checkout", "pays passes\nrefunds fails\n");
    let ended = scopes(&session, &["run", "scenario:checkout", "-p", "speed=fast"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let verdicts: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| format!("{case} {verdict}"))
        .collect();
    assert_eq!(
        verdicts,
        [
            "checkout::pays[speed=fast] passed",
            "checkout::refunds[speed=fast] failed"
        ]
    );
    assert_eq!(
        text(&session.finished_case("refunds[speed=fast]"), "reason"),
        "fails at fast"
    );
    // In a process of its own it is found again.
    let ended = scopes(
        &session,
        &["run", "scenario:checkout", "--isolation", "process"],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(
        text(&session.finished_case("refunds[speed=slow]"), "reason"),
        "fails at slow"
    );
    let list = scopes(&session, &["list", "scenario:checkout", "--format", "json"]);
    assert_eq!(listed(&list.stdout)["cases"][0]["kind"], "scenario");
    let missing = scopes(&session, &["list", "scenario:nothing"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing
            .stderr
            .contains("cannot read the scenario `nothing`"),
        "{missing:?}"
    );
    // Without the extension it is what it always was: no file.
    let unknown = session.zk2(&["list", "scenario:checkout"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .stderr
            .contains("`scenario:checkout` does not exist"),
        "{unknown:?}"
    );
}
