use proptest::prelude::*;

use super::{
    INCLUDE, LEVEL, OUTPUT_DIR, SUT_IP, SUT_PORT, SUTS, TIMEOUT, WORKERS, flag, store, yaml,
};
use crate::config::{
    ConfigError, ConfigLayer, ConfigStore, ConfigView, Key, OptionId, Outcome, Priority, Source,
    Value,
};
use crate::message::Entity;

fn layer(priority: Priority, key: &str, value: impl Into<Value>) -> ConfigLayer {
    ConfigLayer::new(
        priority,
        Source::Extension {
            name: "test".into(),
        },
    )
    .with(key, value)
}

#[test]
fn h18_every_order_of_layers_gives_what_the_table_says() {
    // All sequences of up to four layers over three priorities, each with a value or without one.
    let priorities = [
        Priority::SYSTEM,
        Priority::LOCAL,
        Priority::LOCAL.included(),
    ];
    let rank = |choice: usize| [0, 2, 1][choice];
    let mut sequences: Vec<Vec<(usize, bool)>> = vec![vec![]];
    for _ in 0..4 {
        let longer: Vec<_> = sequences
            .iter()
            .flat_map(|sequence| {
                (0..3).flat_map(move |choice| {
                    [true, false].map(|has_value| {
                        let mut longer = sequence.clone();
                        longer.push((choice, has_value));
                        longer
                    })
                })
            })
            .collect();
        sequences.extend(longer);
    }
    for sequence in sequences {
        let mut single = store();
        let mut multiple = store();
        for (index, (choice, has_value)) in sequence.iter().enumerate() {
            let priority = priorities[*choice];
            let number = i64::try_from(index).unwrap() + 10;
            let value = if *has_value {
                Value::from(number)
            } else {
                Value::Unset
            };
            single.add(layer(priority, "parallel.workers", value));
            let value = if *has_value {
                Value::from(number.to_string())
            } else {
                Value::Unset
            };
            multiple.add(layer(priority, "tests.include", value));
        }
        // Written down independently: the largest (priority, position) among those that have a value.
        let set = sequence
            .iter()
            .enumerate()
            .filter(|(_, (_, has_value))| *has_value);
        let winner = set
            .clone()
            .map(|(index, (choice, _))| (rank(*choice), index))
            .max();
        let expected = winner.map_or(1, |(_, index)| u64::try_from(index).unwrap() + 10);
        assert_eq!(single.get(WORKERS).unwrap(), expected, "{sequence:?}");

        let mut order: Vec<_> = set
            .map(|(index, (choice, _))| (rank(*choice), index))
            .collect();
        order.sort_by_key(|(rank, index)| (std::cmp::Reverse(*rank), *index));
        let expected: Vec<_> = order
            .iter()
            .map(|(_, index)| (index + 10).to_string())
            .collect();
        assert_eq!(multiple.get(INCLUDE).unwrap(), expected, "{sequence:?}");

        let explained = single.explain(&Key::fold("parallel.workers"));
        assert_eq!(
            explained
                .iter()
                .filter(|value| value.outcome == Outcome::Wins)
                .count(),
            1,
            "{sequence:?}"
        );
    }
}

#[test]
fn an_empty_list_is_a_value_and_elements_of_higher_layers_are_not_repeated() {
    const WORDS: OptionId<Vec<String>> = OptionId::text("words").default("d").multiple();
    let mut store = ConfigStore::new();
    store.define(&WORDS.descriptor(), "test").unwrap();
    assert_eq!(store.get(WORDS).unwrap(), ["d"]);
    let mut empty = store.clone();
    empty.add(layer(Priority::LOCAL, "words", Vec::<String>::new()));
    assert_eq!(empty.get(WORDS).unwrap(), Vec::<String>::new());
    store.add(layer(Priority::LOCAL, "words", vec!["a", "b", "b"]));
    store.add(layer(Priority::COMMAND_LINE, "words", vec!["c", "b"]));
    assert_eq!(store.get(WORDS).unwrap(), ["c", "b", "a"]);
}

#[test]
fn h11_a_key_without_a_value_lets_the_lower_priority_apply() {
    let mut store = store();
    store.add(layer(Priority::SYSTEM, "parallel.workers", 3_i64));
    store.add(yaml("parallel.workers: ~\n").unwrap());
    assert_eq!(store.get(WORKERS).unwrap(), 3);
}

#[test]
fn included_files_stay_in_the_class_of_the_file_that_includes_them() {
    let mut depth = Priority::ADDITIONAL;
    for _ in 0..100 {
        assert!(depth.included() < depth);
        depth = depth.included();
        assert!(depth > Priority::LOCAL);
    }
}

