use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{JUNIT_FILE, OUTPUT_DIR, WORKERS, store, yaml};
use crate::config::{
    ConfigError, ConfigLayer, ConfigStore, OptionId, Priority, ReferenceError, Source, UnknownKeys,
};

const A: OptionId<String> = OptionId::text("a");

fn with(texts: &[(&str, &str)]) -> ConfigStore {
    let mut store = store();
    store.define(&A.descriptor(), "test").unwrap();
    let mut layer = ConfigLayer::new(Priority::LOCAL, Source::Fixed);
    for (key, text) in texts {
        layer.push(key, *text, Source::Fixed);
    }
    store.add(layer);
    store
}

fn error(store: &ConfigStore) -> ReferenceError {
    match store.get(A).unwrap_err() {
        ConfigError::Reference { error, .. } => error,
        other => panic!("{other}"),
    }
}

#[test]
fn h17_f21_all_references_of_a_text_are_replaced() {
    let store = with(&[
        ("a", "${b}/${c.d}/${b}-${parallel-workers}"),
        ("b", "x"),
        ("c.d", "${b}y"),
    ]);
    assert_eq!(store.get(A).unwrap(), "x/xy/x-1");
}

#[test]
fn h17_an_escaped_reference_stays() {
    let store = with(&[("a", "$${b} $ $$ {b} ${b}"), ("b", "$${c}")]);
    assert_eq!(store.get(A).unwrap(), "${b} $ $$ {b} ${c}");
}

#[test]
fn h17_unknown_and_unset_references_say_so() {
    let store = with(&[("a", "${output.dri}")]);
    assert_eq!(
        error(&store).to_string(),
        "`${output.dri}` refers to nothing: did you mean `${output.dir}`?"
    );
    let store = with(&[("a", "${tests.timeout}")]);
    assert_eq!(
        error(&store),
        ReferenceError::Unset {
            name: "tests.timeout".to_owned()
        }
    );
    for malformed in ["${", "x${}", "${a b}", "${${b}}", "${ü}"] {
        let store = with(&[("a", malformed)]);
        assert!(
            matches!(error(&store), ReferenceError::Malformed { .. }),
            "{malformed}"
        );
    }
}

#[test]
fn h17_f20_circles_are_shown_as_a_path() {
    let store = with(&[("a", "${b}"), ("b", "1 ${c}"), ("c", "${b}")]);
    assert_eq!(
        error(&store).to_string(),
        "the references go round in a circle: b → c → b"
    );
    let store = with(&[("a", "x${a}")]);
    assert_eq!(
        error(&store).to_string(),
        "the references go round in a circle: a → a"
    );
}

#[test]
fn h17_long_chains_need_no_stack_and_doubling_is_bounded() {
    let mut chain = "a: ${k0}\n".to_owned();
    for index in 0..20_000 {
        writeln!(chain, "k{index}: ${{k{}}}", index + 1).unwrap();
    }
    chain.push_str("k20000: end\n");
    let mut store = store();
    store.define(&A.descriptor(), "test").unwrap();
    store.add(yaml(&chain).unwrap());
    assert_eq!(store.get(A).unwrap(), "end");

    let mut doubling = vec![("a".to_owned(), "${k0}".to_owned())];
    for index in 0..60 {
        doubling.push((
            format!("k{index}"),
            format!("${{k{0}}}${{k{0}}}", index + 1),
        ));
    }
    doubling.push(("k60".to_owned(), String::new()));
    let pairs = |end: &str| {
        let mut all = doubling.clone();
        all.last_mut().unwrap().1 = end.to_owned();
        let all: Vec<_> = all
            .iter()
            .map(|(key, text)| (key.as_str(), text.as_str()))
            .collect();
        with(&all)
    };
    assert_eq!(pairs("").get(A).unwrap(), "");
    assert!(matches!(error(&pairs("x")), ReferenceError::TooLong { .. }));
}

