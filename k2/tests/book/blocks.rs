//! Every block of the book and of the README, whatever its language, is run, compiled, read, or accounted for in [`ACCOUNTS`].
//!
//! | Block | Who sees to it |
//! | --- | --- |
//! | `console`, and what is in a file of the page | run by this test; of the README by `.ci/readme` |
//! | `rust` | compiled and run: `k2/src/book.rs`, for pages of the harness `harness/src/lib.rs` |
//! | `yaml`, `toml` | read as settings by `zk2` |
//! | all else | one of the [`ACCOUNTS`], without which it is refused |

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{book, sources};
use crate::session::Session;

/// How it is known that a block is right.
enum Seen {
    /// This function fails if it is not.
    By(fn(&str)),
    /// This test of that file looks at the page, or is what the page tells.
    Test(&'static str, &'static str),
    /// Boxes and arrows: nothing that a program could read.
    Drawing,
}

/// Page, how the block begins, and who sees to it.
const ACCOUNTS: &[(&str, &str, Seen)] = &[
    ("architecture.md", " argv, env, files", Seen::Drawing),
    (
        "architecture.md",
        "zaf-core/            messages",
        Seen::By(folders_are_there),
    ),
    (
        "architecture.md",
        "zaf-macros → nothing",
        Seen::By(packages_import_no_more),
    ),
    (
        "components.md",
        "no component for `login: shop::Login`",
        Seen::Test(
            "zaf-core/src/component/tests.rs",
            "the_tree_of_what_is_missing_is_the_one_in_the_book",
        ),
    ),
    ("event-log.md", "{\"schema\":", Seen::By(is_a_record)),
    (
        "hooks.md",
        "PRE_JOB →",
        Seen::Test(
            "k2/tests/hooks.rs",
            "all_phases_come_in_order_and_once_also_with_cases_in_processes_of_their_own",
        ),
    ),
    (
        "logging.md",
        "warning[junit]",
        Seen::Test(LOG_LINES, "lines_look_as_the_book_says"),
    ),
    (
        "logging.md",
        "2026-11-21T08:17:22.123456Z WARN [junit]",
        Seen::Test(LOG_LINES, "lines_look_as_the_book_says"),
    ),
    (
        "message-bus.md",
        "cargo bench",
        Seen::By(names_what_cargo_has),
    ),
    (
        "mutations.md",
        "cargo install cargo-mutants",
        Seen::By(names_what_cargo_has),
    ),
    ("performance.md", "mkdir -p", Seen::By(names_what_cargo_has)),
    (
        "plugin-protocol.md",
        "→ {\"type\":\"describe\"",
        Seen::Test(PROTOCOL, "the_life_in_the_book_is_made_of_frames"),
    ),
    (
        "plugin-protocol.md",
        "→ {\"type\":\"request\"",
        Seen::Test(PROTOCOL, "the_question_to_a_finder_in_the_book_is_a_frame"),
    ),
    (
        "plugin-protocol.md",
        "{\n  \"protocol\": 1,",
        Seen::Test(
            PROTOCOL,
            "the_description_in_the_book_is_right_and_has_every_field",
        ),
    ),
    (
        "plugin-protocol.md",
        "offset  bytes",
        Seen::Test(
            PROTOCOL,
            "the_layout_of_a_binary_frame_is_what_the_book_says",
        ),
    ),
    (
        "plugin-protocol.md",
        "{{#include ../examples/plugins/python/slowest.py}}",
        Seen::Test(EXAMPLES, "the_example_in_python_warns_of_a_slow_case"),
    ),
    (
        "plugin-protocol.md",
        "{{#include ../examples/plugins/include/zaf_plugin.h}}",
        Seen::Test(
            EXAMPLES,
            "the_example_of_a_library_in_c_is_opened_in_a_child_first",
        ),
    ),
    (
        "portable-messages.md",
        "{\"name\":\"ORDERED\"",
        Seen::By(is_an_encoded_message),
    ),
    (
        "product-guide.md",
        "k2 = { workspace = true",
        Seen::By(features_are_there),
    ),
    (
        "testing-extensions.md",
        "expected SERVED from kitchen",
        Seen::Test(
            "harness/tests/recorder.rs",
            "a_failure_reads_as_the_book_says",
        ),
    ),
    (
        "when-something-dies.md",
        "error: runner crashed (SIGSEGV)",
        Seen::Test(
            "k2/core/src/supervisor/guard/epitaph.rs",
            "e31_what_is_told_of_a_function_that_kills_the_runner_is_what_the_book_says",
        ),
    ),
    (
        "when-something-dies.md",
        "warning: SIGUSR1 received",
        Seen::Test(
            "k2/tests/status.rs",
            "d10_sigusr1_writes_what_runs_to_the_log_and_the_run_goes_on",
        ),
    ),
];

