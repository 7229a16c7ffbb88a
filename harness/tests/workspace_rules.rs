//! The rules that keep the house as `docs/src/architecture.md` describes it.
//!
//! Each rule is a pure function from files to [`Problem`]s with a test that shows that it can fail, and one test over the
//! tracked files of this repository. A problem names file and line and says how to mend it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// What stands at the top, besides dot-files and licences.
const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs",
    "extensions",
    "harness",
    "k2",
    "zaf-core",
    "zaf-macros",
];

/// Modules of zaf-core from the bottom up: a module imports from its own layer and those before it. On top is what faces the
/// authors and the macros.
const LAYERS: &[&[&str]] = &[
    &["attribution", "error", "nearest", "sync", "thread"],
    &["message"],
    &["component"],
    &["config"],
    &["command"],
    &["extension"],
    &["application"],
    &["builtin"],
    &["glue", "prelude", "private"],
];

/// Imports against the order that are meant: (module, path below `crate::`, why).
const UPWARD: &[(&str, &str, &str)] = &[
    ("command", "application::ExitCode", EXIT_CODE),
    ("extension", "application::ExitCode", EXIT_CODE),
    ("component", "private::ZAF_COMPONENTS", SLICES),
    ("extension", "private::ZAF_EXTENSIONS", SLICES),
    ("extension", "private::ZAF_DISPATCHERS", SLICES),
    ("application", "private::ZAF_EXTENSIONS", SLICES),
    ("application", "private::ZAF_DISPATCHERS", SLICES),
    (
        "application",
        "private::BUILT_IN_EXTENSIONS",
        "somebody has to put together what is linked and what is built in",
    ),
    (
        "builtin",
        "private::construct",
        "its declarations are what the macros would emit",
    ),
];

const EXIT_CODE: &str = "the table of exit codes imports nothing, and every layer may name one";
const SLICES: &str = "all slices stand in one module, so that no two of them share a name";

/// Extension crates that `k2/src/link.rs` does not name: (folder, why).
const NOT_LINKED: &[(&str, &str)] = &[];

/// The only file with `unsafe`; its package denies it elsewhere and has the other lints of the workspace.
const FOREIGN: &str = "extensions/plugins/src/link/library/foreign.rs";
const FOREIGN_MANIFEST: &str = "extensions/plugins/Cargo.toml";

/// A file is read with ease up to this many lines before its tests; more asks for a reason.
const LONG: usize = 450;

/// No file has more lines than this before its tests.
const TOO_LONG: usize = 600;

/// The line of a module doc that gives the reason for more than [`LONG`] lines.
const LONG_MARKER: &str = "//! Long because ";

/// A file of the repository: path from the root with `/`, and its text.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// What follows the last dot of the path.
    fn suffix(&self) -> Option<&str> {
        self.path.rsplit_once('.').map(|(_, suffix)| suffix)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.suffix() == Some("rs")
    }

    /// Whether it is product code: not a test, a bench, an example or an input of the compile-fail tests.
    fn is_product(&self) -> bool {
        let aside = ["tests", "benches", "examples", "fuzz"];
        self.is_rust()
            && !self.path.ends_with("tests.rs")
            && !self.path.split('/').any(|part| aside.contains(&part))
    }

    /// Lines with their numbers from 1, up to the inline tests.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        numbered.take_while(|(_, line)| *line != "#[cfg(test)]")
    }

    fn problem(&self, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Problem {
        Problem {
            path: self.path.clone(),
            line,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    path: String,
    line: usize,
    what: String,
    mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}; {}",
            self.path, self.line, self.what, self.mend
        )
    }
}

// ---- the rules ----

