//! Broken extensions are reported and stop none of the commands that show what there is.

use std::sync::LazyLock;

use crossbeam_channel::{Receiver, Sender};
use serde_json::Value;
use zaf_core::Result;
use zaf_core::extension::{
    Extends, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::{Dispatcher, MessageBus};
use zaf_core::prelude::Error;

use super::kitchen::{Cook, extending, house, run_wide};
use super::recorder::describe;

const COMMANDS: [&[&str]; 9] = [
    &["commands"],
    &["components"],
    &["config"],
    &["config", "--explain", "log.level"],
    &["endpoints"],
    &["extensions"],
    &["messages"],
    &["plugins"],
    &["why", "broken"],
];

struct Fails;

impl Extension for Fails {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Err(Error::msg("no gas").hint("call the works"))
    }
}

struct Panics;

impl Extension for Panics {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn register_dispatchers(self: std::sync::Arc<Self>, _: &MessageBus) -> Result<Vec<Dispatcher>> {
        panic!("burnt")
    }
}

const FAILS: ExtensionDescriptor = describe::<Fails>("broken", &[], &[]);
const PANICS: ExtensionDescriptor = describe::<Panics>("broken", &[], &[]);
/// So wrong that the application does not take it at all.
const REFUSED: ExtensionDescriptor = extending::<90>("broken", &[]);
/// Extends the commands that show what there is.
const OF_INSPECTION: ExtensionDescriptor = ExtensionDescriptor {
    kind: ExtensionKind::Command {
        extends: &[Extends::Capability("inspection")],
    },
    ..FAILS
};

#[test]
fn c1_a_broken_extension_stops_none_of_the_commands_that_show_what_there_is() {
    for (broken, text) in [
        (
            FAILS,
            "failed in `new`\n  caused by: no gas\n  hint: call the works\n",
        ),
        (PANICS, "panicked in `register_dispatchers`: burnt"),
        (REFUSED, "extends nothing"),
        (OF_INSPECTION, "failed in `new`\n  caused by: no gas"),
    ] {
        for line in COMMANDS {
            let (code, stdout, stderr) = run_wide(house([broken]), 80, line);
            assert_eq!(code, 0, "{line:?}: {stderr}");
            assert!(!stdout.is_empty(), "{line:?}");
            assert!(stderr.starts_with("error: extension `broken`"), "{stderr}");
            assert_eq!(stderr.matches(text).count(), 1, "{line:?}: {stderr}");
        }
        // All others it does stop.
        let (code, _, stderr) = run_wide(house([broken]), 80, &["noop"]);
        let stops_noop = !matches!(broken.kind, ExtensionKind::Command { extends: [_] });
        assert_eq!(code, if stops_noop { 7 } else { 0 }, "{stderr}");
    }
}

/// Nobody ever sends anything to it.
static NEVER: LazyLock<(Sender<()>, Receiver<()>)> =
    LazyLock::new(|| crossbeam_channel::bounded(0));

struct Hangs;

impl Extension for Hangs {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        NEVER.1.recv()?;
        Ok(Self)
    }
}

const HANGS: ExtensionDescriptor = describe::<Hangs>("broken", &[], &[]);

#[test]
fn c3_an_extension_that_hangs_stops_the_command_and_not_those_that_show_what_there_is() {
    // Long enough for extensions that do not hang.
    let limit = ["--extension-init-timeout", "1s"];
    let run = |line: &[&str]| run_wide(house([HANGS]), 80, &[line, &limit].concat());
    let (code, _, stderr) = run(&["noop"]);
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("extension `broken`"), "{stderr}");
    assert!(
        stderr.contains("is still in `new` after 1000 ms"),
        "{stderr}"
    );
    assert!(
        stderr.contains("hint: it is left behind; --extension-init-timeout"),
        "{stderr}"
    );

    let (code, stdout, stderr) = run(&["extensions", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let list: Value = serde_json::from_str(&stdout).expect("JSON");
    let rows = list["extensions"].as_array().expect("a list");
    let broken = rows
        .iter()
        .find(|row| row["name"] == "broken")
        .expect("a row");
    assert_eq!(broken["state"], "failed");
    let reason = broken["reason"].as_str().expect("a reason");
    assert!(reason.contains("is still in `new`"), "{reason}");
    let (code, stdout, stderr) = run(&["--help"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("noop") || stdout.contains("cook"),
        "{stdout}"
    );
}

#[test]
fn a_broken_extension_is_listed_as_failed_with_the_reason() {
    for (broken, kind, order) in [
        (FAILS, "framework", Value::from(200)),
        (REFUSED, "unknown", Value::Null),
    ] {
        let (_, stdout, _) = run_wide(house([broken]), 80, &["extensions", "--format", "json"]);
        let list: Value = serde_json::from_str(&stdout).expect("JSON");
        let rows = list["extensions"].as_array().expect("rows");
        let row = rows
            .iter()
            .find(|row| row["name"] == "broken")
            .expect("a row");
        assert_eq!(row["state"], "failed");
        assert_eq!(row["kind"], kind);
        assert_eq!(row["order"], order);
        let reason = row["reason"].as_str().expect("a reason");
        assert!(reason.contains("extension `broken`"), "{reason}");
        assert_eq!(list["problems"][0], row["reason"]);
        assert_eq!(
            rows.iter().filter(|row| row["state"] == "failed").count(),
            1
        );

        let (_, stdout, _) = run_wide(house([broken]), 80, &["plugins"]);
        assert!(
            stdout.contains("broken") && stdout.contains("  failed  "),
            "{stdout}"
        );
        let (_, stdout, _) = run_wide(house([broken]), 120, &["extensions"]);
        assert!(
            stdout
                .lines()
                .any(|line| line.contains(" broken ") && line.contains(" failed ")),
            "{stdout}"
        );
    }
}

#[test]
fn two_extensions_that_contradict_each_other_are_reported_and_the_rest_is_shown() {
    let twin = ExtensionDescriptor {
        endpoints_and_messages: super::kitchen::KITCHEN_EXTENSION.endpoints_and_messages,
        ..describe::<Cook<91>>("twin", &[], &[])
    };
    let (code, stdout, stderr) = run_wide(house([twin]), 80, &["endpoints"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("kitchen-of-the-house"), "{stdout}");
    assert!(
        stderr.contains("endpoint `hall` is defined twice"),
        "{stderr}"
    );
    let (code, _, _) = run_wide(house([twin]), 80, &["noop"]);
    assert_eq!(code, 2);
}

#[test]
fn what_was_typed_or_configured_wrongly_stops_these_commands_too() {
    for line in [
        &["extensions", "--output-dri", "x"][..],
        &["extensions", "--format", "xml"],
        &["extnsions"],
    ] {
        let (code, stdout, stderr) = run_wide(house([FAILS]), 80, line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{line:?}: {stderr}");
    }
}

#[test]
fn help_is_shown_although_an_extension_is_broken() {
    for broken in [FAILS, PANICS, REFUSED] {
        let (code, stdout, stderr) = run_wide(house([broken]), 80, &["--help"]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains("plugins"), "{stdout}");
    }
}
