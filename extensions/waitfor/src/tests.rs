//! Each kind of wait: at once, later, never, and asked to end meanwhile.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use k2::case::{Outcome, catch};
use k2::exec::{Exec, Host};
use k2::supervisor::Cancellation;

use crate::WaitFor;

fn wait() -> WaitFor {
    WaitFor::new(Cancellation::new().unwrap()).interval(Duration::from_millis(1))
}

/// A wait that looks once.
fn now() -> WaitFor {
    wait().timeout(Duration::ZERO)
}

#[test]
fn a_predicate_is_asked_at_least_once_and_until_it_holds() {
    assert_eq!(now().some("seven", || Some(7)).unwrap(), 7);
    let asked = Cell::new(0);
    let third = || {
        asked.set(asked.get() + 1);
        asked.get() == 3
    };
    wait().is_true("the third time", third).unwrap();
    assert_eq!(asked.get(), 3);
}

#[test]
fn a_wait_in_vain_fails_the_case_and_says_what_was_seen() {
    let outcome = catch(|| now().ok("the board", || Err::<(), _>("no carrier")));
    let Outcome::Failed { reason, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        reason,
        "the board did not come within 0ns: the last attempt said: no carrier"
    );
}

#[test]
fn whoever_waits_returns_when_the_case_is_asked_to_end() {
    let cancellation = Cancellation::new().unwrap();
    let wait = WaitFor::new(cancellation.clone()).interval(Duration::from_mins(10));
    let error = wait
        .is_true("something", || {
            // From within, so that it is surely waiting afterwards.
            cancellation.request(15);
            false
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the case was asked to end while it waited for something"
    );
}

#[test]
fn a_file_is_waited_for_by_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let error = now().file(&path).exists().unwrap_err().to_string();
    assert!(
        error.contains("state") && error.ends_with("there is no such file"),
        "{error}"
    );
    fs::write(&path, "starting\n").unwrap();
    now().file(&path).exists().unwrap();
    let error = now().file(&path).matches("ready (\\d+)").unwrap_err();
    assert!(
        error.to_string().ends_with("it ends with: starting"),
        "{error}"
    );
    let looks = Cell::new(0);
    wait()
        .is_true("the other side", || {
            looks.set(looks.get() + 1);
            fs::write(&path, "starting\nready 42\n").is_ok()
        })
        .unwrap();
    let found = wait().file(&path).matches("ready (\\d+)").unwrap();
    assert_eq!(found.text, "ready 42");
    assert_eq!(found.groups, [Some("42".to_owned())]);
    let error = now().file(&path).matches("(").unwrap_err();
    assert!(error.to_string().contains("`(`"), "{error}");
}

#[test]
fn a_file_can_be_read_where_commands_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let exec = Exec::new(Arc::new(Host::new()), Cancellation::new().unwrap());
    let error = now().file(&path).on(&exec).matches("ready").unwrap_err();
    assert!(error.to_string().contains("on this machine"), "{error}");
    fs::write(&path, "ready\n").unwrap();
    now().file(&path).on(&exec).matches("ready").unwrap();
}

#[test]
fn a_log_is_followed_from_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    fs::write(&path, "started\n").unwrap();
    let append = |text: &str| {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let mut log = now().log(&path).unwrap();
    let error = log.line("started").unwrap_err().to_string();
    assert!(error.ends_with("no line came"), "{error}");
    append("one\nstarted two\nthr");
    assert_eq!(log.line("started (.*)").unwrap().text, "started two");
    // A line counts when it is complete, and once.
    assert!(log.line("thr").is_err() && log.line("started").is_err());
    append("ee\n");
    assert_eq!(log.line("^thr").unwrap().text, "thr");
}

#[test]
fn a_rotated_or_emptied_log_is_followed_from_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = now().log(&path).unwrap();
    fs::write(&path, "first\n").unwrap();
    log.line("first").unwrap();
    // What was written before the file was put away is not lost.
    fs::write(&path, "first\nlast words\n").unwrap();
    fs::rename(&path, directory.path().join("log.1")).unwrap();
    fs::write(&path, "new\n").unwrap();
    log.line("last words").unwrap();
    log.line("new").unwrap();
    fs::write(&path, "a\n").unwrap();
    log.line("a").unwrap();
    let mut again = now().log(&path).unwrap().from_the_beginning();
    again.line("a").unwrap();
}

/// Answers one request after another with these, each on a connection of its own; returns the address.
fn server(answers: Vec<String>) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/state", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "plays the server of a test")]
    let thread = std::thread::spawn(move || {
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
                request.push(byte[0]);
            }
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, thread)
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_server_is_asked_until_its_answer_is_good() {
    let (url, server) = server(vec![
        answer("503 Service Unavailable", "not yet"),
        answer("200 OK", "state: booting"),
        answer("200 OK", "state: ready 7"),
    ]);
    let answer = wait().http(&url).body("ready (\\d)").get().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.matched.unwrap().groups, [Some("7".to_owned())]);
    server.join().unwrap();
}

#[test]
fn a_status_can_be_asked_for() {
    let (url, server) = server(vec![answer("200 OK", ""), answer("404 Not Found", "gone")]);
    let answer = wait().http(&url).status(404).get().unwrap();
    assert_eq!((answer.status, &*answer.body), (404, "gone"));
    server.join().unwrap();
}

#[test]
fn what_a_server_said_last_is_told() {
    let (url, server) = server(vec![answer("500 Internal Server Error", "out of paper")]);
    let error = now().http(&url).get().unwrap_err().to_string();
    assert!(
        error.ends_with("the last answer was 500: out of paper"),
        "{error}"
    );
    server.join().unwrap();
    // Nobody listens there any more.
    let error = now().http(&url).get().unwrap_err().to_string();
    assert!(error.contains("the last request ended with"), "{error}");
}

#[test]
fn an_address_that_is_none_is_said_at_once() {
    for url in ["", "localhost:80", "ftp://a/b", "http://", "http://a b/"] {
        let error = wait().http(url).get().unwrap_err().to_string();
        assert!(error.contains("cannot be asked"), "{url}: {error}");
    }
}