const LOG_LINES: &str = "zaf-core/src/application/logging/render.rs";
const PROTOCOL: &str = "extensions/plugins/src/protocol/tests.rs";
const EXAMPLES: &str = "k2/tests/plugin_examples.rs";

/// A block between fences.
struct Block {
    /// Of the fence in front of it.
    line: usize,
    language: String,
    text: String,
    /// A reader of the page puts it into a file.
    is_file: bool,
}

/// All blocks of a page, and what is wrong with its fences.
fn blocks(page: &str) -> (Vec<Block>, Vec<String>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let mut is_file = false;
    let mut lines = page.lines().enumerate();
    while let Some((index, text)) = lines.next() {
        is_file |= text.starts_with("<!-- file: ");
        // Mutants of a fence, which the tests would not see as one.
        let unlike = text.trim_start();
        if unlike.starts_with("~~~") || (unlike.starts_with("```") && unlike != text) {
            problems.push(format!(
                "{}: a block is fenced by ``` at the left",
                index + 1
            ));
        }
        let Some(language) = text.strip_prefix("```") else {
            continue;
        };
        let mut inside = Vec::new();
        let end = lines.by_ref().find_map(|(_, text)| {
            let is_end = text == "```";
            inside.push(text);
            is_end.then_some(())
        });
        if end.is_none() {
            problems.push(format!("{}: the block has no end", index + 1));
        }
        inside.pop();
        found.push(Block {
            line: index + 1,
            language: language.to_owned(),
            text: inside.join("\n"),
            is_file: std::mem::take(&mut is_file),
        });
    }
    (found, problems)
}

