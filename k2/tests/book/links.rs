//! Every link of the book, and of the README, leads to a file that is there, and to a heading of it if it names one.

use std::fs;
use std::path::Path;

use super::{book, sources};

/// What stands in parentheses behind `](`, outside of code, and the line.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(page) {
        // What stands between ` is code.
        let text: String = text.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for rest in text.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                found.push((line, target.to_owned()));
            }
        }
    }
    found
}

/// The lines outside of blocks, with their numbers.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_block = false;
    page.lines().enumerate().filter_map(move |(index, text)| {
        if text.starts_with("```") {
            is_block = !is_block;
            return None;
        }
        (!is_block).then_some((index + 1, text))
    })
}

/// What can stand behind `#` for a page: as mdBook names its headings.
fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page).filter_map(|(_, text)| {
        let heading = text.trim_start_matches('#');
        (heading.len() < text.len()).then(|| heading.strip_prefix(' '))?
    });
    headings
        .map(|heading| {
            if let Some((_, own)) = heading.split_once("{#") {
                return own.trim_end().trim_end_matches('}').to_owned();
            }
            let letters = heading.trim().chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                _ if letter.is_alphanumeric() => letter.to_lowercase().next(),
                _ => None,
            });
            letters.collect()
        })
        .collect()
}

/// Why a link of this file leads nowhere.
fn problem(file: &Path, page: &str, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let text = if path.is_empty() {
        page.to_owned()
    } else {
        let place = file.with_file_name(path);
        if !place.exists() {
            return Some("no such file".to_owned());
        }
        if place.extension().is_none_or(|ending| ending != "md") {
            return None;
        }
        fs::read_to_string(place).unwrap()
    };
    let known = anchors(&text);
    let is_known = anchor.is_empty() || known.iter().any(|one| one == anchor);
    (!is_known).then(|| format!("no such heading; there are {}", known.join(", ")))
}

#[test]
fn every_link_leads_somewhere() {
    let mut files = vec![sources().join("README.md")];
    let mut folders = vec![book()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("reference/summary.md") {
                // Lines for the summary of the book, which lies in another folder.
            } else if path.extension().is_some_and(|ending| ending == "md") {
                files.push(path);
            }
        }
    }
    let (mut problems, mut seen) = (Vec::new(), 0);
    for file in files {
        let page = fs::read_to_string(&file).unwrap();
        for (line, target) in links(&page) {
            if target.contains("://") {
                continue;
            }
            seen += 1;
            if let Some(problem) = problem(&file, &page, &target) {
                problems.push(format!("{}:{line}: {target}: {problem}", file.display()));
            }
        }
    }
    problems.sort();
    assert!(seen > 300, "{seen}");
    assert_eq!(problems.join("\n"), "");
}

#[test]
fn a_link_to_nothing_is_found() {
    let page = "# One `two`, three\n\n[a](b.md) and `[c](d.md)` ![e](f.svg)\n```text\n[g](h.md)\n# no\n```\n## X {#y.z}\n";
    let expected = [(3, "b.md".to_owned()), (3, "f.svg".to_owned())];
    assert_eq!(links(page), expected);
    assert_eq!(anchors(page), ["one-two-three", "y.z"]);
    let file = book().join("recipes.md");
    for right in [
        "#y.z",
        "outcomes.md",
        "outcomes.md#time-limits",
        "../book.toml",
    ] {
        assert_eq!(problem(&file, page, right), None, "{right}");
    }
    for wrong in ["#no", "nothing.md", "outcomes.md#expected-failures"] {
        assert!(problem(&file, page, wrong).is_some(), "{wrong}");
    }
}