/// Inside zaf-core nothing is imported from a higher layer.
fn imports_go_down(file: &File) -> Vec<Problem> {
    let Some(inside) = file.path.strip_prefix("zaf-core/src/") else {
        return Vec::new();
    };
    let own = inside
        .split('/')
        .next()
        .unwrap_or(inside)
        .trim_end_matches(".rs");
    let Some(own_layer) = layer_of(own) else {
        return Vec::new();
    };
    let upward = crate_paths(file).into_iter().filter(|(_, path)| {
        let module = path.split("::").next().unwrap_or(path);
        layer_of(module).is_some_and(|layer| layer > own_layer)
            && !UPWARD
                .iter()
                .any(|(from, to, _)| *from == own && to == path)
    });
    upward
        .map(|(line, path)| {
            file.problem(
                line,
                format!("`{own}` imports `crate::{path}` from a higher layer"),
                "move the shared type down, or let the higher module hand it in through a trait",
            )
        })
        .collect()
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Paths that start with `crate::`, without that, in order: two segments deep where there are two. Groups in braces are
/// taken apart.
fn crate_paths(file: &File) -> Vec<(usize, String)> {
    let mut code = String::new();
    for (_, line) in file.product_lines() {
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
        }
        code.push('\n');
    }
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c == '$' || c == '_' || c.is_alphanumeric()) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + start.len()..];
        for path in paths_of_group(rest) {
            found.push((line, path));
        }
    }
    found
}

/// Paths at the start of `text`, each two segments deep: one, or all that its groups in braces stand for.
fn paths_of_group(text: &str) -> Vec<String> {
    expanded(text)
        .iter()
        .map(|path| two_segments(path))
        .filter(|path| !path.is_empty())
        .collect()
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expanded(text: &str) -> Vec<String> {
    let (head, rest) = text.split_at(end_of_path(text));
    let Some(group) = rest.strip_prefix('{') else {
        return vec![head.to_owned()];
    };
    if !head.is_empty() && !head.ends_with("::") {
        return vec![head.to_owned()]; // the brace of a block
    }
    let (mut depth, mut start, mut paths) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        if depth == 0 && (c == ',' || c == '}') {
            let item = expanded(group[start..at].trim());
            paths.extend(item.iter().map(|path| format!("{head}{path}")));
            start = at + 1;
            if c == '}' {
                break;
            }
        }
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    paths
}

fn end_of_path(text: &str) -> usize {
    text.find(|c: char| c != '_' && c != ':' && !c.is_alphanumeric())
        .unwrap_or(text.len())
}

fn two_segments(text: &str) -> String {
    let segments = text[..end_of_path(text)].split("::");
    let named: Vec<_> = segments
        .filter(|segment| !segment.is_empty())
        .take(2)
        .collect();
    named.join("::")
}

/// Which of our packages a manifest may name in its dependencies.
fn allowed_dependencies(folder: &str, package: &str) -> &'static [&'static str] {
    match (folder, package) {
        ("zaf-macros", _) => &[],
        ("zaf-core", _) => &["zaf-macros"],
        ("harness", _) => &["zaf-core", "k2"],
        ("k2/core", _) => &["zaf-core", "zaf-macros"],
        (_, package) if folder.starts_with("extensions/") && package.starts_with("k2-") => {
            &["zaf-core", "k2"]
        }
        _ => &["zaf-core"],
    }
}

/// Packages import each other downwards only, and an extension never imports an extension.
fn manifests_go_down(manifests: &[File]) -> Result<Vec<Problem>, toml::de::Error> {
    let mut packages = BTreeMap::new();
    for file in manifests {
        let table: toml::Table = toml::from_str(&file.text)?;
        let name = table
            .get("package")
            .and_then(|p| p.get("name"))
            .and_then(toml::Value::as_str);
        if let (Some(name), Some((folder, _))) = (name, file.path.rsplit_once('/')) {
            packages.insert(name.to_owned(), (folder.to_owned(), file, table.clone()));
        }
    }
    // Extension crates name the library half of k2 `k2`; the product itself is nobody's dependency.
    let ours: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let mut problems = Vec::new();
    for (package, (folder, file, table)) in &packages {
        if folder == "k2" || folder.split('/').any(|part| part == "fuzz") {
            continue; // the product links everything; fuzz targets call what they like
        }
        let allowed = allowed_dependencies(folder, package);
        for (section, is_dev) in [
            ("dependencies", false),
            ("build-dependencies", false),
            ("dev-dependencies", true),
        ] {
            let Some(entries) = table.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for name in entries.keys().filter(|name| ours.contains(name.as_str())) {
                let in_tests =
                    is_dev && (name == "zaf-harness" || !is_extension(&packages[name].0));
                if allowed.contains(&name.as_str()) || in_tests {
                    continue;
                }
                let line = line_of(&file.text, name);
                problems.push(file.problem(
                    line,
                    format!("`{package}` depends on `{name}` ({section})"),
                    "talk by messages and components, and put shared types into the lower crate of the two",
                ));
            }
        }
    }
    Ok(problems)
}

