//! Decides whether a command extension extends a command. Pure.

use super::CommandDescriptor;

/// Whether something that extends these commands and these capabilities extends `command`.
///
/// It does if the command is one of `commands`, or if there are capabilities and all of them are used by the command. A command
/// always uses its own name. Neither commands nor capabilities: extends nothing.
pub fn is_extended_by(
    command: &CommandDescriptor,
    commands: &[&CommandDescriptor],
    capabilities: &[&str],
) -> bool {
    let uses = |word: &str| word == command.name || command.uses.contains(&word);
    commands.contains(&command)
        || (!capabilities.is_empty() && capabilities.iter().all(|word| uses(word)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;
    use crate::application::ExitCode;

    const WORDS: [&str; 5] = ["a", "b", "c", "d", "run"];

    fn command(name: &'static str, uses: &'static [&'static str]) -> CommandDescriptor {
        CommandDescriptor {
            name,
            description: "",
            parent: None,
            uses,
            config_options: &[],
            hidden: false,
            requirements: &[],
            run: |_| Ok(ExitCode::Success),
            krate: "test",
            file: "test.rs",
            line: 1,
        }
    }

    proptest! {
        #[test]
        fn capabilities_match_as_sets_do(
            uses in subsequence(WORDS.to_vec(), 0..=WORDS.len()),
            capabilities in subsequence(WORDS.to_vec(), 0..=WORDS.len()),
        ) {
            let run = command("run", uses.clone().leak());
            let used: BTreeSet<_> = uses.iter().copied().chain(["run"]).collect();
            let wanted: BTreeSet<_> = capabilities.iter().copied().collect();
            prop_assert_eq!(
                is_extended_by(&run, &[], &capabilities),
                !wanted.is_empty() && wanted.is_subset(&used)
            );
        }
    }

    #[test]
    fn a_command_is_matched_by_its_path() {
        static OUTER: std::sync::LazyLock<CommandDescriptor> =
            std::sync::LazyLock::new(|| command("outer", &[]));
        let inner = CommandDescriptor {
            parent: Some(&OUTER),
            ..command("run", &[])
        };
        let run = command("run", &[]);
        assert!(is_extended_by(&inner, &[&run, &inner], &[]));
        assert!(!is_extended_by(&inner, &[&run], &[]));
        assert!(is_extended_by(&inner, &[&run], &["run"]));
    }
}