#[test]
fn explain_shows_every_value_with_its_origin() {
    let mut store = store();
    store.add(yaml("output.dir: a\n").unwrap());
    store.add(
        ConfigLayer::new(Priority::COMMAND_LINE, flag("--output-dir")).with("output-dir", "b"),
    );
    let explained: Vec<_> = store
        .explain(&Key::fold("output.dir"))
        .iter()
        .map(|value| {
            format!(
                "{} {} {} {:?}",
                value.priority,
                value.source,
                value.value.print(),
                value.outcome
            )
        })
        .collect();
    assert_eq!(
        explained,
        [
            "100 --output-dir b Wins",
            "30 k2.yaml:1:13 a Overridden",
            "0 extension output ./output Overridden"
        ]
    );
    assert_eq!(store.explain(&Key::fold("nobody.knows")), []);
}

#[test]
fn a_clone_of_the_store_and_a_view_are_snapshots() {
    let mut store = store();
    let (before, view) = (store.clone(), store.view_all());
    store.set(WORKERS, None, 7, Priority::FIXED, Source::Fixed);
    assert_eq!(before.get(WORKERS).unwrap(), 1);
    assert_eq!(view.get(WORKERS).unwrap(), 1);
    assert_eq!(store.get(WORKERS).unwrap(), 7);
}

fn with_entities() -> ConfigStore {
    let mut store = store();
    store.add(
        yaml("suts.ids: [a, b, a]\nsuts.a.ip: one\nsuts: {b: {ssh: {port: 2222}}}\n").unwrap(),
    );
    store
}

#[test]
fn a_view_bound_to_an_entity_sees_its_values() {
    let store = with_entities();
    assert_eq!(
        store.entities(&SUTS.descriptor()).unwrap(),
        [Entity::from("a"), Entity::from("b")]
    );
    let options = [
        SUTS.descriptor(),
        SUT_IP.descriptor(),
        SUT_PORT.descriptor(),
    ];
    let view = |name: &str| store.view(&options, Some((&SUTS.descriptor(), &Entity::from(name))));
    let (a, b): (ConfigView, ConfigView) = (view("a"), view("b"));
    assert_eq!(a.get(SUT_IP).unwrap(), "one");
    assert_eq!(a.get(SUT_PORT).unwrap(), 22);
    assert_eq!(b.get(SUT_PORT).unwrap(), 2222);
    assert_eq!(b.get(SUTS).unwrap(), [Entity::from("b")]);
    assert_eq!(
        b.get_for(SUT_IP, &Entity::from("a")).unwrap().as_deref(),
        Some("one")
    );
    let missing = b.get(SUT_IP).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "option `suts.<ids>.ip` has no value; set it with `--suts-b@ip`"
    );
    assert!(a.is_set(&SUT_IP.descriptor()));
    assert!(!b.is_set(&SUT_IP.descriptor()));
    let unbound = store.view(&options, None);
    assert!(
        unbound.is_set(&SUT_IP.descriptor()),
        "one of the entities has a value"
    );
    assert!(matches!(
        unbound.get(SUT_IP),
        Err(ConfigError::NoEntity { .. })
    ));
}

#[test]
fn a_view_has_only_what_was_asked_for() {
    let view = store().view(&[WORKERS.descriptor()], None);
    assert_eq!(view.get(WORKERS).unwrap(), 1);
    let error = view.get(OUTPUT_DIR).unwrap_err();
    assert_eq!(
        error.to_string(),
        "option `output.dir` is not in this view: list it under `config_options`"
    );
    assert!(!view.is_set(&OUTPUT_DIR.descriptor()));
}

#[test]
fn optional_values_may_be_missing_and_lists_may_be_empty() {
    let view = store().view_all();
    assert_eq!(view.get_optional(TIMEOUT).unwrap(), None);
    assert!(matches!(
        view.get(TIMEOUT),
        Err(ConfigError::Missing { .. })
    ));
    assert_eq!(view.get(INCLUDE).unwrap(), Vec::<String>::new());
    assert!(!view.is_set(&INCLUDE.descriptor()));
    assert!(view.is_set(&LEVEL.descriptor()), "a default counts");
}

#[test]
fn layers_can_be_prefixed_and_instructions_taken_out() {
    let mut layer = yaml("include.files: [x]\nip: one\n")
        .unwrap()
        .prefixed("suts.a");
    let taken = layer.extract(|entry| entry.key.as_str().ends_with(".include.files"));
    assert_eq!(taken.len(), 1);
    let mut store = with_entities();
    store.add(layer);
    assert_eq!(
        store
            .entries()
            .filter(|(key, _)| key.as_str() == "suts.a.ip")
            .count(),
        2
    );
}

proptest! {
    #[test]
    fn h18_the_winner_is_the_maximum_of_priority_and_position(
        layers in prop::collection::vec((0_u16..5, 0_u16..3), 1..30),
    ) {
        let mut store = store();
        let mut winner = None;
        for (index, (level, depth)) in layers.iter().enumerate() {
            let mut priority = Priority::new(*level * 10);
            for _ in 0..*depth {
                priority = priority.included();
            }
            let number = u64::try_from(index).unwrap();
            store.set(WORKERS, None, number, priority, Source::Fixed);
            winner = winner.max(Some((*level, u16::MAX - *depth, number)));
        }
        prop_assert_eq!(store.get(WORKERS).unwrap(), winner.unwrap().2);
    }
}
