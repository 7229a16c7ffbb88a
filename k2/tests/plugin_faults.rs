//! Plugins that crash, hang and talk nonsense: told once, started again within a budget, and nothing of them is left.

use std::fs;

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::aftermath::assert_nothing_runs;
use crate::guard::Guarded;
use crate::plugins::{Plugin, assert_ended, library, run, seen, with};
use crate::session::{Session, wait};
use crate::stopping::full_pipe;

/// How often the plugin was started, but for asking what it is.
fn starts(session: &Session) -> usize {
    seen(session).matches(r#""type":"start""#).count()
}

/// A session with `count` cases that pass, in `suite`, and a plugin.
fn suite(plugin: &Plugin, count: usize) -> Session {
    let session = with(plugin);
    for number in 0..count {
        session.script(&format!("suite/case{number}"), "exit 0");
    }
    session
}

fn run_suite(session: &Session, more: &[&str]) -> crate::session::Ended {
    let line = [
        "run",
        "--plugins-paths",
        "plugins",
        "--parallel-workers",
        "1",
    ];
    session.zk2(&[&line[..], more, &["suite"]].concat())
}

/// Dies of each case that has finished, and leaves a child behind.
fn dying() -> Plugin {
    // On the thread of the sender, so that the reports are asked for after the last death.
    let dispatchers = json!([{
        "name": "note",
        "messages": ["TEST_CASE_FINISHED", "WRITE_REPORTS"],
        "threads": "callback",
    }]);
    let dying = Plugin::listening("dying", &[]).with("dispatchers", dispatchers);
    dying.branch(
        r#"    *'"message":"TEST_CASE_FINISHED"'*)
      sleep 1000 &
      echo "out of cheese" >&2
      exit 3 ;;"#,
    )
}

#[test]
fn a_plugin_that_dies_is_told_once_and_started_again_until_it_is_given_up() {
    let session = suite(&dying(), 6);
    let ended = run_suite(&session, &["--plugins-restarts", "2"]);
    // The cases have their verdicts; that a plugin was given up is told by the exit code.
    assert_ended(
        &ended,
        7,
        &["plugin `dying` was given up: it died 3 times in this run"],
    );
    assert_eq!(session.verdicts().len(), 6);
    assert!(
        session
            .verdicts()
            .values()
            .all(|verdict| verdict == "passed")
    );
    assert_eq!(starts(&session), 3, "{ended:?}");
    assert_eq!(
        ended
            .stderr
            .matches("plugin `dying`, given `TEST_CASE_FINISHED`: ended with exit code 3")
            .count(),
        // Each death once, and the last one again with the end.
        5,
        "{ended:?}"
    );
    assert!(ended.stderr.contains("out of cheese"), "{ended:?}");
    // Its handlers stay away, those of requests too.
    assert!(!seen(&session).contains("WRITE_REPORTS"));
    assert!(!ended.stdout.contains("missing"), "{ended:?}");
    assert_nothing_runs(&session);
}

#[test]
fn one_death_within_the_budget_fails_no_run() {
    let once = Plugin::listening("dying", &["TEST_CASE_FINISHED"]).branch(
        r#"    *'"message":"TEST_CASE_FINISHED"'*)
      if ! test -e "$HOME/died"; then : > "$HOME/died"; kill -SEGV $$; fi
      echo "{\"type\":\"done\",\"id\":$id}" ;;"#,
    );
    let session = suite(&once, 3);
    let ended = run_suite(&session, &[]);
    assert_ended(
        &ended,
        0,
        &[
            "ended by signal 11 (SIGSEGV)",
            "it is started again with the next message (1 of 3)",
        ],
    );
    assert_eq!(starts(&session), 2);
    let given = seen(&session)
        .matches(r#""message":"TEST_CASE_FINISHED""#)
        .count();
    assert_eq!(given, 3, "what it died of is not given to it again");
    assert_nothing_runs(&session);
}

#[test]
fn a_plugin_that_hangs_is_ended_with_all_that_it_started() {
    let hanging = Plugin::listening("hanging", &["TEST_CASE_FINISHED"])
        .branch(r#"    *'"message":"TEST_CASE_FINISHED"'*) sleep 1000 & sleep 1000 ;;"#);
    let session = suite(&hanging, 1);
    let limits = ["--plugins-timeout", "300ms", "--plugins-restarts", "0"];
    let ended = run_suite(&session, &limits);
    assert_ended(
        &ended,
        7,
        &[
            "plugin `hanging`, given `TEST_CASE_FINISHED`: no answer within 300ms; it was ended",
            "it died once",
        ],
    );
    assert_eq!(session.verdicts().len(), 1);
    assert_nothing_runs(&session);
}

#[test]
fn a_plugin_that_talks_nonsense_is_ended() {
    let nonsense = Plugin::listening("nonsense", &["TEST_CASE_FINISHED"])
        .branch(r#"    *'"message":"TEST_CASE_FINISHED"'*) echo "it works on my machine" ;;"#);
    let session = suite(&nonsense, 1);
    let ended = run_suite(&session, &["--plugins-restarts", "0"]);
    assert_ended(
        &ended,
        7,
        &["wrote what is not the protocol", "it works on my machine"],
    );
    assert_nothing_runs(&session);
}

#[test]
fn a_handler_of_a_plugin_has_a_limit_of_its_own_and_is_never_named_as_slow() {
    let session = suite(&Plugin::listening("notes", &["TEST_CASE_FINISHED"]), 1);
    assert_ended(&run_suite(&session, &[]), 0, &[]);
    let paths = ["--plugins-paths", "plugins"];
    let listed = session.zk2(&[&["messages", "--format", "json"][..], &paths].concat());
    assert_ended(&listed, 0, &[]);
    let messages: Value = serde_json::from_str(&listed.stdout).unwrap();
    let listeners = messages["messages"].as_array().unwrap().iter();
    let listeners = listeners.flat_map(|message| message["listeners"].as_array().unwrap());
    let own: Vec<&Value> = listeners
        .filter(|one| one["extension"] == "notes")
        .collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(own[0]["long_running"], true);
}

#[test]
fn a_plugin_that_cannot_be_started_stops_the_command_before_any_case() {
    let refusing = Plugin::listening("refusing", &["TEST_CASE_FINISHED"]).branch(
        r#"    *'"type":"start"'*) echo "{\"type\":\"error\",\"id\":$id,\"text\":\"no licence\"}" ;;"#,
    );
    let session = suite(&refusing, 1);
    let ended = run_suite(&session, &[]);
    assert_ended(&ended, 7, &["refusing", "no licence"]);
    assert!(!session.latest().exists(), "nothing was run");
    assert_nothing_runs(&session);

    let silent = Plugin::listening("silent", &[]).branch(r#"    *'"type":"describe"'*) exit 9 ;;"#);
    let session = suite(&silent, 1);
    let ended = run_suite(&session, &[]);
    assert_ended(
        &ended,
        7,
        &[
            "plugins/one/main.sh",
            "asked what it is: ended with exit code 9",
        ],
    );
    assert!(!session.latest().exists());
}

#[test]
fn a_handler_of_a_plugin_that_fails_is_a_failed_handler() {
    let failing = Plugin::listening("failing", &["TEST_CASE_FINISHED"]).branch(
        r#"    *'"message":"TEST_CASE_FINISHED"'*)
      echo "{\"type\":\"error\",\"id\":$id,\"text\":\"the disk is full\"}" ;;"#,
    );
    let session = suite(&failing, 2);
    let ended = run_suite(&session, &[]);
    assert_ended(&ended, 0, &["failing.note", "the disk is full"]);
    assert_eq!(starts(&session), 1, "it is still there");
}

#[test]
fn a_request_to_a_plugin_that_dies_is_answered_with_why() {
    let reporter = Plugin::listening("reporter", &["WRITE_REPORTS"])
        .branch(r#"    *'"type":"request"'*) exit 4 ;;"#);
    let session = with(&reporter);
    let ended = run(&session, &[]);
    assert_ended(&ended, 6, &["plugin `reporter` died"]);
    let reason =
        "missing  reporter: plugin `reporter`, given `WRITE_REPORTS`: ended with exit code 4";
    assert!(ended.stdout.contains(reason), "{ended:?}");
}

#[test]
fn nothing_of_a_plugin_outlives_a_run_that_is_aborted_or_killed() {
    for signal in [Signal::INT, Signal::KILL] {
        let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"])
            .with("version", json!("3"))
            .branch(
                r#"    *'"message":"TEST_RUN_STARTED"'*)
      sleep 1000 &
      setsid sleep 1000 &
      echo "$$" >> "$HOME/pids"
      echo "{\"type\":\"done\",\"id\":$id}" ;;"#,
            );
        let session = with(&plugin);
        session.script("waits.sh", "echo > ready; sleep 1000");
        let line = [
            "run",
            "waits.sh",
            "--plugins-paths",
            "plugins",
            "--tests-grace",
            "100ms",
        ];
        let command = session.command(&line);
        let guarded = Guarded::start(session, command);
        kill_process(guarded.runner, signal).unwrap();
        let (session, ended) = guarded.end();
        assert_ne!(ended.code, Some(0), "{ended:?}");
        let pids = fs::read_to_string(session.path().join("../pids")).unwrap();
        assert_eq!(pids.lines().count(), 1);
        assert_nothing_runs(&session);
    }
}

/// A library that never returns from what `STUCK_IN` says, but where a child opens it first. Its destructor waits for that.
const STUCK: &str = r#"
#define _GNU_SOURCE
#include "zaf_plugin.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
ZAF_PLUGIN_NOTE;
#ifndef THREADS
#define THREADS "sequential"
#endif
static const char description[] =
    "{\"protocol\":1,\"name\":\"stuck\",\"version\":\"1\",\"description\":\"Never returns.\","
    "\"kind\":{\"command\":{\"extends\":[\"run\"]}},"
    "\"dispatchers\":[{\"name\":\"main\",\"threads\":\"" THREADS "\",\"messages\":[\"TEST_CASE_FINISHED\"]}]}";
static volatile int is_stuck;
static int is_child(void) {
    char line[4096];
    int file = open("/proc/self/cmdline", O_RDONLY);
    ssize_t length = read(file, line, sizeof line);
    close(file);
    return length > 0 && memmem(line, (size_t)length, "probe-plugin", strlen("probe-plugin")) != NULL;
}
static void stuck_in(const char *function) {
    if (strcmp(function, STUCK_IN) != 0 || is_child()) return;
#ifdef ONLY_WITH
    if (access(ONLY_WITH, F_OK) != 0) return;
#endif
    is_stuck = 1;
    while (is_stuck) pause();
}
__attribute__((constructor)) static void opened(void) { stuck_in("constructor"); }
__attribute__((destructor)) static void ended(void) { while (is_stuck) pause(); }
static int32_t describe(struct zaf_buffer *to) {
    stuck_in("describe");
    to->data = (uint8_t *)description;
    to->length = sizeof description - 1;
    return ZAF_OK;
}
static int32_t start(const struct zaf_host_v1 *host, struct zaf_bytes config, void **instance, struct zaf_buffer *error) {
    (void)config; (void)error;
    stuck_in("start");
    *instance = (void *)host;
    return ZAF_OK;
}
static int32_t message(void *instance, const struct zaf_message *message, struct zaf_buffer *answer) {
    (void)instance; (void)message; (void)answer;
    stuck_in("message");
    return ZAF_OK;
}
static int32_t stop(void *instance, struct zaf_buffer *error) {
    (void)instance; (void)error;
    return ZAF_OK;
}
const struct zaf_plugin_v1 zaf_plugin_v1 = {
    .abi = ZAF_ABI, .size = sizeof(struct zaf_plugin_v1),
    .describe = describe, .start = start, .message = message, .stop = stop,
};
"#;

/// A session with one case and that library; none where there is no compiler.
fn stuck(function: &str) -> Option<Session> {
    let session = Session::new();
    session.script("suite/case", "exit 0");
    let function = format!("-DSTUCK_IN=\"{function}\"");
    library(&session, "plugins/one", STUCK, &[&function]).then_some(session)
}

/// It runs on as long as the application does, and not longer.
#[test]
fn a_library_that_hangs_in_the_application_only_is_given_up_before_any_case() {
    std::thread::scope(|scope| {
        for (function, expected) in [
            (
                "describe",
                "plugins/one/plugin.so`, asked what it is: did not return within 5s",
            ),
            (
                "start",
                "plugin `stuck`, when it was started: did not return within 10s",
            ),
        ] {
            scope.spawn(move || {
                let Some(session) = stuck(function) else {
                    return;
                };
                let ended = run_suite(&session, &[]);
                let behind = "a library cannot be ended: it is left behind and not called again";
                assert_ended(&ended, 7, &[expected, behind]);
                assert!(!session.latest().exists(), "nothing was run: {ended:?}");
                assert_nothing_runs(&session);
                // What it is, it says to the one that hangs in its start.
                let ended = session.zk2(&["trust", "plugins/one"]);
                if function == "start" {
                    assert_ended(&ended, 0, &[]);
                } else {
                    assert_ended(&ended, 7, &[expected]);
                }
                assert_nothing_runs(&session);
            });
        }
    });
}

/// What is said of a constructor that hangs in the application: once, and nothing else.
fn assert_not_opened(session: &Session, arguments: &[&str], plugin: &str) {
    let ended = session.zk2(&[arguments, &["--extension-init-timeout", "2s"]].concat());
    let file = session.path().canonicalize().unwrap();
    let file = file.join("plugins/one/plugin.so");
    let expected = format!(
        "error: plugin {plugin}, when it was loaded: its constructors did not return within 2s
  caused by: they hold the lock of the system's loader, without which nothing in this program can go on: it ends
  hint: --extension-init-timeout gives them more time; what may take long belongs into `start`, which holds no lock
",
        plugin = plugin.replace("FILE", &file.display().to_string()),
    );
    assert_ended(&ended, 7, &[]);
    assert_eq!((ended.stdout.as_str(), ended.stderr), ("", expected));
    assert!(!session.latest().exists(), "nothing was run");
    assert_nothing_runs(session);
}

/// Nobody else could end it: it holds what a thread needs to begin and to end.
#[test]
fn a_library_whose_constructor_hangs_in_the_application_only_ends_it_within_its_limit() {
    const RUN: &[&str] = &["run", "--plugins-paths", "plugins", "suite"];
    std::thread::scope(|scope| {
        for arguments in [
            RUN,
            &["trust", "plugins/one"],
            &["plugin", "check", "plugins/one"],
        ] {
            scope.spawn(move || {
                if let Some(session) = stuck("constructor") {
                    assert_not_opened(&session, arguments, "`FILE`");
                }
            });
        }
        // One of which it is known what it is.
        scope.spawn(|| {
            let session = Session::new();
            session.script("suite/case", "exit 0");
            let more = ["-DSTUCK_IN=\"constructor\"", "-DONLY_WITH=\"hang\""];
            if library(&session, "plugins/one", STUCK, &more) {
                assert_ended(&session.zk2(&["trust", "plugins/one"]), 0, &[]);
                session.write("hang", "");
                assert_not_opened(&session, RUN, "`stuck` (`FILE`)");
            }
        });
    });
}

#[test]
fn a_library_whose_constructor_hangs_ends_the_application_also_if_nobody_reads_what_is_said() {
    const RUN: &[&str] = &["run", "--plugins-paths", "plugins", "suite"];
    std::thread::scope(|scope| {
        for arguments in [RUN, &["trust", "plugins/one"]] {
            scope.spawn(move || {
                let Some(session) = stuck("constructor") else {
                    return;
                };
                let (_reader, full) = full_pipe();
                let line = [arguments, &["--extension-init-timeout", "1s"]].concat();
                let child = session.command(&line).stderr(full).spawn().unwrap();
                let ended = wait(child);
                assert_eq!(ended.code, Some(7), "{ended:?}");
                assert_nothing_runs(&session);
            });
        }
    });
}

#[test]
fn a_program_that_hangs_when_it_is_described_or_started_is_ended_before_any_case() {
    std::thread::scope(|scope| {
        for (step, expected) in [
            (
                "describe",
                "plugins/one/main.sh`, asked what it is: no answer within 5s; it was ended",
            ),
            (
                "start",
                "plugin `hanging`, when it was started: no answer within 10s; it was ended",
            ),
        ] {
            scope.spawn(move || {
                let branch = format!(r#"    *'"type":"{step}"'*) sleep 1000 & sleep 1000 ;;"#);
                let hanging = Plugin::listening("hanging", &["TEST_CASE_FINISHED"]);
                let session = suite(&hanging.branch(&branch), 1);
                let ended = run_suite(&session, &[]);
                assert_ended(&ended, 7, &[expected]);
                assert!(!session.latest().exists(), "nothing was run: {ended:?}");
                assert_nothing_runs(&session);
            });
        }
    });
}

#[test]
fn an_author_is_told_that_a_library_hangs_or_crashes_and_what_helps() {
    for (begin, happened, helps) in [
        (
            "for (;;) pause();",
            "FAILED: did not return within 5s",
            "fix: return from every function and constructor",
        ),
        (
            "abort();",
            "FAILED: ended by signal 6 (SIGABRT)",
            "fix: open it in a debugger",
        ),
    ] {
        let session = Session::new();
        let source = STUCK.replace("stuck_in(\"constructor\");", begin);
        if !library(&session, "one", &source, &["-DSTUCK_IN=\"nothing\""]) {
            return;
        }
        for path in ["one", "one/plugin.so"] {
            let ended = session.zk2(&["plugin", "check", path]);
            assert_eq!(ended.code, Some(7), "{ended:?}");
            for words in [happened, helps] {
                assert!(ended.stdout.contains(words), "no {words:?} in {ended:?}");
            }
            assert_nothing_runs(&session);
        }
    }
}

#[test]
fn a_library_that_never_returns_is_left_behind_and_the_run_ends_with_its_verdicts() {
    // On the thread of the sender, and on one of the bus.
    for threads in ["callback", "sequential"] {
        let session = Session::new();
        for number in 0..3 {
            session.script(&format!("suite/case{number}"), "exit 0");
        }
        let threads = format!("-DTHREADS=\"{threads}\"");
        let function = "-DSTUCK_IN=\"message\"";
        if !library(&session, "plugins/one", STUCK, &[&threads, function]) {
            return;
        }
        let ended = run_suite(&session, &["--plugins-timeout", "300ms"]);
        assert_ended(
            &ended,
            7,
            &[
                "plugin `stuck`, given `TEST_CASE_FINISHED`: did not return within 300ms",
                "a library cannot be ended: it is left behind and not called again",
                "plugin `stuck` was given up",
            ],
        );
        // Nothing waits for it at the end, and nothing starts it again.
        for word in ["still busy", "was not destroyed", "is started again"] {
            assert!(!ended.stderr.contains(word), "{ended:?}");
        }
        let verdicts = session.verdicts();
        assert_eq!(verdicts.len(), 3);
        assert!(verdicts.values().all(|verdict| verdict == "passed"));
        assert!(session.latest().join("report.txt").exists(), "{ended:?}");
        assert_nothing_runs(&session);
    }
}

#[test]
fn a_plugin_that_goes_on_when_its_input_has_ended_does_not_outlive_a_runner_that_is_killed() {
    // On the thread of the sender: it is as it is when the case begins.
    let dispatchers = json!([
        {"name": "note", "messages": ["TEST_RUN_STARTED"], "threads": "callback"},
    ]);
    let stubborn = Plugin::listening("stubborn", &[])
        .with("dispatchers", dispatchers)
        .branch(
            r#"    *'"message":"TEST_RUN_STARTED"'*)
      trap '' TERM HUP INT PIPE
      echo "$$" >> "$HOME/pids"
      echo "{\"type\":\"done\",\"id\":$id}"
      while :; do sleep 1000; done ;;"#,
        );
    let session = with(&stubborn);
    session.script("waits.sh", "echo > ready; sleep 1000");
    let command = session.command(&["run", "waits.sh", "--plugins-paths", "plugins"]);
    let guarded = Guarded::start(session, command);
    kill_process(guarded.runner, Signal::KILL).unwrap();
    let (session, ended) = guarded.end();
    assert_ne!(ended.code, Some(0), "{ended:?}");
    let pids = fs::read_to_string(session.path().join("../pids")).unwrap();
    assert_eq!(pids.lines().count(), 1);
    assert_nothing_runs(&session);
}
