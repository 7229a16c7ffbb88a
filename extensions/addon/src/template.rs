//! Templates: those that come with k2, or those of a product, and what they make of the answers.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use minijinja::{Environment, UndefinedBehavior, context};
use toml_edit::Value;

use crate::answers::{Answers, as_sentence};
use crate::error::AddonError;
use crate::kind::Kind;

/// What the names of templates end with.
const ENDING: &str = ".j2";

/// Most templates of one kind, and most bytes of one: more is a mistake.
const MOST: usize = 200;
const LARGEST: u64 = 1 << 20;

/// Templates of one kind: by the path of the file that each makes, relative to the new directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Templates(BTreeMap<Utf8PathBuf, String>);

macro_rules! built_in {
    ($kind:literal: $($file:literal),+ $(,)?) => {
        &[
            $(($file, include_str!(concat!("../templates/", $kind, "/", $file, ".j2"))),)+
        ]
    };
}

/// Files that every addon has.
const EVERY: &[(&str, &str)] = built_in!("every": "README.md");

impl Templates {
    /// Those that come with k2.
    pub(crate) fn built_in(kind: Kind) -> Self {
        let own: &[(&str, &str)] = match kind {
            Kind::Framework => built_in!("framework": "Cargo.toml", "src/lib.rs"),
            Kind::Command => built_in!("command": "Cargo.toml", "src/lib.rs"),
            Kind::Components => built_in!("components": "Cargo.toml", "src/lib.rs"),
            Kind::Report => built_in!("report": "Cargo.toml", "src/lib.rs"),
            Kind::TestKind => {
                built_in!("test-kind": "Cargo.toml", "src/lib.rs", "src/runner.rs")
            }
            Kind::Suite => built_in!("suite": "Cargo.toml", "src/lib.rs"),
            Kind::Product => built_in!(
                "product": "Cargo.toml", "README.md", "src/lib.rs", "src/link.rs", "src/main.rs", "tests/command.rs"
            ),
        };
        let all = EVERY.iter().chain(own);
        Self(
            all.map(|(path, text)| ((*path).into(), (*text).to_owned()))
                .collect(),
        )
    }

    /// Those of a product: the directory of this kind below `root`, and `every` beside it. A kind without a directory of its own has
    /// the built-in ones.
    ///
    /// # Errors
    /// [`AddonError::Templates`].
    pub(crate) fn of_directory(root: &Utf8Path, kind: Kind) -> Result<Self, AddonError> {
        let mut all = BTreeMap::new();
        let own = root.join(kind.word());
        if !own.is_dir() {
            if !root.is_dir() {
                let reason = "there is no such directory".to_owned();
                let path = root.to_owned();
                return Err(AddonError::Templates { path, reason });
            }
            return Ok(Self::built_in(kind));
        }
        for directory in [root.join("every"), own] {
            if directory.is_dir() {
                collect(&directory, &directory, &mut all)?;
            }
        }
        Ok(Self(all))
    }

    /// The files, with what is in them.
    ///
    /// # Errors
    /// [`AddonError::Render`] for what a template asks for and nobody knows.
    pub(crate) fn render(
        &self,
        answers: &Answers,
    ) -> Result<BTreeMap<Utf8PathBuf, String>, AddonError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Each place says how a text is written there; nothing is escaped by the name of a file.
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("rust", |text: String| format!("{text:?}"));
        environment.add_filter("toml", |text: String| Value::from(text).to_string());
        environment.add_filter("doc", |text: String| in_documentation(&text));
        environment.add_filter("sentence", |text: String| as_sentence(&text));
        let dependencies: BTreeMap<&str, String> =
            answers.origin.dependencies().into_iter().collect();
        let extends = answers.extends.as_str();
        let context = context! {
            kind => answers.kind.word(),
            name => answers.name.as_str(),
            extension => answers.name.extension(),
            package => answers.name.package(),
            krate => answers.name.krate(),
            type_name => answers.name.type_name(),
            constant => answers.name.constant(),
            key => answers.name.key(),
            description => answers.description.as_str(),
            author => answers.author.as_str(),
            extends => extends,
            extends_run => extends == "run",
            load_order => answers.load_order,
            dependencies => dependencies,
            is_member => answers.origin == crate::origin::Origin::Workspace,
        };
        let mut files = BTreeMap::new();
        for (path, text) in &self.0 {
            let failed = |source| AddonError::Render {
                path: path.clone(),
                source,
            };
            let mut made = environment
                .render_named_str(path.as_str(), text, &context)
                .map_err(failed)?;
            // The engine leaves the last end of a line out.
            if text.ends_with('\n') && !made.ends_with('\n') {
                made.push('\n');
            }
            files.insert(path.clone(), made);
        }
        Ok(files)
    }
}

