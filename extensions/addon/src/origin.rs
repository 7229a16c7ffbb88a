//! Where what is written gets zaf and k2 from.

use camino::Utf8PathBuf;
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
    }
}
