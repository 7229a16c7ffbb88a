//! Programs on standard input and output.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use zaf_plugins::link::{
    CallError, Calls, Launch, Link, LinkError, LinkProblem, LogLevel, ProcessLink, Start,
};
use zaf_plugins::protocol::{FromPlugin, binary};

use crate::host::{Asked, ask, host, host_with, tell};
use crate::scripted::{SHORT, START, STOP, plugin, plugin_with, raw, started};

const WAIT: Duration = Duration::from_mins(1);

fn is_running(pid: i32) -> bool {
    // A zombie that nobody has waited for is gone as well.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_plugin_says_what_it_is_begins_handles_messages_and_ends() {
    let scripted = plugin(&format!(
        r#"read -r start; echo "$start" > "${{0%/*}}/start"; echo '{{"type":"done","id":2}}'
        read -r event; echo "$event" > "${{0%/*}}/event"; echo '{{"type":"done","id":3}}'
        read -r request; echo '{{"type":"reply","id":4,"payload":{{"sum":3}}}}'
        {STOP}"#
    ));
    let link = scripted.launch().unwrap();
    assert_eq!(link.description().name, "scripted");
    assert_eq!(link.description().dispatchers[0].messages, ["EVENT", "ASK"]);
    let start = Start {
        config: BTreeMap::from([("my.value".to_owned(), 5.into())]),
        entity: Some("one".to_owned()),
    };
    link.start(&start, host().0).unwrap();
    tell(&link, "{\n \"a\": 1 }").unwrap();
    assert_eq!(ask(&link, "[1,2]").unwrap(), r#"{"sum":3}"#);
    link.stop().unwrap();
    link.stop().unwrap();

    let read = |name| fs::read_to_string(scripted.folder.path().join(name)).unwrap();
    assert_eq!(
        read("start"),
        "{\"type\":\"start\",\"id\":2,\"config\":{\"my.value\":5},\"entity\":\"one\"}\n"
    );
    assert_eq!(
        read("event"),
        "{\"type\":\"event\",\"id\":3,\"dispatcher\":\"main\",\"message\":\"EVENT\",\"endpoint\":\"endpoint\",\"payload\":{  \"a\": 1 }}\n"
    );
}

#[test]
fn a_plugin_that_exits_is_reported_with_its_code_and_its_last_words_and_stays_gone() {
    let (link, kept) = started("read -r event; echo 'no disk' >&2; exit 3");
    let error = tell(&link, "1").unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::Exited { code: 3 }),
        "{error}"
    );
    assert!(error.is_fatal());
    let expected = "plugin `scripted`, given `EVENT`: ended with exit code 3; the last lines of its standard error:\n  no disk";
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        kept.logged.recv_timeout(WAIT).unwrap(),
        (LogLevel::Info, "no disk".to_owned())
    );
    let again = ask(&link, "1").unwrap_err();
    assert!(Arc::ptr_eq(&again.problem, &error.problem));
    assert!(link.stop().is_err());
}

#[test]
fn a_plugin_that_crashes_is_reported_with_its_signal() {
    let (link, _kept) = started("read -r event; kill -SEGV $$");
    let error = tell(&link, "1").unwrap_err();
    assert!(
        error.to_string().contains("ended by signal 11 (SIGSEGV)"),
        "{error}"
    );
}

#[test]
fn a_plugin_that_hangs_is_ended_with_what_it_started() {
    let mut scripted = plugin(&format!(
        "{START}read -r event; sleep 1000 & echo $! > \"${{0%/*}}/child\"; wait"
    ));
    scripted.launch.deadlines.deliver = SHORT;
    let (link, _kept) = scripted.start();
    let error = tell(&link, "1").unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::TimedOut { after: SHORT }),
        "{error}"
    );
    // It may have been ended before it came to start something.
    if let Ok(child) = fs::read_to_string(scripted.folder.path().join("child"))
        && let Ok(child) = child.trim().parse()
    {
        assert!(!is_running(child), "{child} was left behind");
    }
}

