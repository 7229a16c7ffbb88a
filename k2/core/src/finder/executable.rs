//! Programs that are one case each.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SourceFile;
use super::header::Header;
use crate::case::{CaseAction, CaseId, Location, ProcessCase, Protocol, TestCase};

/// Bytes in which a script's header is looked for.
const LOOKED_AT: u64 = 4096;

/// The one case of a program.
pub(super) fn case(file: &SourceFile, protocol: Protocol) -> TestCase {
    let mut case = TestCase::new(
        CaseId::new(file_id(&file.path)),
        CaseAction::Process(Box::new(process(&file.path, protocol))),
    );
    if let Some(header) = header_of(&file.path) {
        header.describe(&mut case, &file.path);
    }
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

/// What a script says about itself.
fn header_of(path: &Path) -> Option<Header> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut text));
    read.ok()?;
    Header::read(&String::from_utf8_lossy(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

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
