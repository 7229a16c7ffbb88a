//! Lines that are refused, and what is said about them.

use std::ffi::OsString;

use super::super::super::fixture::{configured, model, option};
use super::super::super::options::Owner;
use super::{arguments, ended, pairs, values};
use crate::application::ExitCode;
use crate::config::OptionId;

#[test]
fn h20_a_single_option_given_twice_is_refused() {
    for (line, first) in [
        (
            ["run", "--output-dir=a", "--output-dir=b"],
            "error: option `--output-dir` is given twice",
        ),
        (
            ["--output-dir=a", "run", "--output-dir=b"],
            "error: option `--output-dir` is given twice",
        ),
        (
            ["run", "--abort-on-fail", "--no-abort-on-fail"],
            "error: options `--abort-on-fail` and `--no-abort-on-fail` contradict each other",
        ),
    ] {
        let (code, text) = ended(&line);
        assert_eq!((code, text.lines().next()), (2, Some(first)));
    }
}

#[test]
fn h20_what_a_person_may_have_meant_is_said() {
    for (line, expected) in [
        (
            &["run", "--tests-include", "-x"][..],
            "error: unknown option `-x`\n  hint: a value that begins with `-` is joined: `--tests-include=-x`",
        ),
        (
            &["list", "--parallel-workers", "3"],
            "error: unknown option `--parallel-workers`\n  hint: it is an option of `run`",
        ),
        (
            &["run", "--workers", "3"],
            "error: unknown option `--workers`\n  hint: did you mean `--parallel-workers`?",
        ),
        (
            &["list", "extra"],
            "error: `demo list` has no place for the argument `extra`\n  hint: `demo list --help` shows what is accepted",
        ),
        (
            &["run", "--no-abort-on-fail=false"],
            "error: option `--no-abort-on-fail` takes no value\n  hint: `--abort-on-fail=true` and `--abort-on-fail=false` are accepted",
        ),
        (
            &["run", ""],
            "error: an argument is empty\n  hint: `demo run --help` shows what is accepted",
        ),
        (
            &["--bogus"],
            "error: unknown option `--bogus`\n  hint: `demo --help` shows what is accepted",
        ),
    ] {
        assert_eq!(ended(line), (2, expected.to_owned()));
    }
}

#[test]
fn h20_a_missing_or_empty_value_is_refused() {
    for line in [["run", "--output-dir"], ["run", "--output-dir="]] {
        let (code, text) = ended(&line);
        assert_eq!(code, 2, "{text}");
        assert!(
            text.contains("option `--output-dir` needs a value\n  hint: write `--output-dir PATH`"),
            "{text}"
        );
    }
}

#[test]
fn h20_an_unknown_option_is_refused_with_the_nearest_one() {
    for line in [["run", "--output-dri", "x"], ["--output-dri", "x", "run"]] {
        let (code, text) = ended(&line);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("`--output-dri`"), "{text}");
        assert!(text.contains("did you mean `--output-dir`?"), "{text}");
    }
}

#[test]
fn an_unknown_command_is_refused_with_the_nearest_one() {
    assert_eq!(
        ended(&["rnu"]),
        (
            2,
            "error: unknown command `rnu`\n  hint: did you mean `run`?".to_owned()
        )
    );
    assert_eq!(ended(&["addon", "crate"]).0, 2);
    assert!(ended(&["addon", "crate"]).1.contains("`create`"));
}

#[test]
fn a_missing_command_is_refused() {
    let (code, text) = ended(&[]);
    assert_eq!(code, 2);
    assert!(text.contains("a command is missing"), "{text}");
    assert_eq!(ended(&["addon"]).0, 2);
}

#[test]
fn m3_odd_arguments_are_refused_and_long_ones_read() {
    use std::os::unix::ffi::OsStringExt;
    let bad = || OsString::from_vec(b"\xff\xfe".to_vec());
    let option = OsString::from_vec(b"--output-dir=\xff".to_vec());
    for line in [
        vec!["run".into(), bad()],
        vec!["run".into(), "--".into(), bad()],
        vec!["run".into(), "--output-dir".into(), bad()],
        vec!["run".into(), option],
        vec![bad()],
    ] {
        let early = model().strict(&line).expect_err("not UTF-8");
        assert_eq!(early.code(), ExitCode::Usage, "{line:?}");
    }
    let long = "x".repeat(128 * 1024);
    assert_eq!(values(&["run", &long]), pairs(&[("run.paths", &long)]));
    let many: Vec<OsString> = std::iter::once("run".into())
        .chain((0..10_000).map(|number| OsString::from(number.to_string())))
        .collect();
    let selected = model().strict(&many).expect("many arguments");
    assert_eq!(selected.typed[0].values.len(), 10_000);
}

#[test]
fn h20_an_abbreviation_is_not_guessed_but_its_long_form_is_said() {
    for (line, hint) in [
        (
            &["run", "--output", "x"][..],
            "did you mean `--output-dir`?",
        ),
        (
            &["run", "--parallel=3"],
            "did you mean `--parallel-workers`?",
        ),
        (&["run", "--no-abort"], "did you mean `--no-abort-on-fail`?"),
    ] {
        let (code, text) = ended(line);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(hint), "{text}");
    }
    // Two begin like it: neither is meant more than the other.
    let mut two = model();
    let format = OptionId::text("output.form").optional();
    two.main.push(option(format, Owner::Application));
    let early = two.strict(&arguments(&["run", "--output", "x"]));
    let text = early.expect_err("no option").to_string();
    assert!(
        text.contains("`--output-dir`") && text.contains("`--output-form`"),
        "{text}"
    );
    assert_eq!(ended(&["ru"]).0, 2);
    assert_eq!(ended(&["addon", "crea"]).0, 2);
}

#[test]
fn h20_the_name_of_an_entity_is_corrected() {
    let model = configured();
    for (flag, hint) in [
        ("--boxes-lba@ip=1", "did you mean `--boxes-lab@ip`?"),
        ("--boxes-desk@pi=1", "did you mean `--boxes-desk@ip`?"),
        ("--boxes-attic@ip=1", "`boxes-ids` names `lab`, `desk`"),
    ] {
        let early = model
            .strict(&arguments(&["run", flag]))
            .expect_err("no entity");
        let text = anstream::adapter::strip_str(&early.to_string()).to_string();
        assert_eq!(early.code(), ExitCode::Usage);
        assert!(text.contains(hint), "{text}");
    }
}

#[test]
fn commands_below_a_command_are_asked_for_by_its_name() {
    for (line, expected) in [
        (
            &["addon"][..],
            "error: `addon` needs a command below it\n  hint: one of create; `demo addon --help` says what each does",
        ),
        (
            &["addon", "crate"],
            "error: `addon` has no command `crate`\n  hint: did you mean `create`?",
        ),
        (
            &["help", "addon", "crate"],
            "error: `addon` has no command `crate`\n  hint: did you mean `create`?",
        ),
        (
            &["addon", "something"],
            "error: `addon` has no command `something`\n  hint: `demo addon --help` lists the commands",
        ),
        // Whoever forgets the first word is told the whole path.
        (
            &["create"],
            "error: unknown command `create`\n  hint: did you mean `addon create`?",
        ),
        (
            &["addon", "rnu"],
            "error: `addon` has no command `rnu`\n  hint: did you mean `run`?",
        ),
    ] {
        assert_eq!(ended(line), (2, expected.to_owned()));
    }
}
