//! Flaws of the predecessors that must not come back: `k2_fN` is flaw N of the earlier k2 (its specification, chapter 17), `avN` defect N
//! of Avocado (chapter 23). Those that are not here are in the names of other tests; the page "Flaws that must not come back" has the
//! table.

use std::collections::BTreeSet;
use std::fs;

use crate::session::{Ended, Session, example, text, wait};

fn suite(cases: &[(&str, &str)]) -> Session {
    let session = Session::new();
    for (name, body) in cases {
        session.script(&format!("suite/{name}"), body);
    }
    session
}

fn run(session: &Session, options: &[&str]) -> Ended {
    session.zk2(&[&["run", "suite"], options].concat())
}

fn report(session: &Session, name: &str) -> String {
    fs::read_to_string(session.latest().join(name)).unwrap()
}

#[test]
fn k2_f1_failed_aborted_misused_and_empty_runs_have_exit_codes_of_their_own() {
    let good = suite(&[("passes", "exit 0")]);
    assert_eq!(run(&good, &[]).code, Some(0));
    assert_eq!(run(&good, &["--tests-timeout", "soon"]).code, Some(2));
    assert_eq!(run(&good, &["--tests-include", "nothing"]).code, Some(4));
    let bad = suite(&[("a", "exit 1"), ("b", "exit 0")]);
    assert_eq!(run(&bad, &[]).code, Some(1));
    let stopped = run(&bad, &["--fail-fast", "1", "--parallel-workers", "1"]);
    assert_eq!(stopped.code, Some(5), "{stopped:?}");
}

