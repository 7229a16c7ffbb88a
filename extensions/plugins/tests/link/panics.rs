//! A panic of what the host does for a plugin ends the plugin and is told to everybody who waits for it; it never leaves them waiting.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use zaf_core::message::{EncodedMessage, EncodedReply};
use zaf_plugins::link::{
    CallError, Calls, Link, LinkError, LinkProblem, LogLevel, ProcessLink, Start,
};

use crate::host::{ask, tell};
use crate::scripted::{START, Scripted, plugin_with};

/// A host that panics whatever it is asked for: by the thread that reads, by the one that waits for an answer, by the one for calls.
struct Panics;

impl Calls for Panics {
    fn trigger(&self, _: &EncodedMessage) -> Result<(), CallError> {
        panic!("nothing is triggered")
    }

    fn send(
        &self,
        _: &EncodedMessage,
        _: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        panic!("nothing is sent")
    }

    fn log(&self, _: LogLevel, text: &str) {
        panic!("no room in the log for {text:?}")
    }
}

/// A plugin that takes several messages at once, begins, leaves a child in its group, and then does this; and its link, with that host.
fn started(script: &str) -> (Scripted, ProcessLink) {
    let child = "sleep 1000 > /dev/null 2>&1 < /dev/null & echo $! > \"${0%/*}/child\"";
    let script = format!("trap '' TERM; {child}\n{START}{script}\nwhile :; do wait; done");
    let plugin = plugin_with(",\"concurrent\":true", &script);
    let link = plugin.launch().unwrap();
    link.start(&Start::default(), Arc::new(Panics)).unwrap();
    (plugin, link)
}

fn assert_is_panic(error: &LinkError, text: &str) {
    let expected = format!("what this program does for it panicked: {text}; it was ended");
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(
        matches!(*error.problem, LinkProblem::HostPanicked { .. }) && error.is_fatal(),
        "{error}"
    );
}

/// The plugin and what it has started are gone, and whoever comes is told why.
fn assert_is_gone(plugin: &Scripted, link: &ProcessLink, text: &str) {
    assert_is_panic(&tell(link, "1").unwrap_err(), text);
    assert_is_panic(&link.stop().unwrap_err(), text);
    let child = fs::read_to_string(plugin.folder.path().join("child")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
    assert!(state.is_none_or(|rest| rest.starts_with('Z')), "{stat}");
}

#[test]
fn a_panic_of_the_thread_that_reads_is_told_to_all_who_wait_for_an_answer() {
    let (plugin, link) = started("read -r one; read -r two; echo lost >&2");
    let text = "no room in the log for \"lost\"";
    std::thread::scope(|scope| {
        let other = scope.spawn(|| ask(&link, "1").unwrap_err());
        assert_is_panic(&ask(&link, "2").unwrap_err(), text);
        assert_is_panic(&other.join().unwrap(), text);
    });
    assert_is_gone(&plugin, &link, text);
}

#[test]
fn a_panic_of_the_thread_that_reads_does_not_keep_a_stop_waiting() {
    let (plugin, link) = started("echo lost >&2");
    let text = "no room in the log for \"lost\"";
    assert_is_panic(&link.stop().unwrap_err(), text);
    assert_is_panic(&tell(&link, "1").unwrap_err(), text);
    drop(plugin);
}

#[test]
fn a_panic_over_a_frame_ends_the_plugin_whoever_reads_it() {
    let log = r#"echo '{"type":"log","text":"read"}'"#;
    let text = "no room in the log for \"read\"";
    // By who waits for an answer, and by the thread of the link.
    for script in [format!("read -r asked; {log}"), log.to_owned()] {
        let (plugin, link) = started(&script);
        assert_is_panic(&ask(&link, "1").unwrap_err(), text);
        assert_is_gone(&plugin, &link, text);
    }
}

#[test]
fn a_panic_over_a_call_ends_the_plugin_which_would_wait_for_its_answer() {
    let unasked = r#"echo '{"type":"trigger","id":1,"message":"M","endpoint":"e"}'"#;
    let during = r#"read -r asked; echo '{"type":"send","id":1,"during":3,"message":"R"}'"#;
    for (script, text) in [
        (unasked, "nothing is triggered"),
        (during, "nothing is sent"),
    ] {
        let (plugin, link) = started(script);
        assert_is_panic(&ask(&link, "1").unwrap_err(), text);
        assert_is_gone(&plugin, &link, text);
    }
}

#[test]
fn a_panic_over_the_last_words_of_a_plugin_is_told_with_its_end() {
    let (plugin, link) =
        started("kill $(cat \"${0%/*}/child\"); read -r asked; printf last >&2; exit 3");
    let text = "no room in the log for \"last\"";
    assert_is_panic(&ask(&link, "1").unwrap_err(), text);
    assert_is_gone(&plugin, &link, text);
}
