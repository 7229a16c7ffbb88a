//! Plugins as a user has them: folders with a program that speaks the protocol, here shell scripts.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::plugin_examples::built;
use crate::session::{Ended, Session, wait};

/// What a script does with frames of these types, as branches of a `case`; `$id` is the id of the frame in `$line`. What it sees
/// stands in `$HOME/seen`: in its folder it would change what it is.
pub(crate) struct Plugin {
    pub(crate) description: Value,
    pub(crate) branches: String,
}

impl Plugin {
    /// A command extension of `run` that notes the events of a run.
    pub(crate) fn listening(name: &str, messages: &[&str]) -> Self {
        Self {
            description: json!({
                "protocol": 1,
                "name": name,
                "version": "1.5.0",
                "description": "Notes what happens.\nMore about it.",
                "kind": {"command": {"extends": ["run"]}},
                "dispatchers": [{"name": "note", "messages": messages}],
            }),
            branches: String::new(),
        }
    }

    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.description[key] = value;
        self
    }

    /// One more branch, before the usual ones.
    pub(crate) fn branch(mut self, branch: &str) -> Self {
        self.branches.push_str(branch);
        self.branches.push('\n');
        self
    }

    fn name(&self) -> &str {
        self.description["name"].as_str().unwrap()
    }

    fn script(&self) -> String {
        let description = self.description.to_string();
        assert!(!description.contains('\''), "{description}");
        let name = self.name();
        format!(
            r#"#!/bin/sh
echo "started $$" >> "$HOME/seen"
while read -r line; do
  id=${{line#*'"id":'}}
  id=${{id%%[,\}}]*}}
  printf '%s\n' "$line" >> "$HOME/seen"
  case $line in
{}
    *'"type":"describe"'*) printf '%s\n' '{{"type":"description","id":'"$id"',"plugin":{description}}}' ;;
    *'"type":"stop"'*) echo "ended {name}" >> "$HOME/seen"; echo "{{\"type\":\"stopped\",\"id\":$id}}"; exit 0 ;;
    *) echo "{{\"type\":\"done\",\"id\":$id}}" ;;
  esac
done
"#,
            self.branches
        )
    }

    /// The same as a C library, which notes what it sees in the same words; false where there is no compiler.
    fn build(&self, session: &Session, folder: &str) -> bool {
        let literal = |text: &str| Value::String(text.to_owned()).to_string();
        let source = include_str!("noting.c")
            .replace("DESCRIPTION", &literal(&self.description.to_string()))
            .replace("NAME", &literal(self.name()));
        library(session, folder, &source, &[])
    }

    /// Puts it into a folder of the session; returns that folder.
    pub(crate) fn write(&self, session: &Session, folder: &str) -> PathBuf {
        let place = session.path().join(folder);
        let manifest = session.write(&format!("{folder}/plugin.toml"), "run = [\"main.sh\"]\n");
        let program = session.write(&format!("{folder}/main.sh"), &self.script());
        fs::set_permissions(&manifest, Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        only_own_may_write(session, &place);
        place
    }
}

/// Whatever the umask is: a folder, and those above it in the session.
pub(crate) fn only_own_may_write(session: &Session, folder: &Path) {
    let above = folder.ancestors();
    for directory in above.take_while(|above| above.starts_with(session.path())) {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    }
}

/// Builds a library of this C and makes it a plugin; false, with a notice, where there is no compiler.
pub(crate) fn library(session: &Session, folder: &str, source: &str, more: &[&str]) -> bool {
    for (name, text) in [
        ("plugin.c", source),
        ("plugin.toml", "library = \"plugin.so\"\n"),
    ] {
        let file = session.write(&format!("{folder}/{name}"), text);
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    }
    let place = session.path().join(folder);
    only_own_may_write(session, &place);
    let arguments = [&["-shared", "-fPIC"], more].concat();
    built(&place, "plugin.c", "plugin.so", &arguments)
}

/// What plugins have seen; empty if none was ever started.
pub(crate) fn seen(session: &Session) -> String {
    fs::read_to_string(session.path().join("../seen")).unwrap_or_default()
}

