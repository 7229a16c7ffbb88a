use super::super::fixture::{configured, model};
use super::*;

/// The texts that are offered for the last word of a line, or `files`.
fn offered_by(model: &Model, line: &[&str]) -> Vec<String> {
    let arguments: Vec<OsString> = ["__complete", "zsh"]
        .iter()
        .chain(line)
        .map(OsString::from)
        .collect();
    let answer = Question::of(&arguments).expect("a question").answer(model);
    let mut lines = answer.lines();
    match lines.next() {
        Some("files") => vec!["files".to_owned()],
        Some("words") => lines
            .map(|line| line.split_once('\t').expect("a tab").0.to_owned())
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn offered(line: &[&str]) -> Vec<String> {
    offered_by(&configured(), line)
}

#[test]
fn commands_and_those_below_them_are_offered_by_name() {
    assert_eq!(offered(&[""]), ["addon", "list", "run", "help"]);
    assert_eq!(offered(&["ru"]), ["run"]);
    assert_eq!(offered(&["addon", ""]), ["create"]);
    assert_eq!(offered(&["--output-dir", "x", "l"]), ["list"]);
    assert_eq!(offered(&["help", ""]), ["addon", "list", "run"]);
    assert_eq!(offered(&["help", "addon", "c"]), ["create"]);
    assert_eq!(offered(&["rnu", ""]), [""; 0]);
}

#[test]
fn hidden_ones_are_offered_to_those_who_begin_to_type_them() {
    let mut model = model();
    model.commands[2].hidden = true;
    assert_eq!(offered_by(&model, &[""]), ["addon", "run", "help"]);
    assert_eq!(offered_by(&model, &["li"]), ["list"]);
    assert!(!offered(&["run", "--"]).contains(&"--deep-secret".to_owned()));
    assert_eq!(offered(&["run", "--deep"]), ["--deep-secret"]);
}

#[test]
fn options_are_those_of_the_command_and_of_the_application() {
    assert_eq!(offered(&["--log"]), ["--log-level"]);
    assert_eq!(offered(&["--abort"]), [""; 0]);
    assert_eq!(offered(&["run", "--abort"]), ["--abort-on-fail"]);
    assert_eq!(offered(&["list", "--abort"]), [""; 0]);
    assert_eq!(offered(&["run", "--ver"]), ["--version"]);
    // One that is there already is offered again only if it may be repeated.
    assert_eq!(
        offered(&["run", "--parallel-workers", "3", "--par"]),
        [""; 0]
    );
    assert_eq!(offered(&["run", "-o", "x", "--output"]), [""; 0]);
    assert_eq!(
        offered(&["run", "--tests-include", "a", "--tests"]),
        ["--tests-include"]
    );
    // Behind two dashes nothing is an option.
    assert_eq!(offered(&["run", "--", "--lo"]), ["files"]);
}

#[test]
fn flags_that_are_on_can_be_switched_off_and_all_by_those_who_ask() {
    let live = ["--reports-live", "--no-reports-live"];
    let of = |line: &[&str]| -> Vec<String> {
        let words = offered(line).into_iter();
        words.filter(|word| word.contains("-live")).collect()
    };
    assert_eq!(of(&["run", "--"]), live);
    assert!(!offered(&["run", "--"]).contains(&"--no-abort-on-fail".to_owned()));
    assert_eq!(offered(&["run", "--no-a"]), ["--no-abort-on-fail"]);
    assert_eq!(
        offered(&["run", "--abort-on-fail="]),
        ["--abort-on-fail=true", "--abort-on-fail=false"]
    );
    assert_eq!(offered(&["run", "--no-abort-on-fail="]), [""; 0]);
}

#[test]
fn options_of_entities_are_offered_for_each_entity_that_the_files_name() {
    assert_eq!(
        offered(&["run", "--boxes-"]),
        ["--boxes-ids", "--boxes-lab@ip", "--boxes-desk@ip"]
    );
    assert_eq!(offered(&["run", "--boxes-l"]), ["--boxes-lab@ip"]);
    assert_eq!(
        offered(&["run", "--boxes-lab@ip", "1.2.3.4", "--boxes-"]),
        ["--boxes-ids", "--boxes-desk@ip"]
    );
    // A box that has an address in a file may be named.
    assert_eq!(offered(&["run", "--boxes-ids", ""]), ["lab"]);
}

#[test]
fn values_are_offered_by_their_kind() {
    assert_eq!(offered(&["--log-level", ""]), ["warn", "info"]);
    assert_eq!(offered(&["run", "--log-level", "i"]), ["info"]);
    assert_eq!(offered(&["run", "--log-level=w"]), ["--log-level=warn"]);
    assert_eq!(offered(&["--output-dir", ""]), ["files"]);
    assert_eq!(offered(&["--output-dir="]), ["files"]);
    assert_eq!(offered(&["run", "-o", ""]), ["files"]);
    assert_eq!(offered(&["run", "--parallel-workers", ""]), [""; 0]);
    // An argument that may be repeated takes all that follows; a command without arguments takes nothing.
    assert_eq!(offered(&["run", "a", ""]), ["files"]);
    assert_eq!(offered(&["list", ""]), [""; 0]);
    // An option is offered where a value is missing, if one is begun.
    assert_eq!(offered(&["run", "--output-dir", "--log"]), ["--log-level"]);
}

#[test]
fn meanings_are_one_line() {
    let arguments = ["__complete", "fish", "ru"].map(OsString::from);
    let question = Question::of(&arguments).expect("a question");
    assert_eq!(question.answer(&model()), "words\nrun\tRuns tests\n");
    assert_eq!(one_line("a\tb\nc\u{1b}"), "a b c ");
}

#[test]
fn only_a_known_shell_asks() {
    for line in [
        &[][..],
        &["run"],
        &["__complete"],
        &["__complete", "tcsh", ""],
        &["run", "__complete", "bash"],
    ] {
        let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
        assert!(Question::of(&arguments).is_none(), "{line:?}");
    }
    let none = ["__complete", "bash"].map(OsString::from);
    assert!(Question::of(&none).is_some());
}
