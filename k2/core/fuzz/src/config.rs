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

static PLACES: OptionDescriptor = OptionId::text("places").multiple().descriptor();

fn short(text: String) -> Result<String, String> {
    if text.len() < 9 {
        Ok(text)
    } else {
        Err("a short text".to_owned())
    }
}

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
        OptionId::text("ip")
            .at(&IDS)
            .aliases(&["address"])
            .descriptor(),
        OptionId::text("b.words")
            .default("d")
            .multiple()
            .aliases(&["b"])
            .descriptor(),
        OptionId::secret("c.password").descriptor(),
        OptionId::choice_of("c.choice", &PLACES).descriptor(),
        OptionId::text("c.short").transform(short).descriptor(),
        PLACES,
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
    // What stands behind the key of a secret is not drawn, whatever the bytes are.
    let secrets = BTreeSet::from(["password".to_owned()]);
    let document = Document::new("dir/input", text).hiding(&secrets);
    let layer = match load::text(document, format, Priority::LOCAL) {
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

/// JSON.
pub fn json_to_store(data: &[u8]) {
    file_to_store(Format::Json, data);
}

/// Names: each line is a declaration (`key`, `key alias`, `key*` for several values), a value (`key=text`) or a variable
/// (`$NAME=text`). What can be declared can be found, and what can be found has one meaning.
pub fn option_names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut store = store();
    let mut layer = ConfigLayer::new(Priority::LOCAL, Source::Fixed);
    let mut variables = Vec::new();
    // What a declaration names lives for ever; so few of them, and short.
    for line in text.lines().take(8).filter(|line| line.len() < 40) {
        match line.split_once('=') {
            Some((name, value)) if name.starts_with('$') => {
                variables.push((name[1..].into(), value.into()));
            }
            Some((key, value)) => layer.push(key, value, Source::Fixed),
            None => declare(&mut store, line),
        }
    }
    let environment = load::environment("K2", variables, &store, &["K2_TRACE"]);
    let environment = environment.unwrap_or_else(|problems| {
        drop(problems.draw(false));
        ConfigLayer::new(Priority::ENVIRONMENT, Source::Fixed)
    });
    store.add(layer);
    store.add(environment);
    for known in store.options() {
        let entity = known.option.at.map(|_| Entity::from("a"));
        let key = Key::of(&known.option, entity.as_ref());
        let found = store.lookup(&key);
        let found = found
            .expect("invariant: what is declared is found")
            .0
            .option;
        // An option of exactly this name, its own or an alias, stands in front of that of an entity.
        let is_in_front = entity.is_some()
            && found.at.is_none()
            && std::iter::once(found.key)
                .chain(found.aliases.iter().copied())
                .any(|name| Key::fold(name) == key);
        assert!(
            found == known.option || is_in_front,
            "{found:?} for {known:?}"
        );
        drop(store.read(&known.option, entity.as_ref()));
    }
    drop(store.validate(UnknownKeys::Refuse));
    let keys: Vec<Key> = store.keys().cloned().collect();
    for key in keys {
        drop(store.explain(&key));
        drop(store.nearest_key(key.as_str()));
    }
}

fn declare(store: &mut ConfigStore, line: &str) {
    let (key, alias) = line.split_once(' ').unwrap_or((line, ""));
    let multiple = key.ends_with('*');
    let key: &'static str = key.trim_end_matches('*').to_owned().leak();
    let aliases: &'static [&'static str] = match alias {
        "" => &[],
        alias => vec![&*alias.to_owned().leak()].leak(),
    };
    let option = OptionId::text(key).aliases(aliases);
    let option = if multiple {
        option.multiple().descriptor()
    } else {
        option.descriptor()
    };
    if store.define(&option, "fuzz").is_ok() {
        for name in std::iter::once(key).chain(aliases.iter().copied()) {
            let found = store
                .lookup(&Key::fold(name))
                .expect("invariant: just declared");
            assert_eq!(Key::fold(found.0.option.key), Key::fold(key), "{name}");
        }
    }
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
