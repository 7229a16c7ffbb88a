//! Manual pages, read by the programs that show them.

use std::fs;
use std::path::PathBuf;

use crate::completion::is_there;
use crate::session::{Session, wait};

/// All pages of `zk2`, in a directory of the session.
fn pages(session: &Session) -> Vec<PathBuf> {
    let written = session.zk2(&["man", "--man-dir", "share/man/man1"]);
    assert_eq!(
        (written.code, &*written.stdout),
        (Some(0), ""),
        "{written:?}"
    );
    let directory = session.path().join("share/man/man1");
    let mut pages: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    assert!(
        written
            .stderr
            .starts_with(&format!("{} manual pages in ", pages.len()))
    );
    pages
}

/// What a program says about a page; nothing if it is not installed.
fn says(session: &Session, program: &[&str], page: &PathBuf) -> Option<(String, String)> {
    if !is_there(session, program[0]) {
        return None;
    }
    let mut command = session.program(program[0], &program[1..]);
    let ended = wait(command.arg(page).env("LC_ALL", "C.UTF-8").spawn().unwrap());
    Some((ended.stdout, ended.stderr))
}

#[test]
fn every_command_has_a_page_that_formatters_have_no_doubts_about() {
    let session = Session::new();
    let pages = pages(&session);
    let names: Vec<&str> = pages
        .iter()
        .map(|page| page.file_name().unwrap().to_str().unwrap())
        .collect();
    for name in ["zk2.1", "zk2-run.1", "zk2-completion.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"zk2-noop.1"), "hidden: {names:?}");
    for page in &pages {
        // A page has no date, so that the same program has the same pages.
        if let Some((doubts, _)) = says(&session, &["mandoc", "-Tlint", "-Wwarning"], page) {
            let doubts: Vec<&str> = doubts
                .lines()
                .filter(|line| !line.contains("missing date"))
                .collect();
            assert!(doubts.is_empty(), "{doubts:#?}");
        }
        let groff = ["groff", "-man", "-Tutf8", "-ww", "-z"];
        if let Some((_, doubts)) = says(&session, &groff, page) {
            assert_eq!(doubts, "", "{}", page.display());
        }
    }
}

#[test]
fn a_page_shows_what_help_says() {
    let session = Session::new();
    let pages = pages(&session);
    let page = pages.iter().find(|page| page.ends_with("zk2-run.1"));
    let shown = says(
        &session,
        &["mandoc", "-Tutf8", "-Owidth=100"],
        page.unwrap(),
    );
    let Some((shown, _)) = shown else {
        return;
    };
    // Bold letters are struck twice, italic ones underlined.
    let mut plain = String::new();
    for letter in shown.chars() {
        if letter == '\u{8}' {
            plain.pop();
        } else {
            plain.push(letter);
        }
    }
    for words in [
        "zk2-run - Runs test cases and reports how they ended",
        "zk2 run [OPTIONS] [SOURCES]...",
        "OPTIONS OF TESTRUNNER",
        "--tests-grace TIME",
        "[key: tests.grace] [env: K2_TESTS_GRACE]",
        "at least one case failed or ended in error",
        "zk2(1)",
    ] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
}

#[test]
fn one_page_is_printed_and_wrong_words_are_refused() {
    let session = Session::new();
    let printed = session.zk2(&["man", "run"]);
    assert_eq!((printed.code, &*printed.stderr), (Some(0), ""));
    let written = fs::read_to_string(&pages(&session)[0]).unwrap();
    assert!(written.starts_with(".TH ZK2"), "{written}");
    assert!(
        printed.stdout.starts_with(".TH ZK2-RUN 1 \"\" \"zk2 "),
        "{printed:?}"
    );
    assert_eq!(session.zk2(&["man"]).code, Some(0));

    for (line, words) in [
        (&["man", "rnu"][..], "did you mean `run`?"),
        (&["man", "run", "fast"], "there is no command `run fast`"),
        (&["man", "run", "--man-dir", "x"], "contradict each other"),
    ] {
        let ended = session.zk2(line);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    session.write("file", "");
    let ended = session.zk2(&["man", "--man-dir", "file/below"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.stderr.contains("file/below"), "{ended:?}");
}
