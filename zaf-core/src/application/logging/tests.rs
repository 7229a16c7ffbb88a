//! Records on their way from a call of a macro to the sinks.

use std::fmt;
use std::io::Write;

use parking_lot::Mutex;
use tracing::subscriber::with_default;

use super::*;

#[derive(Debug, Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log with a console in memory and files in a scratch directory.
struct Fixture {
    log: Log,
    routes: Arc<Routes>,
    out: Out,
    directory: Utf8PathBuf,
    _scratch: tempfile::TempDir,
}

fn levels(level: LevelFilter) -> Levels {
    Levels::all(level)
}

impl Fixture {
    fn new(console: Levels, files: Levels) -> Self {
        Self::with_format(console, files, LogFormat::Text)
    }

    fn with_format(console: Levels, files: Levels, format: LogFormat) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::from_path_buf(scratch.path().join("logs")).unwrap();
        Self::in_directory(console, (files, format), directory, scratch)
    }

    fn in_directory(
        console: Levels,
        (files, format): (Levels, LogFormat),
        directory: Utf8PathBuf,
        scratch: tempfile::TempDir,
    ) -> Self {
        let out = Out::default();
        let look = render::Look::default();
        let routes = Arc::new(Routes::new(Box::new(out.clone()), look, INITIAL));
        routes.configure(LogSettings {
            console,
            console_format: LogFormat::Text,
            files: FileSettings {
                levels: files,
                format,
                directory: None,
                size: 1 << 20,
                keep: 3,
            },
        });
        routes.begin_files(directory.clone());
        Self {
            log: Log {
                routes: Some(Arc::clone(&routes)),
            },
            routes,
            out,
            directory,
            _scratch: scratch,
        }
    }

    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::registry().with(Records::new(Arc::clone(&self.routes)))
    }

    fn shown(&self) -> String {
        String::from_utf8(self.out.0.lock().clone()).unwrap()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.join(file)).unwrap_or_default()
    }
}

struct Counted<'a>(&'a Mutex<u32>);

impl fmt::Debug for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        *self.0.lock() += 1;
        f.write_str("counted")
    }
}

#[test]
fn f56_nothing_is_formatted_that_nobody_wants() {
    let fixture = Fixture::new(levels(LevelFilter::WARN), levels(LevelFilter::INFO));
    let calls = Mutex::new(0);
    with_default(fixture.subscriber(), || {
        tracing::debug!(value = ?Counted(&calls), "{:?}", Counted(&calls));
        assert_eq!(*calls.lock(), 0);
        tracing::warn!(value = ?Counted(&calls), "shown and written");
    });
    // Once, for both sinks.
    assert_eq!(*calls.lock(), 1);
    assert_eq!(
        fixture.shown(),
        "warning: shown and written value=counted\n"
    );
    let file = fixture.read("session.log");
    assert!(
        file.ends_with(": shown and written value=counted\n"),
        "{file}"
    );
}

#[test]
fn sinks_have_levels_of_their_own_and_extensions_too() {
    let mut console = levels(LevelFilter::WARN);
    console.set_extension("chatty", LevelFilter::TRACE);
    let fixture = Fixture::new(console, levels(LevelFilter::ERROR));
    with_default(fixture.subscriber(), || {
        tracing::info!("nobody's");
        let _inside = crate::attribution::inside(Some("chatty"));
        tracing::trace!(target: "mine", "an extension's");
        tracing::error!(target: "mine", "for all");
    });
    assert_eq!(
        fixture.shown(),
        "trace[chatty] mine: an extension's\nerror[chatty] mine: for all\n"
    );
    let file = fixture.read("session.log");
    assert_eq!(file.lines().count(), 1);
    assert!(file.contains(" ERROR [chatty] mine ("), "{file}");
}

#[test]
fn nothing_that_is_logged_can_look_like_another_record() {
    let fixture = Fixture::new(levels(LevelFilter::WARN), levels(LevelFilter::WARN));
    with_default(fixture.subscriber(), || {
        let text = "x\nerror: forged\r\u{1b}[2Kerror: forged";
        tracing::warn!(text, "{text}");
    });
    assert_eq!(fixture.read("session.log").lines().count(), 1);
    let shown = fixture.shown();
    assert!(
        shown.lines().skip(1).all(|line| line.starts_with("    ")),
        "{shown}"
    );
    assert!(!shown.contains(['\r', '\u{1b}']), "{shown:?}");
}

