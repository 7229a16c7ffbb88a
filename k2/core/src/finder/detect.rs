//! Tells what a file is, by reading it.
//!
//! Test binaries are recognised by texts that only their test libraries contain, all of which must be there: the variables
//! that Rust's libtest reads, those that GoogleTest reads, or the symbol of GoogleTest's initialisation where its
//! library is shared. (Not GoogleTest's flags: whoever runs such binaries, as this program does, has these texts too.) Nothing is run to find out, because running an unknown program can do anything. A program that embeds
//! such a library for another reason is taken for a test binary; `exec:` before its path overrides that.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::RegexSet;

use super::SourceKind;

/// Bytes that are looked at together.
const WINDOW: usize = 1 << 20;
/// More than the longest marker.
const OVERLAP: usize = 64;

/// Markers: three of libtest, two of GoogleTest linked in, one of GoogleTest shared. One letter of each is a class, so that
/// this program does not contain them itself.
static MARKERS: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        "RUST_TEST_THREAD[S]",
        "RUST_TEST_SHUFFL[E]",
        "RUST_TEST_TIME_UNI[T]",
        "GTEST_TOTAL_SHARD[S]",
        "GTEST_SHARD_STATUS_FIL[E]",
        "testing14InitGoogleTes[t]",
    ])
    .expect("invariant: the patterns are constant and right")
});

/// What kind of test an executable file is.
///
/// # Errors
/// When the file cannot be read.
pub fn detect(path: &Path) -> io::Result<SourceKind> {
    if let Some("t" | "tap") = path.extension().and_then(|extension| extension.to_str()) {
        return Ok(SourceKind::Tap);
    }
    detect_in(File::open(path)?)
}

/// [`detect`] by content only.
///
/// # Errors
/// When reading fails.
pub fn detect_in(mut file: impl Read) -> io::Result<SourceKind> {
    let mut magic = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut magic)?;
    if magic != b"\x7fELF" {
        return Ok(SourceKind::Executable);
    }
    let mut seen = [false; 6];
    let mut window = Vec::with_capacity(WINDOW + OVERLAP);
    loop {
        let read = file.by_ref().take(WINDOW as u64).read_to_end(&mut window)?;
        for marker in &MARKERS.matches(&window) {
            seen[marker] = true;
        }
        if seen[..3] == [true; 3] {
            return Ok(SourceKind::Libtest);
        }
        if seen[3..5] == [true; 2] || seen[5] {
            return Ok(SourceKind::GoogleTest);
        }
        if read == 0 {
            return Ok(SourceKind::Executable);
        }
        // A marker may lie across the border.
        let used = window.len().saturating_sub(OVERLAP);
        window.drain(..used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Markers are put together here for the same reason for which they are classes above.
    fn libtest_markers() -> String {
        let middle = ["THREADS", "SHUFFLE", "TIME_UNIT"];
        middle.map(|word| format!("\0RUST_TEST_{word}\0")).concat()
    }

    fn binary(text: &str, padding: usize) -> Vec<u8> {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.resize(padding.max(4), 0);
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    fn kind(bytes: &[u8]) -> SourceKind {
        detect_in(bytes).unwrap()
    }

    #[test]
    fn a_rust_test_binary_is_recognised() {
        assert_eq!(
            detect(&std::env::current_exe().unwrap()).unwrap(),
            SourceKind::Libtest
        );
    }

    #[test]
    fn other_programs_are_executables() {
        assert_eq!(
            detect(Path::new("/bin/sh")).unwrap(),
            SourceKind::Executable
        );
        assert_eq!(kind(b""), SourceKind::Executable);
        assert_eq!(kind(b"#!/bin/sh\nRUST_TEST_"), SourceKind::Executable);
        assert_eq!(kind(&binary("RUST_TEST_", 0)), SourceKind::Executable);
        // In a text, the markers mean nothing.
        assert_eq!(kind(libtest_markers().as_bytes()), SourceKind::Executable);
        let fixture = crate::supervisor::fixture::fixture();
        assert_eq!(detect(&fixture).unwrap(), SourceKind::Executable);
    }

    #[test]
    fn markers_are_found_wherever_they_lie() {
        for padding in [
            4,
            WINDOW - 30,
            WINDOW - 5,
            WINDOW,
            WINDOW + 3,
            3 * WINDOW - 20,
        ] {
            assert_eq!(
                kind(&binary(&libtest_markers(), padding)),
                SourceKind::Libtest
            );
        }
    }

    #[test]
    fn googletest_is_recognised_linked_in_and_shared() {
        let variables = ["TOTAL_SHARDS", "SHARD_STATUS_FILE"].map(|v| format!("\0GTEST_{v}\0"));
        assert_eq!(
            kind(&binary(&variables.concat(), 0)),
            SourceKind::GoogleTest
        );
        assert_eq!(kind(&binary(&variables[0], 0)), SourceKind::Executable);
        // Hidden from the compiler, which would put the two together in this very program.
        let symbol = format!(
            "_ZN7testing14InitGoogle{}EPiPPc",
            std::hint::black_box("Test")
        );
        assert_eq!(kind(&binary(&symbol, 0)), SourceKind::GoogleTest);
    }
}
