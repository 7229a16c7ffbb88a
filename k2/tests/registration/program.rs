//! What the program `zk2` says about its extensions, compared with what the test has that knows them as descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::{Line, lines};

/// Names the program instead of the one that was built with this test.
const PROGRAM: &str = "REGISTRATION_OF";

/// What is registered, as the other test keeps it.
const SNAPSHOT: &str =
    include_str!("snapshots/registration__registration_of_all_extensions_of_zk2.snap");

#[derive(Debug, Deserialize)]
struct Extension {
    order: u64,
    name: String,
    kind: String,
    extends_commands: Vec<String>,
    extends_capabilities: Vec<String>,
    commands: Vec<String>,
    #[serde(rename = "crate")]
    krate: String,
    version: String,
    does: String,
    file: String,
    line: u64,
}

#[derive(Debug, Deserialize)]
struct Message {
    listeners: Vec<Listener>,
}

#[derive(Debug, Deserialize)]
struct Listener {
    /// None for those that the application itself has.
    extension: Option<String>,
    handler: String,
}

/// The rows of a list of the program, which has no problem and no settings of anybody.
#[expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "starts the program and waits for its end; fails as a test does"
)]
fn list<T: for<'de> Deserialize<'de>>(command: &str) -> Vec<T> {
    let program =
        std::env::var_os(PROGRAM).map_or_else(|| env!("CARGO_BIN_EXE_zk2").into(), PathBuf::from);
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(&program)
        .args([command, "--format", "json"])
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{output:?}");
    let mut said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["problems"], Value::Array(Vec::new()));
    serde_json::from_value(said[command].take()).unwrap()
}

#[test]
fn what_the_program_says_is_what_is_registered() {
    let extensions: Vec<Extension> = list("extensions");
    let messages: Vec<Message> = list("messages");
    let mut handlers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for listener in messages.iter().flat_map(|message| &message.listeners) {
        if let Some(extension) = &listener.extension {
            let of_extension = handlers.entry(extension).or_default();
            of_extension.insert(&listener.handler);
        }
    }
    let said = lines(extensions.iter().map(|extension| Line {
        load_order: extension.order,
        name: &extension.name,
        krate: &extension.krate,
        kind: &extension.kind,
        handlers: handlers.get(&*extension.name).map_or(0, BTreeSet::len),
        adds: extension.commands.clone(),
        extends: {
            let commands = extension.extends_commands.iter();
            let commands = commands.map(|path| format!("command {path}"));
            let capabilities = extension.extends_capabilities.iter().cloned();
            commands.chain(capabilities).collect()
        },
    }));
    // The order is that of the lists: here the built-in ones come first.
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (_, registered) = SNAPSHOT
        .split_once("\n---\n")
        .expect("a snapshot has a head");
    assert_eq!(sorted(&said), sorted(registered));
}

#[test]
fn every_extension_of_the_program_says_where_it_comes_from_and_none_claims_a_command_of_another() {
    let extensions: Vec<Extension> = list("extensions");
    for extension in &extensions {
        let Extension {
            name,
            version,
            does,
            file,
            line,
            ..
        } = extension;
        assert!(
            version.starts_with(|c: char| c.is_ascii_digit()),
            "{name}: {version}"
        );
        assert!(!does.is_empty(), "{name} does not say what it does");
        assert!(!file.is_empty() && *line > 0, "{name}");
    }
    let mut paths: Vec<&str> = extensions
        .iter()
        .flat_map(|extension| extension.commands.iter().map(String::as_str))
        .collect();
    let all = paths.len();
    assert!(all > 10, "{paths:?}");
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), all, "{paths:?}");
}
