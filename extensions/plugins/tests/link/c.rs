//! C as tests need it: built by the compiler of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/plugins")
}

/// Whether there is this program; a notice if not.
pub(crate) fn have(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        eprintln!("NOTICE: {program} is not installed: this test shows nothing here");
    }
    is_there
}

/// Builds a C file, as a library if the result ends in `.so`. None if there is no compiler.
///
/// The variables `PLUGIN_LIBRARY_FLAGS` and `PLUGIN_PROGRAM_FLAGS` say what else the compiler is told: `.ci/borders` has it watch what
/// libraries do with memory.
pub(crate) fn build(source: &Path, result: &Path, more: &[&str]) -> Option<()> {
    if !have("cc") {
        return None;
    }
    let mut command = Command::new("cc");
    let flags = if result
        .extension()
        .is_some_and(|extension| extension == "so")
    {
        command.args(["-shared", "-fPIC"]);
        "PLUGIN_LIBRARY_FLAGS"
    } else {
        "PLUGIN_PROGRAM_FLAGS"
    };
    let flags = std::env::var(flags).unwrap_or_default();
    let output = command
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-I"])
        .arg(examples().join("include"))
        .args(more)
        .arg("-o")
        .arg(result)
        .arg(source)
        // Libraries that these name come behind what needs them.
        .args(flags.split_whitespace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}
