//! The examples of the book, run as they are written.
//!
//! Each page has a directory and a home of its own. In a `console` block a line `$ COMMAND` is run by bash, with lines that begin with
//! `> ` as the rest of it; what follows must be in what it prints, line by line and in that order, `…` standing for anything. It ends
//! with 0, or with the number below a `$ echo $?` behind it. The block behind `<!-- file: PATH -->` is what is in that file. What a
//! reader is taken to have done already is `<!-- before: COMMAND -->`. All other blocks: [`blocks`].

mod blocks;
mod links;
mod pictures;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blocks::written_pages;

use crate::session::Session;

/// A test for each page with something to run.
macro_rules! pages {
    ($($name:ident: $page:literal),+ $(,)?) => {
        const PAGES: &[&str] = &[$($page),+];
        $(
            #[test]
            fn $name() {
                run(&Page::read($page));
            }
        )+
    };
}

pages! {
    coming_from_avocado: "coming-from/avocado.md",
    coming_from_nextest: "coming-from/nextest.md",
    addons: "addons.md",
    coming_from_pytest: "coming-from/pytest-and-robot.md",
    command_line: "command-line.md",
    configuration: "configuration.md",
    extension_guide: "extension-guide.md",
    outcomes: "outcomes.md",
    parameters: "parameters.md",
    product_guide: "product-guide.md",
    recipes: "recipes.md",
    plugin_protocol: "plugin-protocol.md",
    plugins: "plugins.md",
    reports: "reports.md",
    suts: "suts.md",
    tutorial: "tutorial.md",
}

/// The book's pages.
fn book() -> PathBuf {
    sources().join("docs/src")
}

/// The checkout.
fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Something that a reader does, and the line of the page.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    File {
        line: usize,
        path: String,
        text: String,
    },
    Command {
        line: usize,
        command: String,
        expected: Vec<String>,
        code: i32,
    },
}

#[derive(Debug)]
struct Page {
    name: String,
    steps: Vec<Step>,
}

impl Page {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(book().join(name)).unwrap();
        Self {
            name: name.to_owned(),
            steps: steps(&text),
        }
    }
}

/// What a page tells its reader to do, in order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut file: Option<String> = None;
    let mut lines = page.lines().enumerate();
    while let Some((index, text)) = lines.next() {
        let comment = text.strip_prefix("<!-- file: ");
        if let Some(path) = comment.and_then(|rest| rest.strip_suffix(" -->")) {
            file = Some(path.to_owned());
            continue;
        }
        let comment = text.strip_prefix("<!-- before: ");
        if let Some(command) = comment.and_then(|rest| rest.strip_suffix(" -->")) {
            steps.push(Step::Command {
                line: index + 1,
                command: command.to_owned(),
                expected: Vec::new(),
                code: 0,
            });
            continue;
        }
        let Some(language) = text.strip_prefix("```").filter(|rest| !rest.is_empty()) else {
            continue;
        };
        let block: Vec<(usize, &str)> = lines
            .by_ref()
            .take_while(|(_, text)| *text != "```")
            .collect();
        if let Some(path) = file.take() {
            let text = block.iter().flat_map(|(_, text)| [text, "\n"]).collect();
            let line = index + 1;
            steps.push(Step::File { line, path, text });
        } else if language == "console" {
            console(&block, &mut steps);
        }
    }
    steps
}

fn console(block: &[(usize, &str)], steps: &mut Vec<Step>) {
    let mut is_code = false;
    for (index, text) in block {
        let last = steps.last_mut();
        match (text.strip_prefix("$ "), last) {
            (Some("echo $?"), Some(_)) => is_code = true,
            (Some(command), _) => steps.push(Step::Command {
                line: index + 1,
                command: command.to_owned(),
                expected: Vec::new(),
                code: 0,
            }),
            (
                None,
                Some(Step::Command {
                    command,
                    expected,
                    code,
                    ..
                }),
            ) => {
                if std::mem::take(&mut is_code) {
                    *code = text.parse().unwrap();
                } else if let Some(rest) = text.strip_prefix("> ").filter(|_| expected.is_empty()) {
                    command.push('\n');
                    command.push_str(rest);
                } else {
                    expected.push((*text).to_owned());
                }
            }
            (None, _) => panic!("line {}: no command before it: {text}", index + 1),
        }
    }
}

