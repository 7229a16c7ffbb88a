//! C libraries: what is refused before anything of them runs, and what happens to those that run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;
use zaf_core::message::{EncodedMessage, MessageKind};
use zaf_plugins::link::{
    ABI, Delivery, Launch, LibraryLink, Link, LinkError, LinkProblem, Refusal, Start, check_library,
};

use crate::c::{build, examples};
use crate::host::{Asked, ask, host, host_with, json, tell};
use crate::scripted::SHORT;

/// A library, and where its constructor leaves a mark.
pub(crate) struct Built {
    folder: TempDir,
    file: PathBuf,
}

impl Built {
    fn marker(&self) -> PathBuf {
        self.folder.path().join("marker")
    }

    /// Where a child opens it first.
    pub(crate) fn launch(&self) -> Launch {
        let mut launch = Launch::new(&self.file);
        launch.probe = Some(vec![probe().into()]);
        let long = Duration::from_mins(1);
        launch.deadlines.describe = long;
        launch.deadlines.stop = long;
        launch
    }

    fn open(&self) -> Result<LibraryLink, LinkError> {
        LibraryLink::open(&self.launch())
    }

    /// Opens it, which must fail, and nothing of it may have run.
    fn refused(&self) -> String {
        let error = self.open().unwrap_err();
        assert!(!self.marker().exists(), "it has been opened: {error}");
        assert!(matches!(*error.problem, LinkProblem::Library(_)), "{error}");
        error.to_string()
    }
}

/// The program that opens libraries for these tests.
fn probe() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap();
    folder.join("examples/plugin-probe")
}

/// The wrong library with these macros; none without a compiler.
pub(crate) fn wrong(macros: &[&str]) -> Option<Built> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.so");
    let marker = format!("-DMARKER=\"{}\"", folder.path().join("marker").display());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/link/wrong.c");
    let arguments: Vec<&str> = [marker.as_str()]
        .into_iter()
        .chain(macros.iter().copied())
        .collect();
    build(&source, &file, &arguments)?;
    Some(Built { folder, file })
}

/// The example of the book; none without a C compiler.
fn counter() -> Option<Built> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counter.so");
    build(&examples().join("c-library/counter.c"), &file, &[])?;
    Some(Built { folder, file })
}

/// Tells the example that so many cases have finished.
fn finish_cases(link: &LibraryLink, count: usize) {
    let finished = EncodedMessage::new("TEST_CASE_FINISHED", json("{}"));
    let delivery = Delivery {
        dispatcher: "counter",
        kind: MessageKind::Event,
        message: &finished,
    };
    for _ in 0..count {
        assert_eq!(link.deliver(&delivery).unwrap(), None);
    }
}

#[test]
fn the_example_counts_and_calls() {
    let Some(built) = counter() else {
        return;
    };
    let link = built.open().unwrap();
    assert_eq!(link.description().name, "counter");
    let (host, kept) = host();
    link.start(&Start::default(), host).unwrap();
    finish_cases(&link, 250);
    let count = EncodedMessage::new("COUNT", json("null"));
    let delivery = Delivery {
        dispatcher: "counter",
        kind: MessageKind::Request,
        message: &count,
    };
    assert_eq!(link.deliver(&delivery).unwrap().unwrap().bytes(), b"250");
    let triggered: Vec<_> = kept.asked.try_iter().collect();
    assert_eq!(triggered.len(), 2);
    let Asked::Trigger(event) = &triggered[0] else {
        panic!("{triggered:?}");
    };
    assert_eq!(
        (event.name(), event.endpoint()),
        ("HUNDREDTH", Some("counter"))
    );
    let error = tell(&link, "1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "plugin `counter`, given `EVENT`: this message is not known"
    );
    assert!(!error.is_fatal());
    link.stop().unwrap();
    link.stop().unwrap();
    assert!(matches!(
        *tell(&link, "1").unwrap_err().problem,
        LinkProblem::Stopped {}
    ));
}

