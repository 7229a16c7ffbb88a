//! What surrounds a run and is not to be trusted: archives, the environment, directories that are gone, names in commands and in paths.
//!
//! Source: reliability, 5.10.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::session::{Ended, Session, text, wait};

/// All files and links below a directory, but not in `output`, which belongs to the runs.
fn below(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "output" {
                below(&entry.path(), all);
            }
        } else {
            all.push(entry.path());
        }
    }
}

fn everything(session: &Session) -> Vec<PathBuf> {
    let mut all = Vec::new();
    below(session.path().parent().unwrap(), &mut all);
    all.sort();
    all
}

#[test]
fn i6_what_is_taken_in_is_a_directory_of_logs_and_no_archive() {
    let session = Session::new();
    // k2 unpacks nothing, so nothing in an archive can lead anywhere: none of its packages can.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap();
    for package in ["tar", "zip", "unrar", "sevenz-rust", "ar", "cpio"] {
        assert!(
            !lock.contains(&format!("\nname = \"{package}\"\n")),
            "{package}"
        );
    }
    let tar = session.write("runs.tar", "../../evil");
    let ended = session.zk2(&["results", "import", tar.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    // A directory that is brought from elsewhere may have links and pipes in it: what they lead to is not read.
    let secret = session.write("secret", "{\"secret\":\"canary\"}\n");
    fs::create_dir_all(session.path().join("runs/one")).unwrap();
    symlink(&secret, session.path().join("runs/one/events.jsonl")).unwrap();
    let ended = session.zk2(&["results", "import", "runs"]);
    assert!(matches!(ended.code, Some(0..=6)), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("canary"), "{said}");
    assert_eq!(
        fs::read_to_string(&secret).unwrap(),
        "{\"secret\":\"canary\"}\n"
    );
}

#[test]
fn i7_what_a_program_is_told_about_its_case_cannot_be_set_from_outside() {
    let session = Session::new();
    session.script(
        "suite/a",
        "mkdir -p \"$K2_ATTACHMENTS_DIR\"; env > \"$K2_ATTACHMENTS_DIR/environment\"",
    );
    let mut command = session.command(&["run", "suite"]);
    for name in [
        "K2_CASE_ID",
        "K2_RUN_COOKIE",
        "K2_ATTACHMENTS_DIR",
        "RUST_LOG",
        "IFS",
        "PYTHONPATH",
    ] {
        command.env(name, "evil");
    }
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin:.");
    session.script("env", "echo evil > evil; exit 1");
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let attached = session.finished_case("suite::a");
    let attached = attached["attachments"][0]["file"].as_str().unwrap();
    let environment = fs::read_to_string(session.latest().join(attached)).unwrap();
    let variables: BTreeMap<&str, &str> = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    assert_eq!(variables["K2_CASE_ID"], "suite::a");
    for name in ["K2_RUN_COOKIE", "K2_ATTACHMENTS_DIR", "K2_EXECUTION"] {
        assert!(!variables[name].contains("evil"), "{environment}");
    }
    for name in ["RUST_LOG", "IFS", "PYTHONPATH"] {
        assert_ne!(variables.get(name), Some(&"evil"), "{environment}");
    }
    assert!(!session.path().join("evil").exists());
}

/// Variables that are set for a run, with their values.
const SET: [(&str, &str); 7] = [
    ("PYTHONPATH", "1"),
    ("AWS_REGION", "2"),
    ("AWS_TOKEN", "3"),
    ("DATABASE_URL", "4"),
    ("BUILD_SECRET", "5"),
    ("LC_NAME", "6"),
    ("K2_TESTS_GRACE", "7s"),
];

/// Those of the variables that the program of the script gets, by their values.
fn inherited(session: &Session, line: &[&str]) -> String {
    let mut command = session.command(line);
    let ended = wait(command.envs(SET).spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    fs::read_to_string(session.path().join("inherited")).unwrap()
}

#[test]
fn i7_programs_inherit_what_is_allowed_and_nothing_else() {
    let session = Session::new();
    let names: Vec<String> = SET.iter().map(|(name, _)| format!("${name}")).collect();
    let write = format!("echo {} > \"$HERE/inherited\"", names.join(" "));
    let write = write.replace("$HERE", session.path().to_str().unwrap());
    session.script("shows", &write);
    assert_eq!(inherited(&session, &["run", "./shows"]), "6 7s\n");
    let line = [
        "run",
        "./shows",
        "--env-allow",
        "AWS_*",
        "--env-allow",
        "DATABASE_URL",
    ];
    assert_eq!(inherited(&session, &line), "2 3 4 6 7s\n");
    let line = ["run", "./shows", "--env-inherit"];
    assert_eq!(inherited(&session, &line), "1 2 3 4 5 6 7s\n");
    // A file allows some for everybody, and the command line some more.
    session.write("k2.yaml", "env.allow: [DATABASE_URL, 'AWS_REG*']\n");
    let line = ["run", "./shows", "--env-allow", "PYTHONPAT?"];
    assert_eq!(inherited(&session, &line), "1 2 4 6 7s\n");
}

#[test]
fn i7_a_program_that_is_asked_for_its_cases_inherits_as_little_as_one_that_is_a_case() {
    let session = Session::new();
    session.script("lists", "printf 'Suite.\\n  Of%s\\n' \"$DATABASE_URL\"");
    for (more, case) in [(&[][..], "Of"), (&["--env-allow", "DATABASE_URL"], "Of4")] {
        let mut line = vec!["list", "gtest:lists"];
        line.extend(more);
        let ended = wait(session.command(&line).envs(SET).spawn().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.stdout.trim_end().ends_with(&format!("Suite.{case}")),
            "{ended:?}"
        );
    }
}

#[test]
fn i7_a_script_of_a_hook_inherits_as_little_as_a_case() {
    let session = Session::new();
    session.script("a", "exit 0");
    let names: Vec<String> = SET.iter().map(|(name, _)| format!("${name}")).collect();
    let write = format!(
        "echo {} > '{}/inherited'",
        names.join(" "),
        session.path().display()
    );
    session.script("hooks/10", &write);
    for phase in ["--job-scripts-pre", "--job-scripts-post"] {
        let line = ["run", "./a", phase, "hooks"];
        assert_eq!(inherited(&session, &line), "6 7s\n", "{phase}");
        fs::remove_file(session.path().join("inherited")).unwrap();
        let line = [&line[..], &["--env-allow", "AWS_*"]].concat();
        assert_eq!(inherited(&session, &line), "2 3 6 7s\n", "{phase}");
        fs::remove_file(session.path().join("inherited")).unwrap();
    }
}

#[test]
fn i7_a_command_that_a_case_runs_inherits_as_little_as_a_case() {
    let session = Session::new();
    let secretive = crate::session::example("zk2-secretive");
    for isolation in ["in-process", "process"] {
        for (more, expected) in [
            (&[][..], "6 7s\n"),
            (&["--env-allow", "DATABASE_URL"], "4 6 7s\n"),
            (&["--env-inherit"], "1 2 3 4 5 6 7s\n"),
        ] {
            let line = [
                "run",
                "--tests-include",
                "*writes_what_is_inherited",
                "--isolation",
                isolation,
            ];
            let mut command = session.program(secretive.to_str().unwrap(), &[&line, more].concat());
            let ended = wait(command.envs(SET).spawn().unwrap());
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let file = session.path().join("inherited");
            assert_eq!(
                fs::read_to_string(&file).unwrap(),
                expected,
                "{isolation} {more:?}"
            );
            fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn i7_who_misses_a_variable_is_told_its_name_and_what_allows_it_and_never_its_value() {
    let session = Session::new();
    session.script("a", "test -n \"$DATABASE_URL\"");
    let told = |more: &[&str]| {
        let mut command = session.command(&[&["run", "./a"], more].concat());
        wait(command.env("DATABASE_URL", "canary").spawn().unwrap())
    };
    let ended = told(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("DATABASE_URL"), "{ended:?}");
    let ended = told(&["--verbose"]);
    for part in ["DATABASE_URL", "`env.allow`", "`env.inherit`"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(ended.stderr.matches("DATABASE_URL").count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains("canary"), "{ended:?}");
    let ended = told(&["--verbose", "--env-allow", "DATABASE_URL"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("DATABASE_URL"), "{ended:?}");
}

#[test]
fn i7_what_can_be_no_name_of_a_variable_is_refused_where_it_stands() {
    let session = Session::new();
    session.script("a", "exit 0");
    session.write(
        "k2.yaml",
        "tests.grace: 1s\nenv.allow:\n  - AWS_*\n  - HOME=/tmp\n",
    );
    let ended = wait(session.command(&["run", "./a"]).spawn().unwrap());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [
        "option `env.allow` has a value that is not accepted",
        "k2.yaml:4:5",
        "HOME=/tmp",
        "expected the name of a variable: letters, digits and `_`, and `*` or `?` for others; the value is that of the environment",
    ] {
        assert!(ended.stderr.contains(part), "{part} in {ended:?}");
    }
    session.write("k2.yaml", "");
    let line = ["run", "./a", "--env-allow", "[A-Z]*"];
    let ended = wait(session.command(&line).spawn().unwrap());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in ["--env-allow", "[A-Z]*", "expected the name of a variable"] {
        assert!(ended.stderr.contains(part), "{part} in {ended:?}");
    }
    assert!(!session.path().join("output").exists());
}

/// `zk2` in odd surroundings, which a shell makes.
fn in_shell(session: &Session, script: &str) -> Ended {
    let mut command = session.program("sh", &["-c", script]);
    command.env("zk2", env!("CARGO_BIN_EXE_zk2"));
    wait(command.spawn().unwrap())
}

#[test]
fn i8_homes_and_directories_that_are_not_there_are_named_or_done_without() {
    let session = Session::new();
    session.script("suite/a", "exit 0");
    let lines = [
        "run suite",
        "list suite",
        "noop",
        "config",
        "--help",
        "addon list",
        "addon create --yes --name x --type suite",
    ];
    for (surroundings, expected) in [
        ("unset HOME", &[0, 2][..]),
        ("HOME=", &[0, 2]),
        ("HOME=/nowhere", &[0, 2]),
        ("HOME=relative", &[0, 2]),
        ("TMPDIR=/nowhere; export TMPDIR", &[0, 2]),
        ("TMPDIR=/proc; export TMPDIR", &[0, 2]),
        ("mkdir gone; cd gone; rmdir ../gone", &[0, 2]),
    ] {
        for line in lines {
            let ended = in_shell(&session, &format!("{surroundings}; exec $zk2 {line}"));
            let context = format!("{surroundings}: {line}: {ended:?}");
            assert!(
                ended.code.is_some_and(|code| expected.contains(&code)),
                "{context}"
            );
            assert!(!ended.stderr.contains("panicked"), "{context}");
            assert_eq!(
                ended.code == Some(2),
                ended.stderr.contains("error: "),
                "{context}"
            );
            drop(fs::remove_dir_all(session.path().join("x")));
        }
    }
    let gone = in_shell(
        &session,
        "mkdir gone; cd gone; rmdir ../gone; exec $zk2 addon list",
    );
    assert!(gone.stderr.contains("the current directory"), "{gone:?}");
}

/// Names that a shell would do something with.
const INJECTED: [&str; 6] = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned\n",
    "| touch pwned",
    "' ; touch pwned ; '",
];

#[test]
fn i9_nothing_of_a_name_reaches_a_shell() {
    let session = Session::new();
    for name in INJECTED {
        // A slash cannot be in the name of a file; everything else can.
        session.script(&format!("suite/{name}"), "exit 0");
        session.script(
            &format!("pre {name}/10 {name}"),
            "printf %s \"$K2_JOB_DIRECTORY\" > seen",
        );
    }
    let before = everything(&session);
    for name in INJECTED {
        let directory = format!("pre {name}");
        let output = format!("output/{name}");
        let line = [
            "run",
            "suite",
            "--job-scripts-pre",
            &directory,
            "--job-scripts-post",
            &directory,
            "--output-dir",
            &output,
        ];
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        let seen = fs::read_to_string(session.path().join("seen")).unwrap();
        assert!(seen.contains(name), "{seen}");
        fs::remove_file(session.path().join("seen")).unwrap();
    }
    assert_eq!(everything(&session), before);
}

#[test]
fn i10_names_of_cases_and_values_lead_nowhere() {
    let session = Session::new();
    let values = ["../../../evil", "/tmp/evil", "..", "a/../../evil", "~/evil"];
    let header = format!(
        "# k2-parameter: where = {}\necho said; exit 1",
        values.join(", ")
    );
    for name in ["~", "a..b", "-rf", "a\\..\\evil"] {
        session.script(&format!("suite/{name}"), &header);
    }
    let before = everything(&session);
    let line = [
        "run",
        "suite",
        "--output-dir",
        "output",
        "--reports-junit",
        "--reports-html",
    ];
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(session.finished().len(), 4 * values.len());
    assert_eq!(everything(&session), before);
    // What a record says about files lies in the directory of the run.
    for record in session.finished() {
        let file = record["stdout"]["file"].as_str().unwrap_or("said");
        assert!(!file.starts_with('/') && !file.contains(".."), "{record}");
        assert!(text(&record, "case").contains("where="), "{record}");
    }
    // A report lies where its option says, which is the one way out.
    let file = session.path().parent().unwrap().join("elsewhere.xml");
    let absolute = [
        "run",
        "suite",
        "--reports-junit",
        "--reports-junit-file",
        file.to_str().unwrap(),
    ];
    assert_eq!(session.zk2(&absolute).code, Some(1));
    let mut expected = before;
    expected.push(file);
    expected.sort();
    assert_eq!(everything(&session), expected);
}
