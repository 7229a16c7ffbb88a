//! Commands with every key and with every return type.

use zaf_core::prelude::*;

const VALUE: OptionId<i64> = OptionId::integer("command.value");

/// Runs everything.
///
/// In detail.
#[command(name = "everything", uses = ["a", "b"], config_options = [VALUE.optional()], hidden)]
pub(crate) fn everything(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::NothingToRun)
}

#[command(name = "part", parent = EVERYTHING_COMMAND)]
fn part(_cx: &CommandContext<'_>) {}

#[command(name = "other-part", parent = EVERYTHING_COMMAND, hidden = false)]
fn other_part(_cx: &CommandContext<'_>) -> std::io::Result<()> {
    Ok(())
}

#[test]
fn every_key_is_in_the_constant() {
    assert_eq!(EVERYTHING_COMMAND.name, "everything");
    assert_eq!(
        EVERYTHING_COMMAND.description,
        "Runs everything.\n\nIn detail."
    );
    assert_eq!(EVERYTHING_COMMAND.uses, ["a", "b"]);
    assert_eq!(
        EVERYTHING_COMMAND.config_options[0].option.key,
        "command.value"
    );
    assert!(EVERYTHING_COMMAND.hidden);
    assert!(EVERYTHING_COMMAND.parent.is_none());
    assert!(EVERYTHING_COMMAND.file.ends_with("command/pass/mod.rs"));
}

#[test]
fn a_part_knows_its_parent() {
    assert_eq!(PART_COMMAND.parent, Some(&EVERYTHING_COMMAND));
    assert_eq!(OTHER_PART_COMMAND.name, "other-part");
    assert!(!OTHER_PART_COMMAND.hidden);
}
