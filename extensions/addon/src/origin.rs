//! Where what is written gets zaf and k2 from.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{InlineTable, Value};

/// Packages of zaf and k2 that what is written depends on: name, and where it lies in their source.
const PACKAGES: [(&str, &str); 3] = [
    ("k2", "k2"),
    ("zaf-core", "zaf-core"),
    ("zaf-harness", "harness"),
];

/// Where what is written gets zaf and k2 from.
#[derive(Debug, Clone, PartialEq, Eq)]

pub(crate) enum Origin {
    /// From the workspace that it becomes a member of.
    Workspace,
    /// A release, as Cargo writes requirements.
    Version(String),
    /// A directory with their source.
    Path(Utf8PathBuf),
    /// A repository with their source.
    Git(String),
}

/// Packages that what is written takes from its workspace.
pub(crate) fn packages() -> [&'static str; 3] {
    PACKAGES.map(|(name, _)| name)
}

impl Origin {
    /// What a user writes: `workspace`, `path:DIRECTORY`, `git:URL` or a version.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let some = |rest: &str, what: &str| match rest.trim() {
            "" => Err(format!("{what} behind the colon")),
            rest => Ok(rest.to_owned()),
        };
        if text == "workspace" {
            return Ok(Self::Workspace);
        }
        if let Some(rest) = text.strip_prefix("path:") {
            return Ok(Self::Path(some(rest, "a directory")?.into()));
        }
        if let Some(rest) = text.strip_prefix("git:") {
            return Ok(Self::Git(some(rest, "the address of a repository")?));
        }
        let is_version = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_digit() || "=^~<>*".contains(c))
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "=^~<>*., +-".contains(c))
        };
        if is_version(text) {
            return Ok(Self::Version(text.to_owned()));
        }
        Err("`workspace`, a version, `path:` and a directory, or `git:` and an address".to_owned())
    }

    /// The sources in which this program was built, if it lies in them.
    pub(crate) fn of_program(program: &Utf8Path) -> Option<Self> {
        let mut around = program.ancestors().skip(1);
        let sources = around.find(|place| missing_in(place).is_none())?;
        Some(Self::Path(sources.to_owned()))
    }

    /// The same, with a directory that was written relative to `here`.
    pub(crate) fn seen_from(self, here: &Utf8Path) -> Self {
        match self {
            Self::Path(path) => Self::Path(here.join(path)),
            origin => origin,
        }
    }

    /// Whether k2 is there, as far as can be seen without asking anybody; `is_offered` says whether the workspace has it.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn check(&self, is_offered: bool) -> Result<(), String> {
        match self {
            Self::Path(path) => missing_in(path).map_or(Ok(()), |missing| {
                Err(format!(
                    "the directory with the sources of k2: there is no `{missing}`"
                ))
            }),
            Self::Workspace if !is_offered => {
                let names = packages().join("`, `");
                Err(format!(
                    "another one: no workspace here has `{names}` in `[workspace.dependencies]`"
                ))
            }
            Self::Workspace | Self::Version(_) | Self::Git(_) => Ok(()),
        }
    }

    /// The right side of the line `PACKAGE = …` in a manifest, for each package.
    pub(crate) fn dependencies(&self) -> Vec<(&'static str, String)> {
        let of = |directory: &str| {
            let mut table = InlineTable::new();
            match self {
                Self::Workspace => drop(table.insert("workspace", true.into())),
                Self::Version(version) => return Value::from(version.as_str()).to_string(),
                Self::Path(path) => {
                    drop(table.insert("path", path.join(directory).as_str().into()));
                }
                Self::Git(url) => drop(table.insert("git", url.as_str().into())),
            }
            Value::from(table).to_string()
        };
        PACKAGES
            .iter()
            .map(|(name, directory)| (*name, of(directory)))
            .collect()
    }
}

impl fmt::Display for Origin {
    /// As [`Origin::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("workspace"),
            Self::Version(version) => f.write_str(version),
            Self::Path(path) => write!(f, "path:{path}"),
            Self::Git(url) => write!(f, "git:{url}"),
        }
    }
}

/// The first manifest that the sources of k2 have and this directory has not.
fn missing_in(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut manifests = PACKAGES
        .iter()
        .map(|(_, place)| directory.join(place).join("Cargo.toml"));
    manifests.find(|manifest| !manifest.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_is_a_line_of_a_manifest() {
        let line = |text: &str| Origin::parse(text).unwrap().dependencies()[2].1.clone();
        assert_eq!(line("workspace"), "{ workspace = true }");
        assert_eq!(line("0.1"), "\"0.1\"");
        assert_eq!(line("path:../a b"), "{ path = \"../a b/harness\" }");
        assert_eq!(
            line("git:https://host/x\"y"),
            "{ git = 'https://host/x\"y' }"
        );
        for wrong in ["", "path:", "git: ", "latest", "1.0\n"] {
            assert!(Origin::parse(wrong).is_err(), "{wrong:?}");
        }
        for text in ["workspace", "0.1", "path:/a b", "git:https://host/x"] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_program_knows_the_sources_that_it_lies_in_and_only_those() {
        let sources = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = sources.ancestors().nth(2).unwrap();
        let program = sources.join("target/release/zk2");
        let found = Origin::of_program(&program);
        assert_eq!(found, Some(Origin::Path(sources.to_owned())));
        assert_eq!(found.unwrap().check(false), Ok(()));
        assert_eq!(Origin::of_program(Utf8Path::new("/usr/bin/zk2")), None);
        let wrong = Origin::Path(sources.join("k2")).check(true).unwrap_err();
        assert!(wrong.contains("/k2/k2/Cargo.toml`"), "{wrong}");
        assert!(Origin::Workspace.check(false).is_err());
        assert_eq!(Origin::Workspace.check(true), Ok(()));
    }
}