#[test]
fn c15_a_library_of_another_abi_or_machine_is_refused_before_it_is_opened() {
    let Some(other) = wrong(&["-DNOTE_ABI=2"]) else {
        return;
    };
    let error = other.refused();
    assert!(
        error.contains("it was built for abi 2, this program has abi 1"),
        "{error}"
    );
    let machine = wrong(&["-DNOTE_MACHINE=\"riscv64-linux\""]).unwrap();
    let error = machine.refused();
    assert!(
        error.contains("it is for another machine: riscv64-linux, this program runs on"),
        "{error}"
    );
    let none = wrong(&["-DNO_NOTE"]).unwrap();
    let error = none.refused();
    assert!(
        error.contains("it has no note `zk2`, so it is no plugin"),
        "{error}"
    );
    // The mark is left by one that is right.
    let right = wrong(&[]).unwrap();
    right.open().unwrap();
    assert!(right.marker().exists());
    assert_eq!(ABI, 1);
}

#[test]
fn c16_what_is_no_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.so");
    let refuse = |contents: &[u8]| {
        fs::write(&file, contents).unwrap();
        LibraryLink::open(&Launch::new(&file))
            .unwrap_err()
            .to_string()
    };
    for (contents, expected) in [
        (
            &b""[..],
            "it is no ELF file; it begins with nothing: it is empty",
        ),
        (
            b"print('hello')\n",
            "it is no ELF file; it begins with `print('hello')",
        ),
        (
            b"\x7fELF\x02\x01\x01",
            "it is cut off: the head should end at byte 64, the file has 7 bytes",
        ),
    ] {
        let error = refuse(contents);
        assert!(error.contains(expected), "{error}");
    }
    // This program is an ELF file, and no plugin.
    let this = fs::read(std::env::current_exe().unwrap()).unwrap();
    let error = refuse(&this);
    assert!(
        error.contains("it has no note `zk2`") || error.contains("no shared library"),
        "{error}"
    );
    let mut other = this;
    other[18] = 40;
    assert!(refuse(&other).contains("it is for another machine: ELF machine 40"));
    let missing = LibraryLink::open(&Launch::new("/nowhere/plugin.so")).unwrap_err();
    assert!(matches!(*missing.problem, LinkProblem::Io(_)), "{missing}");
    let folder = LibraryLink::open(&Launch::new("/")).unwrap_err();
    assert!(
        matches!(
            *folder.problem,
            LinkProblem::Io(_) | LinkProblem::Library(_)
        ),
        "{folder}"
    );
}

#[test]
fn c16_a_library_that_is_cut_off_anywhere_is_refused() {
    let Some(right) = wrong(&[]) else { return };
    let whole = fs::read(&right.file).unwrap();
    assert_eq!(check_library(&whole), Ok(()));
    // Where its last segment ends, there is nothing left that the loader would look at.
    let is_refused = |length: usize| check_library(&whole[..length]).is_err();
    let end = (0..whole.len())
        .rfind(|&length| is_refused(length))
        .unwrap();
    assert!((0..end).step_by(7).all(is_refused));
    let cut = right.folder.path().join("cut.so");
    fs::write(&cut, &whole[..end / 2]).unwrap();
    let error = LibraryLink::open(&Launch::new(&cut)).unwrap_err();
    assert!(matches!(*error.problem, LinkProblem::Library(_)), "{error}");
}

#[test]
fn s3_a_library_that_searches_beside_itself_is_refused() {
    for path in ["$ORIGIN/lib", "lib", "/usr/lib:", "/usr/lib:.:/lib"] {
        let argument = format!("-Wl,-rpath,{path}");
        let Some(built) = wrong(&[&argument]) else {
            return;
        };
        let error = built.refused();
        let expected =
            format!("it searches for libraries in `{path}`; only absolute directories are allowed");
        assert!(error.contains(&expected), "{error}");
    }
    wrong(&["-Wl,-rpath,/usr/lib:/opt/lib"])
        .unwrap()
        .open()
        .unwrap();
}

