use super::super::fixture::{model, option};
use super::super::options::Owner;
use super::*;
use crate::config::OptionId;

#[path = "refusal_tests.rs"]
mod refusals;

fn arguments(line: &[&str]) -> Vec<OsString> {
    line.iter().map(OsString::from).collect()
}

fn strict(line: &[&str]) -> Result<Selected, EarlyEnd> {
    model().strict(&arguments(line))
}

/// The text and code that a line ends with, without colours.
fn ended(line: &[&str]) -> (u8, String) {
    let early = strict(line).expect_err("the line cannot be run");
    let text = anstream::adapter::strip_str(&early.to_string()).to_string();
    (early.code().code(), text)
}

fn values(line: &[&str]) -> Vec<(String, String)> {
    strict(line)
        .expect("a line that can be run")
        .typed
        .into_iter()
        .map(|typed| (typed.key, typed.values.join(",")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn options_of_the_application_stand_before_and_after_the_command() {
    let expected = pairs(&[("output.dir", "x"), ("run.paths", "a,b")]);
    assert_eq!(values(&["--output-dir", "x", "run", "a", "b"]), expected);
    assert_eq!(values(&["run", "a", "-o", "x", "b"]), expected);
    assert_eq!(values(&["run", "a", "b", "--output-dir=x"]), expected);
}

#[test]
fn only_what_was_typed_has_a_value() {
    assert_eq!(values(&["run"]), []);
}

#[test]
fn flags_have_three_spellings() {
    let says = |value| pairs(&[("abort.on.fail", value)]);
    assert_eq!(values(&["run", "--abort-on-fail"]), says("true"));
    assert_eq!(values(&["run", "--no-abort-on-fail"]), says("false"));
    assert_eq!(values(&["run", "--abort-on-fail", "false"]), says("false"));
    assert_eq!(
        values(&["run", "--abort-on-fail", "suite"]),
        pairs(&[("abort.on.fail", "true"), ("run.paths", "suite")])
    );
}

#[test]
fn multiple_options_repeat_and_keep_their_order() {
    assert_eq!(
        values(&["--tests-include", "b", "run", "--tests-include=a"]),
        pairs(&[("tests.include", "b,a")])
    );
}

#[test]
fn whether_a_value_is_right_is_left_to_the_validation() {
    let line = ["run", "--log-level=loud", "--abort-on-fail=perhaps"];
    let expected = pairs(&[("log.level", "loud"), ("abort.on.fail", "perhaps")]);
    assert_eq!(values(&line), expected);
}

#[test]
fn the_letter_of_the_version_is_free_for_options() {
    assert_eq!(ended(&["-V"]), (0, "demo 1.2.3".to_owned()));
    assert_eq!(ended(&["run", "-V"]), (0, "demo 1.2.3".to_owned()));
    let verbose = OptionId::flag("verbose").short('V').optional();
    let mut model = model();
    model.main.push(option(verbose, Owner::Application));
    let selected = model.strict(&arguments(&["run", "-V"])).expect("a command");
    assert_eq!(selected.typed[0].key, "verbose");
}

#[test]
fn options_of_many_entities_are_one_line_of_the_help() {
    static ALL: crate::config::OptionDescriptor =
        OptionId::<Vec<crate::message::Entity>>::entities("box.all").descriptor();
    let address = OptionId::text("ip").at(&ALL).optional();
    for (count, expected) in [
        (0, "--box-NAME@ip"),
        (2, "--box-b1@ip"),
        (9, "--box-NAME@ip"),
    ] {
        let mut of_boxes = option(address, Owner::Application);
        of_boxes.entities = (0..count)
            .map(|number| crate::message::Entity::from(format!("b{number}").as_str()))
            .collect();
        let mut model = model();
        model.main.push(of_boxes);
        let help = model.help(None, Purpose::Help).to_string();
        let lines = help.lines().filter(|line| line.contains("--box-")).count();
        assert!(help.contains(expected), "{help}");
        assert_eq!(lines, if count == 2 { 2 } else { 1 }, "{help}");
    }
}

#[test]
fn c7_help_is_shown_in_spite_of_spellings_that_clash() {
    let mut model = model();
    let again = OptionId::flag("other").short('o').optional();
    let negated = OptionId::text("no.abort.on.fail").optional();
    let reserved = OptionId::text("help").short('h').optional();
    for clashing in [again, negated, reserved] {
        model.commands[3]
            .options
            .push(option(clashing, Owner::Command));
    }
    let early = model
        .strict(&arguments(&["run", "--help"]))
        .expect_err("help");
    assert_eq!(early.code(), ExitCode::Success);
    let early = model.strict(&arguments(&["run"])).expect_err("a conflict");
    assert_eq!(early.code(), ExitCode::Usage);
}

#[test]
fn a_negative_number_is_an_argument() {
    let selected = strict(&["run", "-1", "x"]).expect("a command");
    assert_eq!(selected.typed[0].values, ["-1", "x"]);
}

#[test]
fn f33_a_command_is_chosen_by_its_whole_path() {
    assert_eq!(
        strict(&["addon", "create"]).expect("a command").command,
        "addon create"
    );
}

#[test]
fn f45_help_and_version_words_are_options_only_where_options_stand() {
    assert_eq!(
        values(&["run", "--", "--help", "--version", "-h"]),
        pairs(&[("run.paths", "--help,--version,-h")])
    );
    assert_eq!(
        values(&["run", "--tests-include=--help"]),
        pairs(&[("tests.include", "--help")])
    );
    assert_eq!(values(&["run", "help"]), pairs(&[("run.paths", "help")]));
}

#[test]
fn help_and_version_are_shown_and_end_well() {
    assert_eq!(ended(&["--version"]), (0, "demo 1.2.3".to_owned()));
    let root = ended(&["--help"]);
    assert_eq!(root.0, 0);
    assert_eq!(ended(&["-h"]), root);
    assert_eq!(ended(&["help"]), root);
    let run = ended(&["run", "--help"]);
    assert_eq!(ended(&["help", "run"]), run);
    assert_eq!(ended(&["--help", "run", "--bogus"]), run);
    assert!(!run.1.contains("--deep-secret"), "{}", run.1);
    assert!(ended(&["run", "--full-help"]).1.contains("--deep-secret"));
    assert_eq!(ended(&["help", "rnu"]).0, 2);
}

#[test]
fn early_passes_find_values_among_unknown_options() {
    let model = model();
    let typed = model.lenient(&arguments(&[
        "--bogus",
        "run",
        "--ids",
        "sut1",
        "--output-dir",
        "x",
    ]));
    assert_eq!(typed.len(), 1);
    assert_eq!(typed[0].values, ["x"]);
}

proptest::proptest! {
    /// What a line means does not depend on options that it does not name.
    #[test]
    fn a_line_is_read_with_the_options_that_it_could_mean_as_with_all(
        line in proptest::collection::vec(
            proptest::sample::select(vec![
                "run", "list", "--output-dir", "--output-dir=x", "--output_dir=x", "-o", "-ox", "-h", "--abort-on-fail",
                "--no-abort-on-fail", "--no-no-abort", "--tests-include", "--tests-include-replace=a", "--tests-include-remove",
                "--log-level", "warn", "--", "-", "--deep-secret=s", "--parallel-workers", "-5", "x", "--no-", "--", "--=",
                "--suts-box@ip", "--suts-box@ip=1",
            ]),
            0..7,
        ),
    ) {
        let model = model();
        let line = arguments(&line);
        let (few, of_few) = model.common_on(&line);
        let (all, of_all) = model.common();
        let (few, all) = (scan(&line, &few), scan(&line, &all));
        proptest::prop_assert_eq!(words(&few), words(&all));
        proptest::prop_assert_eq!(typed(&few, &of_few), typed(&all, &of_all));
    }
}

#[test]
fn commands_win_over_topics_of_a_command_called_help() {
    let mut model = model();
    let topic = OptionId::text("help.topic").argument().optional();
    let mut help = model.commands.remove(2);
    help.path = "help".to_owned();
    help.options = vec![option(topic, Owner::Command)];
    model.commands.insert(2, help);
    let of = |line: &[&str]| model.strict(&arguments(line));
    for line in [
        &["help"][..],
        &["help", "run"],
        &["help", "addon", "create"],
    ] {
        let early = of(line).expect_err("help");
        assert_eq!(early.code(), ExitCode::Success, "{line:?}");
        assert!(early.to_string().contains("Usage:"), "{line:?}");
    }
    let topic = of(&["help", "verdicts"]).expect("the command `help`");
    assert_eq!(topic.command, "help");
    assert_eq!(topic.typed[0].values, ["verdicts"]);
}

#[test]
fn help_of_a_command_is_the_same_by_word_and_by_flag() {
    assert_eq!(
        ended(&["help", "addon", "create"]),
        ended(&["addon", "create", "--help"])
    );
    assert_eq!(
        ended(&["help", "run", "--full-help"]),
        ended(&["run", "--full-help"])
    );
}

#[test]
fn a_letter_that_commands_use_differently_means_what_the_command_says() {
    let mut model = model();
    let text = OptionId::text("name.of.it").short('n').optional();
    let flag = OptionId::flag("negate").short('n').optional();
    model.commands[2].options.push(option(text, Owner::Command));
    model.commands[3].options.push(option(flag, Owner::Command));
    let typed = |line: &[&str]| model.strict(&arguments(line)).expect("a command").typed;
    let list = typed(&["list", "-n", "x"]);
    assert_eq!((&*list[0].key, &*list[0].values[0]), ("name.of.it", "x"));
    let run = typed(&["run", "-n", "x"]);
    assert_eq!((&*run[0].key, &*run[0].values[0]), ("negate", "true"));
    assert_eq!((&*run[1].key, &*run[1].values[0]), ("run.paths", "x"));
    // Before the command is known, such a letter means nothing.
    assert_eq!(model.lenient(&arguments(&["run", "-n", "x"])), []);
}
