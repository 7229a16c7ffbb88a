//! From a file to a database: an extension reads where the database is from a file, and provides what is in there to those after it.

use std::io::Write;

use camino::Utf8PathBuf;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use zaf_core::Result;
use zaf_core::application::{Console, ExitCode};
use zaf_core::command::{CommandContext, CommandDescriptor};
use zaf_core::config::{
    ConfigLayer, ConfigOption, OptionDescriptor, OptionId, Priority, Source, Value,
};
use zaf_core::extension::{Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind};
use zaf_core::prelude::Error;

use super::configuration::Machine;
use super::recorder::{Ended, application, command, describe, run};

/// The database. Without one the extension does nothing.
const FILE: OptionId<Utf8PathBuf> =
    OptionId::path("settings.database").describe("Database with settings.");
const FILE_DESCRIPTOR: OptionDescriptor = FILE.descriptor();
const FILE_OPTIONS: [ConfigOption; 1] = [FILE.optional()];

/// Values of the database count more than files of the user, less than those of the working directory.
const PRIORITY: Priority = Priority::new(25);

/// Provides what the table `settings` says. A connection is for one thread at a time.
struct Settings(Mutex<Option<Connection>>);

impl Extension for Settings {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let file = cx.config().get_optional(FILE)?;
        let opened = file.map(|file| {
            Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)
                .map_err(|error| Error::from(error).hint(format!("`settings.database` is {file}")))
        });
        Ok(Self(Mutex::new(opened.transpose()?)))
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let source = Source::Extension {
            name: cx.name().into(),
        };
        let mut layer = ConfigLayer::new(PRIORITY, source);
        if let Some(connection) = &*self.0.lock() {
            let mut rows = connection.prepare("SELECT key, value FROM settings ORDER BY key")?;
            let settings = rows.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            for setting in settings {
                let (key, value) = setting?;
                // As on a command line: the option says what it is.
                layer = layer.with(&key, Value::Raw(value));
            }
        }
        Ok(vec![layer])
    }
}

const SETTINGS: ExtensionDescriptor = ExtensionDescriptor {
    kind: ExtensionKind::Framework {
        load_order: 30,
        commands: &[],
    },
    activate_on: &[&[FILE_DESCRIPTOR]],
    ..describe::<Settings>("settings", &FILE_OPTIONS, &[])
};

const TEXT: OptionId<String> = OptionId::text("greeting.text").describe("What is said.");
const TIMES: OptionId<i64> = OptionId::integer("greeting.times").default(1);
const GREETING_OPTIONS: [ConfigOption; 2] = [TEXT.required(), TIMES.optional()];

/// Takes its options when it is made, from wherever they come.
struct Greeter;

impl Extension for Greeter {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        // An extension that needs them could not be made without.
        cx.config().get(TEXT)?;
        Ok(Self)
    }
}

const GREETER: ExtensionDescriptor = ExtensionDescriptor {
    kind: ExtensionKind::Framework {
        load_order: 40,
        commands: &[&GREET],
    },
    ..describe::<Greeter>("greeter", &GREETING_OPTIONS, &[&GREET])
};

const GREET: CommandDescriptor = command("greet", &[], |cx: &CommandContext<'_>| {
    let text = cx.config().get(TEXT)?;
    for _ in 0..cx.config().get(TIMES)? {
        writeln!(cx.component::<Console>()?.stdout(), "{text}")?;
    }
    Ok(ExitCode::Success)
});

/// A machine with a database of these statements, and a file that says where it is.
fn machine(statements: &str, local: &str) -> Machine {
    let local = format!("settings.database: data/settings.db\n{local}");
    let files = [
        ("work/demo.yaml", local.as_str()),
        ("work/data/README", ""),
        ("home/.config/demo/config.yaml", "greeting.times: 3\n"),
    ];
    let machine = Machine::new(&files);
    let database = Connection::open(machine.path("work/data/settings.db")).expect("a database");
    database.execute_batch(statements).expect("SQL");
    machine
}

const HELLO: &str = "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
    INSERT INTO settings VALUES ('greeting.text', 'hello from the database'), ('greeting.times', '2');";

fn run_on(machine: &Machine, environment: &[(&str, &str)], line: &[&str]) -> Ended {
    let invocation = machine.invocation(environment, line);
    run(application([GREETER, SETTINGS]), invocation)
}

/// What the command says, and nothing else does.
fn greeting(machine: &Machine, environment: &[(&str, &str)], line: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = run_on(machine, environment, line);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let own = |line: &&str| line.contains("hello");
    stdout.lines().filter(own).map(str::to_owned).collect()
}

#[test]
fn a_file_names_the_database_and_the_database_provides_the_options_of_others() {
    let machine = machine(HELLO, "");
    let twice = ["hello from the database"; 2];
    assert_eq!(greeting(&machine, &[], &["greet"]), twice);
    // The file of the working directory, the environment and the command line win over the database.
    let times = [("DEMO_GREETING_TIMES", "1")];
    assert_eq!(greeting(&machine, &times, &["greet"]), twice[..1]);
    let line = ["greet", "--greeting-text", "hello"];
    assert_eq!(greeting(&machine, &[], &line), ["hello", "hello"]);
}

#[test]
fn a_value_of_the_database_is_explained_by_the_extension_that_provides_it() {
    let machine = machine(HELLO, "greeting.text: hello from the file\n");
    let explain = |key: &str| {
        let (code, stdout, stderr) = run_on(&machine, &[], &["config", "--explain", key]);
        assert_eq!((code, stderr.as_str()), (0, ""));
        let own = |line: &&str| line.starts_with(['g', ' ']);
        // The widths of columns depend on where the machine is.
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = stdout.lines().filter(own).map(words).collect();
        lines.join("\n").replace(&machine.path(""), "")
    };
    insta::assert_snapshot!(explain("greeting.text"), @r#"
    greeting.text = "hello from the file"
    30 local file work/demo.yaml:2:16 "hello from the file" ◀ wins
    25 other extension settings hello from the database
    "#);
    insta::assert_snapshot!(explain("greeting.times"), @r"
    greeting.times = 2
    25 other extension settings 2 ◀ wins
    20 user file home/.config/demo/config.yaml:1:17 3
    0 default extension greeter 1
    ");
}

#[test]
fn a_database_that_cannot_be_read_stops_the_command_and_not_those_that_show_what_there_is() {
    let broken = [
        (
            machine("CREATE TABLE other (a INTEGER)", ""),
            "no such table: settings",
        ),
        (
            Machine::new(&[("work/demo.yaml", "settings.database: gone.db\n")]),
            "unable to open",
        ),
        (
            Machine::new(&[
                ("work/demo.yaml", "settings.database: text.db\n"),
                (
                    "work/text.db",
                    "This is no database, but a text that is longer than the head of one.",
                ),
            ]),
            "file is not a database",
        ),
    ];
    for (machine, cause) in broken {
        let greet = ["greet", "--greeting-text", "hello"];
        let (code, _, stderr) = run_on(&machine, &[], &greet);
        assert_eq!(code, 7, "{stderr}");
        assert!(stderr.contains("extension `settings`"), "{stderr}");
        assert!(stderr.contains(cause), "{stderr}");
        for line in [
            &["--help"][..],
            &["config"],
            &["extensions"],
            &["why", "settings"],
        ] {
            let line = [line, &greet[1..]].concat();
            let (code, stdout, stderr) = run_on(&machine, &[], &line);
            assert_eq!(code, 0, "{line:?}: {stderr}");
            assert!(!stdout.is_empty(), "{line:?}");
        }
    }
}