#[test]
fn c17_a_library_without_the_table_is_refused_and_never_called() {
    let Some(none) = wrong(&["-DNO_SYMBOL"]) else {
        return;
    };
    let mut launch = none.launch();
    let probed = LibraryLink::open(&launch).unwrap_err();
    assert!(
        probed
            .to_string()
            .contains("it does not export `zaf_plugin_v1`"),
        "{probed}"
    );
    launch.probe = None;
    let error = LibraryLink::open(&launch).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it does not export `zaf_plugin_v1`"),
        "{error}"
    );
    for (define, expected) in [
        ("-DTABLE_ABI=7", "its table says abi 7"),
        ("-DNO_MESSAGE", "its table has no `message`"),
    ] {
        let error = wrong(&[define]).unwrap().open().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn c19_the_file_that_was_checked_is_the_one_that_is_opened() {
    let Some(right) = wrong(&[]) else { return };
    let swapped = wrong(&["-DCRASH"]).unwrap();
    let opened = Arc::new(fs::File::open(&right.file).unwrap().into());
    // Whatever happens to the path from here on.
    fs::rename(&swapped.file, &right.file).unwrap();
    let mut launch = right.launch();
    launch.opened = Some(opened);
    let link = LibraryLink::open(&launch).unwrap();
    assert_eq!(link.description().name, "wrong");
    assert!(right.marker().exists() && !swapped.marker().exists());
    // By the path it is the other one.
    launch.opened = None;
    assert!(LibraryLink::open(&launch).is_err());
}

/// Rounds in which a file may be exchanged.
const ROUNDS: usize = 10_000;

/// Lets this process have as many files open as it may: each library keeps its own for ever. Returns how many that is.
fn open_many_files() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit
        .maximum
        .map_or(usize::MAX, |maximum| usize::try_from(maximum).unwrap())
}

/// Two files with different contents change their names all the time; what is opened is always the right one of the two, whole.
#[test]
fn c19_files_that_change_their_names_all_the_time_are_opened_or_refused() {
    let Some(right) = wrong(&[]) else { return };
    let other = wrong(&["-DNOTE_ABI=2"]).unwrap();
    let most = open_many_files() - 100;
    let (here, there) = (right.file.clone(), other.file);
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let (mut opened, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let aside = here.with_extension("aside");
            while stopped.try_recv() == Err(crossbeam_channel::TryRecvError::Empty) {
                fs::rename(&here, &aside).unwrap();
                fs::rename(&there, &here).unwrap();
                fs::rename(&aside, &there).unwrap();
            }
        });
        // Not counted are those in which nothing has that name.
        while opened + refused < ROUNDS && opened < most {
            let mut launch = Launch::new(&right.file);
            launch.deadlines.describe = Duration::from_mins(1);
            match LibraryLink::open(&launch) {
                Ok(link) => {
                    assert_eq!(link.description().name, "wrong");
                    opened += 1;
                }
                Err(error) => match &*error.problem {
                    LinkProblem::Library(Refusal::OtherAbi { found: 2, .. }) => refused += 1,
                    LinkProblem::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    _ => panic!("{error}"),
                },
            }
        }
        drop(stop);
    });
    assert!(
        opened > 0 && refused > 0,
        "{opened} opened, {refused} refused"
    );
    // Of all it was the right one that ran: the other leaves its mark elsewhere.
    assert!(right.marker().exists());
    assert!(!other.folder.path().join("marker").exists());
}

#[test]
fn c20_a_library_that_crashes_when_it_is_opened_kills_a_child() {
    let Some(crashing) = wrong(&["-DCRASH"]) else {
        return;
    };
    let error = crashing.open().unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::Signalled { signal: 11, .. }),
        "{error}"
    );
    let file = crashing.file.display();
    let expected = format!("plugin `{file}`, asked what it is: ended by signal 11 (SIGSEGV)");
    assert!(error.to_string().starts_with(&expected), "{error}");

    let hanging = wrong(&["-DHANG"]).unwrap();
    let mut launch = hanging.launch();
    launch.deadlines.describe = SHORT;
    let error = LibraryLink::open(&launch).unwrap_err();
    assert!(
        matches!(*error.problem, LinkProblem::TimedOut { .. }),
        "{error}"
    );
}