fn is_extension(folder: &str) -> bool {
    folder.starts_with("extensions/")
}

/// Number of the line that starts with `word`, else 1.
fn line_of(text: &str, word: &str) -> usize {
    text.lines()
        .position(|line| line.trim_start().starts_with(word))
        .map_or(1, |index| index + 1)
}

/// Files stay readable: more than [`LONG`] lines before the tests ask for a reason, more than [`TOO_LONG`] never.
fn files_are_short(file: &File) -> Vec<Problem> {
    if !file.is_product() {
        return Vec::new();
    }
    let lines = file.product_lines().count();
    let has_reason = file.text.lines().any(|line| line.starts_with(LONG_MARKER));
    if lines > TOO_LONG {
        let what = format!("{lines} lines before the tests, the end is {TOO_LONG}");
        vec![file.problem(TOO_LONG + 1, what, "split it by concept, one noun per file")]
    } else if lines > LONG && !has_reason {
        let what = format!("{lines} lines before the tests, more than {LONG} ask for a reason");
        let mend =
            format!("split it, or give the reason in a line `{LONG_MARKER}…` of its module doc");
        vec![file.problem(LONG + 1, what, mend)]
    } else {
        Vec::new()
    }
}

/// The documentation of each library has an example, and that of each public module at the top of those that are no extensions.
/// What only gathers names needs none.
fn concepts_have_examples(files: &[File]) -> Vec<Problem> {
    const GATHERED: [&str; 2] = ["prelude", "private"];
    let mut problems = Vec::new();
    for library in files
        .iter()
        .filter(|file| file.path.ends_with("src/lib.rs") && file.is_product())
    {
        let folder = library.path.trim_end_matches("lib.rs");
        let modules = library
            .product_lines()
            .filter_map(|(_, line)| line.strip_prefix("pub mod ")?.strip_suffix(';'));
        let is_extension = library.path.starts_with("extensions/");
        let modules = modules.filter(|name| !is_extension && !GATHERED.contains(name));
        let of_modules = modules.flat_map(|name| {
            [
                format!("{folder}{name}.rs"),
                format!("{folder}{name}/mod.rs"),
            ]
        });
        for path in of_modules.chain([library.path.clone()]) {
            let Some(file) = files.iter().find(|file| file.path == path) else {
                continue;
            };
            let is_code = |line: &str| ["//! ```", "//! ```no_run"].contains(&line);
            let mut fences = file
                .text
                .lines()
                .filter(|line| line.starts_with("//! ```"))
                .step_by(2);
            let is_elsewhere = file
                .text
                .lines()
                .any(|line| line.starts_with("#![doc = include_str!"));
            if !is_elsewhere && !fences.any(is_code) {
                problems.push(file.problem(
                    1,
                    "the documentation has no example that is run",
                    "show a complete one in a block of Rust",
                ));
            }
        }
    }
    problems
}

/// Every file of the product says first what it is for. Tests say it by their names.
fn modules_have_docs(file: &File) -> Vec<Problem> {
    if !file.is_product() {
        return Vec::new();
    }
    let skipped =
        |line: &&str| line.is_empty() || line.starts_with("#![") || line.starts_with("#!/");
    match file.text.lines().find(|line| !skipped(line)) {
        Some(line) if line.starts_with("//! ") => Vec::new(),
        _ => vec![file.problem(
            1,
            "no module documentation",
            "begin the file with `//! ` and a sentence that says what it is responsible for",
        )],
    }
}

