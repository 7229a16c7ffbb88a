//! Configuration: files and references.

use std::collections::BTreeSet;

use zaf_core::config::load::{self, Format};
use zaf_core::config::{
    ConfigLayer, ConfigStore, Document, EXPANDED_LIMIT, Key, OptionDescriptor, OptionId, Priority,
    Problems, Source, UnknownKeys, Value,
};
use zaf_core::message::Entity;

const TEXT: OptionId<String> = OptionId::text("a.text");
const WORDS: OptionId<Vec<String>> = OptionId::text("a.words").multiple();
static IDS: OptionDescriptor = OptionId::<Vec<Entity>>::entities("suts.ids").descriptor();

/// One option of every kind.
fn store() -> ConfigStore {
    let options = [
        TEXT.descriptor(),
        WORDS.descriptor(),
        IDS,
        OptionId::integer("a.integer").default(1).descriptor(),
        OptionId::count("a.count").descriptor(),
        OptionId::float("a.float").descriptor(),
        OptionId::flag("a.flag").descriptor(),
        OptionId::duration("a.duration").descriptor(),
        OptionId::size("a.size").descriptor(),
        OptionId::path("a.path").default("x/y").descriptor(),
        OptionId::glob("a.glob").descriptor(),
        OptionId::choice("a.choice", &["one", "two"]).descriptor(),
        OptionId::text("ip").at(&IDS).descriptor(),
    ];
    let mut store = ConfigStore::new();
    for option in options {
        store
            .define(&option, "fuzz")
            .expect("invariant: the declarations above are right");
    }
    store
}

/// A file in a format: it becomes a layer or problems, both can be used, and what is printed is read back as the same.
fn file_to_store(format: Format, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let layer = match load::text(Document::new("dir/input", text), format, Priority::LOCAL) {
        Ok(layer) => layer,
        Err(problems) => {
            assert!(!problems.list().is_empty());
            drop(problems.draw(true));
            return;
        }
    };
    let mut keys = BTreeSet::new();
    for entry in layer.entries() {
        assert!(keys.insert(entry.key.clone()), "{} twice", entry.key);
        let place = entry
            .place
            .as_ref()
            .expect("invariant: entries of files have a place");
        let text = place.document.text();
        assert!(text.get(place.key.clone()).is_some() && text.get(place.value.clone()).is_some());
        if let Value::List(items) = &entry.value {
            assert_eq!(items.len(), place.items.len());
        }
        reads_back(&entry.value);
    }
    let mut store = store();
    store.add(layer);
    let keys: Vec<Key> = store.keys().cloned().collect();
    for key in keys {
        drop(store.explain(&key));
    }
    if let Some(problems) = Problems::from_list(store.validate(UnknownKeys::Refuse)) {
        drop(problems.draw(false));
    }
    for known in store.options() {
        drop(store.read(
            &known.option,
            known.option.at.map(|_| Entity::from("a")).as_ref(),
        ));
    }
}

fn reads_back(value: &Value) {
    if *value == Value::Unset || matches!(value, Value::Float(number) if number.is_nan()) {
        return;
    }
    let printed = format!("key: {}\n", value.print());
    let layer = load::text(
        Document::new("printed", printed.as_str()),
        Format::Yaml,
        Priority::LOCAL,
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let has_nan = |value: &Value| format!("{value:?}").contains("NaN");
    assert!(
        layer.entries()[0].value == *value || has_nan(value),
        "{printed}"
    );
}

/// YAML.
pub fn yaml_to_store(data: &[u8]) {
    file_to_store(Format::Yaml, data);
}

/// TOML.
pub fn toml_to_store(data: &[u8]) {
    file_to_store(Format::Toml, data);
}

/// References: each line is a key, `=` and a text.
pub fn references(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut layer = ConfigLayer::new(Priority::LOCAL, Source::Fixed);
    for line in text.lines() {
        let (key, text) = line.split_once('=').unwrap_or(("a.text", line));
        layer.push(key, text, Source::Fixed);
    }
    let mut store = store();
    store.add(layer);
    if let Ok(text) = store.get(TEXT) {
        assert!(text.len() <= EXPANDED_LIMIT);
    }
    drop(store.get(WORDS));
    drop(store.validate(UnknownKeys::Warn));
}
