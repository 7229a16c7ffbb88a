//! The examples of the book, run as they are written.
//!
//! Each page has a directory and a home of its own. In a `console` block a line `$ COMMAND` is run by bash, with lines that begin with
//! `> ` as the rest of it; what follows must be in what it prints, line by line and in that order, `…` standing for anything. It ends
//! with 0, or with the number below a `$ echo $?` behind it. The block behind `<!-- file: PATH -->` is what is in that file.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    coming_from_pytest: "coming-from/pytest-and-robot.md",
    product_guide: "product-guide.md",
    recipes: "recipes.md",
    plugin_protocol: "plugin-protocol.md",
    reports: "reports.md",
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
fn fits(wanted: &str, line: &str) -> bool {
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

/// Pages that are not made from descriptors, by their path in the book.
fn written_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut folders = vec![book()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(book()).unwrap().display().to_string();
            if path.is_dir() && !["reference", "decisions"].contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    pages.sort();
    pages
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

/// Rust is compiled (`k2/src/book.rs`, and the harness for its page) or is in a file that a reader makes. What is there to be typed
/// is run, or stands as `sh` where that would take hours or need a machine of its own.
#[test]
fn every_example_says_what_it_is_and_no_rust_is_left_out() {
    let mut problems = Vec::new();
    let compiled = [
        fs::read_to_string(sources().join("k2/src/book.rs")).unwrap(),
        fs::read_to_string(sources().join("harness/src/lib.rs")).unwrap(),
    ]
    .concat();
    for (name, text) in written_pages() {
        let mut is_inside = false;
        let mut is_file = false;
        for (index, line) in text.lines().enumerate() {
            let Some(language) = line.strip_prefix("```") else {
                is_file |= line.starts_with("<!-- file: ");
                continue;
            };
            is_inside = !is_inside;
            if !is_inside {
                is_file = false;
                continue;
            }
            let place = format!("{name}:{}", index + 1);
            match language {
                "console" | "sh" | "text" | "yaml" | "toml" | "json" | "rust" | "python" | "c" => {}
                other => problems.push(format!("{place}: a block of `{other}`")),
            }
            if language == "rust" && !is_file && !compiled.contains(&format!("docs/src/{name}\"")) {
                problems.push(format!("{place}: no doctest includes this page"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
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

/// Blocks of a page in one of these languages, with the line and the language of each.
fn blocks(page: &str, languages: &[&str]) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, text)) = lines.next() {
        let Some(language) = text.strip_prefix("```").filter(|rest| !rest.is_empty()) else {
            continue;
        };
        let inside = lines.by_ref().map(|(_, text)| text);
        let block: Vec<&str> = inside.take_while(|text| *text != "```").collect();
        if languages.contains(&language) {
            found.push((index + 1, language.to_owned(), block.join("\n")));
        }
    }
    found
}

/// What stands in the book as a file of settings, or as a list of expected failures, is one.
#[test]
fn every_file_of_settings_is_read() {
    let mut read = 0;
    for (name, text) in written_pages() {
        for (line, language, block) in blocks(&text, &["yaml", "toml"]) {
            let session = Session::new();
            for (included, key) in [
                ("base.yaml", "log.level: info\n"),
                ("box.yaml", "ip: ::1\n"),
                ("machines/one.yaml", "log.level: debug\n"),
            ] {
                session.write(included, key);
            }
            session.script("suite/case", "exit 0");
            let file = session.write(&format!("example.{language}"), &block);
            let option = if block.contains("[[expected_failure]]") {
                "--tests-expected-failures"
            } else {
                "--additional-config-file-pattern"
            };
            let mut command = session.command(&["list", "suite", option]);
            command.arg(&file).env("K2_SUTS_IDS", "box");
            if block.contains("of the addon below") {
                command.env("K2_CONFIG_UNKNOWN", "warn");
            }
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{name}:{line}\n{said}");
            read += 1;
        }
    }
    assert!(read > 4, "{read}");
}

#[test]
fn steps_are_read_with_their_lines() {
    let page = "a\n<!-- file: x/y -->\n```sh\n#!/bin/sh\n```\n```console\n$ one \\\n> two\nout …\n$ three\n$ echo $?\n4\n```\n```text\n$ no\n```\n";
    let expected = [
        Step::File {
            line: 3,
            path: "x/y".to_owned(),
            text: "#!/bin/sh\n".to_owned(),
        },
        Step::Command {
            line: 7,
            command: "one \\\ntwo".to_owned(),
            expected: vec!["out …".to_owned()],
            code: 0,
        },
        Step::Command {
            line: 10,
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
