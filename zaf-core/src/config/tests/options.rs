//! What an option can be: its kinds, names, functions and users.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::{SUTS_DESCRIPTOR, store, yaml};
use crate::config::{
    ApplicationContext, ConfigError, ConfigStore, Key, OptionDescriptor, OptionId, Priority,
    Source, UnknownKeys,
};
use crate::message::Entity;

static POOLS: OptionDescriptor = OptionId::text("pools").multiple().descriptor();
const POOL: OptionId<String> = OptionId::choice_of("pool", &POOLS);

fn even(number: i64) -> Result<i64, String> {
    if number % 2 == 0 {
        Ok(number / 2)
    } else {
        Err("an even number".to_owned())
    }
}

const HALF: OptionId<i64> = OptionId::integer("half").transform(even);

fn with(options: &[OptionDescriptor], text: &str) -> ConfigStore {
    let mut store = store();
    for option in options {
        store.define(option, "test").unwrap();
    }
    store.add(yaml(text).unwrap());
    store
}

fn problems(store: &ConfigStore) -> Vec<String> {
    let problems = store.validate(UnknownKeys::Refuse);
    let shown = problems.iter().map(|problem| {
        let (_, line, column) = problem.position().unwrap();
        let details = problem.details().join("; ");
        format!(
            "{line}:{column} {}: {}; {details}",
            problem.title(),
            problem.label()
        )
    });
    shown.collect()
}

#[test]
fn a_choice_of_another_options_values_follows_that_option() {
    let options = [POOLS, POOL.descriptor()];
    let right = with(&options, "pools: [fast, slow]\npool: fast\n");
    assert_eq!(right.get(POOL).unwrap(), "fast");
    assert!(problems(&right).is_empty());
    let wrong = with(&options, "pools: [fast, slow]\npool: fats\n");
    assert_eq!(
        problems(&wrong),
        [
            "2:7 option `pool` has a value that is not accepted: expected one of `fast`, `slow` (the values of `pools`); \
          did you mean `fast`?; set by the local file k2.yaml; the command line would win: --pool VALUE"
        ]
    );
    let nothing = with(&options, "pool: fast\n");
    assert!(problems(&nothing)[0].contains("one of the values of `pools`, which has none"));
    assert_eq!(
        right.choices(POOL.descriptor().kind).unwrap().unwrap(),
        ["fast", "slow"]
    );
}

#[test]
fn a_choice_of_entities_and_of_several() {
    const BOXES: OptionId<Vec<String>> = OptionId::choice_of("boxes", &SUTS_DESCRIPTOR).multiple();
    let store = with(&[BOXES.descriptor()], "suts.ids: [a, b]\nboxes: [b, c]\n");
    assert_eq!(problems(&store).len(), 1);
    assert!(
        problems(&store)[0].starts_with("2:12 option `boxes`"),
        "{:?}",
        problems(&store)
    );
}

#[test]
fn f26_a_choice_cannot_follow_an_option_with_one_value() {
    static ONE: OptionDescriptor = OptionId::text("one").descriptor();
    let wrong = OptionId::choice_of("x", &ONE).descriptor();
    assert!(matches!(
        ConfigStore::new().define(&wrong, "test"),
        Err(ConfigError::Declaration { .. })
    ));
}

#[test]
fn f60_a_function_sees_the_value_after_references_and_never_nothing() {
    let options = [HALF.descriptor(), OptionId::text("n").descriptor()];
    let store = with(&options, "n: \"8\"\nhalf: ${n}\n");
    assert_eq!(store.get(HALF).unwrap(), 4);
    let nothing = with(&options, "half: ~\n");
    assert_eq!(nothing.view_all().get_optional(HALF).unwrap(), None);
}

