//! A user with an empty home, an empty directory and `zk2`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A directory to work in, and home, of one test.
pub(crate) struct Session {
    home: tempfile::TempDir,
}

/// How a `zk2` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Session {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("work")).unwrap();
        Self { home }
    }

    /// The working directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// Has Cargo build here as in the workspace of these sources, so that what was built there from registries is taken as it is, and
    /// the tests that build share the rest: what differs in debug information is built once more, with everything below it. What a
    /// test writes has none, which takes a third off the time of building and linking it.
    pub(crate) fn builds_as_these_sources(&self) {
        let place = self.home.path().join(".cargo");
        fs::create_dir(&place).unwrap();
        let profile =
            "[profile.dev]\ndebug = false\n\n[profile.dev.package.\"*\"]\ndebug = false\n";
        fs::write(place.join("config.toml"), profile).unwrap();
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A shell script that can be executed.
    pub(crate) fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.write(name, &format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A script that becomes the fixture program in this mode.
    pub(crate) fn fixture(&self, name: &str, mode: &str) -> PathBuf {
        let pids = self.path().join("left-behind");
        let program = fixture();
        self.script(
            name,
            &format!(
                "export ZK2_FIXTURE_PIDS={}\nexec {} {mode}",
                pids.display(),
                program.display()
            ),
        )
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_zk2"), arguments)
    }

    /// Any program, in the same directory and environment as `zk2`.
    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn zk2(&self, arguments: &[&str]) -> Ended {
        wait(self.command(arguments).spawn().unwrap())
    }

    /// The records of the newest run: data, and beside it kind and number.
    pub(crate) fn records(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.latest().join("events.jsonl")).unwrap();
        log.lines().map(record).collect()
    }

    pub(crate) fn latest(&self) -> PathBuf {
        self.path().join("output/latest")
    }

    /// Verdicts by case as the event log has them; a case with two of them fails the test.
    pub(crate) fn verdicts(&self) -> BTreeMap<String, String> {
        let mut verdicts = BTreeMap::new();
        for record in self.finished() {
            if record.get("retried") == Some(&Value::Bool(true)) {
                continue;
            }
            let case = text(&record, "case");
            let before = verdicts.insert(case.clone(), text(&record, "verdict"));
            assert_eq!(before, None, "{case} has two verdicts");
        }
        verdicts
    }

    pub(crate) fn finished(&self) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| text(record, "kind") == "case-finished");
        records
    }

    /// What the newest run said about the end of one case.
    pub(crate) fn finished_case(&self, id_end: &str) -> Value {
        let finished = self.finished();
        let found = finished
            .iter()
            .find(|record| text(record, "case").ends_with(id_end));
        found
            .unwrap_or_else(|| panic!("no case ends with {id_end}: {finished:#?}"))
            .clone()
    }

    /// Asserts that no process noted by the fixture is alive.
    pub(crate) fn assert_nothing_left(&self) {
        let pids = fs::read_to_string(self.path().join("left-behind")).unwrap_or_default();
        for pid in pids.split_whitespace() {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            assert!(
                state.is_empty() || state.starts_with('Z'),
                "process {pid} is alive: {stat}"
            );
        }
    }
}

fn record(line: &str) -> Value {
    let mut record: Value = serde_json::from_str(line).unwrap();
    let mut data = record.get_mut("data").unwrap().take();
    for key in ["kind", "seq"] {
        data.as_object_mut()
            .unwrap()
            .insert(key.to_owned(), record.get(key).unwrap().clone());
    }
    data
}

pub(crate) fn text(record: &Value, key: &str) -> String {
    record
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn wait(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        signal: output.status.signal(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The fixture program, which cargo builds with the examples.
pub(crate) fn fixture() -> PathBuf {
    example("zk2-fixture")
}

pub(crate) fn example(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_zk2"))
        .with_file_name("examples")
        .join(name);
    assert!(
        path.exists(),
        "{} is built by `cargo test` together with the tests",
        path.display()
    );
    path
}
