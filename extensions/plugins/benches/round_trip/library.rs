//! The example of a library, which answers how many cases have finished.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use zaf_plugins::link::{Launch, LibraryLink, Link};

/// None without a compiler.
pub(crate) fn open() -> Option<Arc<dyn Link>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/plugins");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("counter.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-I"])
        .arg(examples.join("include"))
        .arg("-o")
        .arg(&file)
        .arg(examples.join("c-library/counter.c"))
        .status()
        .ok()?;
    assert!(built.success(), "the example does not compile");
    let link = LibraryLink::open(&Launch::new(file)).expect("a plugin");
    Some(super::started(link))
}