#[test]
fn f48_scopes_at_the_same_time_have_files_of_their_own() {
    let fixture = Fixture::new(levels(LevelFilter::OFF), levels(LevelFilter::DEBUG));
    let dispatch = tracing::Dispatch::new(fixture.subscriber());
    std::thread::scope(|threads| {
        for worker in 0..4 {
            let (dispatch, log) = (dispatch.clone(), fixture.log.clone());
            threads.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    for round in 0..20 {
                        let name = format!("{worker}-{round}");
                        let scope = log.scope(&name, &format!("cases/{name}.log"));
                        scope.run(|| tracing::info!("inside of <{name}>"));
                        tracing::info!("outside of <{name}>");
                        assert!(scope.end(true).is_some());
                    }
                });
            });
        }
    });
    for worker in 0..4 {
        for round in 0..20 {
            let text = fixture.read(&format!("cases/{worker}-{round}.log"));
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(
                text.contains(&format!("inside of <{worker}-{round}>")),
                "{text}"
            );
        }
    }
    let session = fixture.read("session.log");
    assert_eq!(session.lines().count(), 80);
    assert!(!session.contains("inside"), "{session}");
}

#[test]
fn f49_files_of_json_are_written_without_anybody_else_who_formats() {
    let fixture = Fixture::with_format(
        levels(LevelFilter::OFF),
        levels(LevelFilter::DEBUG),
        LogFormat::Json,
    );
    with_default(fixture.subscriber(), || {
        tracing::info!("of the session");
        let scope = fixture.log.scope("case", "case.log");
        scope.run(|| tracing::info!("of the case"));
        scope.end(true);
    });
    assert_eq!(fixture.shown(), "");
    for (file, message) in [
        ("session.log", "of the session"),
        ("case.log", "of the case"),
    ] {
        let text = fixture.read(file);
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["message"], message, "{text}");
        assert!(record["time"].is_string(), "{text}");
    }
}

#[test]
fn a_scope_follows_the_messages_that_are_sent_in_it() {
    use crate::message::{DispatcherKind, EndpointId, EventId, MessageBus};
    const PLACE: EndpointId = EndpointId::new("place", "");
    const SAID: EventId<()> = EventId::new("SAID", "");
    let fixture = Fixture::new(levels(LevelFilter::OFF), levels(LevelFilter::DEBUG));
    let dispatch = tracing::Dispatch::new(fixture.subscriber());
    let bus = MessageBus::new();
    bus.define(PLACE, &[SAID.descriptor()]).unwrap();
    let of_worker = dispatch.clone();
    let heard = bus
        .dispatcher(DispatcherKind::Sequential, "listener")
        .on(SAID, move |_, _| {
            tracing::dispatcher::with_default(&of_worker, || {
                // A worker of this test has no subscriber of its own, so the span comes with the message only.
                tracing::info!("heard");
            });
            Ok(())
        })
        .register()
        .unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        let scope = fixture.log.scope("case", "case.log");
        scope.run(|| {
            tracing::info!("said");
            bus.trigger_event(SAID, PLACE, ()).unwrap();
        });
        bus.wait_until_idle(std::time::Duration::from_secs(10))
            .unwrap();
        scope.end(true);
    });
    drop(heard);
    let text = fixture.read("case.log");
    assert!(
        text.contains(": said\n") && text.contains(": heard\n"),
        "{text}"
    );
}

#[test]
fn a_scope_that_is_not_kept_leaves_nothing_behind() {
    let fixture = Fixture::new(levels(LevelFilter::OFF), levels(LevelFilter::DEBUG));
    with_default(fixture.subscriber(), || {
        let scope = fixture.log.scope("loud", "loud.log");
        scope.run(|| tracing::info!("something"));
        assert!(fixture.directory.join("loud.log").exists());
        assert_eq!(scope.end(false), None);
        assert!(!fixture.directory.join("loud.log").exists());

        let silent = fixture.log.scope("silent", "silent.log");
        silent.run(|| tracing::trace!("nothing that is wanted"));
        assert_eq!(silent.end(true), None);
    });
    assert!(!fixture.directory.join("silent.log").exists());
}

