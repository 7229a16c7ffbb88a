//! What is linked into `zk2`: an extension whose registration got lost on the way (a dependency that is not named in `link.rs`, a
//! linker that drops what nobody calls) would be silently absent.
//!
//! A program of its own: the step `registration` of `.ci/run` builds it once more, optimised, and would build every other test with it.

mod tested;

use std::fmt::Write as _;

use zaf_core::builtin;
use zaf_core::extension::{Extends, ExtensionDescriptor, ExtensionKind, ExtensionRegistry};

// Links what the command links.
use k2 as _;

/// One line: load order, name, crate, kind, and what it adds or extends.
fn line(descriptor: &ExtensionDescriptor, dispatchers: usize) -> String {
    let (kind, about) = match descriptor.kind {
        ExtensionKind::Framework { commands, .. } => {
            let names: Vec<_> = commands.iter().map(|command| command.name).collect();
            let adds = if names.is_empty() { "" } else { "adds " };
            ("framework", format!("{adds}{}", names.join(", ")))
        }
        ExtensionKind::Command { extends } => {
            let words: Vec<_> = extends
                .iter()
                .map(|extends| match extends {
                    Extends::Command(command) => format!("command {}", command.name),
                    Extends::Capability(word) => (*word).to_owned(),
                    other => format!("{other:?}"),
                })
                .collect();
            ("command", format!("extends {}", words.join(", ")))
        }
        ref other => ("other", format!("{other:?}")),
    };
    let text = format!(
        "{:>4} {:<18} {:<10} {kind:<9} {dispatchers} sets  {about}",
        descriptor.load_order(),
        descriptor.name,
        descriptor.krate
    );
    text.trim_end().to_owned()
}

#[test]
fn registration_of_all_extensions_of_zk2() {
    let registry = ExtensionRegistry::linked();
    assert!(registry.problems().is_empty(), "{:?}", registry.problems());
    let mut text = String::new();
    let linked = registry
        .extensions()
        .iter()
        .map(|extension| line(&extension.descriptor, extension.dispatchers.len()));
    let built_in = builtin::EXTENSIONS
        .iter()
        .map(|descriptor| line(descriptor, 0));
    for line in built_in.chain(linked) {
        writeln!(text, "{line}").unwrap();
    }
    insta::assert_snapshot!(text);
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