#[test]
fn c21_a_panic_is_a_code_and_an_abort_kills_a_child() {
    let Some(panicking) = wrong(&[]) else { return };
    let link = panicking.open().unwrap();
    link.start(&Start::default(), host().0).unwrap();
    let error = tell(&link, "1").unwrap_err();
    assert!(matches!(*error.problem, LinkProblem::Panicked { .. }) && !error.is_fatal());
    assert_eq!(
        error.to_string(),
        "plugin `wrong`, given `EVENT`: panicked: index out of range"
    );
    assert!(ask(&link, "1").is_ok());

    let aborting = wrong(&["-DABORT"]).unwrap();
    let error = aborting.open().unwrap_err();
    assert!(
        error.to_string().contains("ended by signal 6 (SIGABRT)"),
        "{error}"
    );
}

/// A library that never returns from this function, opened in this process only.
fn stuck(function: &str) -> Option<(Built, Launch)> {
    let built = wrong(&[&format!("-DSTUCK=\"{function}\"")])?;
    let mut launch = built.launch();
    launch.probe = None;
    Some((built, launch))
}

/// What is said about it.
const STUCK: &str = "did not return within 100ms; a library cannot be ended: it is left behind and not called again";

fn assert_stuck(error: &LinkError, step: &str) {
    assert!(error.is_stuck() && error.is_fatal(), "{error}");
    let text = error.to_string();
    assert!(text.contains(step) && text.ends_with(STUCK), "{text}");
}

#[test]
fn a_library_that_never_returns_when_it_is_described_is_left_behind() {
    let Some((_built, mut launch)) = stuck("describe") else {
        return;
    };
    // It is to be opened in that time.
    launch.deadlines.describe = Duration::from_secs(2);
    let error = LibraryLink::open(&launch).unwrap_err();
    assert!(error.is_stuck(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("asked what it is: did not return within 2s"),
        "{text}"
    );
}

#[test]
fn a_library_that_never_returns_from_start_or_stop_is_left_behind() {
    let Some((_built, mut launch)) = stuck("start") else {
        return;
    };
    launch.deadlines.start = SHORT;
    let link = LibraryLink::open(&launch).unwrap();
    let error = link.start(&Start::default(), host().0).unwrap_err();
    assert_stuck(&error, "when it was started");
    assert_stuck(&link.stop().unwrap_err(), "when it was stopped");

    let (_built, mut launch) = stuck("stop").unwrap();
    launch.deadlines.stop = SHORT;
    let link = LibraryLink::open(&launch).unwrap();
    link.start(&Start::default(), host().0).unwrap();
    ask(&link, "1").unwrap();
    assert_stuck(&link.stop().unwrap_err(), "when it was stopped");
    assert_stuck(&tell(&link, "1").unwrap_err(), "given `EVENT`");
}

#[test]
fn a_library_that_never_returns_from_a_message_fails_all_who_wait_for_it_and_is_not_called_again() {
    let Some((_built, mut launch)) = stuck("message") else {
        return;
    };
    launch.deadlines.deliver = SHORT;
    let link = LibraryLink::open(&launch).unwrap();
    link.start(&Start::default(), host().0).unwrap();
    // One is in, the others wait until it has left, or as long as they may.
    std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(|| tell(&link, "1").unwrap_err()));
        let errors = all.map(|thread| thread.join().unwrap());
        assert!(errors.iter().any(LinkError::is_stuck), "{errors:?}");
        for error in errors {
            let is_busy = matches!(*error.problem, LinkProblem::Busy {});
            assert!(is_busy || error.is_stuck(), "{error}");
        }
    });
    assert_stuck(&ask(&link, "1").unwrap_err(), "given `ASK`");
    assert_stuck(&link.stop().unwrap_err(), "when it was stopped");
}