/// Every extension crate is linked into `zk2`, or an exception says why not.
fn extensions_are_linked(folders: &BTreeMap<String, String>, link: &str) -> Vec<Problem> {
    let linked = |package: &str| link.contains(&format!("use {} as _;", package.replace('-', "_")));
    let excepted = |folder: &str| NOT_LINKED.iter().any(|(name, _)| *name == folder);
    folders
        .iter()
        .filter(|(folder, package)| !linked(package) && !excepted(folder))
        .map(|(folder, package)| Problem {
            path: "k2/src/link.rs".to_owned(),
            line: 1,
            what: format!(
                "`{folder}` (package `{package}`) is not linked: its extensions are silently absent"
            ),
            mend: format!(
                "add `use {} as _;` behind its feature",
                package.replace('-', "_")
            ),
        })
        .collect()
}

/// Every package has the lints of the workspace; the one that calls C has its own copy, with `unsafe` denied instead of forbidden.
fn lints_are_those_of_the_workspace(manifests: &[File]) -> Result<Vec<Problem>, toml::de::Error> {
    let mut lints = toml::Table::new();
    if let Some(root) = manifests.iter().find(|file| file.path == "Cargo.toml") {
        let table: toml::Table = toml::from_str(&root.text)?;
        let shared = table.get("workspace").and_then(|w| w.get("lints"));
        lints = shared
            .and_then(toml::Value::as_table)
            .cloned()
            .unwrap_or_default();
    }
    let mut copy = lints;
    if let Some(rust) = copy.get_mut("rust").and_then(toml::Value::as_table_mut) {
        rust.insert("unsafe_code".to_owned(), "deny".into());
    }
    let mut problems = Vec::new();
    for file in manifests {
        let table: toml::Table = toml::from_str(&file.text)?;
        // The workspace itself, and packages outside of it.
        if !table.contains_key("package") || table.contains_key("workspace") {
            continue;
        }
        let found = table.get("lints").and_then(toml::Value::as_table);
        let is_right = if file.path == FOREIGN_MANIFEST {
            found == Some(&copy)
        } else {
            found.and_then(|lints| lints.get("workspace")) == Some(&true.into())
        };
        if !is_right {
            let mend = "write `[lints] workspace = true`, or in the package that calls C all lints of the workspace with \
                        `unsafe_code = \"deny\"`";
            let line = line_of(&file.text, "[lints");
            problems.push(file.problem(line, "has other lints than the workspace", mend));
        }
    }
    Ok(problems)
}

/// `unsafe` is allowed in one file.
fn unsafe_is_in_one_file(file: &File) -> Vec<Problem> {
    let word = concat!("unsafe", "_code");
    // Attributes of macros stand in several lines.
    let is_allowed = |text: &str| text.contains(word) && !text.trim_start().starts_with("//");
    if !file.is_product() || file.path == FOREIGN {
        return Vec::new();
    }
    let lines = file.product_lines().filter(|(_, line)| is_allowed(line));
    lines
        .map(|(line, _)| {
            let mend = format!("call C in `{FOREIGN}` only");
            file.problem(line, "changes the lint of `unsafe`", mend)
        })
        .collect()
}

/// Nothing new at the top of the repository.
fn top_level_is_fixed<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Problem> {
    let tops: BTreeSet<&str> = paths
        .into_iter()
        .map(|path| path.split('/').next().unwrap_or(path))
        .collect();
    tops.into_iter()
        .filter(|top| !top.starts_with('.') && !TOP_LEVEL.contains(top))
        .map(|top| Problem {
            path: top.to_owned(),
            line: 1,
            what: "is not part of the top level".to_owned(),
            mend: "put it into the package it belongs to".to_owned(),
        })
        .collect()
}

/// Files and types are named by what they do.
fn names_say_something(file: &File) -> Vec<Problem> {
    const EMPTY: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
    let mut problems = Vec::new();
    if file
        .path
        .split('/')
        .any(|part| EMPTY.contains(&part.trim_end_matches(".rs")))
    {
        problems.push(file.problem(1, "the path says nothing", "name the file after its noun"));
    }
    if !file.is_rust() {
        return problems;
    }
    for (index, line) in file.text.lines().enumerate() {
        for keyword in ["struct ", "enum ", "trait ", "type ", "union "] {
            let Some(at) = line.find(keyword) else {
                continue;
            };
            let starts_word = at == 0 || line[..at].ends_with([' ', '(']);
            let name = two_segments(&line[at + keyword.len()..]);
            let is_empty = name.ends_with("Manager") || name.ends_with("Helper");
            if starts_word && is_empty && !line.trim_start().starts_with("//") {
                let mend = "say what it does: …Registry, …Store, …Loader";
                problems.push(file.problem(index + 1, format!("`{name}` says nothing"), mend));
            }
        }
    }
    problems
}