#[test]
fn what_a_plugin_leaves_in_its_group_when_it_ends_is_ended() {
    let scripted = plugin(&format!(
        "{START}sleep 1000 > /dev/null 2>&1 < /dev/null & echo $! > \"${{0%/*}}/child\"\n{STOP}"
    ));
    let (link, _kept) = scripted.start();
    link.stop().unwrap();
    let child = fs::read_to_string(scripted.folder.path().join("child")).unwrap();
    assert!(!is_running(child.trim().parse().unwrap()));
}

#[test]
fn garbage_ends_a_plugin_and_is_shown() {
    for (script, expected) in [
        (
            "echo 'Segmentation \u{1b}[31mfault'",
            "not a JSON object with the fields of a frame: expected value at column 1: Segmentation \\u{1b}[31mfault",
        ),
        ("echo '{}'", "the field `type` is missing"),
        (
            r#"echo '{"type":"dnoe","id":3}'"#,
            "no frame is of type `dnoe`; there are `description`, `done`",
        ),
        (
            r#"echo '{"type":"done"}'"#,
            "a frame of type `done` needs the field `id`",
        ),
        (r"printf '\377\376\n'", "not a JSON object"),
        (
            "head -c 2000000 /dev/zero",
            "but at most 1048576 are allowed",
        ),
        (
            r"head -c 100 /dev/zero | tr '\0' '['; echo",
            "more than 64 objects and lists in one another, at byte 64",
        ),
        (
            r#"printf '{"type":"'; head -c 70000 /dev/zero | tr '\0' x; echo '"}'"#,
            "a string of 70000 bytes at byte 8, but at most 65536 are allowed",
        ),
    ] {
        let (link, _kept) = started(&format!("read -r event; {script}; sleep 1000"));
        let error = tell(&link, "1").unwrap_err();
        assert!(
            matches!(*error.problem, LinkProblem::Garbage { .. }),
            "{script}: {error}"
        );
        assert!(error.to_string().contains(expected), "{script}: {error}");
    }
}

#[test]
fn garbage_is_told_with_its_line() {
    let wrong = r#"echo '{"type":"dnoe","id":3}'"#;
    let log = r#"echo '{"type":"log","level":"info","text":"on"}'"#;
    for (script, line) in [
        // After the description and the answer to `start`.
        (wrong.to_owned(), 3),
        (format!("{log}; {log}; {wrong}; {wrong}"), 5),
        (
            format!(r#"{log}; echo '{{"type":"done","id":9}}'; {wrong}"#),
            4,
        ),
    ] {
        let (link, _kept) = started(&format!("read -r event; ({script}) | cat; sleep 1000"));
        let error = tell(&link, "1").unwrap_err().to_string();
        let expected = format!("(line {line} of what it wrote)");
        assert!(error.contains(&expected), "{script}: {error}");
    }
}

#[test]
fn garbage_in_binary_is_told_with_its_frame_and_byte() {
    let description = r#"{"type":"description","id":1,"plugin":{"protocol":1,"name":"scripted","version":"1","description":"A test.","codec":"binary","kind":{"command":{"extends":["run"]}}}}"#;
    let scripted = raw(&format!(
        "read -r describe\necho '{description}'\nhead -c 4 > /dev/null\ncat \"${{0%/*}}/frames\"\nsleep 1000"
    ));
    let log = FromPlugin::Log {
        level: LogLevel::Info,
        text: "on".to_owned(),
    };
    let mut frames = Vec::new();
    binary::write_from_plugin(&log, &mut frames).unwrap();
    let length = frames.len();
    binary::write_from_plugin(&FromPlugin::Stopped { id: 9 }, &mut frames).unwrap();
    // The type of the second one.
    frames[length + binary::LENGTH] = 255;
    fs::write(scripted.folder.path().join("frames"), frames).unwrap();
    let link = scripted.launch().unwrap();
    let (host, _kept) = host();
    let error = link.start(&Start::default(), host).unwrap_err();
    let byte = description.len() + 1 + length;
    let expected = format!(
        "wrote what is not the protocol (frame 3 of what it wrote, at byte {byte}): no frame is of type `255`"
    );
    assert!(error.to_string().contains(&expected), "{error}");
}

#[test]
fn frames_that_do_not_belong_there_end_a_plugin() {
    for (answer, expected) in [
        (
            r#"{"type":"reply","id":3,"payload":1}"#,
            "a `reply` where done was expected",
        ),
        (
            r#"{"type":"done","id":9}"#,
            "it answers id 9, which the host has not used",
        ),
    ] {
        let (link, _kept) = started(&format!("read -r event; echo '{answer}'; sleep 1000"));
        let error = tell(&link, "1").unwrap_err();
        assert!(
            matches!(*error.problem, LinkProblem::OutOfOrder { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(expected), "{error}");
    }
    let early =
        raw(r#"read -r d; echo '{"type":"trigger","message":"M","endpoint":"e"}'; sleep 1000"#);
    let error = early.launch().unwrap_err().to_string();
    assert!(
        error.contains("it calls the host before it was started"),
        "{error}"
    );
}

fn launch_error(script: &str) -> LinkError {
    raw(script).launch().unwrap_err()
}

#[test]
fn what_is_no_plugin_is_refused_by_name() {
    let missing = ProcessLink::launch(&Launch::new("/nowhere/plugin")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("plugin `/nowhere/plugin`, when it was loaded: could not be started"),
        "{missing}"
    );
    assert!(matches!(*missing.problem, LinkProblem::Spawn(_)));

    let error = launch_error("exit 0");
    assert!(
        error
            .to_string()
            .contains("asked what it is: ended with exit code 0"),
        "{error}"
    );
    let error = launch_error("echo 'usage: plugin FILE'; exit 2");
    assert!(
        error.to_string().contains("wrote what is not the protocol"),
        "{error}"
    );

    let mut silent = raw("sleep 1000");
    silent.launch.deadlines.describe = SHORT;
    let error = silent.launch().unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::TimedOut { .. }),
        "{error}"
    );
}

#[test]
fn a_plugin_that_closes_its_output_and_lives_on_is_ended() {
    let mut scripted = raw("read -r d; exec >&-; sleep 1000");
    scripted.launch.deadlines.stop = SHORT;
    let error = scripted.launch().unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::ClosedOutput {}),
        "{error}"
    );
}

