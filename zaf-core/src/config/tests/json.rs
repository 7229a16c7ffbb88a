use proptest::prelude::*;

use super::{json, pairs, refused, yaml};
use crate::config::load::{DEPTH_LIMIT, NODE_LIMIT};
use crate::config::{Source, Value};

#[test]
fn nested_and_dotted_keys_are_one_and_every_value_has_its_place() {
    let layer = json(
        "{\n  \"reports\": {\"junit\": true, \"junit.file\": \"r.xml\"},\n  \"tests.include\": [\"a\", \"b\"],\n  \"n\": -3, \"f\": 1.5e3, \"u\": null\n}\n",
    )
    .unwrap();
    assert_eq!(
        pairs(&layer),
        [
            ("reports.junit".to_owned(), Value::Flag(true)),
            ("reports.junit.file".to_owned(), Value::from("r.xml")),
            ("tests.include".to_owned(), Value::from(vec!["a", "b"])),
            ("n".to_owned(), Value::Integer(-3)),
            ("f".to_owned(), Value::Float(1500.0)),
            ("u".to_owned(), Value::Unset),
        ]
    );
    let places: Vec<String> = layer
        .entries()
        .iter()
        .map(|entry| entry.source.to_string())
        .collect();
    assert_eq!(
        places,
        [
            "k2.json:2:24",
            "k2.json:2:44",
            "k2.json:3:20",
            "k2.json:4:8",
            "k2.json:4:17",
            "k2.json:4:29"
        ]
    );
    let items = layer.entries()[2].place.as_ref().unwrap().items.clone();
    assert_eq!(items.len(), 2);
    assert!(matches!(layer.source(), Source::File { line: 1, .. }));
}

#[test]
fn h2_h3_an_empty_file_is_empty_and_the_top_level_is_a_mapping() {
    assert_eq!(pairs(&json("").unwrap()), []);
    assert_eq!(pairs(&json(" \r\n{ }\n").unwrap()), []);
    assert_eq!(pairs(&json("\u{feff}{}").unwrap()), []);
    for text in ["[1]", "5", "\"a\"", "null"] {
        assert!(
            refused(json(text))[0].starts_with("1:1 the file is not a mapping"),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_json_is_refused_where_it_stands() {
    for (text, expected) in [
        (
            "{\"a\": 1,}",
            "1:9 the file is not JSON: JSON has no comma after the last element",
        ),
        (
            "{a: 1}",
            "1:2 the file is not JSON: expected a key in double quotes",
        ),
        ("{\"a\" 1}", "1:6 the file is not JSON: expected `:`"),
        (
            "{\"a\": 1 \"b\": 2}",
            "1:9 the file is not JSON: expected `,` or `}`",
        ),
        (
            "{\"a\": 'x'}",
            "1:7 the file is not JSON: expected a value; a text stands in double quotes",
        ),
        (
            "{\"a\": 01}",
            "1:7 the file is not JSON: expected a value; a text stands in double quotes",
        ),
        (
            "{\"a\": NaN}",
            "1:7 the file is not JSON: expected a value; a text stands in double quotes",
        ),
        (
            "{\"a\": \"x",
            "1:7 the file is not JSON: the closing `\"` is missing",
        ),
        (
            "{\"a\": \"\\x\"}",
            "1:8 the file is not JSON: unknown escape; `\\\\` is a backslash",
        ),
        (
            "{\"a\": \"\\ud800\"}",
            "1:8 the file is not JSON: expected the four hexadecimal digits of a character",
        ),
        (
            "{\"a\": \"\n\"}",
            "1:8 the file is not JSON: a line break or control character in a text; `\\n` is one",
        ),
        (
            "{\"a\": 1} x",
            "1:10 the file is not JSON: expected the end of the file",
        ),
        ("{\"a\": 1", "1:8 the file is not JSON: expected `,` or `}`"),
        (
            "{// no\n}",
            "1:2 the file is not JSON: expected a key in double quotes",
        ),
        (
            "{\"\": 1}",
            "1:2 a key is empty: expected a key like `output.dir`",
        ),
        (
            "{\"a\": [[1]]}",
            "1:8 an element of a list is not a single value: expected text, a number, `true` or `false`",
        ),
        (
            "{\"a\": [null]}",
            "1:8 an element of a list is empty: expected a value",
        ),
    ] {
        assert_eq!(refused(json(text)), [expected], "{text}");
    }
}

#[test]
fn h6_duplicate_keys_are_refused_also_after_folding() {
    assert_eq!(
        refused(json("{\"a.b\": 1,\n \"a\": {\"b\": 2}}")),
        ["2:9 key `a.b` is set twice: already set in line 1"]
    );
    assert_eq!(refused(json("{\"a-b\": 1,\n \"a_b\": 2}")).len(), 1);
}

#[test]
fn h4_h5_size_and_depth_are_bounded_without_using_the_stack() {
    let deep = format!("{}1{}", "{\"a\":".repeat(200_000), "}".repeat(200_000));
    assert!(refused(json(&deep))[0].contains("nested too deeply"));
    let lists = format!("{{\"a\":{}", "[".repeat(200_000));
    assert!(refused(json(&lists))[0].contains("not a single value"));
    let allowed = format!(
        "{}1{}",
        "{\"a\":".repeat(DEPTH_LIMIT),
        "}".repeat(DEPTH_LIMIT)
    );
    assert_eq!(json(&allowed).unwrap().entries().len(), 1);
    let many = format!("{{\"a\": [{}0]}}", "0,".repeat(NODE_LIMIT));
    assert!(refused(json(&many))[0].contains("too many values"));
}

#[test]
fn h8_numbers_are_never_bent() {
    let huge = format!("{{\"a\": {}}}", "9".repeat(60));
    assert!(refused(json(&huge))[0].contains("a number is too large"));
    assert_eq!(
        pairs(&json("{\"a\": 123456789012345678901234567890, \"b\": 1e999}").unwrap()),
        [
            (
                "a".to_owned(),
                Value::Integer(123_456_789_012_345_678_901_234_567_890)
            ),
            ("b".to_owned(), Value::Float(f64::INFINITY)),
        ]
    );
}

proptest! {
    /// What another writer of JSON writes is read as the same, also by the reader of YAML.
    #[test]
    fn h27_what_serde_writes_is_read(
        texts in proptest::collection::vec(any::<String>(), 0..4),
        number in any::<i64>(),
        flag in any::<bool>(),
    ) {
        let written = serde_json::json!({"texts": texts, "nested": {"number": number, "flag": flag}});
        let layer = json(&serde_json::to_string_pretty(&written).unwrap()).unwrap();
        let mut read = pairs(&layer);
        read.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(read, vec![
            ("nested.flag".to_owned(), Value::Flag(flag)),
            ("nested.number".to_owned(), Value::Integer(number.into())),
            ("texts".to_owned(), Value::from(texts)),
        ]);
    }

    #[test]
    fn h27_any_text_is_read_or_refused(text in "[\\[\\]{}\",:a1\\\\u0-9 \n-]{0,40}") {
        if let Err(problems) = json(&text) {
            prop_assert!(!problems.draw(false).is_empty());
        }
    }

    /// Where both take a text, JSON and YAML say the same about it.
    #[test]
    fn json_without_tricks_is_yaml(number in -1000_i64..1000, word in "[a-z]{1,5}") {
        let text = format!("{{\"a\": {number}, \"b\": [\"{word}\", true], \"c\": {{\"d\": null}}}}");
        prop_assert_eq!(pairs(&json(&text).unwrap()), pairs(&yaml(&text).unwrap()));
    }
}