/// No stubs and no tests that never run.
fn nothing_is_left_to_do(file: &File) -> Vec<Problem> {
    // Put together from pieces, so that this file does not contain them.
    let anywhere = concat!("FIX", "ME");
    let in_code = [concat!("to", "do!("), concat!("unimple", "mented!(")];
    let as_attribute = concat!("#[ig", "nore");
    // Suites and fixtures show what an ignored test looks like.
    let is_material = file
        .path
        .split('/')
        .any(|part| part == "examples" || part == "fixture");
    if !file.is_rust() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let code = line.trim_start();
        let is_stub = line.contains(anywhere)
            || (!code.starts_with("//") && in_code.iter().any(|word| code.contains(word)))
            || (!is_material && code.starts_with(as_attribute));
        if is_stub {
            let mend = "finish it; a test that cannot run here says so in its output and returns";
            problems.push(file.problem(index + 1, "is left to do", mend));
        }
    }
    problems
}

/// Nothing that is true on one machine only, and no host of a package registry.
fn nothing_of_one_machine(file: &File) -> Vec<Problem> {
    if file.suffix() == Some("lock") {
        return Vec::new();
    }
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/fa", "rm/"),
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("registry", ".npmjs"),
        concat!("deb", ".debian"),
    ];
    let mut problems = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for place in places.iter().filter(|place| line.contains(**place)) {
            let mend = "name it relative to the repository or by its role";
            problems.push(file.problem(index + 1, format!("contains `{place}`"), mend));
        }
    }
    problems
}

/// Paths in backticks in the book and the README exist, so that what describes the way of a run keeps describing it.
fn documents_name_real_files(document: &File, paths: &BTreeSet<&str>) -> Vec<Problem> {
    let is_path = |text: &str| {
        let top = text.split('/').next().unwrap_or(text);
        let is_ours = TOP_LEVEL.contains(&top) || top == ".ci" || top == ".config";
        is_ours
            && text.contains('/')
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
    };
    let exists = |text: &str| {
        let text = text.trim_end_matches('/');
        let folder = format!("{text}/");
        paths.contains(text)
            || paths
                .range(folder.as_str()..)
                .next()
                .is_some_and(|path| path.starts_with(&folder))
    };
    let mut problems = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        for path in quoted.filter(|text| is_path(text) && !exists(text)) {
            let mend = "write the path that it has now";
            problems.push(document.problem(index + 1, format!("`{path}` does not exist"), mend));
        }
    }
    problems
}

// ---- the rules, applied to this repository ----

/// Tracked and new files that git does not ignore; files that are not text have an empty one.
#[expect(
    clippy::disallowed_methods,
    reason = "asks git which files belong to the repository"
)]
pub(crate) fn repository() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("invariant: harness/ has a parent");
    let listed = std::process::Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .expect("git is needed to list the files of the repository: .ci/setup installs it");
    assert!(
        listed.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let names = String::from_utf8_lossy(&listed.stdout);
    let paths: BTreeSet<&str> = names.split_terminator('\0').collect();
    let existing = paths.into_iter().filter(|path| root.join(path).is_file());
    existing
        .map(|path| File {
            path: path.to_owned(),
            text: std::fs::read_to_string(root.join(path)).unwrap_or_default(),
        })
        .collect()
}

#[track_caller]
fn assert_none(problems: &[Problem]) {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} broken rule(s):\n{}",
        lines.len(),
        lines.join("\n")
    );
}

#[track_caller]
fn assert_in_each_file(rule: fn(&File) -> Vec<Problem>) {
    let problems: Vec<Problem> = repository().iter().flat_map(rule).collect();
    assert_none(&problems);
}

