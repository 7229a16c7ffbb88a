use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{INCLUDE, OUTPUT_DIR, SUT_IP, SUTS, WORKERS, store, yaml};
use crate::config::load::environment;
use crate::config::{ConfigLayer, Problems, UnknownKeys};
use crate::message::Entity;

fn read(variables: &[(&str, &str)]) -> Result<ConfigLayer, Problems> {
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    environment("ZK2", variables, &store(), &["ZK2_RUN"])
}

#[test]
fn variables_of_declared_options_are_values() {
    let mut store = store();
    store.add(yaml("parallel.workers: 2\nsuts.ids: [box]\n").unwrap());
    store.add(
        read(&[
            ("ZK2_OUTPUT_DIR", "/tmp/x"),
            ("ZK2_PARALLEL_WORKERS", "8"),
            ("ZK2_TESTS_INCLUDE", " a.* 'b c' \"\" d'e'f "),
            ("ZK2_SUTS_BOX_IP", "1.2.3.4"),
            ("ZK2_LOG_LEVEL", ""),
            ("ZK2X", "no"),
            ("OUTPUT_DIR", "no"),
        ])
        .unwrap(),
    );
    assert_eq!(store.get(OUTPUT_DIR).unwrap(), "/tmp/x");
    assert_eq!(store.get(WORKERS).unwrap(), 8);
    assert_eq!(store.get(INCLUDE).unwrap(), ["a.*", "b c", "", "def"]);
    let entity = Entity::from("box");
    let view = store.view(&[SUT_IP.descriptor()], Some((&SUTS.descriptor(), &entity)));
    assert_eq!(view.get(SUT_IP).unwrap(), "1.2.3.4");
    assert!(store.warnings().is_empty());
    assert!(store.validate(UnknownKeys::Refuse).is_empty());
}

#[test]
fn h19_unknown_variables_are_warnings_and_reserved_ones_are_left_alone() {
    let layer = read(&[
        ("ZK2_OUTPUT_DRI", "x"),
        ("ZK2_RUN", "7"),
        ("ZK2_output_dir", "x"),
    ])
    .unwrap();
    let warnings: Vec<_> = layer.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[0].contains("did you mean `ZK2_OUTPUT_DIR` (option `output.dir`)?"),
        "{}",
        warnings[0]
    );
    assert!(layer.entries().is_empty());
}

#[test]
fn h19_values_that_cannot_be_read_are_errors() {
    let bad = vec![
        (
            "ZK2_OUTPUT_DIR".into(),
            OsString::from_vec(vec![b'a', 0xff]),
        ),
        ("ZK2_TESTS_INCLUDE".into(), OsString::from("'a")),
        (
            OsString::from_vec(b"ZK2_\xff".to_vec()),
            OsString::from("x"),
        ),
    ];
    let problems = environment("ZK2", bad, &store(), &[]).unwrap_err();
    let titles: Vec<_> = problems
        .list()
        .iter()
        .map(|problem| (problem.title(), problem.details()[0].as_str()))
        .collect();
    assert_eq!(
        titles,
        [
            (
                "environment variable `ZK2_OUTPUT_DIR` cannot be read",
                "its value is not UTF-8"
            ),
            (
                "environment variable `ZK2_TESTS_INCLUDE` cannot be read",
                "a quote in it does not end"
            ),
        ]
    );
}

#[test]
fn h19_a_wrong_type_names_the_variable() {
    let mut store = store();
    store.add(read(&[("ZK2_PARALLEL_WORKERS", "many")]).unwrap());
    let problems = store.validate(UnknownKeys::Refuse);
    insta::assert_snapshot!(problems[0], @r#"
    error: option `parallel.workers` has the wrong type
     │
     ├ expected a whole number from 0, found `many`
     ╰ set by the environment variable ZK2_PARALLEL_WORKERS; the command line would win: --parallel-workers N
    "#);
}
