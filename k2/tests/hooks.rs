//! Hooks around the tests: what has begun is ended, exactly once, whichever way the run goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::session::{Ended, Session, example, wait};
use crate::stopping::{fifo, read};

const ALL: [&str; 4] = ["pre-job", "pre-tests", "post-tests", "post-job"];

fn start(session: &Session, options: &[&str]) -> Child {
    let program = example("zk2-hooking");
    let arguments = [&["run"], options].concat();
    let mut command = session.program(program.to_str().unwrap(), &arguments);
    command.spawn().unwrap()
}

fn run(options: &[&str]) -> (Session, Ended) {
    let session = Session::new();
    let ended = wait(start(&session, options));
    (session, ended)
}

/// The phases that the other extension has seen, and the exit code that the last was told.
fn called(session: &Session) -> (Vec<String>, Option<String>) {
    let text = fs::read_to_string(session.path().join("hooks")).unwrap_or_default();
    let exit = text
        .lines()
        .last()
        .and_then(|line| line.split_once(" exit "));
    let exit = exit.map(|(_, code)| code.to_owned());
    let words = text.lines().filter_map(|line| line.split(' ').next());
    (words.map(str::to_owned).collect(), exit)
}

fn assert_called(session: &Session, phases: &[&str], exit: i32, ended: &Ended) {
    let (words, told) = called(session);
    assert_eq!(words, phases, "{ended:?}");
    assert_eq!(told, Some(exit.to_string()), "{ended:?}");
}

fn verdicts(session: &Session) -> Vec<String> {
    session.verdicts().into_values().collect()
}

#[test]
fn all_phases_come_in_order_and_once_also_with_cases_in_processes_of_their_own() {
    for options in [&[][..], &["--isolation", "process"]] {
        let (session, ended) = run(options);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_called(&session, &ALL, 0, &ended);
    }
}

