//! Finds the fixture program for tests.

use std::path::PathBuf;

/// Path of the fixture: built as an example next to the directory of the test binary.
pub(crate) fn fixture() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let fixture = profile.join("examples/k2-core-fixture");
    assert!(
        fixture.exists(),
        "{} is missing: build the examples of k2-core",
        fixture.display()
    );
    fixture
}