#[test]
fn a_function_is_applied_once_to_each_value_and_its_refusal_has_the_place() {
    const HALVES: OptionId<Vec<i64>> = OptionId::integer("halves").transform(even).multiple();
    let store = with(&[HALVES.descriptor()], "halves: [8, 12]\n");
    assert_eq!(store.get(HALVES).unwrap(), [4, 6]);
    let view = store.view(&[HALVES.descriptor()], None);
    assert_eq!(view.get(HALVES).unwrap(), [4, 6]);
    let wrong = with(&[HALVES.descriptor()], "halves: [8, 7]\n");
    assert_eq!(
        problems(&wrong),
        [
            "1:13 option `halves` has a value that is not accepted: expected an even number; set by the local file k2.yaml; \
          the command line would win: --halves N"
        ]
    );
    let error = wrong.get(HALVES).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "expected an even number, found the number `7`");
}

#[test]
fn all_values_that_a_function_refuses_are_said_each_in_its_place() {
    const HALVES: OptionId<Vec<i64>> = OptionId::integer("halves").transform(even).multiple();
    let places: Vec<String> = problems(&with(&[HALVES.descriptor()], "halves: [5, 8, 7]\n"))
        .iter()
        .map(|problem| problem.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(places, ["1:10", "1:16"]);
}

#[test]
fn a_default_goes_through_the_function_too() {
    const QUARTER: OptionId<i64> = OptionId::integer("quarter").transform(even).default(10);
    let store = with(&[QUARTER.descriptor()], "");
    assert_eq!(store.get(QUARTER).unwrap(), 5);
}

#[test]
fn functions_exist_for_every_kind_that_is_not_a_yes_or_no() {
    const DIR: OptionId<Utf8PathBuf> =
        OptionId::path("dir").transform(|path| Ok(path.join("below")));
    const WAIT: OptionId<Duration> = OptionId::duration("wait").transform(|time| Ok(time * 2));
    const RATE: OptionId<f64> = OptionId::float("rate").transform(|rate| Ok(rate + 1.0));
    const SIZE: OptionId<u64> = OptionId::size("size").transform(|size| Ok(size + 1));
    const NAME: OptionId<String> = OptionId::text("name").transform(|name| Ok(name.to_lowercase()));
    let options = [
        DIR.descriptor(),
        WAIT.descriptor(),
        RATE.descriptor(),
        SIZE.descriptor(),
        NAME.descriptor(),
    ];
    let store = with(
        &options,
        "dir: a\nwait: 3s\nrate: 0.5\nsize: 1 KiB\nname: ABC\n",
    );
    assert!(problems(&store).is_empty());
    assert_eq!(store.get(DIR).unwrap(), "a/below");
    assert_eq!(store.get(WAIT).unwrap(), Duration::from_secs(6));
    assert!((store.get(RATE).unwrap() - 1.5).abs() < 1e-9);
    assert_eq!(store.get(SIZE).unwrap(), 1025);
    assert_eq!(store.get(NAME).unwrap(), "abc");
}

#[test]
fn lists_of_every_kind() {
    const SIZES: OptionId<Vec<u64>> = OptionId::size("sizes").multiple();
    const RATES: OptionId<Vec<f64>> = OptionId::float("rates").multiple();
    const WAITS: OptionId<Vec<Duration>> = OptionId::duration("waits").multiple();
    let options = [SIZES.descriptor(), RATES.descriptor(), WAITS.descriptor()];
    let store = with(
        &options,
        "sizes: [1, 2 KiB]\nrates: [1, 2.5]\nwaits: [1s, 2m]\n",
    );
    assert_eq!(store.get(SIZES).unwrap(), [1, 2048]);
    assert_eq!(store.get(RATES).unwrap(), [1.0, 2.5]);
    assert_eq!(
        store.get(WAITS).unwrap(),
        [Duration::from_secs(1), Duration::from_mins(2)]
    );
}

#[test]
fn another_name_is_the_same_option_from_every_source() {
    const NEW: OptionId<i64> = OptionId::integer("new.name").aliases(&["old_name", "n"]);
    let mut store = with(&[NEW.descriptor()], "old-name: 1\n");
    assert!(problems(&store).is_empty());
    assert_eq!(store.get(NEW).unwrap(), 1);
    let source = Source::Environment {
        name: "K2_N".into(),
    };
    store.add(crate::config::ConfigLayer::new(Priority::ENVIRONMENT, source).with("n", 2_i64));
    assert_eq!(store.get(NEW).unwrap(), 2);
    assert_eq!(store.explain(&Key::fold("old.name")).len(), 2);
    assert_eq!(
        store.lookup(&Key::fold("n")).unwrap().0.option,
        NEW.descriptor()
    );
    // Of equal priorities the later one wins, whatever it is called.
    store.add(yaml("new.name: 3\n").unwrap());
    store.add(yaml("n: 4\n").unwrap());
    let local: Vec<i64> = [4, 3, 1].into();
    let values: Vec<i64> = store
        .explain(&Key::fold("new.name"))
        .iter()
        .filter(|value| value.priority == Priority::LOCAL)
        .map(|value| value.value.print().parse().unwrap())
        .collect();
    assert_eq!(values, local);
}

#[test]
fn another_name_of_an_option_of_entities() {
    const SPEED: OptionId<u64> = OptionId::count("speed")
        .at(&SUTS_DESCRIPTOR)
        .aliases(&["baud"]);
    let store = with(
        &[SPEED.descriptor()],
        "suts.ids: [box]\nsuts.box.baud: 9600\n",
    );
    assert!(problems(&store).is_empty());
    let read = store.view_all().get_for(SPEED, &Entity::from("box"));
    assert_eq!(read.unwrap(), Some(9600));
}

#[test]
fn names_that_mean_two_options_are_refused() {
    let mut store = ConfigStore::new();
    let one = OptionId::text("one").aliases(&["both"]).descriptor();
    store.define(&one, "a").unwrap();
    store.define(&one, "b").unwrap();
    let refused = |option: OptionDescriptor| match store.clone().define(&option, "c") {
        Err(ConfigError::Declaration { reason, .. }) => reason,
        other => format!("{other:?}"),
    };
    assert_eq!(
        refused(OptionId::text("both").descriptor()),
        "`both` is a name of the option `one`"
    );
    assert_eq!(
        refused(OptionId::text("two").aliases(&["both"]).descriptor()),
        "`both` is a name of the option `one`"
    );
    assert_eq!(
        refused(OptionId::text("two").aliases(&["one"]).descriptor()),
        "`one` is a name of the option `one`"
    );
}

#[test]
fn one_option_has_the_same_other_names_whoever_declares_it() {
    let mut store = ConfigStore::new();
    let one = OptionId::text("one").descriptor();
    store.define(&one, "a").unwrap();
    for owner in ["a", "b"] {
        let two = OptionId::text("one").aliases(&["two"]).descriptor();
        let refused = store.clone().define(&two, owner);
        assert!(
            matches!(refused, Err(ConfigError::Conflict { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn f17_the_same_option_written_twice_is_one_option() {
    let mut store = ConfigStore::new();
    let first = OptionId::choice("x", &["a", "b"])
        .describe("One text.")
        .descriptor();
    let second = OptionId::choice("x", &["a", "b"])
        .describe("Another.")
        .descriptor();
    store.define(&first, "a").unwrap();
    store.define(&second, "b").unwrap();
    let owners: Vec<_> = store.options().map(|known| known.owners.len()).collect();
    assert_eq!(owners, [2]);
}

#[test]
fn an_option_is_for_the_applications_that_it_names() {
    use ApplicationContext::{Extendable, Internal, Standalone};
    let everybody = OptionId::flag("x").descriptor();
    let authors = OptionId::flag("y")
        .contexts(&[Internal, Extendable])
        .descriptor();
    for context in [Internal, Extendable, Standalone] {
        assert!(everybody.is_for(context));
        assert_eq!(authors.is_for(context), context != Standalone);
    }
}

#[test]
fn f26_an_entity_option_always_has_several_values_and_none_of_them_is_no_entity() {
    let ids = OptionId::<Vec<Entity>>::entities("boxes").descriptor();
    assert!(ids.multiple && ids.is_entity);
    let mut store = ConfigStore::new();
    store.define(&ids, "test").unwrap();
    assert_eq!(store.entities(&ids).unwrap(), []);
    store.add(yaml("boxes: one\n").unwrap());
    assert_eq!(store.entities(&ids).unwrap(), ["one".into()]);
}