#[test]
fn another_version_of_the_protocol_is_refused_whatever_else_it_says() {
    let error = launch_error(
        r#"read -r d; echo '{"type":"description","id":1,"plugin":{"protocol":2,"names":["x"]}}'; sleep 1000"#,
    );
    assert!(
        matches!(
            *error.problem,
            LinkProblem::OtherProtocol {
                found: 2,
                expected: 1
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("speaks version 2 of the plugin protocol, this program speaks version 1"),
        "{error}"
    );
}

#[test]
fn a_wrong_description_is_refused_with_all_that_is_wrong() {
    let error = launch_error(
        r#"read -r d; echo '{"type":"description","id":1,"plugin":{"protocol":1,"name":"my plugin","version":"","description":"x","kind":{"framework":{"load_order":5}},"dispatchers":[{"name":"d","messages":[]}]}}'; sleep 1000"#,
    );
    let LinkProblem::Description { problems } = &*error.problem else {
        panic!("{error}");
    };
    assert_eq!(problems.len(), 4, "{problems:#?}");
    assert!(
        error
            .to_string()
            .contains("`kind.framework.load_order`: 5 is not 11 to 1000"),
        "{error}"
    );
    let error = launch_error(
        r#"read -r d; echo '{"type":"description","id":1,"plugin":{"protocol":1,"name":"x"}}'; sleep 1000"#,
    );
    assert!(
        error.to_string().contains("missing field `version`"),
        "{error}"
    );
}

#[test]
fn an_error_of_a_handler_is_its_answer_and_the_plugin_goes_on() {
    let (link, _kept) = started(
        r#"read -r event; echo '{"type":"error","id":3,"text":"no disk","causes":["E5"]}'
        read -r request; echo '{"type":"reply","id":4,"payload":1,"unknown":true}'
        sleep 1000"#,
    );
    let error = tell(&link, "1").unwrap_err();
    assert!(!error.is_fatal());
    assert_eq!(
        error.to_string(),
        "plugin `scripted`, given `EVENT`: no disk"
    );
    assert_eq!(ask(&link, "1").unwrap(), "1");
}

#[test]
fn a_payload_that_is_too_long_is_refused_and_the_plugin_goes_on() {
    let (link, _kept) =
        started(r#"read -r request; echo '{"type":"reply","id":4,"payload":1}'; sleep 1000"#);
    let error = tell(&link, &format!("\"{}\"", "x".repeat(1 << 20))).unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::Frame(_)) && !error.is_fatal(),
        "{error}"
    );
    assert_eq!(ask(&link, "1").unwrap(), "1");
}

#[test]
fn calls_on_behalf_of_a_message_are_made_by_the_thread_that_waits_for_it() {
    let scripted = plugin(&format!(
        r#"{START}read -r event
        echo '{{"type":"trigger","id":1,"during":3,"message":"M","endpoint":"e","entity":"one","payload":[1]}}'
        read -r answer; echo "$answer" > "${{0%/*}}/answers"
        echo '{{"type":"send","id":2,"during":3,"message":"R","timeout_ms":1500}}'
        read -r answer; echo "$answer" >> "${{0%/*}}/answers"
        echo '{{"type":"send","id":3,"during":3,"message":"UNKNOWN"}}'
        read -r answer; echo "$answer" >> "${{0%/*}}/answers"
        echo '{{"type":"done","id":3}}'
        {STOP}"#
    ));
    let link = scripted.launch().unwrap();
    let this = std::thread::current().id();
    let (host, kept) = host_with(move |_| {
        assert_eq!(std::thread::current().id(), this);
        Ok(())
    });
    link.start(&Start::default(), host).unwrap();
    tell(&link, "1").unwrap();
    link.stop().unwrap();

    let triggered = zaf_core::message::EncodedMessage::new("M", crate::host::json("[1]"));
    let triggered = triggered.at("e").about("one");
    let asked: Vec<_> = kept.asked.try_iter().collect();
    let sent = |name: &'static str| {
        zaf_core::message::EncodedMessage::new(name, crate::host::json("null"))
    };
    assert_eq!(
        asked,
        [
            Asked::Trigger(triggered),
            Asked::Send(sent("R"), Some(Duration::from_millis(1500))),
            Asked::Send(sent("UNKNOWN"), None),
        ]
    );
    let answers = fs::read_to_string(scripted.folder.path().join("answers")).unwrap();
    let expected = r#"{"type":"done","id":1}
{"type":"replies","id":2,"replies":[{"handler":"answerer","payload":42},{"handler":"other","error":{"code":"abandoned","text":"never answered"}}]}
{"type":"error","id":3,"code":"unknown-message","text":"message `UNKNOWN` is not defined"}
"#;
    assert_eq!(answers, expected);
}

