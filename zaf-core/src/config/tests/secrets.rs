//! Secrets are never shown, wherever they are and whatever is wrong beside them.

use std::collections::BTreeSet;

use super::{SUTS_DESCRIPTOR, flag, store, yaml};
use crate::config::load::{Format, environment, text};
use crate::config::{
    ConfigLayer, ConfigStore, Document, Key, OptionId, Priority, Problem, SECRET_SHOWN, Secret,
    UnknownKeys, Value,
};

const PASSWORD: OptionId<Secret> = OptionId::secret("db.password");
const TOKENS: OptionId<Vec<Secret>> = OptionId::secret("db.tokens").multiple();
const SUT_KEY: OptionId<Secret> = OptionId::secret("key").at(&SUTS_DESCRIPTOR);
const URL: OptionId<String> = OptionId::text("db.url");
const DSN: OptionId<Secret> = OptionId::secret("db.dsn");
const PORT: OptionId<u64> = OptionId::count("db.port");

fn with(text: &str) -> ConfigStore {
    let mut store = store();
    for option in [
        PASSWORD.descriptor(),
        TOKENS.descriptor(),
        SUT_KEY.descriptor(),
        URL.descriptor(),
        DSN.descriptor(),
        PORT.descriptor(),
    ] {
        store.define(&option, "db").unwrap();
    }
    store.add(yaml(text).unwrap());
    store
}

fn drawn(store: &ConfigStore) -> String {
    let problems = store.validate(UnknownKeys::Refuse);
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn a_secret_is_read_and_never_shown() {
    let store = with("db.password: hunter2\ndb.tokens: [hunter2, hunter3]\n");
    assert_eq!(store.get(PASSWORD).unwrap().reveal(), "hunter2");
    let tokens = store.get(TOKENS).unwrap();
    assert_eq!(
        tokens.len(),
        2,
        "two secrets are not one because both are hidden"
    );
    let view = store.view_all();
    let descriptor = PASSWORD.descriptor();
    let shown = [
        format!("{:?}", store.explain(&Key::fold("db.password"))),
        format!("{:?}", store.explain(&Key::fold("db.tokens"))),
        format!("{store:?} {view:?} {tokens:?}"),
        format!("{:?}", view.value(&descriptor).unwrap()),
        format!("{:?}", store.read(&descriptor, None).unwrap()),
        format!("{:?}", yaml("db.password: hunter2").unwrap()),
    ];
    for shown in shown {
        assert!(!shown.contains("hunter"), "{shown}");
    }
    assert_eq!(
        store.explain(&Key::fold("db.password"))[0].value,
        Value::Raw(SECRET_SHOWN.to_owned())
    );
}

#[test]
fn errors_about_secrets_and_beside_them_do_not_show_them() {
    let store = with(
        "db: {password: [hunter2], port: many, url: \"${db.password}\", tokens: hunter2}\nsuts: {ids: [a], a: {key: hunter2, ip: 5}}\n",
    );
    let drawn = drawn(&store);
    for expected in [
        "option `db.password` has the wrong type",
        "option `db.port` has the wrong type",
        "option `db.url` has a reference",
        "option `suts.a.ip` has the wrong type",
        "is a secret, which only another secret can refer to",
    ] {
        assert!(drawn.contains(expected), "{expected} in\n{drawn}");
    }
    assert!(
        drawn.contains(SECRET_SHOWN) && !drawn.contains("hunter"),
        "{drawn}"
    );
}

#[test]
fn a_misspelled_secret_is_not_shown() {
    let drawn = drawn(&with("db.pasword: hunter2\n"));
    assert!(drawn.contains("did you mean `db.password`"), "{drawn}");
    assert!(!drawn.contains("hunter"), "{drawn}");
}

#[test]
fn a_broken_file_does_not_show_its_secrets() {
    let words = BTreeSet::from(["password".to_owned()]);
    for (format, content) in [
        (Format::Yaml, "db.password: \"hunter2\n"),
        (Format::Yaml, "db.password: hunter2\ndb.password: hunter3\n"),
        (Format::Yaml, "db: {password: hunter2, port: !!int 5}\n"),
        (Format::Toml, "db.password = hunter2\n"),
        (Format::Json, "{\"db\": {\"password\": hunter2}}"),
    ] {
        let document = Document::new("k2", content).hiding(&words);
        let problems = text(document, format, Priority::LOCAL).unwrap_err();
        let drawn = problems.to_string();
        assert!(!drawn.contains("hunter"), "{drawn}");
    }
}

#[test]
fn a_secret_can_hold_other_secrets_and_nobody_sees_what_is_wrong_in_it() {
    let store = with("db.password: hunter2\ndb.dsn: pg://me:${db.password}@host\n");
    assert_eq!(store.get(DSN).unwrap().reveal(), "pg://me:hunter2@host");
    let wrong = with("db.password: hun${ter2\ndb.dsn: a${hunter3}b\n");
    let drawn = drawn(&wrong);
    assert!(drawn.contains("in a text that is not shown"), "{drawn}");
    assert!(!drawn.contains("hun") || !drawn.contains("ter2"), "{drawn}");
    assert!(!drawn.contains("hunter3"), "{drawn}");
}

#[test]
fn a_secret_comes_from_a_file_beside_the_file_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let root = camino::Utf8Path::from_path(directory.path()).unwrap();
    std::fs::write(root.join("password"), "hunter2\r\n").unwrap();
    std::fs::write(root.join("empty"), "\n").unwrap();
    std::fs::write(root.join("large"), vec![b'x'; 70_000]).unwrap();
    let read = |written: &str| {
        let mut store = with("");
        let document = Document::new(root.join("k2.yaml"), format!("db.password: {written}\n"));
        store.add(text(document, Format::Yaml, Priority::LOCAL).unwrap());
        let problems = store.validate(UnknownKeys::Refuse);
        match store.get(PASSWORD) {
            Ok(secret) => Ok(secret.reveal().to_owned()),
            Err(_) => {
                Err(problems[0].label().to_owned() + "; " + &problems[0].details().join("; "))
            }
        }
    };
    assert_eq!(read("file:password"), Ok("hunter2".to_owned()));
    assert_eq!(read("text:file:password"), Ok("file:password".to_owned()));
    for wrong in ["missing", "empty", "large", ".", "/dev/zero"] {
        let refused = read(&format!("file:{wrong}")).unwrap_err();
        assert!(
            refused.starts_with("expected a file with a text of one line"),
            "{wrong}: {refused}"
        );
    }
}

