//! What a user names as a source of test cases.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::str::FromStr;

/// What a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SourceKind {
    /// Whatever its files turn out to be.
    Auto,
    /// Test functions that are linked into this program: `rust:`, or `rust:module::path` for those below a module.
    Linked,
    /// Programs whose exit code is the verdict: `exec:path`.
    Executable,
    /// Programs that speak the Test Anything Protocol: `tap:path`.
    Tap,
    /// Rust test binaries: `libtest:path`.
    Libtest,
    /// GoogleTest binaries: `gtest:path`.
    GoogleTest,
}

impl SourceKind {
    /// The kinds that have a prefix, in the order of the documentation.
    pub const PREFIXED: [Self; 5] = [
        Self::Linked,
        Self::Executable,
        Self::Tap,
        Self::Libtest,
        Self::GoogleTest,
    ];

    /// The word before the colon; empty for [`SourceKind::Auto`].
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Auto => "",
            Self::Linked => "rust",
            Self::Executable => "exec",
            Self::Tap => "tap",
            Self::Libtest => "libtest",
            Self::GoogleTest => "gtest",
        }
    }
}

/// One source: a kind and a file, a directory or a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// What it holds.
    pub kind: SourceKind,
    /// File or directory; for [`SourceKind::Linked`] the module path that selects, which may be empty.
    pub path: PathBuf,
}

impl SourceSpec {
    /// A file or directory of any kind.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self {
            kind: SourceKind::Auto,
            path: path.into(),
        }
    }

    /// Reads what a user typed: `path`, or one of the prefixes of [`SourceKind`], a colon, and a path. A path that begins
    /// like a prefix is written with `./` before it. Every text is a source; whether it exists is not looked at.
    pub fn parse(text: &OsStr) -> Self {
        for kind in SourceKind::PREFIXED {
            let rest = text
                .as_bytes()
                .strip_prefix(kind.prefix().as_bytes())
                .and_then(|rest| rest.strip_prefix(b":"));
            if let Some(rest) = rest {
                return Self {
                    kind,
                    path: OsString::from_vec(rest.to_vec()).into(),
                };
            }
        }
        Self::path(text)
    }
}

impl FromStr for SourceSpec {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(text.as_ref()))
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != SourceKind::Auto {
            write!(f, "{}:", self.kind.prefix())?;
        }
        write!(f, "{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (SourceKind, String) {
        let source: SourceSpec = text.parse().unwrap();
        (source.kind, source.path.to_string_lossy().into_owned())
    }

    #[test]
    fn prefixes_force_the_kind() {
        assert_eq!(parse("a/b"), (SourceKind::Auto, "a/b".into()));
        assert_eq!(parse("tap:a:b"), (SourceKind::Tap, "a:b".into()));
        assert_eq!(parse("./tap:a"), (SourceKind::Auto, "./tap:a".into()));
        assert_eq!(parse("rust:"), (SourceKind::Linked, String::new()));
        assert_eq!(parse("taps:a"), (SourceKind::Auto, "taps:a".into()));
    }

    proptest! {
        #[test]
        fn a_source_is_displayed_as_it_was_typed(text in "\\PC{0,30}|(tap|rust|exec|gtest|libtest):\\PC{0,9}") {
            let source: SourceSpec = text.parse().unwrap();
            prop_assert_eq!(source.to_string(), text);
        }
    }
}