#[test]
fn calls_on_nobodys_behalf_are_made_in_their_order_and_failures_are_logged() {
    let scripted = plugin(&format!(
        r#"{START}for number in 1 2 3; do
            echo "{{\"type\":\"trigger\",\"message\":\"M\",\"endpoint\":\"e\",\"payload\":$number}}"
        done
        echo '{{"type":"log","level":"warn","text":"hello"}}'
        {STOP}"#
    ));
    let link = scripted.launch().unwrap();
    let (host, kept) = host_with(|event| match event.payload().bytes() {
        b"2" => Err(CallError::new("no-receiver", "nobody listens")),
        _ => Ok(()),
    });
    link.start(&Start::default(), host).unwrap();
    for number in ["1", "2", "3"] {
        let Asked::Trigger(event) = kept.asked.recv_timeout(WAIT).unwrap() else {
            panic!("a request");
        };
        assert_eq!(event.payload().bytes(), number.as_bytes());
    }
    link.stop().unwrap();
    let mut logged: Vec<_> = kept.logged.try_iter().collect();
    logged.sort();
    let failed = "`M` could not be triggered: nobody listens".to_owned();
    assert_eq!(
        logged,
        [
            (LogLevel::Warn, "hello".to_owned()),
            (LogLevel::Error, failed)
        ]
    );
}