fn run(page: &Page) {
    let session = Session::new();
    session.builds_as_these_sources();
    let mut directory = session.path();
    for step in &page.steps {
        match step {
            Step::File { path, text, .. } => {
                let path = directory.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
                if text.starts_with("#!") {
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
            Step::Command {
                line,
                command,
                expected,
                code,
            } => {
                let place = format!("{}:{line}: {command}", page.name);
                let (output, ended) = typed(&session, command, &mut directory);
                assert_eq!(ended, Some(*code), "{place}\n{output}");
                if let Err(missing) = shows(&output, expected) {
                    panic!("{place}\nno line (behind the one before it): {missing}\n{output}");
                }
            }
        }
    }
}

/// What bash prints for a command in a directory, which may be another one afterwards, and its exit code.
fn typed(session: &Session, command: &str, directory: &mut PathBuf) -> (String, Option<i32>) {
    let after = session.path().join("../directory-after");
    lock_versions(directory);
    let script = format!("exec 2>&1\ntrap 'pwd >\"$AFTER\"' EXIT\n{command}\n");
    let output = reader(session)
        .arg(&script)
        .env("AFTER", &after)
        .current_dir(&*directory)
        .output()
        .unwrap();
    *directory = fs::read_to_string(after).unwrap().trim_end().into();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, output.status.code())
}

/// A shell as a reader has it: `zk2` can be called, `K2` says where its source is. Cargo has what these sources were built with,
/// so that nothing is fetched and little built.
fn reader(session: &Session) -> Command {
    let zk2 = Path::new(env!("CARGO_BIN_EXE_zk2"));
    let cargo = Path::new(env!("CARGO"));
    let path = [zk2, cargo].map(|program| program.parent().unwrap().display().to_string());
    let real_home = std::env::var("HOME").unwrap_or_default();
    let mut command = session.program("bash", &["-c"]);
    command
        .env(
            "PATH",
            format!("{}:{}:/usr/local/bin:/usr/bin:/bin", path[0], path[1]),
        )
        .env("K2", sources())
        .env(
            "GITHUB_STEP_SUMMARY",
            session.path().join("../step-summary"),
        )
        .env("COLUMNS", "120")
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", zk2.ancestors().nth(2).unwrap())
        .env("CARGO_INCREMENTAL", "0");
    for (name, below_home) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let place =
            std::env::var_os(name).unwrap_or_else(|| Path::new(&real_home).join(below_home).into());
        command.env(name, place);
    }
    command.stderr(Stdio::null());
    command
}

/// A new workspace gets the versions that are at hand.
fn lock_versions(directory: &Path) {
    let lock = directory.join("Cargo.lock");
    if directory.join("Cargo.toml").is_file() && !lock.exists() {
        fs::copy(sources().join("Cargo.lock"), lock).unwrap();
    }
}

/// Whether the lines are there in this order; the first that is not.
fn shows<'a>(output: &str, expected: &'a [String]) -> Result<(), &'a str> {
    let mut rest = output.lines();
    for wanted in expected.iter().map(|line| line.trim_end()) {
        let is_said =
            wanted.is_empty() || wanted == "…" || rest.any(|line| fits(wanted, line.trim_end()));
        if !is_said {
            return Err(wanted);
        }
    }
    Ok(())
}

/// Whether a line is this one, `…` standing for anything.
pub(crate) fn fits(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn every_page_with_something_to_run_is_run() {
    let with_steps: BTreeSet<String> = written_pages()
        .into_iter()
        .filter(|(_, text)| !steps(text).is_empty())
        .map(|(name, _)| name)
        .collect();
    let run: BTreeSet<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    assert_eq!(run, with_steps);
}

/// Who sends what to whom, too: the diagrams are files of the reference, and stand on its pages.
#[test]
fn the_reference_and_its_diagrams_are_what_the_descriptors_say() {
    let session = Session::new();
    let reference = book().join("reference");
    let mut command = session.command(&["docs", "--check", "--dir"]);
    let output = command.arg(&reference).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let (mut pages, mut diagrams) = (String::new(), Vec::new());
    for entry in fs::read_dir(reference).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("md") => pages += &fs::read_to_string(path).unwrap(),
            Some("svg") => diagrams.push(name),
            _ => panic!("what is {name}?"),
        }
    }
    assert!(diagrams.len() > 5, "{diagrams:?}");
    diagrams.retain(|name| !pages.contains(&format!("({name})")));
    assert_eq!(diagrams, [""; 0], "no page shows them");
}

#[test]
fn steps_are_read_with_their_lines() {
    let page = "a\n<!-- file: x/y -->\n```sh\n#!/bin/sh\n```\n<!-- before: mkdir z -->\n```console\n$ one \\\n> two\nout …\n$ three\n$ echo $?\n4\n```\n```text\n$ no\n```\n";
    let expected = [
        Step::File {
            line: 3,
            path: "x/y".to_owned(),
            text: "#!/bin/sh\n".to_owned(),
        },
        Step::Command {
            line: 6,
            command: "mkdir z".to_owned(),
            expected: Vec::new(),
            code: 0,
        },
        Step::Command {
            line: 8,
            command: "one \\\ntwo".to_owned(),
            expected: vec!["out …".to_owned()],
            code: 0,
        },
        Step::Command {
            line: 11,
            command: "three".to_owned(),
            expected: Vec::new(),
            code: 4,
        },
    ];
    assert_eq!(steps(page), expected);
}

#[test]
fn what_is_not_printed_is_noticed() {
    let lines = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let output = "one\ntwo 2 of 3\nthree\n";
    assert_eq!(shows(output, &lines(&["one", "…", "two … of …"])), Ok(()));
    assert_eq!(shows(output, &lines(&["three", "one"])), Err("one"));
    assert_eq!(shows(output, &lines(&["two … of"])), Err("two … of"));
    assert!(fits("a…b…c", "axxbyyc") && !fits("a…b…c", "axxbyy") && !fits("ab", "abc"));
}