/// The messages that were given, by name, in order.
fn given(session: &Session) -> Vec<String> {
    frames(session)
        .iter()
        .filter_map(|frame| frame["message"].as_str())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn frames(session: &Session) -> Vec<Value> {
    let seen = seen(session);
    let frames = seen.lines().filter(|line| line.starts_with('{'));
    frames
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A session with one case that passes and a plugin in `plugins/one`.
pub(crate) fn with(plugin: &Plugin) -> Session {
    let session = Session::new();
    session.script("case.sh", "exit 0");
    plugin.write(&session, "plugins/one");
    session
}

/// Runs the case with the plugins in `plugins`.
pub(crate) fn run(session: &Session, more: &[&str]) -> Ended {
    session.zk2(&[&["run", "case.sh", "--plugins-paths", "plugins"], more].concat())
}

#[track_caller]
pub(crate) fn assert_ended(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in {ended:?}");
    }
}

#[test]
fn a_plugin_sees_a_run_as_a_linked_extension_does() {
    let plugin = Plugin::listening(
        "notes",
        &["TEST_RUN_STARTED", "TEST_CASE_FINISHED", "TEST_RUN_FINISHED"],
    )
    .with(
        "options",
        json!([
            {"name": "notes.greeting", "type": "text", "default": "hello", "description": "How it greets."},
            {"name": "notes.patience", "type": "duration", "description": "How long."},
            {"name": "notes.words", "type": "text", "description": "Words.", "multiple": true},
        ]),
    );
    let session = with(&plugin);
    let ended = run(
        &session,
        &[
            "--notes-patience",
            "1500ms",
            "--notes-words",
            "a",
            "--notes-words",
            "b",
        ],
    );
    assert_ended(&ended, 0, &[]);
    assert_eq!(
        given(&session),
        [
            "TEST_RUN_STARTED",
            "TEST_CASE_FINISHED",
            "TEST_RUN_FINISHED"
        ]
    );
    let frames = frames(&session);
    let start = frames
        .iter()
        .find(|frame| frame["type"] == "start")
        .unwrap();
    assert_eq!(
        start["config"],
        json!({"notes.greeting": "hello", "notes.patience": 1.5, "notes.words": ["a", "b"]})
    );
    let finished = frames
        .iter()
        .find(|frame| frame["message"] == "TEST_CASE_FINISHED")
        .unwrap();
    assert_eq!(finished["endpoint"], "runner");
    assert_eq!(finished["dispatcher"], "note");
    assert_eq!(finished["payload"]["verdict"], "passed");
    assert_eq!(frames.last().unwrap()["type"], "stop");
}

#[test]
fn s1_nothing_of_a_plugin_runs_before_a_command_that_needs_it() {
    let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"]).with(
        "options",
        json!([{"name": "notes.greeting", "type": "text", "description": "How it greets."}]),
    );
    let session = with(&plugin);
    let lines: [&[&str]; 14] = [
        &["--help"],
        &["run", "--help"],
        &["--version"],
        &["config"],
        &["config", "--explain", "plugins.paths"],
        &["list", "case.sh"],
        &["extensions", "--target-command", "run"],
        &["plugins"],
        &["messages"],
        &["components"],
        &["why", "plugins"],
        &["help", "plugins.paths"],
        &["completion", "bash"],
        &["trust", "--list"],
    ];
    let look = |is_known: bool| {
        for line in lines {
            let ended = session.zk2(&[&["--plugins-paths", "plugins"], line].concat());
            assert!(matches!(ended.code, Some(0)), "{line:?}: {ended:?}");
            assert_eq!(seen(&session), "", "{line:?} started the plugin");
            let help = line == ["run", "--help"];
            if help {
                assert_eq!(
                    ended.stdout.contains("--notes-greeting"),
                    is_known,
                    "{ended:?}"
                );
            }
        }
    };
    look(false);
    assert_ended(&run(&session, &[]), 0, &[]);
    assert!(seen(&session).contains("TEST_RUN_STARTED"));
    // What it is has been kept; so its options are known without running it.
    fs::remove_file(session.path().join("../seen")).unwrap();
    look(true);
}

#[test]
fn a_word_that_could_be_a_command_starts_no_plugin_whose_description_is_unknown() {
    let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"]).with(
        "options",
        json!([{"name": "notes.word", "type": "text", "description": "A word."}]),
    );
    let session = with(&plugin);
    // As long as the flag is not known, this may be the command `config`.
    let line = [
        "--plugins-paths",
        "plugins",
        "--notes-word",
        "config",
        "run",
        "case.sh",
    ];
    let ended = session.zk2(&line);
    assert_ended(&ended, 2, &["unknown option `--notes-word`"]);
    assert_eq!(seen(&session), "");
    assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
    assert_ended(&session.zk2(&line), 0, &[]);
    assert_eq!(given(&session), ["TEST_RUN_STARTED"]);
}

