//! What is linked into `zk2`: an extension whose registration got lost on the way (a dependency that is not named in `link.rs`, a
//! linker that drops what nobody calls) would be silently absent.
//!
//! What is linked into this test is compared with the snapshot, and so is what the program `zk2` says about itself. The step
//! `registration` of `.ci/run` names another program for that: the one that is shipped, with all optimisations.

mod program;
mod tested;

use std::fmt;

use zaf_core::builtin;
use zaf_core::extension::{
    Extends, ExtensionDescriptor, ExtensionKind, ExtensionRegistry, RegisteredExtension,
};

// Links what the command links.
use k2 as _;

/// What the snapshot has of one extension, in one line.
struct Line<'a> {
    load_order: u64,
    name: &'a str,
    krate: &'a str,
    kind: &'a str,
    /// How many functions listen.
    handlers: usize,
    /// Paths of the commands that it adds.
    adds: Vec<String>,
    /// Commands and capabilities.
    extends: Vec<String>,
}

impl Line<'_> {
    fn of(extension: &RegisteredExtension) -> Self {
        let handlers = extension.dispatchers.iter();
        let handlers = handlers.map(|set| set.dispatchers.len()).sum();
        Self {
            handlers,
            ..Self::of_descriptor(&extension.descriptor)
        }
    }

    fn of_descriptor(descriptor: &ExtensionDescriptor) -> Self {
        let extends = match descriptor.kind {
            ExtensionKind::Command { extends } => extends,
            _ => &[],
        };
        let extends = extends.iter().map(|extends| match extends {
            Extends::Command(command) => format!("command {}", command.path()),
            Extends::Capability(word) => (*word).to_owned(),
            other => format!("{other:?}"),
        });
        let commands = descriptor.commands().iter();
        Self {
            load_order: descriptor.load_order().into(),
            name: descriptor.name,
            krate: descriptor.krate,
            kind: if descriptor.is_framework() {
                "framework"
            } else {
                "command"
            },
            handlers: 0,
            adds: commands.map(|command| command.path()).collect(),
            extends: extends.collect(),
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            load_order,
            name,
            krate,
            kind,
            handlers,
            ..
        } = self;
        write!(
            f,
            "{load_order:>4} {name:<18} {krate:<14} {kind:<9} {handlers:>2} handlers"
        )?;
        for (word, names) in [("adds", &self.adds), ("extends", &self.extends)] {
            if !names.is_empty() {
                write!(f, "  {word} {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}

/// As the snapshot has them.
fn lines<'a>(lines: impl Iterator<Item = Line<'a>>) -> String {
    let lines: Vec<_> = lines.map(|line| line.to_string()).collect();
    lines.join("\n")
}

#[test]
fn registration_of_all_extensions_of_zk2() {
    let registry = ExtensionRegistry::linked();
    assert!(registry.problems().is_empty(), "{:?}", registry.problems());
    let linked = registry.extensions().iter().map(Line::of);
    let built_in = builtin::EXTENSIONS.iter().map(Line::of_descriptor);
    insta::assert_snapshot!(lines(built_in.chain(linked)));
}

#[test]
fn f28_every_extension_says_which_crate_and_file_it_comes_from() {
    let linked = ExtensionRegistry::linked();
    let linked = linked.extensions().iter().map(|one| one.descriptor);
    for extension in builtin::EXTENSIONS.iter().copied().chain(linked) {
        let name = extension.name;
        assert!(!extension.krate.is_empty(), "{name}");
        assert!(
            extension.version.starts_with(|c: char| c.is_ascii_digit()),
            "{name}"
        );
        assert!(!extension.file.is_empty() && extension.line > 0, "{name}");
        assert!(
            !extension.description.trim().is_empty(),
            "{name} does not say what it does"
        );
    }
}

#[test]
fn c4_no_two_extensions_of_zk2_claim_one_command() {
    let linked = ExtensionRegistry::linked();
    let linked = linked.extensions().iter().map(|one| one.descriptor);
    let mut paths: Vec<String> = builtin::EXTENSIONS
        .iter()
        .copied()
        .chain(linked)
        .flat_map(|extension| extension.commands().iter().map(|command| command.path()))
        .collect();
    paths.sort_unstable();
    let all = paths.len();
    assert!(all > 10, "{paths:?}");
    paths.dedup();
    assert_eq!(paths.len(), all, "{paths:?}");
}