#[test]
fn k2_f2_a_run_of_nothing_is_no_success_and_skipped_cases_are_told_as_such() {
    let empty = Session::new();
    fs::create_dir(empty.path().join("suite")).unwrap();
    let ended = run(&empty, &[]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let skipped = suite(&[("skips", "exit 77")]);
    let ended = run(&skipped, &["--tests-skip-codes", "77"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("0 passed · 1 skipped"), "{ended:?}");
}

#[test]
fn k2_f5_a_handler_that_panics_ends_no_run_and_no_other_handler() {
    let session = suite(&[("a", "exit 0"), ("b", "exit 0")]);
    let program = example("zk2-dying");
    let line = ["run", "suite", "--death", "panic", "--reports-junit"];
    let mut command = session.program(program.to_str().unwrap(), &line);
    let ended = wait(command.spawn().unwrap());
    assert!(ended.stderr.contains("as asked"), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2, "{ended:?}");
    assert!(ended.stdout.contains("  2 passed "), "{ended:?}");
    assert_eq!(
        report(&session, "junit.xml").matches("<testcase").count(),
        2
    );
}

#[test]
fn k2_f7_own_steps_have_no_limit_and_those_of_others_an_option() {
    let session = Session::new();
    // By far slower than the limit that is given, which is not for files that nobody has to ask.
    session.script(
        "binary",
        "test \"$*\" = '--list --format terse' && exec sleep 300",
    );
    let line = ["run", "libtest:binary", "--tests-list-timeout", "200ms"];
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let reason = text(&session.finished_case("binary"), "reason");
    assert!(reason.contains("200ms"), "{reason}");
    let options = session.zk2(&["run", "--full-help"]).stdout;
    for option in [
        "--tests-list-timeout",
        "--tests-timeout",
        "--tests-grace",
        "--hooks-timeout",
        "--hooks-grace",
        "--application-teardown-timeout",
        "--application-abort-grace",
    ] {
        assert!(options.contains(option), "{option}");
    }
}

#[test]
fn k2_f14_each_kind_of_test_is_asked_in_its_own_way_and_a_bad_one_ends_no_run() {
    let session = Session::new();
    session.script("suite/program", "exit 0");
    session.script("suite/points.tap", "printf '1..1\\nok 1 - a\\n'");
    // Speaks the protocol of Rust's test binaries.
    session.script(
        "rusty",
        "case \"$*\" in *--ignored*) ;; *--list*) printf 'a: test\\nb: test\\n' ;; *b*) exit 101 ;; esac",
    );
    // Answers with what is no list, and is no program at all.
    session.script("mumbles", "echo 'what?'; exit 9");
    session.write("suite/not-a-program", "\u{0}\u{1}nothing");
    let not_a_program = session.path().join("suite/not-a-program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(not_a_program, mode).unwrap();
    let ended = session.zk2(&["run", "suite", "libtest:rusty", "libtest:mumbles"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let of = |end: &str| {
        let found = verdicts.iter().find(|(case, _)| case.ends_with(end));
        found.map(|(_, verdict)| verdict.as_str())
    };
    for (case, verdict) in [
        ("suite::program", "passed"),
        ("points.tap", "passed"),
        ("rusty::a", "passed"),
        ("rusty::b", "failed"),
        ("mumbles", "error"),
        ("not-a-program", "error"),
    ] {
        assert_eq!(of(case), Some(verdict), "{case}: {verdicts:?}");
    }
}

#[test]
fn k2_f16_f17_a_run_needs_no_option_no_device_and_no_network() {
    let session = suite(&[("passes", "exit 0")]);
    let ended = run(&session, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let line = ["-rn", env!("CARGO_BIN_EXE_zk2"), "run", "suite"];
    let alone = wait(session.program("unshare", &line).spawn().unwrap());
    if alone.stderr.starts_with("unshare: ") {
        let notice = b"NOTICE: network namespaces are not allowed here: a run without network is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
        return;
    }
    assert_eq!((alone.code, alone.stderr.as_str()), (Some(0), ""));
}

/// All bytes below `directory`.
fn bytes(directory: &std::path::Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| {
        let found = entry.metadata().unwrap();
        if found.is_dir() {
            bytes(&entry.path())
        } else {
            found.len()
        }
    });
    sizes.sum()
}

#[test]
fn k2_f18_a_case_that_passes_costs_less_than_a_kilobyte_of_logs() {
    let sizes = [10, 110].map(|count| {
        let session = Session::new();
        for n in 0..count {
            session.script(&format!("suite/{n:03}"), "exit 0");
        }
        let quiet = ["--no-reports-html", "--no-reports-text", "--no-history"];
        let ended = run(&session, &quiet);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        bytes(&fs::canonicalize(session.latest()).unwrap())
    });
    let each = (sizes[1] - sizes[0]) / 100;
    assert!(each < 1024, "{each} bytes for each case");
}

#[test]
fn k2_f19_what_a_case_prints_is_kept_with_it_and_shown_if_it_fails() {
    let session = suite(&[
        ("fails", "echo from-out; echo from-err >&2; exit 1"),
        ("passes", "echo from-good"),
    ]);
    let ended = run(&session, &[]);
    let block = ended.stdout.split("FAIL suite::fails").nth(1).unwrap();
    assert!(block.contains("stdout  from-out"), "{block}");
    assert!(block.contains("stderr  from-err"), "{block}");
    assert!(!ended.stdout.contains("from-good"), "{ended:?}");
    let output = |case: &str| session.finished_case(case)["stdout"]["head"].clone();
    assert_eq!(output("fails"), "from-out\n");
    assert_eq!(output("passes"), "from-good\n");
    // And for machines, with nothing else on the stream.
    let line = ["--reports-json", "true", "--reports-json-file", "-"];
    let document: serde_json::Value = serde_json::from_str(&run(&session, &line).stdout).unwrap();
    assert_eq!(document["cases"].as_array().unwrap().len(), 2);
}

#[test]
fn k2_f23_names_that_look_alike_are_cases_and_files_of_their_own() {
    let long = "x".repeat(200);
    let names = ["a b", "a_b", "a-b", "a.b", "a#b", "A b", long.as_str()];
    let session = Session::new();
    for name in names {
        let flood = "i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done";
        session.script(&format!("suite/{name}"), flood);
    }
    let ended = run(&session, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), names.len());
    let listed = session.zk2(&["list", "suite"]).stdout;
    for case in session.verdicts().keys() {
        assert!(listed.contains(case.as_str()), "{case}: {listed}");
    }
    let files: BTreeSet<String> = session
        .finished()
        .iter()
        .map(|case| text(&case["stdout"], "file"))
        .collect();
    assert_eq!(files.len(), names.len(), "{files:?}");
    for file in files {
        let found = session.path().join(&file);
        assert_eq!(fs::metadata(&found).unwrap().len(), 4000 * 41, "{file}");
    }
}

#[test]
fn k2_f24_av16_seeds_retries_repeats_shards_and_reruns_are_options_of_the_run() {
    let session = suite(&[
        ("flaky", "test -e was && exit 0; touch was; exit 1"),
        ("good", "exit 0"),
        ("bad", "exit 1"),
    ]);
    let ended = run(&session, &["--tests-retries", "1"]);
    assert!(
        ended.stdout.contains("2 passed (1 flaky) · 1 failed"),
        "{ended:?}"
    );
    let again = run(&session, &["--rerun", "failed"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let names = session.verdicts().into_keys().collect::<Vec<_>>();
    assert_eq!(names, ["suite::bad"]);
    let shuffled = run(&session, &["--tests-order", "shuffle"]);
    assert!(shuffled.stdout.contains("seed "), "{shuffled:?}");
    run(
        &session,
        &["--tests-repeat", "2", "--tests-include", "suite::good"],
    );
    let twice: Vec<_> = session.finished();
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0]["execution"], twice[1]["execution"]);
    let sizes = ["1/2", "2/2"].map(|shard| {
        run(&session, &["--tests-shard", shard]);
        session.verdicts().len()
    });
    assert_eq!(sizes.iter().sum::<usize>(), 3, "{sizes:?}");
}

#[test]
fn k2_f29_what_users_see_of_a_failure_is_theirs() {
    let session = Session::new();
    let program = example("zk2-hooking");
    session.write("die", "");
    let line = [
        "run",
        "--bad-phase",
        "post-tests",
        "--bad-end",
        "panic",
        "--isolation",
        "process",
    ];
    let mut command = session.program(program.to_str().unwrap(), &line);
    let ended = wait(command.spawn().unwrap());
    let shown = [ended.stdout, ended.stderr, report(&session, "report.txt")].concat();
    assert!(shown.contains("the hook panics"), "{shown}");
    for frame in [
        "zaf_core::",
        "k2::",
        "core::ops::function",
        "rust_begin_unwind",
    ] {
        assert!(!shown.contains(frame), "{frame}: {shown}");
    }
}

#[test]
fn av2_a_time_limit_ends_grandchildren_too_and_names_them() {
    let session = Session::new();
    let fixture = crate::session::fixture();
    let body = format!(
        "export ZK2_FIXTURE_PIDS=$PWD/left-behind; {0} fork-setsid; {0} double-fork; exec sleep 300",
        fixture.display()
    );
    session.script("suite/hangs", &body);
    let ended = run(&session, &["--tests-timeout", "1s"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let case = session.finished_case("hangs");
    assert_eq!(text(&case, "verdict"), "timed-out");
    assert_eq!(case["leaked"].as_array().unwrap().len(), 2, "{case}");
    session.assert_nothing_left();
}

#[test]
fn av5_cases_that_were_never_started_or_were_running_are_in_every_list() {
    let session = Session::new();
    let fifo = crate::stopping::fifo(&session, "runs");
    session.script(
        "suite/a-runs",
        "echo $$ >> left-behind; echo > runs; exit 0",
    );
    session.script(
        "suite/b-fails",
        &format!("read _ < {}; exit 1", fifo.display()),
    );
    for n in 0..5 {
        session.script(&format!("suite/c{n}"), "exit 0");
    }
    let reports = [
        "--reports-junit",
        "--reports-json",
        "true",
        "--reports-tap",
        "true",
    ];
    let options = ["--fail-fast", "1", "--parallel-workers", "2"];
    let ended = run(&session, &[&options[..], &reports].concat());
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let verdicts = session.verdicts();
    assert_eq!(verdicts.len(), 7);
    // Nobody has asked it to end, so it may say how it does.
    assert_eq!(verdicts["suite::a-runs"], "passed");
    assert_eq!(verdicts["suite::c4"], "not-run");
    session.assert_nothing_left();
    assert_eq!(
        report(&session, "junit.xml").matches("<testcase").count(),
        7
    );
    assert!(report(&session, "results.tap").contains("\n1..7\n"));
    let json: serde_json::Value = serde_json::from_str(&report(&session, "report.json")).unwrap();
    assert_eq!(json["cases"].as_array().unwrap().len(), 7);
}

#[test]
fn av6_a_program_that_fails_says_with_which_code_or_signal() {
    let session = suite(&[("code", "exit 7"), ("signal", "kill -SEGV $$")]);
    run(&session, &[]);
    let reason = |case: &str| text(&session.finished_case(case), "reason");
    assert!(reason("code").contains("exit code 7"), "{}", reason("code"));
    assert!(reason("signal").contains("SIGSEGV"), "{}", reason("signal"));
}

#[test]
fn av7_switching_plugins_off_in_a_file_counts_and_unknown_names_are_said() {
    let session = suite(&[("passes", "exit 0")]);
    session.write("k2.yaml", "plugins.disable: [report.html]\n");
    assert_eq!(run(&session, &[]).code, Some(0));
    assert!(!session.latest().join("report.html").exists());
    session.write("k2.yaml", "plugins.disable: [report.htm]\n");
    let ended = run(&session, &[]);
    assert!(ended.stderr.contains("k2.yaml:1:"), "{ended:?}");
    assert!(
        ended.stderr.contains("did you mean `report.html`?"),
        "{ended:?}"
    );
}

#[test]
fn av8_what_others_have_written_breaks_by_name_and_breaks_nothing_else() {
    let program = example("zk2-dying");
    let program = program.to_str().unwrap();
    let cases = [
        "--tests-include=zk2_dying::a_passes",
        "--tests-include=zk2_dying::brittle",
    ];
    // Where, who is named, and the exit code; with verdicts where there are cases to judge.
    for (place, name, code, verdicts) in [
        ("framework", "brittleframe", 7, &[][..]),
        ("extension", "brittle", 7, &[]),
        ("finder", "brittle", 7, &[]),
        ("hook", "brittle", 7, &["not-run", "not-run"]),
        ("handler", "brittle", 0, &["passed", "passed"]),
        ("report", "brittle", 6, &["passed", "passed"]),
        ("component", "glass", 1, &["passed", "error"]),
    ] {
        for end in ["error", "panic"] {
            let session = Session::new();
            let broken = [
                format!("--brittle-place={place}"),
                format!("--brittle-end={end}"),
            ];
            let broken = broken.each_ref().map(String::as_str);
            let ended = |line: &[&str]| {
                let line = [line, &broken].concat();
                wait(session.program(program, &line).spawn().unwrap())
            };
            let run = ended(&["run", cases[0], cases[1]]);
            let context = format!("{place} {end}: {run:?}");
            assert_eq!(run.code, Some(code), "{context}");
            let said = [run.stdout.as_str(), &run.stderr].concat();
            assert!(said.contains(name), "{context}");
            let cause = format!("glass breaks in its {place}");
            assert!(said.contains(&cause), "{context}");
            if verdicts.is_empty() {
                assert!(!session.path().join("output/latest").exists(), "{context}");
            } else {
                let found: Vec<_> = session.verdicts().into_values().collect();
                assert_eq!(found, verdicts, "{context}");
                // All that others make of the run is there, as of any other run.
                assert!(report(&session, "report.html").contains("g_looks_through"));
                assert!(report(&session, "report.txt").contains("g_looks_through"));
            }
            // One can still look for what is wrong.
            for line in [&["--help"][..], &["extensions"], &["why", "brittle"]] {
                let shown = ended(line);
                assert_eq!(shown.code, Some(0), "{line:?} {place} {end}: {shown:?}");
                assert!(!shown.stdout.is_empty(), "{line:?}");
            }
        }
    }
}

#[test]
fn av8_a_command_of_others_that_breaks_is_an_error_with_its_reason() {
    let program = example("zk2-dying");
    for (end, code) in [("error", 1), ("panic", 70)] {
        let session = Session::new();
        let line = [
            "shatter",
            "--brittle-place=command",
            &format!("--brittle-end={end}"),
        ];
        let ended = wait(
            session
                .program(program.to_str().unwrap(), &line)
                .spawn()
                .unwrap(),
        );
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let reason = "glass breaks in its command";
        assert!(ended.stderr.contains(reason), "{ended:?}");
    }
}

#[test]
fn av9_every_extension_is_listed_with_its_state_origin_and_version() {
    let session = Session::new();
    session.write("k2.yaml", "plugins.disable: [report.html]\n");
    let ended = session.zk2(&["extensions", "--target-command", "run", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let all = listed["extensions"].as_array().unwrap();
    assert!(all.len() > 20, "{ended:?}");
    assert!(
        all.iter()
            .all(|one| one["state"].is_string() && one["crate"].is_string())
    );
    let disabled = all.iter().filter(|one| one["state"] == "disabled");
    let names: Vec<_> = disabled.map(|one| text(one, "name")).collect();
    assert!(names.iter().any(|name| name.contains("html")), "{names:?}");
}

#[test]
fn av10_a_word_that_is_none_of_the_choices_is_refused_with_them() {
    let session = suite(&[("passes", "exit 0")]);
    let ended = run(&session, &["--tests-order", "alphabet"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for choice in ["definition", "shuffle", "longest-first"] {
        assert!(ended.stderr.contains(choice), "{ended:?}");
    }
    let ended = session.zk2(&["run", "pyhton:suite"]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn av11_odd_places_and_streams_are_errors_in_words() {
    let session = suite(&[("passes", "exit 0")]);
    let ended = run(&session, &["--output-dir", "/proc/nope"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("/proc/nope"), "{ended:?}");
    let both = ["--reports-json", "true", "--reports-json-file", "-"];
    let more = ["--reports-tap", "true", "--reports-tap-file", "-"];
    let ended = run(&session, &[both, more].concat());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn av12_what_is_shown_of_an_earlier_run_is_known() {
    let session = suite(&[("passes", "exit 0"), ("fails", "exit 1")]);
    run(&session, &[]);
    run(&session, &["--tests-exclude", "suite::fails"]);
    for line in [
        &["results", "show"][..],
        &["results", "diff", "-1", "latest"],
    ] {
        let ended = session.zk2(line);
        assert!(!ended.stdout.is_empty(), "{ended:?}");
        assert!(!ended.stdout.contains("unknown"), "{ended:?}");
    }
}

#[test]
fn av15_all_programs_of_a_run_have_one_parent() {
    let session = Session::new();
    for n in 0..10 {
        session.script(&format!("suite/{n}"), "echo $PPID >> parents");
    }
    assert_eq!(run(&session, &[]).code, Some(0));
    let parents = fs::read_to_string(session.path().join("parents")).unwrap();
    assert_eq!(parents.lines().count(), 10);
    assert_eq!(parents.lines().collect::<BTreeSet<_>>().len(), 1);
}

#[test]
fn av17_a_configuration_file_that_is_missing_is_said() {
    let session = suite(&[("passes", "touch ran")]);
    let ended = run(&session, &["--config-file-pattern", "nope.yaml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("nope.yaml"), "{ended:?}");
    assert!(!session.path().join("ran").exists());
}

#[test]
fn av18_signs_of_a_format_and_letters_of_any_language_stay_what_they_are() {
    let session = suite(&[("größe #1: <&>", "exit 1")]);
    run(&session, &["--reports-junit", "--reports-tap", "true"]);
    let tap = report(&session, "results.tap");
    assert!(tap.contains("not ok 1 - suite::größe \\#1: <&>\n"), "{tap}");
    let xml = report(&session, "junit.xml");
    assert!(xml.contains("größe #1: &lt;&amp;&gt;"), "{xml}");
}

/// Options in backticks in a text, with its line; those of other programs are not.
fn options_named_in(page: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (line, number) in page.lines().zip(1..) {
        let quoted = line.split('`').skip(1).step_by(2);
        for quoted in quoted.filter(|text| text.starts_with("--") || text.starts_with("zk2 ")) {
            for word in quoted
                .split_whitespace()
                .filter(|word| word.starts_with("--"))
            {
                let end = word.find(|c: char| !c.is_ascii_alphanumeric() && !"-@<>".contains(c));
                named.push((number, word[..end.unwrap_or(word.len())].to_owned()));
            }
        }
    }
    named
}

#[test]
fn av19_the_book_names_no_option_that_the_program_does_not_have() {
    let session = Session::new();
    let made = session.zk2(&["docs", "--dir", "reference"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut known: BTreeSet<String> = [
        "--",
        "--help",
        "--full-help",
        "--version",
        "--no-",
        "--no-NAME",
    ]
    .map(str::to_owned)
    .into();
    for page in ["options.md", "commands.md"] {
        let page = fs::read_to_string(session.path().join("reference").join(page)).unwrap();
        known.extend(
            options_named_in(&page)
                .into_iter()
                .map(|(_, option)| option),
        );
    }
    assert!(known.contains("--tests-include"), "{known:?}");
    // Those of entities stand there with a word in the place of the name.
    let entities: Vec<String> = known
        .iter()
        .filter_map(|option| Some(option.split_once('@')?.1.to_owned()))
        .collect();
    assert!(entities.contains(&"add-can".to_owned()), "{entities:?}");
    let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let mut problems = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(book).unwrap() {
        let path = entry.unwrap().path();
        // What was once is no promise.
        let is_past = path.ends_with("changelog.md");
        if is_past || path.extension().is_none_or(|suffix| suffix != "md") {
            continue;
        }
        for (line, option) in options_named_in(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            // Of an entity, with its name or with a word in its place; of a list; and those of addons that a page writes.
            let (base, entity) = option.split_once('@').unwrap_or((&option, ""));
            let changes = ["-remove", "-replace"]
                .iter()
                .find_map(|end| base.strip_suffix(end));
            let is_of_entity = !entity.is_empty() && entities.iter().any(|known| known == entity);
            let is_of_page = OF_PAGES.contains(&option.as_str());
            if !known.contains(&option)
                && !changes.is_some_and(|base| known.contains(base))
                && !is_of_entity
                && !is_of_page
            {
                problems.push(format!("{}:{line}: {option}", path.display()));
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert_eq!(problems, [""; 0], "the program has no such option");
}

/// Options that the pages about options are about, of addons that a page writes, and short forms that hold for one command.
const OF_PAGES: [&str; 13] = [
    "--x",
    "--name",
    "--no-name",
    "--db-password",
    "--extends",
    "--load-order",
    "--counter-most",
    "--type",
    // A slip that the tutorial makes on purpose, and options of nextest.
    "--paralel-workers",
    "--cargo-metadata",
    "--binaries-metadata",
    // Every entity has it; the reference says so once.
    "--suts-box@include-files",
    "--suts-box@telnet-port",
];
