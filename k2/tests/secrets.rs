//! A secret is seen nowhere: on no stream, in no file, in no process of a case.

use std::fs;
use std::path::Path;

use crate::session::{Ended, Session, example, wait};

/// What the environment says, and what it overrides.
const CANARIES: [&str; 2] = ["canary\"of\\the environment", "canary of the file"];
const VARIABLE: &str = "SECRETIVE_VAULT_TOKEN";

/// A test command with a secret: `secretive/main.rs`. It has one in a file and another one in the environment.
fn secretive(session: &Session, arguments: &[&str]) -> Ended {
    session.write(
        "secretive.yaml",
        &format!("vault:\n  token: {}\n", CANARIES[1]),
    );
    let program = example("zk2-secretive");
    let mut command = session.program(program.to_str().unwrap(), arguments);
    wait(command.env(VARIABLE, CANARIES[0]).spawn().unwrap())
}

/// Whether a text has a part of a secret that nothing else has.
fn shows_a_secret(text: &str) -> bool {
    text.contains("canary")
}

fn assert_hidden(ended: &Ended, line: &[&str]) {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!shows_a_secret(text), "{line:?}:\n{text}");
    }
}

/// Number of files below a directory, none of which has the secret in it, but for the configuration.
fn hidden_files(directory: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() || path.ends_with("secretive.yaml") {
            continue;
        }
        if path.is_dir() {
            files += hidden_files(&path);
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!shows_a_secret(&text), "{}:\n{text}", path.display());
        files += 1;
    }
    files
}

#[test]
fn a_secret_is_in_no_output_and_no_file_of_a_run() {
    for more in [
        &["--log-format", "json", "--log-file-format", "json"][..],
        &["--isolation", "process"],
        &["--no-guard"],
    ] {
        let session = Session::new();
        session.script("shows-all", "env\nexit 1");
        let mut line = vec![
            "run",
            "./shows-all",
            "--trace",
            "t.json",
            "--log-level",
            "trace",
        ];
        line.extend(["--log-file-level", "trace", "--log-cases", "all"]);
        line.extend(["--reports-html", "--reports-junit"]);
        line.extend(more);
        let ended = secretive(&session, &line);
        assert_hidden(&ended, &line);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains("the vault opens with ***, ***, ***"),
            "{ended:?}"
        );
        assert!(hidden_files(&session.path()) > 5);
    }
}

#[test]
fn a_secret_is_in_no_answer() {
    let session = Session::new();
    for line in [
        &["config"][..],
        &["config", "--format", "json"],
        &["config", "--explain", "vault.token"],
        &["config", "--target-command", "run"],
        &["run", "--help"],
        &["run", "--full-help"],
        &["help", "vault.token"],
        &["why", "vault"],
        &["why", "vault", "--target-command", "run"],
        &["extensions"],
        &["commands"],
        &["plugins"],
        &["man"],
        &["docs", "pages"],
        &["run", "--vault-tokem", "x"],
        &["run", "--parallel-workers", "many"],
    ] {
        let ended = secretive(&session, line);
        assert_hidden(&ended, line);
    }
    let broken = secretive(&session, &["run", "--vault-broken"]);
    assert_hidden(&broken, &["run"]);
    assert!(
        broken.stderr.contains("nobody opens a vault with ***"),
        "{broken:?}"
    );
    hidden_files(&session.path());
    let explained = secretive(&session, &["config", "--explain", "vault.token"]);
    assert_eq!(explained.stdout.matches("***").count(), 3, "{explained:?}");
}

#[test]
fn a_process_of_a_case_does_not_inherit_secrets_unless_asked() {
    let session = Session::new();
    let line = ["run", "--isolation", "process"];
    let ended = secretive(&session, &line);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    session.script("needs-it", &format!("test -n \"${VARIABLE}\""));
    let ended = secretive(&session, &["run", "./needs-it"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let ended = secretive(&session, &["run", "./needs-it", "--tests-secrets"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
