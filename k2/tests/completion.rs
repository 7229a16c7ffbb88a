//! Completion, asked for by real shells.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::session::{Session, wait};
use crate::terminal::Terminal;

/// What a shell says when it waits for a line; no program of the tests writes it.
const PROMPT: &str = "READY:";

/// A shell at a terminal, with the words of `zk2` completed.
struct Shell {
    screen: File,
    child: std::process::Child,
    read: Vec<u8>,
}

impl Shell {
    fn start(session: &Session, program: &[&str], load: &str) -> Self {
        let zk2 = Path::new(env!("CARGO_BIN_EXE_zk2")).parent().unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", zk2.display());
        let variables = [
            ("PATH", path.as_str()),
            ("TERM", "xterm"),
            ("PS1", PROMPT),
            ("LC_ALL", "C.UTF-8"),
            ("INPUTRC", "/dev/null"),
            ("HISTFILE", ""),
            ("EDITOR", "emacs"),
        ];
        let (master, child) = Terminal::new(120).start_program(session, program, &variables);
        let mut shell = Self {
            screen: File::from(master),
            child,
            read: Vec::new(),
        };
        shell.until_prompt();
        shell.line(load);
        shell
    }

    /// Reads until the shell waits for a line.
    fn until_prompt(&mut self) {
        let mut bytes = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&self.read).into_owned();
            if let Some(at) = text.rfind(PROMPT) {
                self.read = text.as_bytes()[at + PROMPT.len()..].to_vec();
                return;
            }
            let count = self.screen.read(&mut bytes).expect("the shell lives");
            self.read.extend(&bytes[..count]);
        }
    }

    fn line(&mut self, keys: &str) {
        let terminal: &OwnedFd = &self.screen.try_clone().unwrap().into();
        rustix::io::write(terminal, format!("{keys}\r").as_bytes()).unwrap();
        self.until_prompt();
    }

    /// The words of the line after the last has been completed.
    fn completed(&mut self, session: &Session, keys: &str) -> String {
        // The line becomes the arguments of a command that writes them down.
        self.line(&format!("{keys}\t\u{5}> words\u{1}printf '%s|' "));
        std::fs::read_to_string(session.path().join("words")).unwrap()
    }

    fn end(mut self) {
        let terminal: &OwnedFd = &self.screen.try_clone().unwrap().into();
        rustix::io::write(terminal, b"exit\r").unwrap();
        drop(self.screen.read_to_end(&mut Vec::new()));
        wait(self.child);
    }
}

fn session() -> Session {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    session.write("k2.yaml", "log.level: info\n");
    session
}

/// Lines as they are typed, and their words after the tabulator key. Nothing is printed on the way, or the line would be
/// another.
const LINES: [(&str, &str); 9] = [
    ("zk2 ru", "zk2|run|"),
    ("zk2 run --abort-on-f", "zk2|run|--abort-on-fail|"),
    ("zk2 --log-level er", "zk2|--log-level|error|"),
    ("zk2 run --log-level=deb", "zk2|run|--log-level=debug|"),
    ("zk2 run --no-reports-tex", "zk2|run|--no-reports-text|"),
    ("zk2 --ext-abortonfail@en", "zk2|--ext-abortonfail@enabled|"),
    ("zk2 why abortonf", "zk2|why|abortonfail|"),
    ("zk2 help ru", "zk2|help|run|"),
    (
        "zk2 config --explain log.le",
        "zk2|config|--explain|log.level|",
    ),
];

fn lines_are_completed(shell: &mut Shell, session: &Session) {
    for (typed, expected) in LINES {
        assert_eq!(shell.completed(session, typed), expected, "{typed}");
    }
}

#[test]
fn bash_completes_what_is_typed() {
    let session = session();
    let program = ["bash", "--norc", "--noprofile", "-i"];
    let mut shell = Shell::start(&session, &program, "source <(zk2 completion bash)");
    lines_are_completed(&mut shell, &session);
    // Files are bash's own, also behind `=` and in quotes; in the middle of a line only what stands before the cursor counts.
    for (typed, expected) in [
        ("zk2 run su", "zk2|run|suite/|"),
        ("zk2 run --output-dir=su", "zk2|run|--output-dir=suite/|"),
        ("zk2 run 'suite'/pa", "zk2|run|suite/passes|"),
        (
            "zk2 --parallel-workers 3 ru",
            "zk2|--parallel-workers|3|run|",
        ),
    ] {
        assert_eq!(shell.completed(&session, typed), expected, "{typed}");
    }
    shell.end();
}

