//! Limits of memory: whoever meets one is an error that names it.

use std::fs;

use crate::session::{Ended, Session, example, text, wait};

/// More than the limit of these tests, in MiB.
const HOG: &str = "oom 4096";

fn run(session: &Session, options: &[&str]) -> Ended {
    session.zk2(&[&["run", "suite"], options].concat())
}

#[test]
fn e19_a_process_that_takes_more_memory_than_its_limit_is_an_error_that_names_it() {
    let session = Session::new();
    session.fixture("suite/hog", HOG);
    session.fixture("suite/modest", "oom 8");
    // What it starts at once has the limit, too.
    let fixture = example("zk2-fixture");
    let script = format!("'{}' {HOG} & wait $!", fixture.display());
    session.script("suite/parent", &script);
    let ended = run(&session, &["--memory-limit", "256MiB"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let reason = |case| text(&session.finished_case(case), "reason");
    let limit = "out of memory at the limit of 256 MiB (memory.limit): ";
    for (case, end) in [
        ("hog", "ended by signal 6 SIGABRT"),
        ("parent", "exit code 134"),
    ] {
        assert_eq!(text(&session.finished_case(case), "verdict"), "error");
        assert!(
            reason(case).starts_with(&format!("{limit}{end}")),
            "{}",
            reason(case)
        );
    }
    assert_eq!(text(&session.finished_case("modest"), "verdict"), "passed");
    session.assert_nothing_left();
}

#[test]
fn e19_without_a_limit_nothing_changes() {
    let session = Session::new();
    session.script("suite/shows", "ulimit -v");
    assert_eq!(run(&session, &[]).code, Some(0));
    let shown = session.finished_case("shows");
    assert_eq!(text(shown.get("stdout").unwrap(), "head"), "unlimited\n");
    assert_eq!(run(&session, &["--memory-limit=1GiB"]).code, Some(0));
    let shown = session.finished_case("shows");
    assert_eq!(text(shown.get("stdout").unwrap(), "head"), "1048576\n");
}

#[test]
fn e3_e19_what_cannot_be_started_is_the_same_error_with_and_without_a_limit() {
    let session = Session::new();
    let nothing = session.script("suite/interpreter", "");
    fs::write(&nothing, "#!/no/such/interpreter\n").unwrap();
    fs::write(session.script("suite/odd", ""), "\u{1}\u{2}").unwrap();
    let mut told = Vec::new();
    for options in [[].as_slice(), &["--memory-limit=256MiB"]] {
        let ended = run(&session, options);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        told.push(["interpreter", "odd"].map(|case| {
            let record = session.finished_case(case);
            (text(&record, "verdict"), text(&record, "reason"))
        }));
    }
    assert_eq!(told[0], told[1]);
    assert!(
        told[0].iter().all(|(verdict, _)| verdict == "error"),
        "{told:?}"
    );
}

#[test]
fn e14_e29_a_process_with_a_limit_has_nothing_to_read_and_no_more_files() {
    let session = Session::new();
    session.fixture("suite/stdin", "stdin");
    session.fixture("suite/descriptors", "descriptors");
    assert_eq!(run(&session, &["--memory-limit=1GiB"]).code, Some(0));
    let said = |case| text(session.finished_case(case).get("stdout").unwrap(), "head");
    assert_eq!(said("stdin"), "0 bytes\n");
    assert_eq!(said("descriptors"), "0 1 2\n");
}

fn dying(session: &Session, options: &[&str]) -> Ended {
    let program = example("zk2-dying");
    let arguments = ["run", "rust:zk2_dying::m_takes_memory"];
    let arguments = [arguments.as_slice(), options].concat();
    let mut command = session.program(program.to_str().unwrap(), &arguments);
    wait(command.spawn().unwrap())
}

#[test]
fn e19_a_function_has_a_process_of_its_own_if_there_is_a_limit_of_memory() {
    let session = Session::new();
    let ended = dying(&session, &["--memory-limit=32MiB"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("m_takes_memory");
    assert_eq!(text(&record, "verdict"), "error");
    let reason = "out of memory at the limit of 32 MiB (memory.limit): killed by SIGABRT";
    assert_eq!(text(&record, "reason"), reason);
    // So much beside what the program has for itself.
    let ended = dying(&session, &["--memory-limit=256MiB"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn e19_one_that_dies_without_a_word_below_a_limit_is_an_error_that_names_it() {
    let session = Session::new();
    session.script("suite/silent", "kill -SEGV $$");
    session.script("suite/stopped", "kill -INT $$");
    let told = |case| {
        let record = session.finished_case(case);
        (text(&record, "verdict"), text(&record, "reason"))
    };
    assert_eq!(run(&session, &[]).code, Some(1));
    let (verdict, plain) = told("silent");
    assert_eq!(verdict, "failed");
    let stopped = told("stopped");
    assert_eq!(run(&session, &["--memory-limit=256MiB"]).code, Some(1));
    let limit = "perhaps out of memory at the limit of 256 MiB (memory.limit)";
    let expected = ("error".to_owned(), format!("{limit}: {plain}"));
    assert_eq!(told("silent"), expected);
    assert_eq!(
        told("stopped"),
        stopped,
        "nobody ends like that for want of memory"
    );
}

#[test]
fn e19_a_limit_of_nothing_is_refused() {
    let session = Session::new();
    session.script("suite/a", "exit 0");
    let ended = run(&session, &["--memory-limit=0"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("memory.limit"), "{ended:?}");
}
