//! The workspace around a place: what Cargo knows of it, its products, and the edits that make a new package a part of it.
//!
//! Edits keep what is written: comments, order and blank lines stay as they are.

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use crate::error::AddonError;
use crate::name::AddonName;

/// Name of manifests.
const MANIFEST: &str = "Cargo.toml";

/// The file of a product that names its extensions.
pub(crate) const LINK: &str = "src/link.rs";

/// A workspace of Cargo.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// Its directory.
    pub(crate) root: Utf8PathBuf,
    manifest: DocumentMut,
}

/// A package of a workspace that has a list of extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Its directory.
    pub(crate) directory: Utf8PathBuf,
    /// The name of its package.
    pub(crate) package: String,
}

/// What a file is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The file.
    pub(crate) path: Utf8PathBuf,
    /// What is in it now.
    pub(crate) before: String,
    /// What will be.
    pub(crate) after: String,
}

impl Workspace {
    /// The innermost workspace that `place` lies in; `place` need not exist.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] for a manifest on the way that cannot be read.
    pub(crate) fn around(place: &Utf8Path) -> Result<Option<Self>, AddonError> {
        for directory in place.ancestors() {
            let path = directory.join(MANIFEST);
            if !path.is_file() {
                continue;
            }
            let manifest = parsed(&path)?;
            if manifest.get("workspace").is_some() {
                let root = directory.to_owned();
                return Ok(Some(Self { root, manifest }));
            }
        }
        Ok(None)
    }

    /// Whether packages of it can say `name = { workspace = true }` for all of these.
    pub(crate) fn offers(&self, names: &[&str]) -> bool {
        let dependencies = self.manifest["workspace"].get("dependencies");
        names
            .iter()
            .all(|name| dependencies.is_some_and(|table| table.get(name).is_some()))
    }

    /// Directories of its members, sorted; patterns are those of Cargo, with a `*` for one part of a path.
    pub(crate) fn members(&self) -> Vec<Utf8PathBuf> {
        let mut found = Vec::new();
        for pattern in self.patterns("members") {
            let mut places = vec![self.root.clone()];
            for part in Utf8Path::new(&pattern).components() {
                places = places
                    .into_iter()
                    .flat_map(|place| matching(&place, part.as_str()))
                    .collect();
            }
            found.extend(places);
        }
        if self.manifest.get("package").is_some() {
            found.push(self.root.clone());
        }
        found.retain(|place| place.join(MANIFEST).is_file() && !self.excludes(place));
        found.sort();
        found.dedup();
        found
    }

    /// Where new addons lie: the directory `extensions`. It need not exist where the workspace is a product itself, whose own files
    /// lie beside it.
    pub(crate) fn home_of_addons(&self) -> Option<Utf8PathBuf> {
        let home = self.root.join("extensions");
        let is_product = self.manifest.get("package").is_some() && self.root.join(LINK).is_file();
        (home.is_dir() || (is_product && home.symlink_metadata().is_err())).then_some(home)
    }

    /// The members that have a list of extensions.
    pub(crate) fn products(&self) -> Vec<Product> {
        let of = |directory: Utf8PathBuf| {
            let manifest = parsed(&directory.join(MANIFEST)).ok()?;
            let package = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            directory
                .join(LINK)
                .is_file()
                .then_some(Product { directory, package })
        };
        self.members().into_iter().filter_map(of).collect()
    }

    /// Whether a package in `directory` is a member by what the manifest says already.
    pub(crate) fn has_member(&self, directory: &Utf8Path) -> bool {
        let Ok(relative) = directory.strip_prefix(&self.root) else {
            return false;
        };
        !self.excludes(directory)
            && self.patterns("members").iter().any(|pattern| {
                let pattern: Vec<_> = Utf8Path::new(pattern).components().collect();
                let place: Vec<_> = relative.components().collect();
                let fits =
                    |(part, name): (&camino::Utf8Component<'_>, &camino::Utf8Component<'_>)| {
                        fits(part.as_str(), name.as_str())
                    };
                pattern.len() == place.len() && pattern.iter().zip(&place).all(fits)
            })
    }

