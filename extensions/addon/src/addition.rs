//! What is added to the source of an extension: constants, arguments, a field with what reads it, a handler, a test.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::DocumentMut;

use crate::declared::{Declared, Fields, Value};
use crate::error::AddonError;
use crate::insertion::Insertions;
use crate::name::AddonName;
use crate::workspace::{Edit, Workspace};

/// The source of an extension of an addon that exists, and what is added to it.
#[derive(Debug)]
pub(crate) struct Addition {
    /// The name of the addon.
    pub(crate) addon: AddonName,
    /// The name of its package.
    pub(crate) package: String,
    /// The extension.
    pub(crate) declared: Declared,
    path: Utf8PathBuf,
    text: String,
    insertions: Insertions,
}

/// A field that is added, with what gives it its value and what reads it.
#[derive(Debug)]
pub(crate) struct NewField<'a> {
    /// Its name, and that of the method that reads it.
    pub(crate) name: &'a str,
    /// What it holds, as a sentence.
    pub(crate) doc: &'a str,
    /// Its type.
    pub(crate) field_type: &'a str,
    /// The expression in `new`.
    pub(crate) value: String,
    /// What the method returns.
    pub(crate) read_type: &'a str,
    /// The expression in the method.
    pub(crate) read: String,
}

impl Addition {
    /// The extension of a package of the workspace around `here`.
    ///
    /// # Errors
    /// [`AddonError::Answer`] if there is no such package or extension, or more than one; [`AddonError::Workspace`].
    pub(crate) fn to(
        here: &Utf8Path,
        package: &str,
        type_name: Option<&str>,
    ) -> Result<Self, AddonError> {
        let directory = directory_of(here, package)?;
        let mut found = Vec::new();
        for path in rust_files(&directory.join("src")) {
            let text = read(&path)?;
            let declared = Declared::of(&text).map_err(|reason| AddonError::Workspace {
                path: path.clone(),
                reason,
            })?;
            found.extend(
                declared
                    .into_iter()
                    .map(|one| (path.clone(), text.clone(), one)),
            );
        }
        let names: Vec<String> = found
            .iter()
            .map(|(_, _, one)| one.type_name.clone())
            .collect();
        let wanted = |one: &Declared| type_name.is_none_or(|name| one.type_name == name);
        let mut fitting = found.into_iter().filter(|(_, _, one)| wanted(one));
        let (Some((path, text, declared)), None) = (fitting.next(), fitting.next()) else {
            return Err(AddonError::Answer {
                what: "extension of it",
                answer: type_name.unwrap_or("nothing").escape_debug().to_string(),
                expected: match names.as_slice() {
                    [] => format!("an extension in `{directory}/src`, and there is none"),
                    names => format!("`--addon-extension` with one of `{}`", names.join("`, `")),
                },
            });
        };
        has_harness(&directory)?;
        if !declared.is_public {
            let reason = format!(
                "`{}` is not `pub`, so nothing could use what is added",
                declared.type_name
            );
            return Err(AddonError::Workspace { path, reason });
        }
        Ok(Self {
            addon: AddonName::new(&package.replace('-', "_"))?,
            package: package.to_owned(),
            declared,
            path,
            text,
            insertions: Insertions::default(),
        })
    }

    /// The constant of something with this name.
    pub(crate) fn constant(&self, name: &str) -> String {
        format!("{}_{}", self.addon.constant(), name.to_ascii_uppercase())
    }

