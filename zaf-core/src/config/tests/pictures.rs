use super::{flag, store, toml, yaml};
use crate::config::{ConfigLayer, Priority, Problems, UnknownKeys, Value};

fn drawn(layers: Vec<ConfigLayer>) -> String {
    let mut store = store();
    for layer in layers {
        store.add(layer);
    }
    Problems::from_list(store.validate(UnknownKeys::Refuse))
        .unwrap()
        .draw(false)
}

#[test]
fn h9_h10_all_problems_of_all_layers_are_drawn() {
    let text = "# our tests\ntests.timeout: 5\nparallel.workers: \"many\"\nlog:\n  level: wran\nsuts.ids: [a, B]\n\
        reports.junti.file: out.xml\nsuts.a.ssh.prot: 5\n";
    let mut command_line = ConfigLayer::new(Priority::COMMAND_LINE, flag("--parallel-workers"));
    command_line.push(
        "parallel.workers",
        Value::Raw("-1".to_owned()),
        flag("--parallel-workers"),
    );
    insta::assert_snapshot!(drawn(vec![yaml(text).unwrap(), command_line]), @r#"
    error: option `tests.timeout` has the wrong type
      ╭▸ k2.yaml:2:16
      │
    2 │ tests.timeout: 5
      │                ━ expected a length of time with its unit, like `5s`
      │
      ├ a bare number has no unit: `5s`?
      ╰ set by the local file k2.yaml; the command line would win: --tests-timeout TIME

    error: option `parallel.workers` has the wrong type
      ╭▸ k2.yaml:3:19
      │
    3 │ parallel.workers: "many"
      │                   ━━━━━━ expected a whole number from 0
      │
      ╰ set by the local file k2.yaml; the command line would win: --parallel-workers N

    error: option `log.level` has a value that is not accepted
      ╭▸ k2.yaml:5:10
      │
    5 │   level: wran
      │          ━━━━ expected one of `debug`, `info`, `warn`
      │
      ├ did you mean `warn`?
      ╰ set by the local file k2.yaml; the command line would win: --log-level VALUE

    error: option `suts.ids` has a value that is not accepted
      ╭▸ k2.yaml:6:15
      │
    6 │ suts.ids: [a, B]
      │               ━ expected a name of lower-case letters and digits
      │
      ╰ set by the local file k2.yaml; the command line would win: --suts-ids NAME

    error: unknown key `reports.junti.file`
      ╭▸ k2.yaml:7:1
      │
    7 │ reports.junti.file: out.xml
      ╰╴━━━━━━━━━━━━━━━━━━ did you mean `reports.junit.file` (extension junit)?

    error: unknown key `suts.a.ssh.prot`
      ╭▸ k2.yaml:8:1
      │
    8 │ suts.a.ssh.prot: 5
      ╰╴━━━━━━━━━━━━━━━ did you mean `suts.a.ssh.port` (extension ssh)?

    error: option `parallel.workers` has a value that is not accepted
     │
     ├ expected a whole number from 0, found `-1`
     ╰ set by --parallel-workers on the command line

    7 problems in the configuration
    "#);
}

#[test]
fn toml_is_drawn_alike() {
    let text =
        "[reports]\njunti.file = \"x\"\n[output]\ndir = [1, 2]\n[tests]\ninclude = [\"a\", 5]\n";
    insta::assert_snapshot!(drawn(vec![toml(text).unwrap()]), @r#"
    error: unknown key `reports.junti.file`
      ╭▸ k2.toml:2:1
      │
    2 │ junti.file = "x"
      ╰╴━━━━━━━━━━ did you mean `reports.junit.file` (extension junit)?

    error: option `output.dir` has the wrong type
      ╭▸ k2.toml:4:7
      │
    4 │ dir = [1, 2]
      │       ━━━━━━ expected a path
      │
      ╰ set by the local file k2.toml; the command line would win: --output-dir PATH

    error: option `tests.include` has the wrong type
      ╭▸ k2.toml:6:17
      │
    6 │ include = ["a", 5]
      │                 ━ expected text
      │
      ├ put it in quotes to make it text
      ╰ set by the local file k2.toml; the command line would win: --tests-include VALUE

    3 problems in the configuration
    "#);
}

#[test]
fn h6_both_places_of_a_duplicate_are_drawn() {
    let problems = yaml("output.dir: a\n# between\noutput:\n  dir: b\n").unwrap_err();
    insta::assert_snapshot!(problems, @r#"
    error: key `output.dir` is set twice
      ╭▸ k2.yaml:4:3
      │
    4 │   dir: b
      │   ━━━ already set in line 1
      │
      ⸬  k2.yaml:1:1
      │
    1 │ output.dir: a
      ╰╴────────── first here

    1 problem in the configuration
    "#);
}

#[test]
fn references_are_drawn_where_they_stand() {
    let text = "reports.junit.file: ${output.dri}/x\noutput.dir: ${output.dir}\n";
    insta::assert_snapshot!(drawn(vec![yaml(text).unwrap()]), @r#"
    error: option `reports.junit.file` has a reference that cannot be replaced
      ╭▸ k2.yaml:1:21
      │
    1 │ reports.junit.file: ${output.dri}/x
      ╰╴                    ━━━━━━━━━━━━━━━ `${output.dri}` refers to nothing: did you mean `${output.dir}`?

    error: option `output.dir` has a reference that cannot be replaced
      ╭▸ k2.yaml:2:13
      │
    2 │ output.dir: ${output.dir}
      ╰╴            ━━━━━━━━━━━━━ the references go round in a circle: output.dir → output.dir

    2 problems in the configuration
    "#);
}

#[test]
fn unknown_keys_can_be_warnings_and_entities_that_nobody_named_are() {
    let mut store = store();
    store.add(yaml("suts.ids: [box]\nsuts.bxo.ip: x\ncolour: red\n").unwrap());
    let problems = store.validate(UnknownKeys::Warn);
    assert!(!crate::config::has_errors(&problems));
    insta::assert_snapshot!(Problems::from_list(problems).unwrap(), @r#"
    warning: `suts.bxo.ip` sets an option of `bxo`, which nobody named
      ╭▸ k2.yaml:2:1
      │
    2 │ suts.bxo.ip: x
      ╰╴━━━━━━━━━━━ `suts.ids` does not have `bxo`; did you mean `box`?

    warning: unknown key `colour`
      ╭▸ k2.yaml:3:1
      │
    3 │ colour: red
      ╰╴━━━━━━ no extension or command has an option of this name

    2 problems in the configuration
    "#);
}

#[test]
fn required_options_without_a_value_are_problems() {
    let store = store();
    let timeout = super::TIMEOUT.descriptor();
    let include = super::INCLUDE.descriptor();
    let workers = super::WORKERS.descriptor();
    let problems = store.missing([
        (&timeout, None, "command run"),
        (&include, None, "extension x"),
        (&workers, None, "y"),
    ]);
    insta::assert_snapshot!(Problems::from_list(problems).unwrap(), @r#"
    error: option `tests.timeout` has no value
     │
     ├ command run needs a length of time with its unit, like `5s`
     ╰ set it with --tests-timeout TIME, or in a file as `tests.timeout`

    error: option `tests.include` has no value
     │
     ├ extension x needs text
     ╰ set it with --tests-include VALUE, or in a file as `tests.include`

    2 problems in the configuration
    "#);
}

#[test]
fn long_lines_and_control_characters_do_not_spoil_the_picture() {
    let text = format!(
        "x: [{}, \u{7f}\"\\e[31m\", [1]]\n",
        vec!["1"; 5000].join(",")
    );
    let picture = yaml(&text).unwrap_err().draw(false);
    assert!(picture.len() < 2000, "{}", picture.len());
    assert!(!picture.contains(['\u{1b}', '\u{7f}']));
}

#[test]
fn many_problems_are_counted_and_not_all_drawn() {
    let lines: Vec<_> = (0..500)
        .map(|index| format!("unknown.{index}: 1"))
        .collect();
    let text = lines.join("\n");
    let picture = drawn(vec![yaml(&text).unwrap()]);
    assert!(picture.ends_with("500 problems in the configuration (450 more than shown)"));
    assert!(picture.len() < 20_000);
}