#[test]
fn s1_a_repository_or_a_variable_cannot_make_plugins_run_unless_they_are_trusted() {
    let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
    let folder = fs::canonicalize(session.path().join("plugins/one")).unwrap();
    let fix = format!("`trust {}`", folder.display());
    let plugins = session.path().join("plugins").display().to_string();
    let of_variable = |line: &[&str]| {
        let mut command = session.command(line);
        command.env("K2_PLUGINS_PATHS", &plugins);
        wait(command.spawn().unwrap())
    };
    let refused = of_variable(&["run", "case.sh"]);
    assert_ended(&refused, 2, &["is not trusted", "K2_PLUGINS_PATHS", &fix]);

    session.write("k2.yaml", &format!("plugins:\n  paths: [{plugins}]\n"));
    let refused = session.zk2(&["run", "case.sh"]);
    assert_ended(&refused, 2, &["is not trusted", "k2.yaml:2:10", &fix]);
    // Who looks at it sees why, and can follow the hint.
    let shown = session.zk2(&["config"]);
    assert_ended(&shown, 0, &["is not trusted"]);
    assert_eq!(seen(&session), "");

    let trusted = session.zk2(&["trust", "plugins"]);
    assert_ended(&trusted, 0, &[]);
    assert!(
        trusted.stdout.starts_with("trusted: notes 1.5.0  ")
            && trusted.stdout.contains("Notes what happens."),
        "{trusted:?}"
    );
    let list = session.zk2(&["trust", "--list"]).stdout;
    assert!(list.contains(&folder.display().to_string()), "{list}");
    assert_ended(&session.zk2(&["run", "case.sh"]), 0, &[]);
    fs::remove_file(session.path().join("k2.yaml")).unwrap();
    assert_ended(&of_variable(&["run", "case.sh"]), 0, &[]);
    assert!(seen(&session).contains("TEST_RUN_STARTED"));

    // One more file, and it is another plugin.
    session.write("plugins/one/more.txt", "x");
    fs::remove_file(session.path().join("../seen")).unwrap();
    let changed = of_variable(&["run", "case.sh"]);
    assert_ended(&changed, 2, &["has changed since it was trusted", &fix]);
    assert_eq!(seen(&session), "");
    assert_ended(&session.zk2(&["trust", "plugins/one"]), 0, &[]);
    assert_ended(&of_variable(&["run", "case.sh"]), 0, &[]);
    let removed = session.zk2(&["trust", "--remove", "plugins"]);
    assert!(
        removed.stdout.starts_with("no longer: notes"),
        "{removed:?}"
    );
    assert_ended(&of_variable(&["run", "case.sh"]), 2, &["is not trusted"]);
    let again = session.zk2(&["trust", "--remove", "plugins"]);
    assert_ended(&again, 2, &["is trusted"]);
}