    /// Makes sure that nobody has this name.
    ///
    /// # Errors
    /// [`AddonError::Workspace`].
    pub(crate) fn is_free(&self, name: &str) -> Result<(), AddonError> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if self.text.split(|c| !is_word(c)).any(|word| word == name) {
            return Err(self.refused(format!("there is a `{name}` already")));
        }
        Ok(())
    }

    /// Makes sure that there is no function or method of this name.
    ///
    /// # Errors
    /// [`AddonError::Workspace`].
    pub(crate) fn is_no_function(&self, name: &str) -> Result<(), AddonError> {
        if self.text.contains(&format!("fn {name}(")) {
            return Err(self.refused(format!("there is a function `{name}` already")));
        }
        Ok(())
    }

    /// That the source cannot be changed, and why.
    pub(crate) fn refused(&self, reason: String) -> AddonError {
        AddonError::Workspace {
            path: self.path.clone(),
            reason,
        }
    }

    /// Whether a constant of the source is declared with this in it.
    pub(crate) fn is_declared_with(&self, constant: &str, part: &str) -> bool {
        let begin = self.text.find(&format!("const {constant}:"));
        let declared = begin.and_then(|begin| self.text[begin..].split(';').next());
        declared.is_some_and(|declared| declared.contains(part))
    }

    /// An item in front of the extension.
    pub(crate) fn item(&mut self, text: &str) {
        let begin = self.declared.begin;
        self.insertions.insert(begin, format!("{text}\n\n"));
    }

    /// One more element of `config_options`.
    pub(crate) fn config_option(&mut self, element: &str) {
        match &self.declared.options {
            Some(list) => self.insertions.push(&self.text, list, element),
            None => self.argument(&format!("config_options = [{element}]")),
        }
    }

    /// One more message of the first endpoint, whose name is returned; of a new endpoint if there is none.
    pub(crate) fn message(&mut self, constant: &str, description: &str) -> String {
        if let Some((_, endpoints)) = &self.declared.endpoints
            && let Some((endpoint, messages)) = endpoints.first()
        {
            let endpoint = endpoint.clone();
            self.insertions.push(&self.text, messages, constant);
            return endpoint;
        }
        let own = self.addon.constant();
        let endpoint = match self.is_free(&own) {
            Ok(()) => own,
            Err(_) => self.constant("endpoint"),
        };
        let package = &self.package;
        self.item(&format!(
            "/// Where `{package}` is spoken to.\npub const {endpoint}: EndpointId =\n    EndpointId::new({package:?}, {description:?});"
        ));
        let element = format!("{endpoint}: [{constant}]");
        match &self.declared.endpoints {
            Some((map, _)) => self.insertions.push(&self.text, map, &element),
            None => self.argument(&format!("endpoints_and_messages = {{ {element} }}")),
        }
        endpoint
    }

    fn argument(&mut self, argument: &str) {
        let list = &self.declared.arguments;
        self.insertions.push(&self.text, list, argument);
    }

    /// One more field.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if fields have no names, or `new` ends in something else than `Ok(Self …)`.
    pub(crate) fn field(&mut self, field: &NewField<'_>) -> Result<(), AddonError> {
        let unknown = "`fn new` of the extension does not end in `Ok(Self {…})`";
        let Some(new) = self.declared.new.clone() else {
            return Err(self.refused(unknown.to_owned()));
        };
        let declaration = format!("{}: {}", field.name, field.field_type);
        match &self.declared.fields {
            Fields::Tuple => {
                return Err(self.refused("the fields of the extension have no names".to_owned()));
            }
            Fields::Named(_, names) if names.iter().any(|name| name == field.name) => {
                return Err(self.refused(format!("there is a field `{}` already", field.name)));
            }
            Fields::Named(list, _) => self.insertions.push(&self.text, list, &declaration),
            Fields::None(place) => {
                let text = format!(" {{\n    {declaration},\n}}");
                self.insertions.replace(place.clone(), text);
            }
        }
        let parameter = &self.text[new.parameter.clone()];
        let context = match parameter.trim_start_matches('_') {
            "" => "cx",
            name => name,
        };
        let value = format!("{}: {}", field.name, field.value.replace("CX", context));
        if field.value.contains("CX") && parameter != context {
            self.insertions.replace(new.parameter, context);
        }
        match &new.value {
            Value::Named(list) => self.insertions.push(&self.text, list, &value),
            Value::Unit(place) => {
                let text = format!("Self {{\n            {value},\n        }}");
                self.insertions.replace(place.clone(), text);
            }
            Value::Other => return Err(self.refused(unknown.to_owned())),
        }
        let method = format!(
            "/// {}\n    pub fn {}(&self) -> {} {{\n        {}\n    }}",
            field.doc, field.name, field.read_type, field.read
        );
        match self.declared.methods_end {
            Some(end) => self.insertions.insert(end, format!("\n\n    {method}")),
            None => self.insertions.insert(
                self.declared.end,
                format!("\n\nimpl {} {{\n    {method}\n}}", self.declared.type_name),
            ),
        }
        Ok(())
    }

    /// One more handler.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if there is no `impl Extension` to put it behind.
    pub(crate) fn handler(&mut self, text: &str) -> Result<(), AddonError> {
        let name = &self.declared.type_name;
        match (self.declared.handlers_end, self.declared.extension_end) {
            (Some(end), _) => self.insertions.insert(end, format!("\n\n    {text}")),
            (None, Some(end)) => self.insertions.insert(
                end,
                format!("\n\n#[dispatchers]\nimpl {name} {{\n    {text}\n}}"),
            ),
            (None, None) => {
                let reason = format!("there is no `impl Extension for {name}` in it");
                return Err(self.refused(reason));
            }
        }
        Ok(())
    }

    /// One more test with the harness, which `check` is called `harness`. What other handlers listen to is defined, what the extension
    /// takes part for is set.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if the extension cannot be started with what is known of it.
    pub(crate) fn test(
        &mut self,
        name: &str,
        configured: &[(String, String)],
        is_active: bool,
        check: &str,
    ) -> Result<(), AddonError> {
        let needless = |option: &&String| {
            let constant = option.strip_suffix(".required()");
            constant.is_none_or(|constant| self.is_declared_with(constant, ".default("))
                && !option.ends_with(".instantiate_on()")
        };
        if let Some(open) = self
            .declared
            .asked_for
            .iter()
            .find(|option| !needless(option))
        {
            return Err(self.refused(format!(
                "a test cannot give `{open}` a value: add what is missing by hand"
            )));
        }
        let mut started = format!(
            "zaf_harness::ExtensionTestHarness::<super::{}>::builder()",
            self.declared.type_name
        );
        let own = |path: &str| {
            if path.contains("::") {
                path.to_owned()
            } else {
                format!("super::{path}")
            }
        };
        let defined = self
            .declared
            .endpoints
            .iter()
            .flat_map(|(_, endpoints)| endpoints);
        let defined: String = defined
            .map(|(_, list)| &self.text[list.inner.clone()])
            .collect();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        for handled in &self.declared.handled {
            if defined
                .split(|c| !is_word(c))
                .any(|word| word == handled.message)
            {
                continue;
            }
            let endpoint = handled
                .endpoint
                .as_deref()
                .map_or_else(|| "zaf_harness::MOCK_ENDPOINT".to_owned(), own);
            let _ = write!(
                started,
                "\n            .define({endpoint}, [{}])",
                own(&handled.message)
            );
        }
        for (constant, value) in configured {
            let _ = write!(started, "\n            .config(super::{constant}, {value})");
        }
        if is_active {
            for flag in &self.declared.activated_by {
                if !self.is_declared_with(flag, "OptionId<bool>") {
                    return Err(self.refused(format!("a test cannot say what makes it take part: `{flag}` is no flag that is declared here")));
                }
                let _ = write!(started, "\n            .config(super::{flag}, true)");
            }
        }
        let test = format!(
            "#[test]\n    fn {name}() -> zaf_harness::TestResult {{\n        let harness = {started}\n            .start()?;\n        {check}\n        harness.destroy()?;\n        Ok(())\n    }}"
        );
        if let Some(end) = self.declared.tests_end {
            self.insertions.insert(end, format!("\n\n    {test}"));
        } else {
            let module = format!("\n\n#[cfg(test)]\nmod tests {{\n    {test}\n}}");
            self.insertions.insert(self.text.trim_end().len(), module);
        }
        Ok(())
    }

    /// The edit of the source.
    ///
    /// # Errors
    /// [`AddonError::Workspace`] if what comes out could not be read again, which would be a fault of ours.
    pub(crate) fn edit(self) -> Result<Edit, AddonError> {
        let after = self.insertions.applied(&self.text);
        match Declared::of(&after) {
            Ok(_) => Ok(Edit {
                path: self.path,
                before: self.text,
                after,
            }),
            Err(reason) => Err(AddonError::Workspace {
                path: self.path,
                reason: format!("it would not be Rust any more: {reason}"),
            }),
        }
    }
}

