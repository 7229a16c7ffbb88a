use std::time::Duration;

use camino::Utf8PathBuf;
use proptest::prelude::*;

use super::*;
use crate::config::load::{self, Format};
use crate::config::{ConfigLayer, Document, TypedValue};

static IDS: OptionDescriptor = OptionId::<Vec<Entity>>::entities("suts.ids").descriptor();

fn declared() -> Vec<OptionDescriptor> {
    let double = |number: i64| Ok(number.wrapping_mul(2));
    vec![
        OptionId::text("a.text").descriptor(),
        OptionId::integer("a.integer")
            .transform(double)
            .descriptor(),
        OptionId::count("a.count").descriptor(),
        OptionId::float("a.float").descriptor(),
        OptionId::flag("a.flag").default(true).descriptor(),
        OptionId::duration("a.duration").descriptor(),
        OptionId::size("a.size").descriptor(),
        OptionId::path("a.path").descriptor(),
        OptionId::glob("a.glob").descriptor(),
        OptionId::choice("a.choice", &["on", "no", "null"]).descriptor(),
        OptionId::text("a.words")
            .default("d")
            .multiple()
            .descriptor(),
        IDS,
        OptionId::text("note").at(&IDS).descriptor(),
    ]
}

fn store_with(layers: impl IntoIterator<Item = ConfigLayer>) -> ConfigStore {
    let mut store = ConfigStore::new();
    for option in declared() {
        store.define(&option, "test").expect("a right declaration");
    }
    for layer in layers {
        store.add(layer);
    }
    store
}

/// Everything that can be read, of all options and entities.
fn read_all(store: &ConfigStore) -> Vec<(String, Option<TypedValue>)> {
    let mut all = Vec::new();
    for option in declared() {
        let entities = match option.at {
            None => vec![None],
            Some(at) => store
                .entities(at)
                .expect("entities")
                .into_iter()
                .map(Some)
                .collect(),
        };
        for entity in entities {
            let value = store.read(&option, entity.as_ref()).expect("a value");
            all.push((Key::of(&option, entity.as_ref()).to_string(), value));
        }
    }
    all
}

/// Texts with what makes trouble: quotes, references, line breaks, words that mean something.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        Just("${a.text}".to_owned()),
        Just("$${x}".to_owned()),
        Just("null".to_owned()),
        Just("0755".to_owned()),
        Just("a: b # c\n\n- d".to_owned()),
    ]
}

fn literally(text: &str) -> Value {
    Value::Text(text.replace("${", "$${"))
}

proptest! {
    #[test]
    fn h26_what_is_printed_as_yaml_or_json_gives_the_same_values_again(
        texts in proptest::collection::vec(text(), 4),
        words in proptest::collection::vec(text(), 0..4),
        operation in 0_usize..4,
        (integer, count, size) in (any::<i64>(), any::<u64>(), any::<u64>()),
        float in -1e300_f64..1e300,
        nanoseconds in 0..u64::MAX / 4,
        flag in any::<bool>(),
        choice in prop_oneof![Just("on"), Just("no"), Just("null")],
        path in "[ -~]{1,12}",
        given in proptest::collection::vec(any::<bool>(), 11),
        entities in proptest::collection::btree_set("[a-z0-9]{1,4}", 0..3),
    ) {
        let words: Vec<Value> = words.iter().map(|word| literally(word)).collect();
        let names = ["a.words", "a.words.append", "a.words.replace", "a.words.remove"];
        let path = Utf8PathBuf::from(path);
        let values: [(&str, Value); 11] = [
            ("a.text", literally(&texts[0])),
            ("a.integer", integer.into()),
            ("a.count", count.into()),
            ("a.float", float.into()),
            ("a.flag", flag.into()),
            ("a.duration", Duration::from_nanos(nanoseconds).into()),
            ("a.size", size.into()),
            ("a.path", literally(path.as_str())),
            ("a.glob", literally(&texts[1])),
            ("a.choice", choice.into()),
            (names[operation], Value::List(words)),
        ];
        let source = Source::Extension { name: "test".into() };
        let mut layer = ConfigLayer::new(Priority::APPLICATION, source);
        for ((key, value), _) in values.into_iter().zip(&given).filter(|(_, given)| **given) {
            layer = layer.with(key, value);
        }
        let names: Vec<Value> = entities.iter().map(|name| name.as_str().into()).collect();
        layer = layer.with("suts.ids", Value::List(names));
        for entity in &entities {
            layer = layer.with(&format!("suts.{entity}.note"), literally(&texts[2]));
        }
        let store = store_with([layer]);
        let held = effective(&store, &declared()).expect("values");
        let yaml = as_yaml(&store, &held);
        let json = as_json(&held).expect("JSON");
        for (format, printed) in [(Format::Yaml, yaml), (Format::Json, json)] {
            let document = Document::new("printed", printed.as_str());
            let again = load::text(document, format, Priority::LOCAL);
            let again = again.map_err(|problems| TestCaseError::fail(problems.to_string()))?;
            prop_assert_eq!(read_all(&store_with([again])), read_all(&store), "{}", printed);
        }
    }
}
