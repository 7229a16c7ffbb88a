//! The tests that the book names exist, and every flaw of the predecessors has one.

use std::collections::BTreeSet;

use crate::workspace_rules::repository;

/// The page about flaws, and which rows each of its tables has.
const PAGE: &str = "docs/src/flaws.md";

/// Names of all tests in Rust code: functions below an attribute that ends in `test]`, and those of property tests.
fn tests_in(text: &str, names: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.ends_with("test]");
        } else if let Some(rest) = line.strip_prefix("fn ") {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            if is_test {
                names.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
            is_test = false;
        }
    }
}

/// What is wrong with a table: rows that are missing, rows without a test, names that no test has.
fn problems(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut rows = BTreeSet::new();
    for (line, number) in page.lines().zip(1..) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, row, _, cell, _] = cells[..] else {
            continue;
        };
        if row.trim_start_matches(['F', 'Z']).parse::<u32>().is_err() {
            continue;
        }
        rows.insert(row.to_owned());
        let names = cell.split('`').skip(1).step_by(2);
        let mut count = 0;
        for name in names {
            count += 1;
            if !tests.contains(name) {
                problems.push(format!("{PAGE}:{number}: there is no test `{name}`"));
            }
        }
        if count == 0 {
            problems.push(format!("{PAGE}:{number}: {row} has no test"));
        }
    }
    let all = (1..=25).chain([29]).map(|n| format!("F{n}"));
    let all = all.chain([20].into_iter().chain(35..=39).map(|n| format!("Z{n}")));
    for row in all.chain((1..=19).map(|n| n.to_string())) {
        if !rows.contains(&row) {
            problems.push(format!("{PAGE}: there is no row {row}"));
        }
    }
    problems
}

#[test]
fn every_flaw_of_the_predecessors_has_a_test_that_exists() {
    let files = repository();
    let mut tests = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        tests_in(&file.text, &mut tests);
    }
    let page = files.iter().find(|file| file.path == PAGE);
    let page = page.expect("the page about flaws");
    assert_eq!(problems(&page.text, &tests), [""; 0]);
}

#[test]
fn a_row_that_is_missing_or_names_no_test_is_found() {
    let mut tests = BTreeSet::new();
    tests_in(
        "#[test]\n#[cfg(unix)]\nfn f1_a() {}\nfn f2_no_test() {}\n",
        &mut tests,
    );
    let mut page = String::new();
    for row in (2..=25).chain([29]).map(|n| format!("F{n}")) {
        page.extend(["| ", &row, " | what | `f1_a` |\n"]);
    }
    let components = [20].into_iter().chain(35..=39).map(|n| format!("Z{n}"));
    for row in components.chain((1..=19).map(|n| n.to_string())) {
        page.extend(["| ", &row, " | what | `f1_a` |\n"]);
    }
    page += "| F2 | what | `f2_no_test` |\n| F3 | what | none |\n";
    assert_eq!(
        problems(&page, &tests),
        [
            "docs/src/flaws.md:51: there is no test `f2_no_test`",
            "docs/src/flaws.md:52: F3 has no test",
            "docs/src/flaws.md: there is no row F1",
        ]
    );
}
