//! The addons of a workspace, and what is wrong with them.

use camino::Utf8PathBuf;
use serde::Serialize;
use toml_edit::DocumentMut;

use crate::error::AddonError;
use crate::workspace::{Product, Workspace};

/// A package that registers something with zaf or k2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// The name of its package.
    pub(crate) package: String,
    /// What it says it is for.
    pub(crate) description: String,
    /// Its directory.
    pub(crate) directory: Utf8PathBuf,
    /// Packages whose list of extensions has it.
    pub(crate) linked_by: Vec<String>,
    /// What is wrong with it, each with what to do about it.
    pub(crate) problems: Vec<String>,
}

/// What registers something, wherever it stands in a file.
const MARKS: [&str; 5] = [
    "#[command_extension",
    "#[framework_extension",
    "#[component",
    "#[k2::test_case",
    "#[test_case",
];

impl Found {
    /// The addons of a workspace, by name. Products are none.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if a product cannot be read.
    pub(crate) fn of(workspace: &Workspace) -> Result<Vec<Self>, AddonError> {
        let products = workspace.products();
        let mut found = Vec::new();
        for directory in workspace.members() {
            if products
                .iter()
                .any(|product| product.directory == directory)
            {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(directory.join("Cargo.toml")) else {
                continue;
            };
            let Ok(manifest) = text.parse::<DocumentMut>() else {
                continue;
            };
            let depends = ["zaf-core", "k2"].iter().any(|name| {
                manifest
                    .get("dependencies")
                    .is_some_and(|table| table.get(name).is_some())
            });
            let said = |key: &str| {
                let text = manifest
                    .get("package")
                    .and_then(|table| table.get(key)?.as_str());
                text.map(str::to_owned)
            };
            let Some(package) = said("name").filter(|_| depends) else {
                continue;
            };
            let sources = sources(&directory.join("src"));
            if !MARKS.iter().any(|mark| sources.contains(mark)) {
                continue;
            }
            let (linked_by, mut problems) = links(&products, &package)?;
            let description = said("description").unwrap_or_default();
            if description.is_empty() {
                problems
                    .push("its manifest has no description: say `description = \"…\"`".to_owned());
            }
            if !directory.join("README.md").is_file() {
                problems.push("it has no README.md".to_owned());
            }
            let has_tests = sources.contains("#[test]") || directory.join("tests").is_dir();
            let has_cases = sources.contains("test_case");
            if !has_tests && !has_cases {
                problems
                    .push("it has no test: see `ExtensionTestHarness` of zaf-harness".to_owned());
            }
            found.push(Self {
                package,
                description,
                directory,
                linked_by,
                problems,
            });
        }
        found.sort_by(|a, b| a.package.cmp(&b.package));
        Ok(found)
    }
}

fn links(products: &[Product], package: &str) -> Result<(Vec<String>, Vec<String>), AddonError> {
    let krate = package.replace('-', "_");
    let (mut linked_by, mut problems) = (Vec::new(), Vec::new());
    for product in products {
        let linked = product.links(package)?;
        let name = &product.package;
        match (linked.is_dependency, linked.is_named) {
            (true, true) => linked_by.push(name.clone()),
            (true, false) => problems.push(format!(
                "`{name}` depends on it and does not link it, so its extensions do not exist there: add `use {krate} as _;` to its src/link.rs"
            )),
            (false, true) => problems.push(format!(
                "the src/link.rs of `{name}` names it and its manifest does not: add `{package}` to its dependencies"
            )),
            (false, false) => {}
        }
    }
    if !products.is_empty() && linked_by.is_empty() && problems.is_empty() {
        problems.push(format!(
            "no product links it: add it to the dependencies of one, and `use {krate} as _;` to its src/link.rs"
        ));
    }
    Ok((linked_by, problems))
}

/// All Rust below a directory.
fn sources(directory: &camino::Utf8Path) -> String {
    let Ok(entries) = directory.read_dir_utf8() else {
        return String::new();
    };
    let mut text = String::new();
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => text += &sources(entry.path()),
            Ok(kind) if kind.is_file() && entry.path().extension() == Some("rs") => {
                text += &std::fs::read_to_string(entry.path()).unwrap_or_default();
            }
            _ => {}
        }
    }
    text
}
