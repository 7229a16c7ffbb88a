//! Processes that are hard to recognise as left behind.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use crate::session::Session;

/// A process of two threads of which the first ends: the state that the system shows is that of the first.
const FIRST_THREAD_ENDS: &str = r"
#include <pthread.h>
#include <unistd.h>
static void *wait_on(void *nothing) { for (;;) pause(); return nothing; }
int main(void) {
    pthread_t thread;
    setsid();
    if (pthread_create(&thread, 0, wait_on, 0)) return 1;
    pthread_exit(0);
}
";

#[test]
fn e5_a_process_whose_first_thread_has_ended_is_found_and_killed() {
    let session = Session::new();
    session.write("lives.c", FIRST_THREAD_ENDS);
    let compiler = Command::new("cc")
        .args(["-pthread", "-o", "lives", "lives.c"])
        .current_dir(session.path())
        .status();
    assert!(compiler.unwrap().success());
    session.script(
        "case.sh",
        "./lives > said 2>&1 & echo $! > number
        until grep -q ') Z ' /proc/$!/stat; do :; done",
    );
    let ended = session.zk2(&["run", "case.sh"]);
    let record = session.finished_case("case.sh");
    let leaked = record.get("leaked").and_then(|leaked| leaked.as_array());
    assert_eq!(leaked.map(Vec::len), Some(1), "{ended:?}: {record:#}");
    let number = fs::read_to_string(session.path().join("number")).unwrap();
    let threads = fs::read_dir(format!("/proc/{}/task", number.trim()));
    assert!(threads.is_err_and(|error| error.kind() == ErrorKind::NotFound));
}