    /// Makes the package a member, and known to the others by name.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if the manifest cannot be changed.
    pub(crate) fn admit(
        &self,
        name: &AddonName,
        directory: &Utf8Path,
    ) -> Result<Option<Edit>, AddonError> {
        let path = self.root.join(MANIFEST);
        let refuse = |reason: &str| AddonError::Workspace {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let relative = directory
            .strip_prefix(&self.root)
            .map_err(|_| refuse("the new package does not lie below it"))?;
        let mut manifest = self.manifest.clone();
        let workspace = manifest["workspace"]
            .as_table_like_mut()
            .ok_or_else(|| refuse("`workspace` is no table"))?;
        if !self.has_member(directory) {
            let members = workspace
                .entry("members")
                .or_insert(Item::Value(Value::Array(Array::new())));
            let members = members
                .as_array_mut()
                .ok_or_else(|| refuse("`workspace.members` is no list"))?;
            push_like_the_others(members, relative.as_str());
        }
        if let Some(dependencies) = workspace.get_mut("dependencies") {
            let dependencies = dependencies
                .as_table_like_mut()
                .ok_or_else(|| refuse("`workspace.dependencies` is no table"))?;
            if !dependencies.contains_key(&name.package()) {
                let mut table = InlineTable::new();
                drop(table.insert("path", relative.as_str().into()));
                dependencies.insert(&name.package(), Item::Value(Value::InlineTable(table)));
            }
        }
        Ok(edit(&path, &self.manifest, &manifest))
    }

    /// Whether `workspace.dependencies` is there, so that members name packages by it.
    fn names_packages(&self) -> bool {
        self.manifest["workspace"].get("dependencies").is_some()
    }

    fn patterns(&self, key: &str) -> Vec<String> {
        let list = self.manifest["workspace"].get(key).and_then(Item::as_array);
        list.map_or_else(Vec::new, |list| {
            let texts = list.iter().filter_map(Value::as_str);
            texts
                .map(|text| text.trim_matches('/').to_owned())
                .collect()
        })
    }

    fn excludes(&self, directory: &Utf8Path) -> bool {
        self.patterns("exclude")
            .iter()
            .any(|excluded| directory.starts_with(self.root.join(excluded)))
    }
}

impl Product {
    /// Makes a package one of the product's extensions: a dependency, and a line of the list. `edits` has what changes so far, of the
    /// same manifest too if the product is the root of the workspace.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if the manifest or the list cannot be changed.
    pub(crate) fn take_in(
        &self,
        workspace: &Workspace,
        name: &AddonName,
        directory: &Utf8Path,
        edits: &mut Vec<Edit>,
    ) -> Result<(), AddonError> {
        let path = self.directory.join(MANIFEST);
        let so_far = edits.iter().position(|edit| edit.path == path);
        let so_far = so_far.map(|index| edits.remove(index));
        let text = match &so_far {
            Some(edit) => edit.after.clone(),
            None => read(&path)?,
        };
        let mut manifest = parsed_text(&path, &text)?;
        let dependencies = manifest
            .entry("dependencies")
            .or_insert(Item::Table(Table::new()));
        let Some(dependencies) = dependencies.as_table_like_mut() else {
            let reason = "`dependencies` is no table".to_owned();
            return Err(AddonError::Workspace { path, reason });
        };
        if !dependencies.contains_key(&name.package()) {
            let mut table = InlineTable::new();
            if workspace.names_packages() {
                drop(table.insert("workspace", true.into()));
            } else {
                drop(table.insert("path", between(&self.directory, directory).as_str().into()));
            }
            dependencies.insert(&name.package(), Item::Value(Value::InlineTable(table)));
        }
        let link = self.directory.join(LINK);
        let list = read(&link)?;
        let changes = [
            Edit {
                path,
                before: so_far.map_or(text, |edit| edit.before),
                after: manifest.to_string(),
            },
            Edit {
                after: with_use(&list, &name.krate()),
                before: list,
                path: link,
            },
        ];
        edits.extend(changes.into_iter().filter(|edit| edit.before != edit.after));
        Ok(())
    }

    /// Whether a package is one of its extensions: a dependency, and a line of the list.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if a file cannot be read.
    pub(crate) fn links(&self, package: &str) -> Result<Linked, AddonError> {
        let manifest = parsed(&self.directory.join(MANIFEST))?;
        let is_dependency = manifest
            .get("dependencies")
            .is_some_and(|table| table.get(package).is_some());
        let text = read(&self.directory.join(LINK))?;
        let line = use_line(&package.replace('-', "_"));
        Ok(Linked {
            is_dependency,
            is_named: text.lines().any(|found| found.trim() == line),
        })
    }
}

/// How far a package is one of a product's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Linked {
    /// The manifest has it.
    pub(crate) is_dependency: bool,
    /// The list of extensions has it.
    pub(crate) is_named: bool,
}

fn use_line(krate: &str) -> String {
    format!("use {krate} as _;")
}

/// The list of extensions with one more: in front of the first that sorts behind it, else at the end.
fn with_use(text: &str, krate: &str) -> String {
    let own = use_line(krate);
    if text.lines().any(|line| line.trim() == own) {
        return text.to_owned();
    }
    let mut lines: Vec<&str> = text.lines().collect();
    let is_use = |line: &str| line.starts_with("use ") && line.ends_with(" as _;");
    let behind = lines
        .iter()
        .position(|line| is_use(line) && *line > own.as_str());
    let at = match behind {
        // An attribute belongs to the line below it.
        Some(mut at) => {
            while at > 0 && lines[at - 1].starts_with("#[") {
                at -= 1;
            }
            at
        }
        None => lines
            .iter()
            .rposition(|line| is_use(line))
            .map_or(lines.len(), |last| last + 1),
    };
    lines.insert(at, &own);
    lines.join("\n") + "\n"
}