#[test]
fn what_comes_after_its_scope_goes_to_the_session() {
    let fixture = Fixture::new(levels(LevelFilter::OFF), levels(LevelFilter::DEBUG));
    with_default(fixture.subscriber(), || {
        let scope = fixture.log.scope("case", "case.log");
        let span = scope.run(tracing::Span::current);
        scope.end(true);
        span.in_scope(|| tracing::info!("late"));
    });
    assert!(fixture.read("session.log").contains(": late"));
    assert!(!fixture.directory.join("case.log").exists());
}

#[test]
fn f1_a_directory_that_cannot_be_made_is_said_once() {
    let scratch = tempfile::tempdir().unwrap();
    let file = Utf8PathBuf::from_path_buf(scratch.path().join("file")).unwrap();
    std::fs::write(&file, "").unwrap();
    let (console, files) = (levels(LevelFilter::WARN), levels(LevelFilter::DEBUG));
    let fixture = Fixture::in_directory(
        console,
        (files, LogFormat::Text),
        file.join("below"),
        scratch,
    );
    with_default(fixture.subscriber(), || {
        for _ in 0..3 {
            tracing::info!("lost");
        }
    });
    let shown = fixture.shown();
    assert_eq!(shown.lines().count(), 1, "{shown}");
    assert!(shown.starts_with("warning: log file "), "{shown}");
    assert!(shown.contains("cannot be written"), "{shown}");
    let problem = fixture.log.problem().unwrap();
    assert!(problem.ends_with("; 3 records are missing"), "{problem}");
    assert!(problem.contains("cannot be written"), "{problem}");
    // Who has read the warning is not told again why.
    let rest = fixture.log.rest_of_problem().unwrap();
    assert_eq!(rest, "log files are not complete: 3 records are missing");
}

#[test]
fn s15_what_is_hidden_is_hidden_in_messages_and_fields() {
    let fixture = Fixture::new(levels(LevelFilter::INFO), levels(LevelFilter::INFO));
    fixture.log.hide("hunter22");
    with_default(fixture.subscriber(), || {
        tracing::info!(password = "hunter22", wrapped = ?Some("hunter22"), "it is hunter22");
    });
    for text in [fixture.shown(), fixture.read("session.log")] {
        assert!(!text.contains("hunter22"), "{text}");
        assert!(
            text.contains("it is *** password=\"***\" wrapped=Some(\"***\")"),
            "{text}"
        );
    }
}

#[test]
fn a_value_that_panics_costs_nobody_anything() {
    struct Bomb;
    impl fmt::Debug for Bomb {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("not today")
        }
    }
    let fixture = Fixture::new(levels(LevelFilter::INFO), levels(LevelFilter::OFF));
    with_default(fixture.subscriber(), || {
        tracing::info!(bomb = ?Bomb, "before");
        tracing::info!("after");
    });
    let shown = fixture.shown();
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(
        shown.contains("(panicked while it was formatted)"),
        "{shown}"
    );
}

#[test]
fn a_field_that_is_called_message_does_not_replace_the_text() {
    let fixture = Fixture::new(levels(LevelFilter::INFO), levels(LevelFilter::OFF));
    with_default(fixture.subscriber(), || {
        tracing::info!(message = "a field", r#type = 1, "the text");
        tracing::info!(message = "alone");
    });
    assert_eq!(
        fixture.shown(),
        "info logging: the text message=\"a field\" type=1\ninfo logging: alone\n"
            .replace("logging", module_path!())
    );
}

#[test]
fn without_a_subscriber_of_ours_the_log_does_nothing() {
    let log = Log::default();
    log.begin_files("/nowhere");
    log.hide("hunter22");
    let scope = log.scope("case", "case.log");
    assert_eq!(scope.run(|| 5), 5);
    assert_eq!(scope.end(true), None);
    assert_eq!((log.directory(), log.problem()), (None, None));
}