#[test]
fn a_plugin_that_takes_one_message_at_a_time_is_never_given_two() {
    let scripted = plugin(&format!(
        r#"{START}read -r event
        echo '{{"type":"trigger","id":1,"during":3,"message":"M","endpoint":"e"}}'
        read -r answer; echo '{{"type":"done","id":3}}'
        {STOP}"#
    ));
    let link: Arc<ProcessLink> = Arc::new(scripted.launch().unwrap());
    // The event of the plugin comes back to the plugin.
    let back = Arc::downgrade(&link);
    let (host, _kept) = host_with(move |_| {
        let error = tell(&*back.upgrade().unwrap(), "2").unwrap_err();
        assert!(matches!(*error.problem, LinkProblem::Busy {}), "{error}");
        Ok(())
    });
    let calls: Arc<dyn Calls> = host;
    link.start(&Start::default(), calls).unwrap();
    tell(&*link, "1").unwrap();
    link.stop().unwrap();
}

#[test]
fn a_concurrent_plugin_gets_several_messages_and_answers_in_its_own_order() {
    let scripted = plugin_with(
        r#","concurrent":true"#,
        &format!(
            r#"{START}read -r first; read -r second
            echo '{{"type":"reply","id":4,"payload":"second"}}'
            echo '{{"type":"reply","id":3,"payload":"first"}}'
            {STOP}"#
        ),
    );
    let (link, _kept) = scripted.start();
    let answers = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| ask(&link, "1").unwrap()));
        both.map(|thread| thread.join().unwrap())
    });
    let mut answers = answers.to_vec();
    answers.sort();
    assert_eq!(answers, ["\"first\"", "\"second\""]);
    link.stop().unwrap();
}

#[test]
fn a_plugin_that_does_not_read_is_ended() {
    let mut scripted = plugin_with(r#","concurrent":true"#, &format!("{START}sleep 1000"));
    scripted.launch.deadlines.deliver = SHORT;
    let (link, _kept) = scripted.start();
    let long = format!("\"{}\"", "x".repeat(500_000));
    let error = tell(&link, &long).unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::DoesNotRead { .. }),
        "{error}"
    );
}

#[test]
fn a_plugin_that_does_not_stop_is_told_to_and_then_ended() {
    let mut obedient = plugin(&format!(
        "{START}trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"
    ));
    // Twice: until it is told to, and for that. A shell on a busy machine needs some of it.
    obedient.launch.deadlines.stop = Duration::from_secs(2);
    let (link, _kept) = obedient.start();
    link.stop().unwrap();

    let mut stubborn = plugin(&format!(
        "trap '' TERM\n{START}while :; do sleep 1000 & wait; done"
    ));
    stubborn.launch.deadlines.stop = SHORT;
    let (link, _kept) = stubborn.start();
    let error = link.stop().unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::TimedOut { .. }),
        "{error}"
    );
}

#[test]
fn a_plugin_that_ends_with_an_error_when_stopped_is_reported() {
    let (link, _kept) = started(&format!("{STOP}echo 'lost data' >&2; exit 4"));
    let error = link.stop().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("plugin `scripted`, when it was stopped: ended with exit code 4"),
        "{error}"
    );
    assert_eq!(error.stderr, ["lost data"]);
    link.stop().unwrap();
    assert!(matches!(
        *tell(&link, "1").unwrap_err().problem,
        LinkProblem::Exited { code: 4 }
    ));
}

#[test]
fn a_link_that_is_dropped_leaves_nothing() {
    let scripted = plugin(&format!(
        "{START}sleep 1000 & echo $$ $! > \"${{0%/*}}/pids\"; echo '{{\"type\":\"log\",\"text\":\"ready\"}}'; wait"
    ));
    let (link, kept) = scripted.start();
    assert_eq!(kept.logged.recv_timeout(WAIT).unwrap().1, "ready");
    drop(link);
    let pids = fs::read_to_string(scripted.folder.path().join("pids")).unwrap();
    for pid in pids.split_whitespace() {
        assert!(!is_running(pid.parse().unwrap()), "{pid} was left behind");
    }
}

#[test]
fn the_file_that_was_opened_is_what_runs() {
    let mut scripted = plugin(&format!("{START}{STOP}"));
    let opened = fs::File::open(&scripted.launch.file).unwrap();
    scripted.launch.opened = Some(Arc::new(opened.into()));
    let other = scripted.folder.path().join("other");
    fs::write(&other, "#!/bin/sh\nexit 9\n").unwrap();
    fs::rename(&other, &scripted.launch.file).unwrap();
    let (link, _kept) = scripted.start();
    link.stop().unwrap();
}
