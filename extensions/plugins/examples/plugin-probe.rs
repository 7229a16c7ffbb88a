//! Opens a library in a process of its own, for the tests of libraries: what an application does with its own program.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path: Option<PathBuf> = std::env::args_os().nth(1).map(PathBuf::from);
    match path.map(|path| zaf_plugins::link::serve_probe(&path)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
