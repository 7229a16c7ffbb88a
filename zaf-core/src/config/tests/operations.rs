//! What sources do to the list of an option with several values.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{SUTS_DESCRIPTOR, yaml};
use crate::config::load::{self, environment};
use crate::config::{
    ConfigError, ConfigLayer, ConfigStore, Document, Key, Operation, OptionId, Outcome, Priority,
    Source, UnknownKeys, Value,
};

const WORDS: OptionId<Vec<String>> = OptionId::text("words").default("d").multiple();

fn words_store() -> ConfigStore {
    let mut store = ConfigStore::new();
    store.define(&WORDS.descriptor(), "test").unwrap();
    store
}

fn layer(priority: Priority, key: &str, value: &[&str]) -> ConfigLayer {
    let source = Source::Extension {
        name: "test".into(),
    };
    ConfigLayer::new(priority, source).with(key, value.to_vec())
}

fn read(layers: &[(Priority, &str, &[&str])]) -> Vec<String> {
    let mut store = words_store();
    for (priority, key, value) in layers {
        store.add(layer(*priority, key, value));
    }
    store.get(WORDS).unwrap()
}

#[test]
fn f18_values_can_be_replaced_and_removed_not_only_added() {
    let (low, high) = (Priority::SYSTEM, Priority::COMMAND_LINE);
    for (above, expected) in [
        ("words", &["x", "a", "b"][..]),
        ("words.append", &["x", "a", "b"]),
        ("words.replace", &["x"]),
    ] {
        assert_eq!(
            read(&[(low, "words", &["a", "b"]), (high, above, &["x"])]),
            expected,
            "{above}"
        );
    }
    assert_eq!(
        read(&[
            (low, "words", &["a", "b"]),
            (high, "words.remove", &["a", "z"])
        ]),
        ["b"]
    );
    // Against the order of priorities nothing happens: a file cannot take away what the command line says.
    assert_eq!(
        read(&[(high, "words", &["a"]), (low, "words.remove", &["a"])]),
        ["a"]
    );
    assert_eq!(
        read(&[(high, "words", &["a"]), (low, "words.replace", &["b"])]),
        ["a", "b"]
    );
}

#[test]
fn the_default_stays_if_it_is_only_added_to_or_taken_from() {
    let local = Priority::LOCAL;
    assert_eq!(read(&[]), ["d"]);
    assert_eq!(read(&[(local, "words", &["x"])]), ["x"]);
    assert_eq!(read(&[(local, "words.append", &["x"])]), ["x", "d"]);
    assert_eq!(read(&[(local, "words.replace", &[])]), Vec::<String>::new());
    assert_eq!(
        read(&[(local, "words.remove", &["d"])]),
        Vec::<String>::new()
    );
}

#[test]
fn of_equal_priorities_the_later_acts_on_the_earlier_and_one_file_never_on_itself() {
    let local = Priority::LOCAL;
    assert_eq!(
        read(&[(local, "words", &["a"]), (local, "words.remove", &["a"])]),
        Vec::<String>::new()
    );
    assert_eq!(
        read(&[(local, "words.remove", &["a"]), (local, "words", &["a"])]),
        ["a"]
    );
    let mut store = words_store();
    store.add(yaml("words:\n  append: [a]\n  remove: [a, d]\n").unwrap());
    assert_eq!(store.get(WORDS).unwrap(), ["a"]);
    let mut store = words_store();
    store.add(layer(local, "words", &["old"]));
    store.add(yaml("words.remove: [x]\nwords.replace: [x]\nwords.append: [y]\n").unwrap());
    assert_eq!(store.get(WORDS).unwrap(), ["x", "y"]);
}

#[test]
fn every_source_has_its_spelling() {
    let mut store = words_store();
    for text in [
        "words.replace: [a]",
        "words-replace: [a]",
        "words:\n  replace: a",
    ] {
        let mut store = store.clone();
        store.add(yaml(text).unwrap());
        assert!(store.validate(UnknownKeys::Refuse).is_empty(), "{text}");
        assert_eq!(store.get(WORDS).unwrap(), ["a"], "{text}");
    }
    let variables = [("K2_WORDS_REMOVE", "d 'e f'"), ("K2_WORDS_APPEND", "x")];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let layer = environment("K2", variables, &store, &[]).unwrap();
    assert!(layer.warnings().is_empty());
    store.add(layer);
    assert_eq!(store.get(WORDS).unwrap(), ["x"]);
}

#[test]
fn what_each_value_does_is_explained() {
    let mut store = words_store();
    store.add(layer(Priority::SYSTEM, "words", &["a"]));
    store.add(layer(Priority::LOCAL, "words.replace", &["b", "c"]));
    store.add(layer(Priority::COMMAND_LINE, "words.remove", &["c"]));
    let explained: Vec<_> = store
        .explain(&Key::fold("words"))
        .into_iter()
        .map(|value| (value.priority.level(), value.operation, value.outcome))
        .collect();
    assert_eq!(
        explained,
        [
            (100, Operation::Remove, Outcome::Removes),
            (30, Operation::Replace, Outcome::Adds),
            (10, Operation::Add, Outcome::Overridden),
            (0, Operation::Add, Outcome::Overridden),
        ]
    );
    assert_eq!(
        store.explain(&Key::fold("words.remove")),
        store.explain(&Key::fold("words"))
    );
    assert_eq!(store.get(WORDS).unwrap(), ["b"]);
}