#[test]
fn validating_many_references_to_one_chain_is_quick() {
    let mut text = "k0: x\n".to_owned();
    for index in 1..20_000 {
        writeln!(text, "k{index}: ${{k{}}}", index - 1).unwrap();
    }
    let mut store = ConfigStore::new();
    for key in ["k19999", "k19998"] {
        store
            .define(&OptionId::text(key).descriptor(), "test")
            .unwrap();
    }
    store.add(yaml(&text).unwrap());
    let problems = store.validate(UnknownKeys::Warn);
    assert_eq!(
        problems.len(),
        19_998,
        "the two known ones are right, the others unknown"
    );
}

#[test]
fn a_reference_gives_a_number_to_an_option_that_is_one() {
    let mut store = store();
    store.add(yaml("parallel.workers: ${n}\nn: 4\noutput.dir: ${reports.junit.file}/x\nreports.junit.file: f\n").unwrap());
    assert_eq!(store.get(WORKERS).unwrap(), 4);
    assert_eq!(store.get(OUTPUT_DIR).unwrap(), "f/x");
}

#[test]
fn the_default_of_an_option_can_be_referred_to() {
    let store = with(&[("reports.junit.file", "${output.dir}/junit.xml")]);
    assert_eq!(store.get(JUNIT_FILE).unwrap(), "./output/junit.xml");
}

#[test]
fn relative_paths_start_at_their_file_and_stay_right_when_referred_to() {
    use crate::config::{Document, load};
    let mut store = store();
    let text = "output.dir: build\nreports.junit.file: ${output.dir}/j.xml\n";
    let document = Document::new("conf/k2.yaml", text);
    store.add(load::text(document, load::Format::Yaml, Priority::LOCAL).unwrap());
    assert_eq!(store.get(OUTPUT_DIR).unwrap(), "conf/build");
    assert_eq!(store.get(JUNIT_FILE).unwrap(), "conf/build/j.xml");
}

/// What the texts of a few keys stand for, written the obvious way; none for a circle.
fn naive(texts: &BTreeMap<String, String>, text: &str, way: &mut Vec<String>) -> Option<String> {
    let Some(at) = text.find("${") else {
        return Some(text.to_owned());
    };
    if text[..at].ends_with('$') {
        return Some(format!(
            "{}${{{}",
            &text[..at - 1],
            naive(texts, &text[at + 2..], way)?
        ));
    }
    let end = at + text[at..].find('}').unwrap();
    let key = text[at + 2..end].to_owned();
    if way.contains(&key) {
        return None;
    }
    way.push(key.clone());
    let inner = naive(texts, &texts[&key], way)?;
    way.pop();
    Some(format!(
        "{}{inner}{}",
        &text[..at],
        naive(texts, &text[end + 1..], way)?
    ))
}

proptest! {
    #[test]
    fn h17_references_are_what_the_naive_way_says(
        parts in prop::collection::vec(prop::collection::vec(0_usize..12, 0..5), 6),
    ) {
        let keys = ["a", "b", "c", "d", "e", "f"];
        let pieces = ["${b}", "${c}", "${d}", "${e}", "${f}", "$${a}", "x", "$", "}", "-", "é", "/"];
        let texts: BTreeMap<String, String> = keys
            .iter()
            .zip(&parts)
            .map(|(key, parts)| ((*key).to_owned(), parts.iter().map(|part| pieces[*part]).collect()))
            .collect();
        // A `$` before a reference escapes it; both ways read it alike, so it is part of the test.
        let pairs: Vec<_> = texts.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        let store = with(&pairs);
        let expected = naive(&texts, &texts["a"], &mut vec!["a".to_owned()]);
        prop_assert_eq!(store.get(A).ok(), expected);
    }

    #[test]
    fn no_text_makes_references_panic(text in "[$${}ab.]{0,40}") {
        let store = with(&[("a", &text), ("b", "${a.b}"), ("a.b", "${b}$${")]);
        drop(store.get(A));
    }
}