#[test]
fn s1_the_users_own_configuration_may_name_plugins() {
    let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
    let plugins = session.path().join("plugins").display().to_string();
    let file = session.path().join("../.config/k2/config.yaml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("plugins:\n  paths: [{plugins}]\n")).unwrap();
    assert_ended(&session.zk2(&["run", "case.sh"]), 0, &[]);
    assert_eq!(given(&session), ["TEST_RUN_STARTED"]);
}

#[test]
fn c14_a_path_that_cannot_be_used_is_named_with_who_set_it() {
    let session = Session::new();
    session.script("case.sh", "exit 0");
    let file = session.write("a-file", "x");
    let file = file.display().to_string();
    let missing = session.path().join("missing").display().to_string();
    for (path, problem) in [(&missing, "does not exist"), (&file, "is not a directory")] {
        let typed = session.zk2(&["run", "case.sh", "--plugins-paths", path]);
        assert_ended(&typed, 2, &[path, problem, "--plugins-paths"]);
        session.write("k2.yaml", &format!("plugins:\n  paths:\n    - {path}\n"));
        let written = session.zk2(&["run", "case.sh"]);
        assert_ended(&written, 2, &[path, problem, "k2.yaml:3:5"]);
        fs::remove_file(session.path().join("k2.yaml")).unwrap();
    }
    assert!(!session.latest().exists(), "nothing was run");
    if !rustix::process::geteuid().is_root() {
        let closed = session.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
        let path = closed.display().to_string();
        let ended = session.zk2(&["run", "case.sh", "--plugins-paths", &path]);
        fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
        assert_ended(&ended, 2, &[&path, "cannot be read"]);
    }
}

#[test]
fn s3_a_relative_path_in_a_file_is_refused() {
    let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
    session.write("k2.yaml", "plugins:\n  paths: [plugins]\n");
    let ended = session.zk2(&["run", "case.sh"]);
    assert_ended(
        &ended,
        2,
        &["`plugins` is no absolute path", "k2.yaml:2:10"],
    );
    assert_eq!(seen(&session), "");
}

#[test]
fn c18_plugins_that_others_can_change_are_refused_with_the_mode() {
    let set = |session: &Session, path: &str, mode| {
        let path = session.path().join(path);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode) in [
        ("plugins", 0o777),
        ("plugins/one", 0o775),
        ("plugins/one/main.sh", 0o777),
        ("plugins/one/plugin.toml", 0o666),
    ] {
        let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
        set(&session, path, mode);
        let ended = run(&session, &[]);
        assert_ended(
            &ended,
            7,
            &[
                path,
                &format!("its mode is {mode:04o}"),
                "--allow-insecure-plugins",
            ],
        );
        assert_eq!(seen(&session), "");
        let trusted = session.zk2(&["trust", "plugins"]);
        assert_ended(&trusted, 7, &["its mode is"]);
        // A repository cannot say that it does not matter.
        session.write("k2.yaml", "allow.insecure.plugins: true\n");
        assert_ended(&run(&session, &[]), 2, &["k2.yaml:1", "may not say so"]);
        assert_eq!(seen(&session), "");
        fs::remove_file(session.path().join("k2.yaml")).unwrap();
        assert_ended(&run(&session, &["--allow-insecure-plugins"]), 0, &[]);
        assert_eq!(given(&session), ["TEST_RUN_STARTED"]);
    }
}

#[test]
fn c18_a_link_that_leads_out_is_refused() {
    let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
    fs::create_dir(session.path().join("linked")).unwrap();
    symlink(
        session.path().join("plugins/one"),
        session.path().join("linked/one"),
    )
    .unwrap();
    let line = ["run", "case.sh", "--plugins-paths", "linked"];
    let ended = session.zk2(&line);
    assert_ended(
        &ended,
        7,
        &["linked/one", "a link that leads out of the directory"],
    );

    let outside = session.write("outside.txt", "x");
    symlink(outside, session.path().join("plugins/one/inside.txt")).unwrap();
    let ended = run(&session, &[]);
    assert_ended(
        &ended,
        7,
        &["inside.txt", "a link that leads out of its folder"],
    );
    assert_eq!(seen(&session), "");
}

#[test]
fn c23_one_plugin_in_two_paths_is_loaded_once() {
    let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"]);
    let session = with(&plugin);
    plugin.write(&session, "plugins/two");
    let ended = run(&session, &[]);
    assert_ended(
        &ended,
        0,
        &[
            "plugin `notes` is in",
            "plugins/one",
            "plugins/two",
            "it is loaded once",
        ],
    );
    assert_eq!(given(&session), ["TEST_RUN_STARTED"]);
    plugin
        .with("version", json!("2.0"))
        .write(&session, "plugins/two");
    let ended = run(&session, &[]);
    assert_ended(
        &ended,
        7,
        &[
            "plugin `notes` is in",
            "plugins/one",
            "and, different, in",
            "plugins/two",
        ],
    );
    // The same folder twice is one folder.
    let twice = [
        "--plugins-paths",
        "plugins/one",
        "--plugins-paths",
        "plugins/one/.",
    ];
    let ended = session.zk2(&[&["run", "case.sh"], &twice[..]].concat());
    assert_ended(&ended, 0, &[]);
    assert!(!ended.stderr.contains("loaded once"), "{ended:?}");
}

#[test]
fn g10_what_else_lies_in_a_directory_of_plugins_is_not_looked_at() {
    let session = with(&Plugin::listening("notes", &["TEST_RUN_STARTED"]));
    for number in 0..10_000 {
        fs::write(session.path().join(format!("plugins/file{number}.so")), "x").unwrap();
    }
    fs::create_dir(session.path().join("plugins/no-plugin")).unwrap();
    // One level deep, no further.
    Plugin::listening("deep", &["TEST_RUN_STARTED"]).write(&session, "plugins/no-plugin/deep");
    assert_ended(&run(&session, &[]), 0, &[]);
    assert_eq!(given(&session), ["TEST_RUN_STARTED"]);
}

#[test]
fn plugins_are_listed_with_their_origin_and_can_be_switched_off() {
    let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"])
        .with("groups", json!(["writers"]))
        .with(
            "endpoints",
            json!([{"name": "notebook", "description": "Where notes are.", "messages": [
                {"name": "NOTED", "kind": "event", "description": "Something was noted."},
            ]}]),
        );
    let session = with(&plugin);
    assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
    fs::remove_file(session.path().join("../seen")).unwrap();
    let listed = |line: &[&str]| {
        let ended = session.zk2(&[&["--plugins-paths", "plugins"], line].concat());
        assert_ended(&ended, 0, &[]);
        ended.stdout
    };
    let list = listed(&["extensions", "--format", "json", "--target-command", "run"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let rows = list["extensions"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "notes").unwrap();
    assert_eq!(row["crate"], "plugin");
    assert_eq!(row["version"], "1.5.0");
    assert_eq!(row["state"], "active");
    assert_eq!(row["extends_commands"], json!(["run"]));
    let file = row["file"].as_str().unwrap();
    assert!(file.ends_with("plugins/one/plugin.toml"), "{file}");
    for (line, words) in [
        (&["plugins"][..], &["notes", "active"][..]),
        (&["messages"], &["NOTED", "TEST_RUN_STARTED", "notes"]),
        (&["endpoints"], &["notebook"]),
        (
            &["why", "notes"],
            &["plugin 1.5.0", "plugins/one/plugin.toml"],
        ),
        (&["commands"], &["notes"]),
    ] {
        let text = listed(line);
        for word in words {
            assert!(text.contains(word), "{line:?} has no {word}: {text}");
        }
    }
    assert_eq!(seen(&session), "");
    for off in [
        &["--plugins-disable", "run.notes"][..],
        &["--no-ext-notes@enabled"],
        &["--no-ext-groups-writers@enabled"],
    ] {
        assert_ended(&run(&session, off), 0, &[]);
        assert_eq!(seen(&session), "", "{off:?}");
    }
}

#[test]
fn a_plugin_is_active_for_its_options_only_and_has_an_instance_for_each_entity() {
    let plugin = Plugin::listening("notes", &["TEST_RUN_STARTED"])
        .with(
            "options",
            json!([
                {"name": "note.ids", "type": "entity", "multiple": true, "instantiate_on": true, "description": "Notes."},
                {"name": "note.file", "type": "text", "at": "note.ids", "description": "A file."},
                {"name": "notes.on", "type": "flag", "default": false, "description": "Whether."},
            ]),
        )
        .with("activate_on", json!([["notes.on"]]));
    let session = with(&plugin);
    assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
    fs::remove_file(session.path().join("../seen")).unwrap();
    let names = [
        "--note-ids",
        "red",
        "--note-ids",
        "blue",
        "--note-red@note-file",
        "r.txt",
    ];
    assert_ended(&run(&session, &names), 0, &[]);
    assert_eq!(seen(&session), "", "who is not active is not started");
    assert_ended(&run(&session, &["--notes-on"]), 0, &[]);
    assert_eq!(seen(&session), "", "nothing names an instance");
    assert_ended(
        &run(&session, &[&names[..], &["--notes-on"]].concat()),
        0,
        &[],
    );
    let frames = frames(&session);
    let mut starts: Vec<(&str, Option<&str>)> = frames
        .iter()
        .filter(|frame| frame["type"] == "start")
        .map(|frame| {
            let file = frame["config"]["note.file"].as_str();
            (frame["entity"].as_str().unwrap(), file)
        })
        .collect();
    starts.sort_unstable();
    assert_eq!(starts, [("blue", None), ("red", Some("r.txt"))]);
    assert_eq!(given(&session), ["TEST_RUN_STARTED", "TEST_RUN_STARTED"]);
}

#[test]
fn plugins_talk_to_each_other_by_messages_of_their_own() {
    let speaker = Plugin::listening("speaker", &["TEST_RUN_STARTED"])
        .with(
            "endpoints",
            json!([{"name": "talk", "description": "Talk.", "messages": [{"name": "SPOKEN", "kind": "event", "description": "A word."}]}]),
        )
        .branch(
            r#"    *'"message":"TEST_RUN_STARTED"'*)
      echo "{\"type\":\"trigger\",\"during\":$id,\"message\":\"SPOKEN\",\"endpoint\":\"talk\",\"payload\":{\"word\":[1,2]}}"
      echo "{\"type\":\"done\",\"id\":$id}" ;;"#,
        );
    let session = with(&speaker);
    Plugin::listening("hearer", &["SPOKEN"]).write(&session, "plugins/two");
    assert_ended(&run(&session, &[]), 0, &[]);
    let frames = frames(&session);
    let heard = frames
        .iter()
        .find(|frame| frame["message"] == "SPOKEN")
        .unwrap();
    assert_eq!(heard["payload"], json!({"word": [1, 2]}));
    assert_eq!(heard["endpoint"], "talk");
}

#[test]
fn a_plugin_answers_requests() {
    let reporter = Plugin::listening("reporter", &["WRITE_REPORTS"]).branch(
        r#"    *'"type":"request"'*)
      echo "a report" > "$HOME/report.txt"
      echo "{\"type\":\"reply\",\"id\":$id,\"payload\":[{\"name\":\"mine\",\"path\":\"$HOME/report.txt\"}]}" ;;"#,
    );
    let session = with(&reporter);
    let ended = run(&session, &[]);
    assert_ended(&ended, 0, &[]);
    assert!(ended.stdout.contains("report.txt"), "{ended:?}");
}

#[test]
fn what_does_not_fit_is_told_at_once_and_nothing_is_run() {
    let odd = Plugin::listening("odd", &["TEST_RUN_STRATED", "SYNC_EVENT_LOG", "RUN_TEST_CASES"]).with(
        "options",
        json!([{"name": "odd.mine"}, {"name": "odd.long", "type": "duration", "default": "2s", "description": "How long."}]),
    );
    let session = with(&odd);
    let ended = run(&session, &[]);
    assert_ended(
        &ended,
        7,
        &[
            "plugin `odd` in",
            "listens to `TEST_RUN_STRATED`, which nothing defines; did you mean `TEST_RUN_STARTED`?",
            "listens to `SYNC_EVENT_LOG`, which cannot be put into bytes",
            "listens to `RUN_TEST_CASES`, which cannot be put into bytes",
            "option `odd.mine` has no `type`, and nobody else declares it",
        ],
    );
    assert!(!session.latest().exists());
    // Whoever looks is told, and sees the rest.
    let shown = session.zk2(&["--plugins-paths", "plugins", "extensions"]);
    assert_ended(&shown, 0, &["plugin `odd` in"]);
}

#[test]
fn an_option_of_a_plugin_that_could_not_be_loaded_is_not_taken_for_another_one() {
    let siren = Plugin::listening("siren", &["TEST_CASE_FINISHED"]).with(
        "options",
        json!([{"name": "siren.most", "type": "count", "description": "How often."}]),
    );
    let broken = siren.branch(r#"    *'"type":"describe"'*) exit 9 ;;"#);
    let session = with(&broken);
    let ended = run(&session, &["--siren-most", "3"]);
    assert_ended(
        &ended,
        2,
        &[
            "plugins/one/main.sh`, asked what it is: ended with exit code 9",
            "unknown option `--siren-most`",
            "hint: it may belong to what could not be loaded; that is told besides",
        ],
    );
    assert!(!ended.stderr.contains("did you mean"), "{ended:?}");
    // What is nearly right is still the better guess, and without a plugin nothing is missing.
    let ended = run(&session, &["--run-timeuot", "3s"]);
    assert_ended(&ended, 2, &["hint: did you mean `--run-timeout`?"]);
    let ended = session.zk2(&["run", "case.sh", "--siren-most", "3"]);
    assert_ended(
        &ended,
        2,
        &["hint: `zk2 run --help` shows what is accepted"],
    );
}

#[test]
fn a_plugin_that_extends_what_no_command_has_is_told_as_a_linked_extension_is() {
    let extending = |word: &str| {
        let session = with(
            &Plugin::listening("odd", &["TEST_CASE_FINISHED"])
                .with("kind", json!({"command": {"extends": [word]}})),
        );
        let ended = run(&session, &[]);
        (session, ended)
    };
    let (_, ended) = extending("rnu");
    let warning = "extends `rnu`, which is no capability of any command: did you mean `run`?";
    assert_ended(
        &ended,
        0,
        &["extension `odd` (", "plugins/one/plugin.toml:1)", warning],
    );
    assert_eq!(ended.stderr.matches(warning).count(), 1, "{ended:?}");
    // It may be a word of another application.
    let (session, ended) = extending("something-else");
    assert_ended(&ended, 0, &[]);
    assert!(!ended.stderr.contains("something-else"), "{ended:?}");
    let why = session.zk2(&["why", "odd", "--plugins-paths", "plugins"]);
    assert!(why.stdout.contains("no command has it"), "{why:?}");
}

#[test]
fn c24_a_plugin_may_have_many_options() {
    let options: Vec<Value> = (0..500)
        .map(|number| json!({"name": format!("many.option{number}"), "type": "integer", "default": number, "description": "One of many."}))
        .collect();
    let plugin = Plugin::listening("many", &["TEST_RUN_STARTED"]).with("options", json!(options));
    let session = with(&plugin);
    assert_ended(&run(&session, &["--many-option499", "-7"]), 0, &[]);
    let frames = frames(&session);
    let start = frames
        .iter()
        .find(|frame| frame["type"] == "start")
        .unwrap();
    let config = start["config"].as_object().unwrap();
    assert_eq!((config.len(), &config["many.option499"]), (500, &json!(-7)));
    let help = session.zk2(&["--plugins-paths", "plugins", "run", "--help"]);
    assert!(help.stdout.contains("--many-option250"), "{help:?}");
}

#[test]
fn a_plugin_that_speaks_to_itself_while_it_starts_does_not_wait_for_itself() {
    let own = json!([{"name": "own", "description": "Where it speaks.", "messages": [
        {"name": "OWN", "kind": "event", "description": "Something."},
        {"name": "ASK_OWN", "kind": "request", "description": "Something?"},
    ]}]);
    let call = |frame: &str| {
        format!(
            r#"printf '%s\n' "{frame}"; read -r answer; printf '%s\n' "$answer" >> "$HOME/seen""#
        ) + "\n"
    };
    let message = |kind: &str, id: u32, during: &str, name: &str| {
        let frame = format!(
            r#"{{"type":"{kind}","id":{id},{during}"message":"{name}","endpoint":"own","payload":{id}}}"#
        );
        call(&frame.replace('"', r#"\""#))
    };
    let during = r#""during":$id,"#;
    let start = [
        message("trigger", 1, during, "OWN"),
        message("trigger", 2, "", "OWN"),
        message("send", 3, during, "ASK_OWN"),
        message("send", 4, "", "ASK_OWN"),
    ]
    .concat();
    for threads in ["callback", "sequential"] {
        let plugin = Plugin::listening("own", &[])
            .with("endpoints", own.clone())
            .with(
                "dispatchers",
                json!([{"name": "own", "messages": ["OWN", "ASK_OWN"], "threads": threads}]),
            )
            .branch(&format!(
                "*'\"type\":\"start\"'*) {start} echo \"{{\\\"type\\\":\\\"done\\\",\\\"id\\\":$id}}\" ;;"
            ));
        let session = with(&plugin);
        assert_ended(&run(&session, &[]), 0, &[]);
        let frames = frames(&session);
        let answers: Vec<&Value> = frames
            .iter()
            .filter(|frame| frame["type"] == "replies" || frame["type"] == "done")
            .collect();
        let ids: Vec<u64> = answers
            .iter()
            .map(|one| one["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids, [1, 2, 3, 4], "{frames:?}");
        for answer in &answers[2..] {
            let text = answer["replies"][0]["error"]["text"].as_str().unwrap();
            assert!(text.contains("would wait for itself"), "{text}");
        }
        let events: Vec<&Value> = frames
            .iter()
            .filter(|frame| frame["type"] == "event")
            .map(|frame| &frame["payload"])
            .collect();
        assert_eq!(events, [&json!(1), &json!(2)], "{threads}");
    }
}

#[test]
fn a_plugin_hears_what_is_recorded_and_that_the_reports_are_written() {
    let session = with(
        &Plugin::listening(
            "report",
            &["RECORDED", "REPORTS_WRITTEN", "PRE_JOB", "POST_JOB"],
        )
        .branch(r#"    *'"type":"request"'*) echo "{\"type\":\"reply\",\"id\":$id}" ;;"#),
    );
    assert_ended(&run(&session, &[]), 0, &[]);
    let frames = frames(&session);
    let of = |name: &str| -> Vec<&Value> {
        let frames = frames.iter().filter(|frame| frame["message"] == name);
        frames.map(|frame| &frame["payload"]).collect()
    };
    // What it is told is what stands in the log.
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    let mut lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let by_number = |record: &Value| record["seq"].as_u64();
    lines.sort_by_key(by_number);
    let mut told: Vec<Value> = of("RECORDED").into_iter().cloned().collect();
    told.sort_by_key(by_number);
    assert_eq!(told, lines);
    let [written] = of("REPORTS_WRITTEN")[..] else {
        panic!("{frames:?}")
    };
    assert_eq!(
        (&written["counts"]["passed"], &written["exit"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(of("PRE_JOB")[0]["phase"], "pre-job");
    assert_eq!(of("POST_JOB")[0]["exit"], 0);
}

#[test]
fn a_plugin_replaces_another_extension_and_messages_come_by_priority() {
    let session = Session::new();
    session.script("case.sh", "exit 0");
    let listening = |name: &str, priority: i32| {
        let note = format!(
            r#"    *TEST_RUN_FINISHED*) echo "told {name}" >> "$HOME/seen"; echo "{{\"type\":\"done\",\"id\":$id}}" ;;"#
        );
        let plugin = Plugin::listening(name, &[]).branch(
            &note
                .replace("*TEST_", r#"*'"message":"TEST_"#)
                .replace("FINISHED*)", r#"FINISHED"'*)"#),
        );
        plugin.with(
            "dispatchers",
            json!([{"name": "note", "messages": ["TEST_RUN_FINISHED"], "threads": "callback", "priority": priority}]),
        )
    };
    listening("late", -10).write(&session, "plugins/a");
    listening("early", 10).write(&session, "plugins/b");
    listening("other", 20).write(&session, "plugins/c");
    listening("instead", 0)
        .with("replaces", json!(["other"]))
        .write(&session, "plugins/d");
    assert_ended(&run(&session, &[]), 0, &[]);
    let seen = seen(&session);
    let told: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.strip_prefix("told "))
        .collect();
    assert_eq!(told, ["early", "instead", "late"]);
    let why = session.zk2(&["--plugins-paths", "plugins", "why", "other"]);
    assert!(why.stdout.contains("instead"), "{why:?}");
}

/// How a plugin is made: as a program, and as a library.
const MAKES: [fn(&Plugin, &Session, &str) -> bool; 2] = [
    |plugin, session, folder| plugin.write(session, folder).exists(),
    |plugin, session, folder| plugin.build(session, folder),
];

/// A session with one case and these plugins, for each way to make them; none where there is no compiler.
fn made(plugins: &[Plugin]) -> impl Iterator<Item = Session> {
    MAKES.iter().filter_map(move |make| {
        let session = Session::new();
        session.script("case.sh", "exit 0");
        let mut all = plugins.iter().enumerate();
        let is_made =
            all.all(|(number, plugin)| make(plugin, &session, &format!("plugins/p{number}")));
        if is_made {
            // Who was asked what it is has begun and ended, too.
            assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
            drop(fs::remove_file(session.path().join("../seen")));
        }
        is_made.then_some(session)
    })
}

/// The names behind this word, in the order in which that was noted.
fn noted(session: &Session, word: &str) -> Vec<String> {
    let seen = seen(session);
    let names = seen.lines().filter_map(|line| line.strip_prefix(word));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Notes its start under its name.
fn named(name: &str) -> Plugin {
    let option = json!([{"name": format!("{name}.word"), "type": "text", "default": "none", "description": "A word."}]);
    Plugin::listening(name, &["TEST_RUN_FINISHED"]).with("options", option)
}

/// The plugins that were started, in that order, by their options.
fn begun(session: &Session) -> Vec<String> {
    let frames = frames(session);
    let starts = frames.iter().filter(|frame| frame["type"] == "start");
    starts
        .map(|start| {
            let config = start["config"].as_object().unwrap();
            let (key, value) = config.iter().next().unwrap();
            format!("{key}={}", value.as_str().unwrap())
        })
        .collect()
}

#[test]
fn plugins_of_both_kinds_start_by_load_order_and_end_in_reverse() {
    let framework = |name: &str, order: u32| {
        named(name).with("kind", json!({"framework": {"load_order": order}}))
    };
    for session in made(&[
        framework("late", 60),
        framework("zeal", 40),
        framework("mid", 50),
    ]) {
        assert_ended(&run(&session, &[]), 0, &[]);
        assert_eq!(
            begun(&session),
            ["zeal.word=none", "mid.word=none", "late.word=none"]
        );
        assert_eq!(noted(&session, "ended"), ["late", "mid", "zeal"]);
        assert_eq!(given(&session), ["TEST_RUN_FINISHED"; 3]);
    }
}

#[test]
fn plugins_of_both_kinds_come_in_the_order_that_the_user_gives() {
    for session in made(&[named("alpha"), named("beta")]) {
        assert_ended(&run(&session, &[]), 0, &[]);
        assert_eq!(begun(&session), ["alpha.word=none", "beta.word=none"]);
        fs::remove_file(session.path().join("../seen")).unwrap();
        let order = [
            "--plugins-run-order",
            "beta",
            "--plugins-run-order",
            "alpha",
        ];
        assert_ended(&run(&session, &order), 0, &[]);
        assert_eq!(begun(&session), ["beta.word=none", "alpha.word=none"]);
        assert_eq!(noted(&session, "ended"), ["alpha", "beta"]);
    }
}

#[test]
fn plugins_of_both_kinds_have_options_and_take_part_for_what_they_are_activated_on() {
    let listening = named("notes").with("activate_on", json!([["notes.word"]]));
    let options = json!([{"name": "notes.word", "type": "text", "description": "A word."}]);
    for session in made(&[listening.with("options", options)]) {
        assert_ended(&run(&session, &[]), 0, &[]);
        assert_eq!(begun(&session), [""; 0]);
        assert_ended(&run(&session, &["--notes-word", "hello"]), 0, &[]);
        assert_eq!(begun(&session), ["notes.word=hello"]);
        assert_eq!(given(&session), ["TEST_RUN_FINISHED"]);
        let wrong = run(&session, &["--notes-wrd", "hello"]);
        assert_ended(&wrong, 2, &["--notes-wrd", "--notes-word"]);
    }
}

#[test]
fn plugins_of_both_kinds_take_part_in_the_commands_that_they_match() {
    let of = |name: &str, extends: &str| {
        named(name).with("kind", json!({"command": {"extends": [extends]}}))
    };
    // A command, another one, and a capability that the first one uses.
    for session in made(&[of("one", "run"), of("other", "noop"), of("third", "find")]) {
        assert_ended(&run(&session, &[]), 0, &[]);
        let mut begun = begun(&session);
        begun.sort();
        assert_eq!(begun, ["one.word=none", "third.word=none"]);
        assert_eq!(given(&session), ["TEST_RUN_FINISHED"; 2]);
    }
}