/// Who stops waits for the message, and has looked before whether a function is given up.
#[test]
fn a_library_that_is_stopped_before_its_function_is_given_up_is_left_behind_like_any_other() {
    let Some(built) = wrong(&["-DSTUCK=\"message\"", "-DTRIGGERS"]) else {
        return;
    };
    let mut launch = built.launch();
    launch.deadlines.deliver = SHORT;
    let link = Arc::new(LibraryLink::open(&launch).unwrap());
    let stopping = Arc::new(Mutex::new(None));
    let (stopped, own) = (Arc::clone(&stopping), Arc::downgrade(&link));
    // What the library asks for while it handles the message does not count for the deadline.
    let (host, _kept) = host_with(move |_| {
        let link = own.upgrade().unwrap();
        let (tell, told) = crossbeam_channel::bounded(1);
        let thread = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            link.stop().unwrap_err()
        });
        wait_until_asleep(told.recv().unwrap());
        *stopped.lock() = Some(thread);
        Ok(())
    });
    link.start(&Start::default(), host).unwrap();
    assert_stuck(&tell(&*link, "1").unwrap_err(), "given `EVENT`");
    let thread = stopping.lock().take().unwrap();
    assert_stuck(&thread.join().unwrap(), "when it was stopped");
}

/// Waits until a thread of this process waits for something.
fn wait_until_asleep(thread: rustix::thread::Pid) {
    let stat = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    let is_asleep = || {
        let stat = fs::read_to_string(&stat).unwrap();
        // Behind the name of the thread, which may have brackets itself.
        let state = stat.rsplit(") ").next().unwrap();
        state.starts_with('S')
    };
    while !is_asleep() {
        std::thread::yield_now();
    }
}

#[test]
fn what_a_library_asks_for_on_behalf_of_a_message_is_done_by_the_thread_that_waits_for_it() {
    let Some(built) = counter() else {
        return;
    };
    let link = built.open().unwrap();
    let this = std::thread::current().id();
    let (host, kept) = host_with(move |_| {
        assert_eq!(std::thread::current().id(), this);
        Ok(())
    });
    link.start(&Start::default(), host).unwrap();
    finish_cases(&link, 100);
    assert_eq!(kept.asked.try_iter().count(), 1);
    link.stop().unwrap();
}

#[test]
fn c22_a_library_is_never_closed() {
    let Some(threaded) = wrong(&["-DTHREAD"]) else {
        return;
    };
    let link = threaded.open().unwrap();
    link.start(&Start::default(), host().0).unwrap();
    link.stop().unwrap();
    drop(link);
    // Its thread still runs its code.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let file = threaded.file.display().to_string();
    assert!(maps.contains(&file), "{file} is not mapped any more");
}

#[test]
fn c25_bytes_are_freed_by_their_owner() {
    let Some(right) = wrong(&[]) else { return };
    let link = right.open().unwrap();
    link.start(&Start::default(), host().0).unwrap();
    // Code of `send`, length of the replies, how many of its buffers the library has got back: the description, and each
    // answer before.
    let numbers = |text: String| -> Vec<u64> { serde_json::from_str(&text).unwrap() };
    for freed in 1..100 {
        let answer = numbers(ask(&link, "[1]").unwrap());
        assert_eq!((answer[0], answer[2]), (0, freed));
        assert!(answer[1] > 40, "{answer:?}");
    }
    let message = EncodedMessage::new("UNKNOWN", json("1"));
    let delivery = Delivery {
        dispatcher: "main",
        kind: MessageKind::Request,
        message: &message,
    };
    let answer = link.deliver(&delivery).unwrap().unwrap();
    let answer = numbers(String::from_utf8(answer.bytes().to_vec()).unwrap());
    assert_eq!(answer[0], 1, "{answer:?}");
}
