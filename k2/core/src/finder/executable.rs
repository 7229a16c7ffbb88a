//! Programs that are one case each.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SourceFile;
use crate::case::{CaseAction, CaseId, Location, ProcessCase, Protocol, TestCase};

/// Bytes in which a description is looked for.
const LOOKED_AT: u64 = 4096;

/// The one case of a program.
pub(super) fn case(file: &SourceFile, protocol: Protocol) -> TestCase {
    let mut case = TestCase::new(
        CaseId::new(file_id(&file.path)),
        CaseAction::Process(process(&file.path, protocol)),
    );
    case.description = description_of(&file.path);
    case.location = Some(Location::file(file.path.to_string_lossy()));
    case
}

/// The process that runs a file; a path without a slash would be looked up in `PATH`.
pub(super) fn process(path: &Path, protocol: Protocol) -> ProcessCase {
    let program = if path.parent() == Some(Path::new("")) {
        Path::new(".").join(path)
    } else {
        path.to_owned()
    };
    ProcessCase {
        program,
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: None,
        protocol,
    }
}

/// `directory::file`, the directory as it was typed without `./`; a file of the working directory is only its name.
pub(super) fn file_id(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let parent: std::path::PathBuf = path
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect();
    if parent.as_os_str().is_empty() {
        name
    } else {
        format!("{}::{name}", parent.display())
    }
}

/// The first line of comment after the `#!` line of a script, or nothing.
fn description_of(path: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut text));
    match read {
        Ok(_) => description(&String::from_utf8_lossy(&text)),
        Err(_) => String::new(),
    }
}

fn description(text: &str) -> String {
    let Some(text) = text.strip_prefix("#!") else {
        return String::new();
    };
    for line in text.lines().skip(1).map(str::trim) {
        let comment = line
            .strip_prefix('#')
            .or_else(|| line.strip_prefix("//"))
            .or_else(|| line.strip_prefix("--"));
        match comment {
            Some(comment) => {
                let words = comment.trim_start_matches(['#', '/', '!', '-']).trim();
                if !words.is_empty() && !is_for_tools(words) {
                    return words.to_owned();
                }
            }
            None if line.is_empty() => {}
            None => break,
        }
    }
    String::new()
}

/// Comments that speak to editors, linters and licence checkers.
fn is_for_tools(words: &str) -> bool {
    [
        "-*-",
        "vim:",
        "shellcheck ",
        "SPDX-",
        "Copyright",
        "coding:",
        "pylint:",
    ]
    .iter()
    .any(|start| words.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_the_first_comment_for_people() {
        assert_eq!(description("#!/bin/sh\n# Checks it.\necho\n"), "Checks it.");
        assert_eq!(
            description("#!/bin/sh -e\n\n#\n# shellcheck disable=SC1\n# Why.\n"),
            "Why."
        );
        assert_eq!(description("#!/bin/node\n// Runs.\n"), "Runs.");
        assert_eq!(description("#!/bin/sh\necho\n# Later.\n"), "");
        assert_eq!(description("\x7fELF"), "");
    }

    #[test]
    fn ids_are_directory_and_file() {
        for (path, id) in [
            ("a/b/c.sh", "a/b::c.sh"),
            ("./a/./c.sh", "a::c.sh"),
            ("./c.sh", "c.sh"),
            ("c.sh", "c.sh"),
            ("/x/c.sh", "/x::c.sh"),
            ("../c.sh", "..::c.sh"),
        ] {
            assert_eq!(file_id(Path::new(path)), id);
        }
    }
}