#[test]
fn references_see_the_same_list() {
    const TEXT: OptionId<String> = OptionId::text("text");
    let mut store = words_store();
    store.define(&TEXT.descriptor(), "test").unwrap();
    store.add(layer(Priority::SYSTEM, "words", &["a", "b"]));
    store.add(layer(Priority::LOCAL, "words.remove", &["a"]));
    store.add(layer(Priority::LOCAL, "text", &[]).with("text", "${words}"));
    assert_eq!(store.get(WORDS).unwrap(), ["b"]);
    assert_eq!(store.get(TEXT).unwrap(), "b");
}

#[test]
fn an_option_cannot_have_the_name_of_an_instruction() {
    let declared = |first: &str, second: &'static str| {
        let mut store = ConfigStore::new();
        let words = OptionId::text("words").multiple().descriptor();
        let other = OptionId::text("words.remove").descriptor();
        let (one, two) = match first {
            "words" => (words, other),
            _ => (other, words),
        };
        store.define(&one, "a").unwrap();
        match store.define(&two, second) {
            Err(ConfigError::Declaration { reason, .. }) => reason,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(
        declared("words", "b"),
        "`words.remove` already means to remove values of the option `words`"
    );
    assert_eq!(
        declared("words.remove", "b"),
        "it has several values, and the option `words.remove` has the name that changes them"
    );
    // Of an option with one value they are unknown keys.
    let mut store = ConfigStore::new();
    store
        .define(&OptionId::text("word").descriptor(), "a")
        .unwrap();
    store.add(yaml("word.replace: x\n").unwrap());
    assert_eq!(
        store.validate(UnknownKeys::Refuse)[0].title(),
        "unknown key `word.replace`"
    );
}

#[test]
fn options_of_entities_have_instructions_too() {
    const ROUTES: OptionId<Vec<String>> = OptionId::text("routes").at(&SUTS_DESCRIPTOR).multiple();
    let mut store = super::store();
    store.define(&ROUTES.descriptor(), "test").unwrap();
    store.add(yaml("suts.ids: [box]\nsuts.box.routes: [a, b]\n").unwrap());
    store.add(
        load::text(
            Document::new(
                "k2.json",
                "{\"suts\": {\"box\": {\"routes\": {\"remove\": [\"a\"]}}}}",
            ),
            load::Format::Json,
            Priority::EXPLICIT,
        )
        .unwrap(),
    );
    assert!(store.validate(UnknownKeys::Refuse).is_empty());
    let view = store.view_all();
    let routes = view.get_for(ROUTES, &"box".into()).unwrap();
    assert_eq!(routes.unwrap(), ["b"]);
}

/// The merge in its simplest form: from what counts least to what counts most.
fn naive(layers: &[(usize, usize, BTreeSet<u8>)]) -> BTreeSet<String> {
    let mut sorted: Vec<_> = layers.iter().enumerate().collect();
    sorted.sort_by_key(|(index, (priority, ..))| (*priority, *index));
    let mut list: BTreeSet<String> = BTreeSet::from(["d".to_owned()]);
    let mut has_default = true;
    for (_, (_, operation, items)) in sorted {
        let items: BTreeSet<String> = items.iter().map(u8::to_string).collect();
        if has_default && matches!(operation, 0 | 2) {
            list.remove("d");
            has_default = false;
        }
        match operation {
            0 | 1 => list.extend(items),
            2 => list = items,
            _ => list.retain(|item| !items.contains(item)),
        }
    }
    list
}

proptest! {
    #[test]
    fn any_sequence_of_instructions_gives_what_the_naive_way_gives(
        layers in proptest::collection::vec(
            (0_usize..3, 0_usize..4, proptest::collection::btree_set(0_u8..4, 0..3)),
            0..6,
        ),
    ) {
        let keys = ["words", "words.append", "words.replace", "words.remove"];
        let priorities = [Priority::SYSTEM, Priority::LOCAL, Priority::COMMAND_LINE];
        let mut store = words_store();
        for (priority, operation, items) in &layers {
            let items: Vec<Value> = items.iter().map(|item| item.to_string().into()).collect();
            let source = Source::Extension { name: "test".into() };
            let layer = ConfigLayer::new(priorities[*priority], source);
            store.add(layer.with(keys[*operation], Value::List(items)));
        }
        let read: BTreeSet<String> = store.get(WORDS).unwrap().into_iter().collect();
        prop_assert_eq!(read, naive(&layers));
    }
}