/// The directory of a package: that of the workspace around `here`, or of the package that `here` lies in.
fn directory_of(here: &Utf8Path, package: &str) -> Result<Utf8PathBuf, AddonError> {
    let mut directories = match Workspace::around(here)? {
        Some(workspace) => workspace.members(),
        None => Vec::new(),
    };
    directories.extend(here.ancestors().map(Utf8Path::to_owned));
    let mut names = Vec::new();
    for directory in directories {
        let Ok(text) = std::fs::read_to_string(directory.join("Cargo.toml")) else {
            continue;
        };
        let manifest = text.parse::<DocumentMut>().ok();
        let name = manifest
            .as_ref()
            .and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
        match name {
            Some(name) if name == package => return Ok(directory),
            Some(name) => names.push(name.to_owned()),
            None => {}
        }
    }
    let near = zaf_core::config::nearest(package, names.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(AddonError::Answer {
        what: "package here",
        answer: package.escape_debug().to_string(),
        expected: match names.as_slice() {
            [] => "to be in a workspace or in a package".to_owned(),
            _ => format!("the name of a package of the workspace{near}"),
        },
    })
}

/// What is added is tested.
fn has_harness(directory: &Utf8Path) -> Result<(), AddonError> {
    let path = directory.join("Cargo.toml");
    let manifest = read(&path)?.parse::<DocumentMut>().ok();
    let has = |table: &str| {
        let manifest = manifest.as_ref();
        manifest.is_some_and(|manifest| {
            manifest
                .get(table)
                .is_some_and(|table| table.get("zaf-harness").is_some())
        })
    };
    if has("dev-dependencies") || has("dependencies") {
        return Ok(());
    }
    let reason =
        "what is added is tested with `zaf-harness`, which is not among its dev-dependencies"
            .to_owned();
    Err(AddonError::Workspace { path, reason })
}

fn rust_files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for entry in directory.read_dir_utf8().into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(rust_files(entry.path())),
            Ok(kind) if kind.is_file() && entry.path().extension() == Some("rs") => {
                files.push(entry.path().to_owned());
            }
            _ => {}
        }
    }
    files.sort();
    files
}

fn read(path: &Utf8Path) -> Result<String, AddonError> {
    std::fs::read_to_string(path).map_err(|error| AddonError::Workspace {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