#[test]
fn a_secret_comes_from_the_environment_and_not_from_the_command_line() {
    let mut store = with("");
    let variables = [("K2_DB_PASSWORD".into(), "hunter2".into())];
    store.add(environment("K2", variables, &store, &[]).unwrap());
    assert_eq!(store.get(PASSWORD).unwrap().reveal(), "hunter2");
    assert!(drawn(&store).is_empty());

    let typed = |text: &str| {
        let layer = ConfigLayer::new(Priority::COMMAND_LINE, flag("--db-password"));
        let mut store = with("");
        store.add(layer.with("db.password", Value::Raw(text.to_owned())));
        drawn(&store)
    };
    let refused = typed("hunter2");
    assert!(
        refused.contains("has a secret on the command line, where everybody can see it")
            && refused.contains("--db-password file:PATH"),
        "{refused}"
    );
    assert!(!refused.contains("hunter"), "{refused}");
    assert!(!typed("file:/dev/null").contains("where everybody"));
}

#[test]
fn a_secret_that_a_program_sets_is_read_as_the_same() {
    for secret in ["hunter2", "file:x", "text:y", "a${b}c"] {
        let mut store = with("");
        store.set(
            PASSWORD,
            None,
            Secret::new(secret),
            Priority::APPLICATION,
            crate::config::Source::Fixed,
        );
        assert_eq!(store.get(PASSWORD).unwrap().reveal(), secret);
    }
}