/// All templates below a directory. Links are not followed: a template is a file of the product.
fn collect(
    root: &Utf8Path,
    directory: &Utf8Path,
    all: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<(), AddonError> {
    let refused = |path: &Utf8Path, reason: String| AddonError::Templates {
        path: path.to_owned(),
        reason,
    };
    let entries = directory
        .read_dir_utf8()
        .map_err(|error| refused(directory, error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| refused(directory, error.to_string()))?;
        let path = entry.path();
        let metadata = entry
            .metadata()
            .map_err(|error| refused(path, error.to_string()))?;
        if metadata.is_dir() {
            collect(root, path, all)?;
            continue;
        }
        let Some(file) = path.as_str().strip_suffix(ENDING) else {
            continue;
        };
        if !metadata.is_file() || metadata.len() > LARGEST || all.len() == MOST {
            return Err(refused(
                path,
                format!(
                    "a template is a file of at most {LARGEST} bytes, and there are at most {MOST}"
                ),
            ));
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| refused(path, error.to_string()))?;
        let relative = Utf8Path::new(file)
            .strip_prefix(root)
            .map_err(|error| refused(path, error.to_string()))?;
        all.insert(relative.to_owned(), text);
    }
    Ok(())
}

/// What means something in documentation means itself.
pub(crate) fn in_documentation(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '[' | ']' | '<' | '>' | '`' | '*' | '_' | '#') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::name::AddonName;
    use crate::origin::Origin;

    fn answers(kind: Kind, name: &str, description: &str) -> Answers {
        Answers {
            kind,
            name: AddonName::new(name).unwrap(),
            description: description.to_owned(),
            author: description.to_owned(),
            extends: "run".to_owned(),
            load_order: 101,
            origin: Origin::Version("0.1".to_owned()),
            parent: "/tmp".into(),
        }
    }

    /// Everything that is made can be read by those who read it.
    fn check(answers: &Answers) {
        let files = Templates::built_in(answers.kind).render(answers).unwrap();
        assert!(files.contains_key(Utf8Path::new("README.md")));
        for (path, text) in files {
            assert!(
                text.ends_with('\n') && !text.ends_with("\n\n"),
                "{path}: {text:?}"
            );
            match path.extension() {
                Some("rs") => drop(
                    syn::parse_file(&text)
                        .unwrap_or_else(|error| panic!("{path}: {error}\n{text}")),
                ),
                Some("toml") => {
                    let manifest: toml_edit::DocumentMut = text
                        .parse()
                        .unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
                    assert_eq!(
                        manifest["package"]["description"].as_str(),
                        Some(&*answers.description)
                    );
                }
                _ => {}
            }
        }
    }

    #[test]
    fn each_kind_becomes_files_that_can_be_read() {
        for kind in Kind::ALL {
            for extends in ["run", "noop"] {
                let answers = Answers {
                    extends: extends.to_owned(),
                    ..answers(kind, "my_probe", "Probes.")
                };
                check(&answers);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        fn i4_whatever_is_said_becomes_files_that_can_be_read(
            name in "[a-z][a-z0-9_]{0,30}", description in "[^\\p{C}\u{2028}\u{2029}]{0,60}", kind in prop::sample::select(Kind::ALL.to_vec())
        ) {
            let Ok(description) = crate::answers::description(&description) else { return Ok(()); };
            if AddonName::new(&name).is_ok() {
                check(&answers(kind, &name, &description));
            }
        }
    }

    /// All words of a source that are no comments.
    fn words(tokens: proc_macro2::TokenStream, found: &mut std::collections::BTreeSet<String>) {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(word) => drop(found.insert(word.to_string())),
                proc_macro2::TokenTree::Group(group) => words(group.stream(), found),
                _ => {}
            }
        }
    }

    /// `MessageBus` and `MESSAGE_BUS` are `message_bus`.
    fn as_name(word: &str) -> String {
        let mut name = String::new();
        let is_constant = !word.chars().any(|c| c.is_ascii_lowercase());
        for letter in word.chars() {
            if letter.is_ascii_uppercase() && !is_constant && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    #[test]
    fn i4_no_addon_is_called_like_something_that_templates_use() {
        let mut used = std::collections::BTreeSet::new();
        for kind in Kind::ALL {
            for extends in ["run", "noop"] {
                let answers = Answers {
                    extends: extends.to_owned(),
                    ..answers(kind, "zqz", "d")
                };
                let files = Templates::built_in(kind).render(&answers).unwrap();
                for (path, text) in files {
                    if path.extension() == Some("rs") {
                        words(text.parse().unwrap(), &mut used);
                    }
                }
            }
        }
        let of_addons = |word: &String| word.to_ascii_lowercase().contains("zqz");
        let is_type_or_constant =
            |word: &String| word.starts_with(|c: char| c.is_ascii_uppercase());
        let free: std::collections::BTreeSet<_> = used
            .iter()
            .filter(|word| is_type_or_constant(word) && !of_addons(word))
            .map(|word| as_name(word))
            .filter(|name| AddonName::new(name).is_ok())
            .collect();
        assert_eq!(free, std::collections::BTreeSet::new());
    }

    #[test]
    fn a_template_that_asks_for_what_nobody_knows_is_refused() {
        let templates = Templates([("x".into(), "{{ nam }}".to_owned())].into());
        let error = templates
            .render(&answers(Kind::Suite, "s", "d"))
            .unwrap_err();
        assert!(
            error.to_string().contains("the template of `x` is wrong"),
            "{error}"
        );
    }

    #[test]
    fn a_product_has_templates_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        std::fs::create_dir_all(root.join("suite/src")).unwrap();
        std::fs::write(root.join("suite/src/lib.rs.j2"), "//! {{ name }}\n").unwrap();
        std::fs::write(root.join("suite/notes"), "no template").unwrap();
        let templates = Templates::of_directory(root, Kind::Suite).unwrap();
        let files = templates.render(&answers(Kind::Suite, "s", "d")).unwrap();
        assert_eq!(files, [("src/lib.rs".into(), "//! s\n".to_owned())].into());
        assert_eq!(
            Templates::of_directory(root, Kind::Report).unwrap(),
            Templates::built_in(Kind::Report)
        );
        assert!(Templates::of_directory(&root.join("none"), Kind::Report).is_err());
    }
}