/// Pages that are not made from descriptors, by their path in the book.
pub(super) fn written_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut folders = vec![book()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(book()).unwrap().display().to_string();
            if path.is_dir() && name != "reference" {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    pages.sort();
    pages
}

/// What is wrong with the blocks of these pages.
fn problems(
    pages: &[(String, String)],
    compiled: &str,
    accounts: &[(&str, &str, Seen)],
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut used = vec![0; accounts.len()];
    for (name, text) in pages {
        let (blocks, wrong) = blocks(text);
        problems.extend(wrong.iter().map(|wrong| format!("{name}:{wrong}")));
        for block in blocks {
            let place = format!("{name}:{}", block.line);
            let rows = accounts.iter().enumerate();
            let rows = rows
                .filter(|(_, (page, begins, _))| page == name && block.text.starts_with(begins));
            let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
            for row in &rows {
                used[*row] += 1;
            }
            match (block.language.as_str(), rows.as_slice()) {
                (_, []) if block.is_file => {}
                ("console" | "yaml" | "toml", []) => {}
                ("rust", []) if compiled.contains(&format!("docs/src/{name}\"")) => {}
                ("rust", []) => problems.push(format!("{place}: no doctest includes this page")),
                ("text", []) if is_screen(&block.text) => {}
                (language, []) => problems.push(format!(
                    "{place}: nothing looks at this block of `{language}`: make it a `console` block that is run, or \
                     have a test look at it and name that in ACCOUNTS"
                )),
                ("json" | "sh" | "text" | "toml" | "python" | "c", [row]) => {
                    let is_drawing = matches!(accounts[*row].2, Seen::Drawing);
                    if is_drawing && (block.language != "text" || !block.text.contains(['►', '→', '▲'])) {
                        problems.push(format!("{place}: this is no drawing"));
                    }
                }
                (language, _) => problems.push(format!("{place}: a block of `{language}`, accounted for {} times", rows.len())),
            }
        }
    }
    for ((page, begins, _), used) in accounts.iter().zip(used) {
        if used != 1 {
            problems.push(format!("{page}: {used} blocks begin with {begins:?}"));
        }
    }
    problems
}

/// One of the screens that `screens.rs` records, and of which the page has all.
fn is_screen(text: &str) -> bool {
    text.starts_with("{{#include screens/") && text.ends_with(".txt}}") && !text.contains('\n')
}

fn readme() -> (String, String) {
    let text = fs::read_to_string(sources().join("README.md")).unwrap();
    ("README.md".to_owned(), text)
}

#[test]
fn every_block_of_the_book_is_looked_at() {
    let compiled = [
        fs::read_to_string(sources().join("k2/src/book.rs")).unwrap(),
        fs::read_to_string(sources().join("harness/src/lib.rs")).unwrap(),
    ]
    .concat();
    let mut pages = written_pages();
    pages.push(readme());
    let mut problems = problems(&pages, &compiled, ACCOUNTS);
    for (page, begins, seen) in ACCOUNTS {
        if let Seen::Test(file, test) = seen {
            let source = fs::read_to_string(sources().join(file)).unwrap_or_default();
            if !source.contains(&format!("fn {test}() ")) {
                problems.push(format!("{page}: {begins:?}: {file} has no test `{test}`"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_somebody_sees_to_is_right() {
    let pages = written_pages();
    for (page, begins, seen) in ACCOUNTS {
        let Seen::By(look) = seen else { continue };
        let (_, text) = pages.iter().find(|(name, _)| name == page).unwrap();
        let (blocks, _) = blocks(text);
        let block = blocks.iter().find(|block| block.text.starts_with(begins));
        look(&block.unwrap().text);
    }
}

/// The folders that begin its lines are there.
fn folders_are_there(text: &str) {
    let mut folders = 0;
    for line in text.lines().filter(|line| !line.starts_with(' ')) {
        let folder = line.split(' ').next().unwrap().replace("NAME/", "");
        assert!(sources().join(&folder).exists(), "{line}");
        folders += 1;
    }
    assert!(folders > 5, "{text}");
}

/// What Cargo knows of the packages here, in the manifest of one or of all.
fn metadata(more: &[&str]) -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .args(more)
        .current_dir(sources());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `a → b, c` for `a` as it is in the table, its packages import no others of ours.
fn packages_import_no_more(text: &str) {
    let all = metadata(&[]);
    let packages = all["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let ours: Vec<String> = packages.iter().map(name).collect();
    let mut looked_at = Vec::new();
    for row in text.lines().flat_map(|line| line.split("  ")) {
        let Some((who, whom)) = row.trim().split_once(" → ") else {
            continue;
        };
        let is_said = |package: &str| match package {
            "k2-core" => who == "k2/core",
            "k2" | "zaf-core" | "zaf-macros" => who == package,
            "zaf-harness" => who == "harness",
            other => who == format!("extensions/{}-*", other.split('-').next().unwrap()),
        };
        for package in packages.iter().filter(|package| is_said(&name(package))) {
            looked_at.push(name(package));
            for dependency in package["dependencies"].as_array().unwrap() {
                let other = name(dependency);
                // The library of k2 is `k2/core` as a folder, and `k2` to those who import it.
                let spoken = match other.as_str() {
                    "k2-core" if whom.contains("k2/core") => "k2/core",
                    "k2-core" => "k2",
                    "zaf-macros" if whom.contains("zaf-core") => "zaf-core",
                    other if whom.contains("the default extensions") && is_extension(other) => {
                        "the default extensions"
                    }
                    other => other,
                };
                let is_normal = dependency["kind"].is_null() && ours.contains(&other);
                assert!(
                    !is_normal || whom.contains(spoken),
                    "{row}: {} → {other}",
                    name(package)
                );
            }
        }
    }
    looked_at.sort();
    let mut rest: Vec<_> = ours
        .iter()
        .filter(|name| !looked_at.contains(name))
        .collect();
    rest.sort();
    assert_eq!(rest, [""; 0], "of these the page says nothing");
}

fn is_extension(package: &str) -> bool {
    let folder = package
        .split_once('-')
        .map(|(_, name)| sources().join("extensions").join(name));
    folder.is_some_and(|folder| folder.is_dir())
}

/// The fields of a record are those of the records that are written, as is the version.
fn is_a_record(text: &str) {
    let session = Session::new();
    session.script("case", "exit 0");
    let ended = session.zk2(&["run", "case"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    let shown: Value = serde_json::from_str(&text.replace('…', "")).unwrap();
    let of_kind = |line: &Value| line["kind"] == shown["kind"];
    let mut records = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let written = records.find(of_kind).unwrap();
    let fields =
        |record: &Value| -> Vec<String> { record.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(fields(&shown), fields(&written));
    assert_eq!(shown["schema"], written["schema"]);
    for record in [&shown, &written] {
        let time = record["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok());
    }
}

/// A message in its form in JSON.
fn is_an_encoded_message(text: &str) {
    let message: zaf_core::message::EncodedMessage = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
}

/// Features of the package `k2`.
fn features_are_there(text: &str) {
    let all = metadata(&[]);
    let packages = all["packages"].as_array().unwrap();
    let k2 = packages.iter().find(|package| package["name"] == "k2");
    let known = k2.unwrap()["features"].as_object().unwrap();
    let (_, list) = text.split_once("features = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    for feature in list.split(", ") {
        assert!(known.contains_key(feature.trim_matches('"')), "{feature}");
    }
}

/// Commands that take hours, or programs that are not installed here: packages, targets, files and words that they name are there.
fn names_what_cargo_has(text: &str) {
    let text = text.replace("\\\n", "");
    let mut seen = 0;
    for line in text.lines().filter(|line| line.starts_with("cargo ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let behind = |word: &str| {
            let place = words.iter().position(|other| *other == word);
            place.map(|place| words[place + 1].trim_matches('\''))
        };
        if words[1] == "install" {
            continue;
        }
        let manifest = behind("--manifest-path");
        let more = manifest.map_or_else(Vec::new, |manifest| vec!["--manifest-path", manifest]);
        let all = metadata(&more);
        let packages = all["packages"].as_array().unwrap();
        let named = |package: &&Value| behind("-p").is_none_or(|name| package["name"] == name);
        let package = packages.iter().find(named);
        let package = package.unwrap_or_else(|| panic!("no such package: {line}"));
        for (option, kind) in [("--bench", "bench"), ("--test", "test")] {
            let Some(target) = behind(option) else {
                continue;
            };
            let mut targets = package["targets"].as_array().unwrap().iter();
            let is_it = |one: &&Value| one["name"] == target && one["kind"][0] == kind;
            assert!(targets.any(|one| is_it(&one)), "no such target: {line}");
        }
        if let Some(pattern) = behind("-f") {
            let (folder, name) = pattern.rsplit_once('/').unwrap();
            let folder = sources().join(folder.trim_end_matches("/**"));
            let mut files = fs::read_dir(&folder).unwrap();
            assert_eq!(name, "*.rs", "{line}");
            assert!(files.any(|file| is_rust(&file.unwrap().path())), "{line}");
        }
        let own = words.iter().position(|word| *word == "--");
        let own = own.map_or(&[][..], |place| &words[place + 1..]);
        let source = Path::new(package["manifest_path"].as_str().unwrap())
            .parent()
            .unwrap();
        for word in own
            .iter()
            .filter(|word| words[1] == "bench" && word.starts_with("--"))
        {
            assert!(says(source, &format!("\"{word}\"")), "{word}: {line}");
        }
        for module in own.iter().filter_map(|word| word.strip_suffix("::")) {
            let place = source.join("tests").join(module);
            assert!(place.is_dir(), "no tests `{module}`: {line}");
        }
        seen += 1;
    }
    assert!(seen > 0, "{text}");
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rs")
}

/// Whether a benchmark, or what it measures with, has this text.
fn says(package: &Path, text: &str) -> bool {
    let mut folders = vec![package.to_owned(), sources().join("zaf-core/benches")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_rust(&path) && fs::read_to_string(&path).unwrap().contains(text) {
                return true;
            }
        }
    }
    false
}

/// What stands in the book as a file of settings, or as a list of expected failures, is one.
#[test]
fn every_file_of_settings_is_read() {
    let mut read = 0;
    for (name, page) in written_pages() {
        for block in blocks(&page).0 {
            let Block {
                line,
                language,
                text,
                is_file,
            } = block;
            let is_ours =
                |(page, begins, _): &(&str, &str, Seen)| *page == name && text.starts_with(begins);
            if is_file || !["yaml", "toml"].contains(&&*language) || ACCOUNTS.iter().any(is_ours) {
                continue;
            }
            let session = Session::new();
            for (included, key) in [
                ("base.yaml", "log.level: info\n"),
                ("box.yaml", "ip: ::1\n"),
                ("machines/one.yaml", "log.level: debug\n"),
            ] {
                session.write(included, key);
            }
            session.script("suite/case", "exit 0");
            fs::create_dir(session.path().join("plugins")).unwrap();
            let text = text.replace("/home/me", &session.path().display().to_string());
            let file = session.write(&format!("example.{language}"), &text);
            let option = if text.contains("[[expected_failure]]") {
                "--tests-expected-failures"
            } else {
                "--additional-config-file-pattern"
            };
            let mut command = session.command(&["list", "suite", option]);
            command.arg(&file).env("K2_SUTS_IDS", "box");
            if text.contains("of the addon below") {
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
fn a_block_that_nobody_looks_at_is_found() {
    let accounts = [
        ("a.md", "→ box", Seen::Drawing),
        ("a.md", "lines", Seen::Drawing),
        ("a.md", "gone", Seen::Drawing),
    ];
    let page = "\
```rust\n```\n```ini\n[a]\n```\n```json\n{}\n```\n```sh\nls\n```\n```text\n→ box\n```\n```text\nlines\n```\n\
```text\nzk2 run\n```\n```text\n{{#include screens/a.txt}}\n```\n```\nnone\n```\n  ```sh\n~~~\n\
<!-- file: x -->\n```ini\n```\n```console\n$ a\n```\n```python\nx\n";
    let pages = [("a.md".to_owned(), page.to_owned())];
    let found = problems(&pages, "", &accounts);
    let found: Vec<&str> = found
        .iter()
        .map(|problem| problem.split(": make it").next().unwrap())
        .collect();
    assert_eq!(
        found,
        [
            "a.md:27: a block is fenced by ``` at the left",
            "a.md:28: a block is fenced by ``` at the left",
            "a.md:35: the block has no end",
            "a.md:1: no doctest includes this page",
            "a.md:3: nothing looks at this block of `ini`",
            "a.md:6: nothing looks at this block of `json`",
            "a.md:9: nothing looks at this block of `sh`",
            "a.md:15: this is no drawing",
            "a.md:18: nothing looks at this block of `text`",
            "a.md:24: nothing looks at this block of ``",
            "a.md:35: nothing looks at this block of `python`",
            "a.md: 0 blocks begin with \"gone\"",
        ]
    );
    assert_eq!(problems(&pages, "docs/src/a.md\"", &[]).len(), 11);
}