#[test]
fn bash_hands_over_words_that_it_breaks_otherwise() {
    // Without a terminal, as a script of somebody else may do it.
    let session = session();
    let zk2 = env!("CARGO_BIN_EXE_zk2");
    let ask = r#"
        source <("$1" completion bash) || exit 1
        ask() {
            COMP_LINE=$1 COMP_POINT=${#1}; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            _zk2_complete "$zk2" "${@: -1}" "${@: -2:1}"
            echo "${COMPREPLY[*]}"
        }
        zk2=$1
        ask "zk2 run --log-level=w" zk2 run --log-level = w
        ask "zk2 run --log-level=" zk2 run --log-level =
        ask "zk2 --ext-junit@e" zk2 --ext-junit @ e
        ask "zk2 --ext-junit@" zk2 --ext-junit @
        COMP_WORDBREAKS=' '
        ask "zk2 run --log-level=w" zk2 run --log-level=w
        ask "zk2  ru" zk2 ru
        ask "zk2 run  " zk2 run ""
    "#;
    let command = session.program("bash", &["-c", ask, "bash", zk2]);
    let mut command = command;
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    let expected = [
        "warn",
        "off error warn info debug trace",
        "@enabled",
        "@enabled @log-level",
        "--log-level=warn",
        "run",
        "",
    ];
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), expected);
}

/// Whether a program is installed; says it if not.
#[expect(
    clippy::print_stderr,
    reason = "who reads the log of the tests has to know what was not tried"
)]
pub(crate) fn is_there(session: &Session, program: &str) -> bool {
    let mut look = session.program("sh", &["-c", "command -v \"$0\"", program]);
    let is_there = wait(look.spawn().unwrap()).code == Some(0);
    if !is_there {
        eprintln!("NOT TRIED: {program} is not installed (.ci/setup test installs it)");
    }
    is_there
}

#[test]
fn zsh_completes_what_is_typed() {
    let session = session();
    if !is_there(&session, "zsh") {
        return;
    }
    let load = "autoload -U compinit; compinit -u -D; source <(zk2 completion zsh)";
    let mut shell = Shell::start(&session, &["zsh", "-f", "-i"], load);
    lines_are_completed(&mut shell, &session);
    for (typed, expected) in [
        // It takes the `/` away again when a blank follows.
        ("zk2 run su", "zk2|run|suite|"),
        ("zk2 run --output-dir=su", "zk2|run|--output-dir=suite|"),
        ("zk2 run exec:su", "zk2|run|exec:suite|"),
    ] {
        assert_eq!(shell.completed(&session, typed), expected, "{typed}");
    }
    shell.end();
}

#[test]
fn fish_completes_what_is_typed() {
    let session = session();
    if !is_there(&session, "fish") {
        return;
    }
    let zk2 = Path::new(env!("CARGO_BIN_EXE_zk2")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", zk2.display());
    let complete = |line: &str| {
        let script = "zk2 completion fish | source; complete -C $argv[1]";
        let mut command = session.program("fish", &["--no-config", "-c", script, line]);
        let ended = wait(command.env("PATH", &path).spawn().unwrap());
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{line}");
        let words: Vec<String> = ended
            .stdout
            .lines()
            .map(|line| line.split('\t').next().unwrap_or(line).to_owned())
            .collect();
        words
    };
    for (typed, expected) in LINES {
        let last = expected.trim_end_matches('|').rsplit('|').next().unwrap();
        assert_eq!(complete(typed), [last], "{typed}");
    }
    assert_eq!(complete("zk2 run su"), ["suite/"]);
    assert_eq!(complete("zk2 run --output-dir=su"), ["--output-dir=suite/"]);
}

#[test]
fn scripts_are_right_for_shells_that_read_them_without_running() {
    let session = session();
    for shell in ["bash", "zsh", "fish"] {
        let script = session.zk2(&["completion", shell]);
        assert_eq!((script.code, &*script.stderr), (Some(0), ""));
        let path = session.write(&format!("{shell}-script"), &script.stdout);
        if is_there(&session, shell) {
            let mut command = session.program(shell, &["-n", path.to_str().unwrap()]);
            let ended = wait(command.spawn().unwrap());
            assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{shell}");
        }
    }
}

#[test]
fn nothing_is_said_or_left_behind_whatever_is_wrong() {
    let session = session();
    for broken in ["log.level: loud\nno.such.key: 1\n", "{", "log: [\n"] {
        session.write("k2.yaml", broken);
        let before: Vec<_> = files(&session);
        for line in [
            &["run", "--trace", "trace.json", "--ab"][..],
            &["run", "--config-file-pattern", "nothing/*", "--ab"],
            &["--bogus", "run", "--ab"],
        ] {
            let asked = session.zk2(&[&["__complete", "bash"], line].concat());
            assert_eq!((asked.code, &*asked.stderr), (Some(0), ""), "{line:?}");
            assert!(asked.stdout.contains("--abort-on-fail\t"), "{asked:?}");
        }
        assert_eq!(files(&session), before);
    }
}

fn files(session: &Session) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(session.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}
