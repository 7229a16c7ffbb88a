//! The table of the book that says by which tests the extensions of `zk2` are tested with the harness: each extension has a row, and
//! each row names a test that is there, in files that use the harness and speak of the extension.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use zaf_core::builtin;
use zaf_core::extension::ExtensionRegistry;

const PAGE: &str = "docs/src/testing-extensions.md";
const HEADING: &str = "| Extensions | Tests | One of them |";

/// What makes a file one that tests through the harness.
const HARNESS: [&str; 2] = ["ExtensionTestHarness", "ComponentTestHarness"];

fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
}

/// Words of a cell that stand between backticks.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Letters and digits in small letters: `AbortOnFail` is `abortonfail`.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a file has a test of this name: a function below an attribute, or a name that a macro makes one of.
fn has_test(text: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    let item = format!("{name}: ");
    text.lines().map(str::trim).any(|line| {
        line.starts_with(&function) || text.contains("fn $name() ") && line.starts_with(&item)
    })
}

/// What is wrong with the table of a page, for these extensions and these further names, `read` being what is in a file.
fn problems(
    page: &str,
    extensions: &BTreeSet<&str>,
    others: &BTreeSet<String>,
    read: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut numbered = page.lines().zip(1..);
    let table = numbered
        .by_ref()
        .skip_while(|(line, _)| *line != HEADING)
        .skip(2);
    for (line, number) in table.take_while(|(line, _)| line.starts_with('|')) {
        let place = format!("{PAGE}:{number}");
        let cells: Vec<&str> = line.split('|').collect();
        let [_, names, files, wanted, _] = cells[..] else {
            problems.push(format!("{place}: a row has three cells"));
            continue;
        };
        let mut text = String::new();
        for file in words(files) {
            match read(file) {
                Some(found) => text += &found,
                None => problems.push(format!("{place}: there is no file `{file}`")),
            }
        }
        if !HARNESS.iter().any(|harness| text.contains(harness)) {
            problems.push(format!("{place}: none of the files uses the harness"));
        }
        let tests: Vec<&str> = words(wanted).collect();
        if tests.is_empty() {
            problems.push(format!("{place}: name a test"));
        }
        for test in tests.into_iter().filter(|test| !has_test(&text, test)) {
            problems.push(format!("{place}: the files have no test `{test}`"));
        }
        let text = plain(&text);
        for name in words(names) {
            if !extensions.contains(name) && !others.contains(name) {
                problems.push(format!("{place}: no extension is called `{name}`"));
            } else if !text.contains(name.strip_suffix("command").unwrap_or(name)) {
                problems.push(format!("{place}: the files do not speak of `{name}`"));
            }
            if let Some(before) = rows.insert(name, number) {
                problems.push(format!("{place}: `{name}` stands in line {before}, too"));
            }
        }
    }
    for name in extensions.iter().filter(|name| !rows.contains_key(**name)) {
        problems.push(format!(
            "{PAGE}: no row of the table has the extension `{name}`: test it with `ExtensionTestHarness` and add \
             \"| `{name}` | `path/of/the/tests.rs` | `name_of_a_test` |\" below \"{HEADING}\""
        ));
    }
    problems
}

#[test]
fn every_extension_of_zk2_is_in_the_table_of_those_that_are_tested_with_the_harness() {
    let registry = ExtensionRegistry::linked();
    let linked = registry.extensions().iter().map(|one| one.descriptor.name);
    let extensions = builtin::EXTENSIONS.iter().map(|one| one.name);
    let extensions: BTreeSet<&str> = extensions.chain(linked).collect();
    // Crates that have components and no extension are named by their folders.
    let folders = fs::read_dir(sources().join("extensions")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let page = fs::read_to_string(sources().join(PAGE)).unwrap();
    let read = |file: &str| fs::read_to_string(sources().join(file)).ok();
    let problems = problems(&page, &extensions, &folders.collect(), read);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_table_that_lacks_an_extension_or_a_test_is_noticed() {
    let page = format!(
        "# Page\n\n{HEADING}\n| --- | --- | --- |\n| `here` | `a.rs` | `is_here` |\n| `gone`, `here` | `b.rs` | none |\n\
         | `macros`, `silent` | `a.rs` | `made`, `not_made` |\n\nMore.\n"
    );
    let extensions = ["here", "macros", "silent", "new"].into_iter().collect();
    let text = "ExtensionTestHarness::<Here>\n#[test]\nfn is_here() {}\nfn $name() {}\nmacros! {\nmade: Macros;\n}\n";
    let read = |file: &str| (file == "a.rs").then(|| text.to_owned());
    assert_eq!(
        problems(&page, &extensions, &BTreeSet::new(), read),
        [
            "docs/src/testing-extensions.md:6: there is no file `b.rs`".to_owned(),
            "docs/src/testing-extensions.md:6: none of the files uses the harness".to_owned(),
            "docs/src/testing-extensions.md:6: name a test".to_owned(),
            "docs/src/testing-extensions.md:6: no extension is called `gone`".to_owned(),
            "docs/src/testing-extensions.md:6: the files do not speak of `here`".to_owned(),
            "docs/src/testing-extensions.md:6: `here` stands in line 5, too".to_owned(),
            "docs/src/testing-extensions.md:7: the files have no test `not_made`".to_owned(),
            "docs/src/testing-extensions.md:7: the files do not speak of `silent`".to_owned(),
            format!(
                "docs/src/testing-extensions.md: no row of the table has the extension `new`: test it with \
                 `ExtensionTestHarness` and add \"| `new` | `path/of/the/tests.rs` | `name_of_a_test` |\" below \"{HEADING}\""
            ),
        ]
    );
}