/// A list keeps the shape that it has: one line, or a line for each element.
fn push_like_the_others(list: &mut Array, text: &str) {
    let like = list.iter().last().map(|last| last.decor().clone());
    let mut value = Value::from(text);
    if let Some(decor) = like.filter(|_| list.len() > 1) {
        *value.decor_mut() = decor;
        list.push_formatted(value);
    } else {
        list.push(value);
    }
}

fn edit(path: &Utf8Path, before: &DocumentMut, after: &DocumentMut) -> Option<Edit> {
    let (before, after) = (before.to_string(), after.to_string());
    (before != after).then(|| Edit {
        path: path.to_owned(),
        before,
        after,
    })
}

/// The way from one directory to another, both absolute.
fn between(from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(from, to)| from == to)
        .count();
    let up = from.components().skip(common).map(|_| "..");
    let down = to.components().skip(common).map(|part| part.as_str());
    up.chain(down).collect()
}

fn read(path: &Utf8Path) -> Result<String, AddonError> {
    std::fs::read_to_string(path).map_err(|error| AddonError::Workspace {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn parsed(path: &Utf8Path) -> Result<DocumentMut, AddonError> {
    parsed_text(path, &read(path)?)
}

fn parsed_text(path: &Utf8Path, text: &str) -> Result<DocumentMut, AddonError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| AddonError::Workspace {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })
}

/// The entries of a directory that a part of a pattern means.
fn matching(place: &Utf8Path, part: &str) -> Vec<Utf8PathBuf> {
    if !part.contains('*') {
        return vec![place.join(part)];
    }
    let Ok(entries) = place.read_dir_utf8() else {
        return Vec::new();
    };
    let entries = entries
        .flatten()
        .filter(|entry| fits(part, entry.file_name()));
    entries.map(|entry| entry.path().to_owned()).collect()
}

/// Whether a name fits a part of a pattern, in which `*` stands for any letters.
fn fits(part: &str, name: &str) -> bool {
    let Some((start, end)) = part.split_once('*') else {
        return part == name;
    };
    name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> AddonName {
        AddonName::new("my_probe").unwrap()
    }

    #[test]
    fn a_line_of_the_list_comes_where_it_sorts_and_only_once() {
        let list = "//! Doc.\n\nuse k2 as _;\n#[cfg(feature = \"z\")]\nuse z as _;\n";
        let with = with_use(list, "my_probe");
        assert_eq!(
            with,
            "//! Doc.\n\nuse k2 as _;\nuse my_probe as _;\n#[cfg(feature = \"z\")]\nuse z as _;\n"
        );
        assert_eq!(with_use(&with, "my_probe"), with);
        assert_eq!(with_use("//! Doc.\n", "a"), "//! Doc.\nuse a as _;\n");
        assert_eq!(with_use("use a as _;\n", "b"), "use a as _;\nuse b as _;\n");
    }

    #[test]
    fn a_manifest_keeps_everything_that_is_written_in_it() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let text = "# why\n[workspace]\nmembers = [\n    \"a\", # first\n    \"b\",\n]\n\n[workspace.dependencies]\n# ours\na = { path = \"a\" }\n";
        std::fs::write(root.join(MANIFEST), text).unwrap();
        let workspace = Workspace::around(&root.join("not/there")).unwrap().unwrap();
        let edit = workspace
            .admit(&name(), &root.join("x/my-probe"))
            .unwrap()
            .unwrap();
        assert_eq!(edit.before, text);
        for kept in ["# why", "\"a\", # first", "# ours", "a = { path = \"a\" }"] {
            assert!(edit.after.contains(kept), "{}", edit.after);
        }
        assert!(
            edit.after.contains("\n    \"x/my-probe\""),
            "{}",
            edit.after
        );
        assert!(
            edit.after.contains("my-probe = { path = \"x/my-probe\" }"),
            "{}",
            edit.after
        );
        assert!(!workspace.has_member(&root.join("x/my-probe")));
    }

    #[test]
    fn a_pattern_makes_members_of_what_it_fits() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let text =
            "[workspace]\nmembers = [\"extensions/*\", \"tool\"]\nexclude = [\"extensions/old\"]\n";
        std::fs::write(root.join(MANIFEST), text).unwrap();
        for package in ["extensions/new", "extensions/old", "tool", "other"] {
            let directory = root.join(package);
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(directory.join(MANIFEST), "[package]\nname = \"x\"\n").unwrap();
        }
        let workspace = Workspace::around(root).unwrap().unwrap();
        assert_eq!(
            workspace.members(),
            [root.join("extensions/new"), root.join("tool")]
        );
        assert!(workspace.has_member(&root.join("extensions/newer")));
        assert!(!workspace.has_member(&root.join("extensions/old")));
        assert!(!workspace.has_member(&root.join("extensions/a/b")));
        // No edit: it is a member already, and packages are not known by name.
        assert_eq!(
            workspace
                .admit(&name(), &root.join("extensions/my-probe"))
                .unwrap(),
            None
        );
    }

    #[test]
    fn the_way_between_directories_goes_up_and_down() {
        assert_eq!(between("/a/b".into(), "/a/c/d".into()), "../c/d");
        assert_eq!(between("/a".into(), "/a/c".into()), "c");
    }
}
