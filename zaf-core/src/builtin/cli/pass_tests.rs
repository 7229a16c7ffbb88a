//! The readings of one line agree: what an early one finds, the last one finds, too.

use std::collections::BTreeMap;
use std::ffi::OsString;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::fixture::{configured, option};
use super::line::Typed;
use super::model::Model;
use super::options::Owner;
use crate::config::OptionId;

/// All that there is, with letters that commands use differently.
fn whole() -> Model {
    let mut model = configured();
    let text = OptionId::text("name.of.it").short('n').optional();
    let flag = OptionId::flag("negate").short('n').optional();
    model.commands[2].options.push(option(text, Owner::Command));
    model.commands[3].options.push(option(flag, Owner::Command));
    let quiet = OptionId::flag("quiet").short('q').optional();
    model.main.push(option(quiet, Owner::Application));
    model
}

/// Pieces that lines are made of: right ones, and right ones in wrong places.
const PIECES: &[&str] = &[
    "run",
    "list",
    "addon",
    "create",
    "-n",
    "-nx",
    "-q",
    "-qn",
    "-qo",
    "-o",
    "-ox",
    "-o=x",
    "--output-dir",
    "--output-dir=x",
    "--log-level",
    "--log-level=info",
    "--quiet",
    "--no-quiet",
    "--quiet=false",
    "--tests-include",
    "--tests-include=a",
    "--tests-include=-b",
    "--abort-on-fail",
    "--no-abort-on-fail",
    "--boxes-lab@ip",
    "--boxes-lab@ip=1",
    "--boxes-desk@ip=2",
    "--boxes-ids=lab",
    "--parallel-workers",
    "--bogus",
    "--",
    "-",
    "-7",
    "x",
    "true",
    "false",
    "help",
];

fn lines() -> impl Strategy<Value = Vec<OsString>> {
    // Mostly lines that can be run: a command, and options that it has.
    let right = select(
        &[
            "-n",
            "-q",
            "-ox",
            "--output-dir=x",
            "--log-level=info",
            "--no-quiet",
            "--tests-include=a",
            "--tests-include=-b",
            "--no-abort-on-fail",
            "--boxes-lab@ip=1",
            "--boxes-ids=lab",
            "x",
            "-",
        ][..],
    );
    let any = select(PIECES);
    let command = select(&["run", "list", "addon create"][..]);
    let piece = prop_oneof![8 => right, 1 => any];
    let pieces = || prop::collection::vec(piece.clone(), 0..5);
    (pieces(), command, pieces()).prop_map(|(before, command, behind)| {
        before
            .into_iter()
            .chain(command.split(' '))
            .chain(behind)
            .map(OsString::from)
            .collect()
    })
}

fn by_key(typed: Vec<Typed>) -> BTreeMap<String, Vec<String>> {
    typed
        .into_iter()
        .map(|typed| (typed.key, typed.values))
        .collect()
}

/// What an early reading knows: some options of the application and no commands; a later one: all but some entities.
fn earlier(options: &[usize], entities: &[usize], knows_commands: bool) -> Model {
    let mut model = whole();
    if knows_commands {
        for option in &mut model.commands[3].options {
            let named = std::mem::take(&mut option.entities);
            option.entities = entities
                .iter()
                .filter_map(|index| named.get(*index).cloned())
                .collect();
        }
    } else {
        model.commands.clear();
        let all = std::mem::take(&mut model.main);
        model.main = options
            .iter()
            .filter_map(|index| all.get(*index).cloned())
            .collect();
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_early_reading_finds_only_what_the_last_one_finds(
        line in lines(),
        options in subsequence(vec![0, 1, 2], 0..=3),
        entities in subsequence(vec![0, 1], 0..=2),
        knows_commands in any::<bool>(),
    ) {
        if let Ok(selected) = whole().strict(&line) {
            let last = by_key(selected.typed);
            let early = earlier(&options, &entities, knows_commands);
            for (key, values) in by_key(early.lenient(&line)) {
                prop_assert_eq!(last.get(&key), Some(&values), "{} of {:?}", key, line);
            }
            // With everything known, only what needs the command is missing.
            let all = by_key(whole().lenient(&line));
            // A letter of the command hides those that it is clustered with.
            let is_clustered = line.iter().any(|word| word == "-qn");
            for (key, values) in &last {
                let needs_command = ["run.paths", "negate", "name.of.it"].contains(&&**key)
                    || (is_clustered && key == "quiet");
                prop_assert!(needs_command || all.get(key) == Some(values), "{} of {:?}", key, line);
            }
        }
    }

    #[test]
    fn no_line_makes_a_reading_panic(
        line in prop::collection::vec(select(PIECES).prop_map(OsString::from), 0..8),
    ) {
        drop(whole().lenient(&line));
        let early = whole().strict(&line);
        if let Err(early) = early {
            prop_assert!([0, 2].contains(&early.code().code()), "{early}");
        }
    }

    #[test]
    fn options_mean_the_same_before_and_behind_the_command(
        at in 0..3_usize,
        pieces in subsequence(
            vec!["--output-dir=x", "--log-level=info", "--no-quiet", "--tests-include=a", "--boxes-lab@ip=1"],
            0..=5,
        ),
    ) {
        let mut line: Vec<OsString> = pieces.iter().map(OsString::from).collect();
        let behind = line.split_off(at.min(line.len()));
        let moved: Vec<OsString> = line
            .iter()
            .cloned()
            .chain(["run".into()])
            .chain(behind.iter().cloned())
            .collect();
        let straight: Vec<OsString> = std::iter::once("run".into()).chain(line).chain(behind).collect();
        let of = |line: &[OsString]| whole().strict(line).map(|selected| by_key(selected.typed)).ok();
        prop_assert!(of(&straight).is_some());
        prop_assert_eq!(of(&moved), of(&straight));
    }
}