fn manifests(files: &[File]) -> Vec<File> {
    files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .cloned()
        .collect()
}

#[test]
fn zaf_core_imports_downwards_only() {
    assert_in_each_file(imports_go_down);
}

#[test]
fn packages_depend_downwards_only() -> Result<(), toml::de::Error> {
    assert_none(&manifests_go_down(&manifests(&repository()))?);
    Ok(())
}

#[test]
fn every_package_has_the_lints_of_the_workspace() -> Result<(), toml::de::Error> {
    let mut files = repository();
    files.retain(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"));
    assert_none(&lints_are_those_of_the_workspace(&files)?);
    Ok(())
}

#[test]
fn unsafe_code_is_in_one_file() {
    assert_in_each_file(unsafe_is_in_one_file);
}

#[test]
fn no_file_is_too_long() {
    assert_in_each_file(files_are_short);
}

#[test]
fn every_concept_has_an_example_that_is_run() {
    assert_none(&concepts_have_examples(&repository()));
}

#[test]
fn every_module_is_documented() {
    assert_in_each_file(modules_have_docs);
}

#[test]
fn every_extension_crate_is_linked() -> Result<(), toml::de::Error> {
    let files = repository();
    let mut folders = BTreeMap::new();
    for file in manifests(&files)
        .iter()
        .filter(|file| file.path.starts_with("extensions/"))
    {
        let table: toml::Table = toml::from_str(&file.text)?;
        let name = table
            .get("package")
            .and_then(|p| p.get("name"))
            .and_then(toml::Value::as_str);
        if let (Some(name), Some((folder, _))) = (name, file.path.rsplit_once('/')) {
            folders.insert(folder.to_owned(), name.to_owned());
        }
    }
    let link = files.iter().find(|file| file.path == "k2/src/link.rs");
    assert_none(&extensions_are_linked(
        &folders,
        link.map_or("", |file| &file.text),
    ));
    Ok(())
}

#[test]
fn the_top_level_is_what_the_architecture_says() {
    let files = repository();
    assert_none(&top_level_is_fixed(
        files.iter().map(|file| file.path.as_str()),
    ));
}

#[test]
fn every_name_says_something() {
    assert_in_each_file(names_say_something);
}

#[test]
fn no_stub_is_left() {
    assert_in_each_file(nothing_is_left_to_do);
}

#[test]
fn no_machine_path_or_registry_host_is_tracked() {
    assert_in_each_file(nothing_of_one_machine);
}

#[test]
fn the_book_names_files_that_exist() {
    let files = repository();
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    // Decisions tell what was so when they were taken.
    let is_current = |file: &&File| {
        file.suffix() == Some("md")
            && (file.path == "README.md" || file.path.starts_with("docs/src/"))
            && !file.path.starts_with("docs/src/decisions/")
    };
    let documents = files.iter().filter(is_current);
    let problems: Vec<Problem> = documents
        .flat_map(|file| documents_name_real_files(file, &paths))
        .collect();
    assert_none(&problems);
}

// ---- each rule can fail ----

mod each_rule_can_fail {
    use super::*;

    fn lines(problems: &[Problem]) -> Vec<usize> {
        problems.iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn an_import_from_a_higher_layer_is_found_in_every_spelling() {
        let file = File::new(
            "zaf-core/src/config/store.rs",
            "//! Doc.\nuse crate::message::Entity;\nuse crate::extension::Loader;\n// crate::builtin is a comment\n\
             use crate::{error::Error, application::{A, B}};\nfn f(x: &crate::command::Tree) {}\nmac!($crate::builtin::x);\n\
             #[cfg(test)]\nmod tests { use crate::builtin::Cli; }\n",
        );
        assert_eq!(lines(&imports_go_down(&file)), [3, 5, 5, 6]);
    }

    #[test]
    fn a_concept_without_an_example_is_found() {
        let files = [
            File::new(
                "a/src/lib.rs",
                "//! A.\n//! ```\n//! f();\n//! ```\npub mod b;\npub mod c;\npub mod prelude;\n",
            ),
            File::new("a/src/b.rs", "//! B.\n//! ```text\n//! -> x\n//! ```\n"),
            File::new(
                "a/src/c/mod.rs",
                "//! C.\n#![doc = include_str!(\"c.md\")]\n",
            ),
            File::new("a/src/prelude.rs", "//! Names.\n"),
            File::new("d/src/lib.rs", "//! D.\n"),
        ];
        let found = concepts_have_examples(&files);
        let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["a/src/b.rs", "d/src/lib.rs"]);
    }

    #[test]
    fn groups_of_imports_are_taken_apart() {
        let found = paths_of_group("{error::Error, a::{b::{c, d}, e}, f}; struct S { x: u8 }");
        assert_eq!(found, ["error::Error", "a::b", "a::b", "a::e", "f"]);
        assert_eq!(paths_of_group("a::B { c, d }"), ["a::B"]);
        assert_eq!(paths_of_group("a::{b,\n    c,\n};"), ["a::b", "a::c", "a"]);
    }

    #[test]
    fn a_meant_exception_is_no_problem_but_its_neighbour_is() {
        let file = File::new(
            "zaf-core/src/command/descriptor.rs",
            "use crate::application::ExitCode;\nuse crate::application::Application;\n",
        );
        assert_eq!(lines(&imports_go_down(&file)), [2]);
    }

    #[test]
    fn an_extension_that_depends_on_an_extension_is_found() -> Result<(), toml::de::Error> {
        let a = File::new(
            "extensions/a/Cargo.toml",
            "[package]\nname = \"k2-a\"\n[dependencies]\nk2-b = {}\nk2 = {}\n",
        );
        let b = File::new(
            "extensions/b/Cargo.toml",
            "[package]\nname = \"k2-b\"\n[dev-dependencies]\nzaf-harness = {}\n",
        );
        let core = File::new(
            "zaf-core/Cargo.toml",
            "[package]\nname = \"zaf-core\"\n[dependencies]\nk2-a = {}\n",
        );
        let k2 = File::new("k2/core/Cargo.toml", "[package]\nname = \"k2-core\"\n");
        let found = manifests_go_down(&[a, b, core, k2])?;
        let places: Vec<(&str, usize)> = found.iter().map(|p| (p.path.as_str(), p.line)).collect();
        assert_eq!(
            places,
            [("extensions/a/Cargo.toml", 4), ("zaf-core/Cargo.toml", 4)]
        );
        Ok(())
    }

    #[test]
    fn other_lints_are_found() -> Result<(), toml::de::Error> {
        let root = File::new(
            "Cargo.toml",
            "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n",
        );
        let right = File::new("a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n");
        let none = File::new("b/Cargo.toml", "[package]\n");
        let lints = |level: &str| {
            let text = format!(
                "[package]\n[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = \"{level}\"\n"
            );
            File::new(FOREIGN_MANIFEST, &text)
        };
        let found = |copy: File| -> Result<Vec<String>, toml::de::Error> {
            let files = [root.clone(), right.clone(), none.clone(), copy];
            let problems = lints_are_those_of_the_workspace(&files)?;
            Ok(problems.into_iter().map(|problem| problem.path).collect())
        };
        assert_eq!(found(lints("warn"))?, ["b/Cargo.toml"]);
        assert_eq!(found(lints("allow"))?, ["b/Cargo.toml", FOREIGN_MANIFEST]);
        Ok(())
    }

    #[test]
    fn unsafe_elsewhere_is_found() {
        let text = "//! Doc with unsafe_code.\n#![expect(\n    unsafe_code,\n)]\n";
        assert_eq!(
            lines(&unsafe_is_in_one_file(&File::new("k2/src/a.rs", text))),
            [3]
        );
        assert!(unsafe_is_in_one_file(&File::new(FOREIGN, text)).is_empty());
    }

    #[test]
    fn length_is_counted_before_the_tests_and_a_reason_helps_to_600_only() {
        let file = |head: &str, lines: usize| {
            let text = format!(
                "{head}{}#[cfg(test)]\n{}",
                "x\n".repeat(lines - 1),
                "t\n".repeat(900)
            );
            File::new("k2/core/src/a.rs", &text)
        };
        assert_eq!(files_are_short(&file("//! Doc.\n", 450)), []);
        assert_eq!(lines(&files_are_short(&file("//! Doc.\n", 451))), [451]);
        assert_eq!(
            files_are_short(&file("//! Long because it is a table.\n", 600)),
            []
        );
        assert_eq!(
            lines(&files_are_short(&file(
                "//! Long because it is a table.\n",
                601
            ))),
            [601]
        );
    }

    #[test]
    fn a_module_without_documentation_is_found() {
        let with = File::new("k2/src/a.rs", "#![forbid(unsafe_code)]\n\n//! Says it.\n");
        let without = File::new("k2/src/a.rs", "use std::fmt;\n//! Too late.\n");
        assert_eq!(modules_have_docs(&with), []);
        assert_eq!(lines(&modules_have_docs(&without)), [1]);
        assert_eq!(
            lines(&modules_have_docs(&File::new("k2/src/a.rs", ""))),
            [1]
        );
    }

    #[test]
    fn an_extension_that_is_not_linked_is_found() {
        let folders = BTreeMap::from([
            ("extensions/abort".to_owned(), "k2-abort".to_owned()),
            ("extensions/reports".to_owned(), "k2-reports".to_owned()),
        ]);
        let found = extensions_are_linked(&folders, "use k2_abort as _;\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].to_string().contains("add `use k2_reports as _;`"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_new_folder_at_the_top_is_found() {
        let found = top_level_is_fixed(["README.md", ".ci/run", "scripts/a.sh", "scripts/b.sh"]);
        assert_eq!(
            found.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(),
            ["scripts"]
        );
    }

    #[test]
    fn a_path_in_the_book_that_is_gone_is_found() {
        let paths = BTreeSet::from(["k2/src/main.rs", "zaf-core/src/lib.rs"]);
        let text = "`k2/src/main.rs`, `k2/src/`, `k2/s`,\n`zaf-core/src/old.rs` and `zaf-core/src/*.rs` and `a/b`\n";
        let found = documents_name_real_files(&File::new("docs/src/a.md", text), &paths);
        let places: Vec<(usize, &str)> = found.iter().map(|p| (p.line, p.what.as_str())).collect();
        assert_eq!(
            places,
            [
                (1, "`k2/s` does not exist"),
                (2, "`zaf-core/src/old.rs` does not exist")
            ]
        );
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in [
            "k2/src/util.rs",
            "k2/src/helpers/mod.rs",
            "k2/tests/common/mod.rs",
        ] {
            assert_eq!(
                lines(&names_say_something(&File::new(path, "//! Doc.\n"))),
                [1],
                "{path}"
            );
        }
        let manager = format!(
            "//! Doc.\npub(crate) struct Run{} {{\n// a struct Test{}\n",
            "Manager", "Manager"
        );
        assert_eq!(
            lines(&names_say_something(&File::new("k2/src/run.rs", &manager))),
            [2]
        );
    }

    #[test]
    fn stubs_and_machine_paths_are_found_with_their_line() {
        let stub = format!("//! Doc.\nfn f() {{ {}) }}\n", concat!("to", "do!("));
        assert_eq!(
            lines(&nothing_is_left_to_do(&File::new("k2/src/a.rs", &stub))),
            [2]
        );
        let ignored = format!(
            "/// `{0}]`\n{0} = \"why\"]\nfn f() {{}}\n",
            concat!("#[ig", "nore")
        );
        assert_eq!(
            lines(&nothing_is_left_to_do(&File::new("k2/src/a.rs", &ignored))),
            [2]
        );
        let suite = File::new("k2/examples/suite/a.rs", &ignored);
        assert_eq!(nothing_is_left_to_do(&suite), []);
        let path = format!("one\ntwo\ncd {}x\n", concat!("/wo", "rk/"));
        assert_eq!(
            lines(&nothing_of_one_machine(&File::new("docs/src/a.md", &path))),
            [3]
        );
        assert_eq!(nothing_of_one_machine(&File::new("Cargo.lock", &path)), []);
    }
}
