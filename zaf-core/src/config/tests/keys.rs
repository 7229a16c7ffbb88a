use proptest::prelude::*;

use super::{OUTPUT_DIR, SUT_PORT, SUTS, store};
use crate::config::{
    ConfigError, ConfigStore, Key, OptionId, environment_name, flag_name, nearest, shown_key,
};
use crate::message::Entity;

#[test]
fn an_option_has_one_spelling_on_each_side() {
    let option = OUTPUT_DIR.descriptor();
    assert_eq!(flag_name(&option, None), "output-dir");
    assert_eq!(environment_name("ZK2", &option, None), "ZK2_OUTPUT_DIR");
    assert_eq!(Key::of(&option, None).as_str(), "output.dir");
}

#[test]
fn an_option_of_an_entity_has_the_entity_in_its_spellings() {
    let entity = Entity::from("box");
    let port = SUT_PORT.descriptor();
    assert_eq!(Key::of(&port, Some(&entity)).as_str(), "suts.box.ssh.port");
    assert_eq!(flag_name(&port, Some(&entity)), "suts-box@ssh-port");
    assert_eq!(flag_name(&port, None), "suts-<ids>@ssh-port");
    assert_eq!(
        environment_name("ZK2", &port, Some(&entity)),
        "ZK2_SUTS_BOX_SSH_PORT"
    );
    assert_eq!(shown_key(&port), "suts.<ids>.ssh.port");
    let store = store();
    let entity_of = |key: &str| {
        let found = store.lookup(&Key::fold(key));
        found.map(|(known, entity)| (known.option.key, entity))
    };
    assert_eq!(entity_of("suts-box_ip"), Some(("ip", Some(entity))));
    assert_eq!(entity_of("suts.ids"), Some(("suts.ids", None)));
    assert_eq!(entity_of("suts.a.b.ip"), None);
}

#[test]
fn an_entity_option_of_one_word_is_its_own_namespace() {
    static HOSTS: crate::config::OptionDescriptor = OptionId::entities("hosts").descriptor();
    let user = OptionId::text("user").at(&HOSTS).descriptor();
    let entity = Entity::from("a");
    assert_eq!(Key::of(&user, Some(&entity)).as_str(), "hosts.a.user");
    assert_eq!(flag_name(&user, Some(&entity)), "hosts-a@user");
}

#[test]
fn keys_lead_to_options_and_entities() {
    let store = store();
    let (known, entity) = store.lookup(&Key::fold("suts.box.ip")).unwrap();
    assert_eq!(
        (known.option.key, entity),
        ("ip", Some(Entity::from("box")))
    );
    let (known, entity) = store.lookup(&Key::fold("suts.ids")).unwrap();
    assert_eq!((known.option.key, entity), (SUTS.key(), None));
    assert!(store.lookup(&Key::fold("suts.Box.ip")).is_none());
}

#[test]
fn one_key_has_one_meaning() {
    let mut store = ConfigStore::new();
    store
        .define(&OptionId::count("a.b").describe("first").descriptor(), "x")
        .unwrap();
    store
        .define(&OptionId::count("a-b").describe("second").descriptor(), "y")
        .unwrap();
    store
        .define(&OptionId::count("a.b").descriptor(), "y")
        .unwrap();
    assert_eq!(
        store.options().next().unwrap().owners,
        ["x".into(), "y".into()]
    );
    let error = store
        .define(&OptionId::text("a.b").descriptor(), "z")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "option `a.b` is declared differently by `x` and `z`: Count and Text"
    );
    let error = store
        .define(&OptionId::count("a.b").default(1).descriptor(), "z")
        .unwrap_err();
    assert!(matches!(error, ConfigError::Conflict { .. }));
}

#[test]
fn declarations_that_contradict_themselves_are_refused() {
    static PLAIN: crate::config::OptionDescriptor = OptionId::text("plain").descriptor();
    let wrong = [
        OptionId::text("").descriptor(),
        OptionId::text("a..b").descriptor(),
        OptionId::text("Abc").descriptor(),
        OptionId::text("a b").descriptor(),
        OptionId::choice("c", &["x"]).default("y").descriptor(),
        OptionId::float("f").default(f64::NAN).descriptor(),
        OptionId::text("ip").at(&PLAIN).descriptor(),
    ];
    for option in wrong {
        let error = ConfigStore::new().define(&option, "x").unwrap_err();
        assert!(matches!(error, ConfigError::Declaration { .. }), "{error}");
    }
}

#[test]
fn the_nearest_word_is_near() {
    let words = ["reports.junit.file", "reports.junit", "output.dir"];
    assert_eq!(
        nearest("reports.junti.file", words),
        Some("reports.junit.file")
    );
    assert_eq!(nearest("outputdir", words), Some("output.dir"));
    assert_eq!(nearest("colour", words), None);
    assert_eq!(nearest(&"x".repeat(10_000), words), None);
}

proptest! {
    #[test]
    fn every_spelling_of_a_key_is_the_same_key(
        words in prop::collection::vec("[a-z0-9]{1,6}", 1..6),
        separators in prop::collection::vec("[._-]", 6),
    ) {
        let mut spelled = words[0].clone();
        for (word, separator) in words[1..].iter().zip(&separators) {
            spelled.push_str(separator);
            spelled.push_str(word);
        }
        let key = Key::fold(&spelled);
        prop_assert_eq!(key.as_str(), words.join("."));
        prop_assert_eq!(Key::fold(key.as_str()), key.clone());
        // To the command line and the environment and back.
        prop_assert_eq!(Key::fold(&words.join("-")), key.clone());
        prop_assert_eq!(Key::fold(&words.join("_").to_ascii_uppercase().to_ascii_lowercase()), key);
    }

    #[test]
    fn the_entity_of_a_key_is_found_again(entity in "[a-z0-9]{1,8}") {
        let entity = Entity::from(entity.as_str());
        let option = SUT_PORT.descriptor();
        let store = store();
        let found = store.lookup(&Key::of(&option, Some(&entity)));
        prop_assert_eq!(found.and_then(|(_, entity)| entity), Some(entity));
    }
}