#[test]
fn k2_f3_a_hook_that_fails_before_the_tests_ends_the_run_and_what_has_begun_is_ended() {
    for (phase, phases) in [
        ("pre-job", &["pre-job", "post-job"][..]),
        ("pre-tests", &ALL),
    ] {
        for (how, reason) in [("fail", "the hook fails"), ("panic", "the hook panics")] {
            let (session, ended) = run(&["--bad-phase", phase, "--bad-end", how]);
            assert_eq!(ended.code, Some(7), "{ended:?}");
            assert_called(&session, phases, 7, &ended);
            assert_eq!(verdicts(&session), ["not-run", "not-run"]);
            assert!(ended.stdout.contains(reason), "{}", ended.stdout);
            let named = format!("{}: misbehaving: ", phase.to_uppercase().replace('-', "_"));
            assert!(ended.stderr.contains(&named), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_hook_that_fails_behind_the_tests_is_named_and_changes_no_verdict() {
    for (phase, told) in [("post-tests", 7), ("post-job", 0)] {
        for how in ["fail", "panic"] {
            let (session, ended) = run(&["--bad-phase", phase, "--bad-end", how]);
            assert_eq!(ended.code, Some(7), "{ended:?}");
            assert!(ended.stdout.contains("exit 7"), "{}", ended.stdout);
            assert_called(&session, &ALL, told, &ended);
            assert_eq!(verdicts(&session), ["passed", "passed"]);
            assert!(ended.stderr.contains("misbehaving: "), "{}", ended.stderr);
        }
    }
}

const REPORTS: [(&str, &str); 9] = [
    ("text", "report.txt"),
    ("junit", "junit.xml"),
    ("testng", "testng-results.xml"),
    ("tap", "results.tap"),
    ("json", "report.json"),
    ("ctrf", "ctrf.json"),
    ("html", "report.html"),
    ("markdown", "summary.md"),
    ("github", ""),
];

fn report_options() -> Vec<String> {
    let options = REPORTS.map(|(name, _)| [format!("--reports-{name}"), "true".to_owned()]);
    options.into_iter().flatten().collect()
}

/// How often each report of the newest run says that the hook fails.
fn mentions(session: &Session, ended: &Ended) -> Vec<(&'static str, usize)> {
    let count = |(name, file): (&'static str, &str)| {
        let text = match file {
            "" => ended.stdout.clone(),
            file => fs::read_to_string(session.latest().join(file)).unwrap(),
        };
        (name, text.matches("misbehaving").count())
    };
    REPORTS.map(count).to_vec()
}

#[test]
fn p12_a_hook_that_fails_is_in_the_event_log_in_every_report_and_in_the_exit_code() {
    let options = report_options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let bad = ["--bad-phase", "post-tests", "--bad-end", "fail"];
    let (session, ended) = run(&[&bad, options.as_slice()].concat());
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let records = session.records();
    let told = records.iter().find(|r| r["kind"] == "hook-failed").unwrap();
    assert_eq!(told["phase"], "POST_TESTS");
    assert_eq!(told["hook"], "misbehaving");
    assert_eq!(told["reason"], "the hook fails");
    let row = "  hook     POST_TESTS: misbehaving: the hook fails\n";
    assert!(ended.stdout.contains(row), "{}", ended.stdout);
    for (report, count) in mentions(&session, &ended) {
        assert!(count > 0, "{report}: {ended:?}");
    }
    // Whoever only reads the numbers of a JUnit document sees it too.
    let xml = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    let totals = xml
        .lines()
        .find(|line| line.starts_with("<testsuites"))
        .unwrap();
    assert!(totals.contains("tests=\"3\""), "{totals}");
    assert!(totals.contains("errors=\"1\""), "{totals}");
    // And a report that is made later ends as the run did.
    let later = session.zk2(&[&["report"], options.as_slice()].concat());
    assert_eq!(later.code, Some(7), "{later:?}");
    assert!(later.stdout.contains(row), "{}", later.stdout);
}

#[test]
fn p12_a_hook_that_fails_behind_the_reports_is_in_those_that_are_made_later() {
    let (session, ended) = run(&["--bad-phase", "post-job", "--bad-end", "fail"]);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let row = "  hook     POST_JOB: misbehaving: the hook fails\n";
    assert!(ended.stdout.contains(row), "{}", ended.stdout);
    let kinds: Vec<_> = session
        .records()
        .iter()
        .map(|r| r["kind"].clone())
        .collect();
    assert_eq!(kinds[kinds.len() - 2..], ["run-finished", "hook-failed"]);
    let options = report_options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let later = session.zk2(&[&["report"], options.as_slice()].concat());
    assert_eq!(later.code, Some(7), "{later:?}");
    for (report, count) in mentions(&session, &later) {
        assert!(count > 0, "{report}: {later:?}");
    }
}

#[test]
fn k2_f3_av4_what_has_begun_is_ended_when_what_runs_the_cases_panics() {
    let (session, ended) = run(&["--explodes"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert_called(&session, &ALL, 5, &ended);
}

#[test]
fn what_has_begun_is_ended_by_the_runner_that_goes_on_when_a_case_kills_the_first() {
    let session = Session::new();
    session.write("die", "");
    let ended = wait(start(&session, &["--parallel-workers", "1"]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_called(&session, &ALL, 1, &ended);
    assert_eq!(verdicts(&session), ["passed", "error"]);
}

#[test]
fn a_hook_that_hangs_is_left_behind_and_keeps_no_other_from_being_called() {
    for (phase, told, expected) in [("pre-tests", 7, "not-run"), ("post-tests", 7, "passed")] {
        let options = [
            "--hooks-timeout",
            "100ms",
            "--hooks-grace",
            "100ms",
            "--application-teardown-timeout",
            "100ms",
        ];
        let bad = ["--bad-phase", phase, "--bad-end", "hang"];
        let (session, ended) = run(&[&options[..], &bad].concat());
        assert_eq!(ended.code, Some(7), "{ended:?}");
        assert_called(&session, &ALL, told, &ended);
        assert_eq!(verdicts(&session), [expected, expected]);
        let named = "misbehaving: `misbehaving.called` did not answer";
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
}

#[test]
fn a_hook_whose_time_is_over_is_asked_to_end() {
    let (session, ended) = run(&[
        "--hooks-timeout",
        "100ms",
        "--bad-phase",
        "post-tests",
        "--bad-end",
        "wait",
    ]);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert_called(&session, &ALL, 7, &ended);
    let said = "misbehaving: the hook was asked to end";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn after_a_critical_abort_hooks_behind_the_tests_are_still_called() {
    for phase in ["pre-job", "post-tests"] {
        let (session, ended) = run(&["--bad-phase", phase, "--bad-end", "critical"]);
        let expected: &[&str] = match phase {
            "pre-job" => &["pre-job", "post-job"],
            _ => &ALL,
        };
        assert_eq!(called(&session).0, expected, "{ended:?}");
        assert_ne!(ended.code, Some(0), "{ended:?}");
    }
}

#[test]
fn av4_d1_d2_d4_signals_in_a_hook_and_in_a_case_leave_no_phase_out() {
    for signals in [
        &[Signal::INT][..],
        &[Signal::INT, Signal::INT],
        &[Signal::TERM],
    ] {
        // In a case that takes no notice of the first.
        let session = Session::new();
        let [ready, asked] = ["ready", "asked"].map(|name| fifo(&session, name));
        let body = "trap 'echo > asked' INT TERM; echo > ready; while :; do sleep 0.05; done";
        session.script("suite/a", &format!("echo $$ >> left-behind\n{body}"));
        let child = start(&session, &["suite", "--tests-grace", "2s"]);
        read(&ready);
        for (number, signal) in signals.iter().enumerate() {
            kill_process(Pid::from_child(&child), *signal).unwrap();
            if number == 0 {
                read(&asked);
            }
        }
        let ended = wait(child);
        assert_eq!(ended.signal, Some(signals[0].as_raw()), "{ended:?}");
        assert_called(&session, &ALL, 5, &ended);
        assert_eq!(verdicts(&session), ["aborted"]);
        session.assert_nothing_left();
    }
    for (phase, phases) in [
        ("pre-job", &["pre-job", "post-job"][..]),
        ("pre-tests", &ALL),
    ] {
        let session = Session::new();
        let ready = fifo(&session, "ready");
        let child = start(&session, &["--bad-phase", phase, "--bad-end", "wait"]);
        read(&ready);
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let ended = wait(child);
        assert_eq!(ended.signal, Some(Signal::INT.as_raw()), "{ended:?}");
        assert_eq!(called(&session).0, phases, "{ended:?}");
        assert_eq!(verdicts(&session), ["not-run", "not-run"]);
    }
}

/// Scripts in the directories of the options, and a case that passes.
fn with_scripts(scripts: &[(&str, &str)]) -> Session {
    let session = Session::new();
    session.script("suite/a", "echo case >> order");
    for (name, body) in scripts {
        session.script(name, body);
    }
    session
}

fn run_scripts(session: &Session, options: &[&str]) -> Ended {
    let common = [
        "run",
        "suite",
        "--job-scripts-pre",
        "pre",
        "--job-scripts-post",
        "post",
    ];
    session.zk2(&[&common[..], options].concat())
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn job_scripts_run_by_the_bytes_of_their_names_around_the_tests() {
    let session = with_scripts(&[
        ("pre/2", "echo 2 >> order"),
        ("pre/10", "echo 10 >> order"),
        ("pre/.x", "echo .x >> order"),
        ("pre/directory/inside", "echo inside >> order"),
        (
            "post/a.sh",
            "echo a >> order; ls output/latest/report.txt >> order",
        ),
    ]);
    let readme = session.script("pre/README", "echo readme >> order");
    fs::set_permissions(readme, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = run_scripts(&session, &[]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    let order = text(&session.path().join("order"));
    assert_eq!(order, ".x\n10\n2\ncase\na\noutput/latest/report.txt\n");
}

#[test]
fn av13_av14_job_scripts_know_the_run_and_their_output_is_kept() {
    let session = with_scripts(&[
        ("suite/b", "exit 1"),
        (
            "pre/env",
            "env | grep ^K2_JOB | sort; echo problem >&2; read line || echo no input",
        ),
        ("post/env", "env | grep ^K2_JOB | sort"),
    ]);
    let ended = run_scripts(&session, &[]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let run = fs::canonicalize(session.latest()).unwrap();
    let id = run.file_name().unwrap().to_str().unwrap();
    let kept = |name: &str| text(&run.join("job-scripts").join(name));
    let place = session.path().join("output").join(id);
    let pre = format!(
        "K2_JOB_APPLICATION=k2\nK2_JOB_DIRECTORY={}\nK2_JOB_ID={id}\nK2_JOB_PHASE=pre-job\nK2_JOB_STATUS=running\nno input\n",
        place.display()
    );
    assert_eq!(kept("pre-job/env.stdout"), pre);
    assert_eq!(kept("pre-job/env.stderr"), "problem\n");
    let post = kept("post-job/env.stdout");
    for line in [
        "K2_JOB_STATUS=failed",
        "K2_JOB_EXIT_CODE=1",
        "K2_JOB_PASSED=1",
        "K2_JOB_FAILED=1",
        "K2_JOB_NOT_RUN=0",
    ] {
        assert!(post.lines().any(|found| found == line), "{line}: {post}");
    }
}

#[test]
fn a_job_script_with_an_exit_code_is_a_warning_with_its_output() {
    let session = with_scripts(&[("pre/a", "echo why; exit 3"), ("post/b", "exit 4")]);
    let ended = run_scripts(&session, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in [
        "pre/a` ended with exit code 3",
        "    why\n",
        "post/b` ended with exit code 4",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let ended = run_scripts(&session, &["--job-scripts-warn-nonzero-status", "false"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}

#[test]
fn a_directory_of_job_scripts_that_is_missing_is_a_warning_if_wanted() {
    let session = with_scripts(&[]);
    assert_eq!(run_scripts(&session, &[]).stderr, "");
    let ended = run_scripts(&session, &["--job-scripts-warn-no-dir"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("does not exist").count(),
        2,
        "{}",
        ended.stderr
    );
}

#[test]
fn av14_a_job_script_that_cannot_be_started_keeps_no_other_from_running() {
    let session = with_scripts(&[("post/b", "echo b > ran")]);
    let bad = session.write("post/a", "#!/nonexistent\n");
    fs::set_permissions(bad, fs::Permissions::from_mode(0o755)).unwrap();
    let ended = run_scripts(&session, &[]);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(
        ended.stderr.contains("post/a` cannot be started"),
        "{}",
        ended.stderr
    );
    assert_eq!(text(&session.path().join("ran")), "b\n");
}

#[test]
fn av14_a_job_script_that_takes_too_long_is_ended_with_all_that_it_started() {
    let hang = "setsid sleep 300 & echo $! >> left-behind\necho $$ >> left-behind\necho here\nexec sleep 300";
    let session = with_scripts(&[("pre/a", hang), ("pre/b", "echo b > ran")]);
    let ended = run_scripts(&session, &["--job-scripts-timeout", "300ms"]);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert_eq!(verdicts(&session), ["not-run"]);
    assert!(
        ended.stderr.contains("did not end within 300ms"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("    here\n"), "{}", ended.stderr);
    assert_eq!(text(&session.path().join("ran")), "b\n");
    session.assert_nothing_left();
}

#[test]
fn job_scripts_are_found_beside_the_configuration_of_the_user() {
    let session = with_scripts(&[("../.config/k2/job/pre.d/a", "echo pre > ran")]);
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(text(&session.path().join("ran")), "pre\n");
}
