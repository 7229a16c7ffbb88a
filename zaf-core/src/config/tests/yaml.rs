use std::fmt::Write as _;

use super::{pairs, refused, yaml};
use crate::config::Value;
use crate::config::load::{ALIAS_LIMIT, NODE_LIMIT};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn nested_mappings_and_dotted_keys_mean_the_same() {
    let nested = yaml("reports:\n  junit:\n    file: x.xml\n").unwrap();
    let dotted = yaml("reports.junit.file: x.xml\n").unwrap();
    let mixed = yaml("reports: {junit.file: x.xml}\n").unwrap();
    assert_eq!(pairs(&nested), pairs(&dotted));
    assert_eq!(pairs(&mixed), pairs(&dotted));
    assert_eq!(
        pairs(&dotted),
        [("reports.junit.file".to_owned(), text("x.xml"))]
    );
}

#[test]
fn entries_know_line_and_column_in_characters() {
    let layer = yaml("# größer\nä:\n  äö: \"ü\" # x\n  list: [é, bb]\n").unwrap();
    let places: Vec<_> = layer
        .entries()
        .iter()
        .map(|entry| entry.source.to_string())
        .collect();
    assert_eq!(places, ["k2.yaml:3:7", "k2.yaml:4:9"]);
    let place = layer.entries()[1].place.clone().unwrap();
    let text = place.document.text();
    assert_eq!(&text[place.key.clone()], "list");
    assert_eq!(&text[place.value.clone()], "[é, bb]");
    assert_eq!(&text[place.items[1].clone()], "bb");
}

#[test]
fn entries_stand_in_the_order_written() {
    let layer = yaml("z: 1\na: 2\nm: 3\n").unwrap();
    let keys: Vec<_> = layer
        .entries()
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    assert_eq!(keys, ["z", "a", "m"]);
}

#[test]
fn h2_empty_and_commented_files_are_empty_layers() {
    for empty in [
        "",
        "\n\n",
        "# nothing\n",
        "---\n",
        "\u{feff}",
        "\u{feff}# x\n",
        "null",
        "--- # x\n...\n",
        "{}",
    ] {
        assert_eq!(pairs(&yaml(empty).unwrap()), [], "{empty:?}");
    }
}

#[test]
fn h3_the_top_level_must_be_a_mapping() {
    assert_eq!(
        refused(yaml("- a\n- b\n")),
        ["1:1 the file is not a mapping: expected `key: value`"]
    );
    assert_eq!(
        refused(yaml("\n\nword\n")),
        ["3:1 the file is not a mapping: expected `key: value`"]
    );
}

#[test]
fn h4_aliases_are_bounded() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        let all = vec![before; 9].join(",");
        writeln!(
            bomb,
            "a{level}: &a{level} {{k: [{all}], l: *a{}}}",
            level - 1
        )
        .unwrap();
    }
    let lists = refused(yaml(&bomb));
    assert!(
        lists
            .iter()
            .any(|problem| problem.contains("not a single value")),
        "{lists:?}"
    );

    let mut mappings = "a0: &a0 {x: 1, y: 2}\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        writeln!(
            mappings,
            "a{level}: &a{level} {{x: *a{before}, y: *a{before}}}"
        )
        .unwrap();
    }
    assert_eq!(refused(yaml(&mappings)).len(), 1);

    let many = format!("a: &a 1\nb: [{}]\n", vec!["*a"; ALIAS_LIMIT + 1].join(","));
    assert!(refused(yaml(&many))[0].contains("too many aliases"));
}

#[test]
fn h4_values_are_bounded() {
    let many = format!("b: [{}]\n", vec!["1"; NODE_LIMIT].join(","));
    assert!(refused(yaml(&many))[0].contains("too many values"));
}

#[test]
fn h5_deep_nesting_is_refused_without_using_the_stack() {
    let flow = format!("a: {}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(refused(yaml(&flow)).len(), 1);
    let block = format!("a:\n{}", "- ".repeat(200_000));
    assert!(refused(yaml(&block))[0].contains("nested too deeply"));
    let mut mappings = String::new();
    for level in 0..70 {
        writeln!(mappings, "{}k:", " ".repeat(level)).unwrap();
    }
    assert!(refused(yaml(&mappings))[0].contains("nested too deeply"));
}

#[test]
fn h6_duplicate_keys_are_refused_with_both_lines() {
    assert_eq!(
        refused(yaml("a.b: 1\nc: 2\na.b: 3\n")),
        ["3:1 key `a.b` is set twice: already set in line 1"]
    );
    assert_eq!(
        refused(yaml("a-b: 1\na:\n  b: 3\n")),
        [
            "3:3 key `a.b` is set twice: the same key as `a-b` in line 1: `.`, `-` and `_` are one letter"
        ]
    );
    assert_eq!(
        refused(yaml("a: 1\na: {b: 2}\n")),
        ["2:1 key `a` is set twice: already set in line 1"]
    );
}

#[test]
fn h7_tabs_are_refused_and_carriage_returns_accepted() {
    assert!(refused(yaml("a:\n\tb: 1\n"))[0].contains("not YAML"));
    let layer = yaml("\u{feff}a: 1\r\nb:\r\n  ü: x\r\n").unwrap();
    assert_eq!(layer.entries()[1].source.to_string(), "k2.yaml:3:6");
    assert_eq!(pairs(&layer)[0], ("a".to_owned(), Value::Integer(1)));
}

#[test]
fn h8_unquoted_words_are_what_the_core_schema_says_without_guesses() {
    let table = [
        ("no", text("no")),
        ("on", text("on")),
        ("true", Value::Flag(true)),
        ("0755", text("0755")),
        ("0o17", Value::Integer(15)),
        ("0x1F", Value::Integer(31)),
        ("-5", Value::Integer(-5)),
        ("+5", Value::Integer(5)),
        ("12:30", text("12:30")),
        ("1_000", text("1_000")),
        ("1.5", Value::Float(1.5)),
        ("1e3", Value::Float(1000.0)),
        ("1e999", Value::Float(f64::INFINITY)),
        ("-.inf", Value::Float(f64::NEG_INFINITY)),
        (
            "123456789012345678901234567890",
            Value::Integer(123_456_789_012_345_678_901_234_567_890),
        ),
        ("2026-11-21", text("2026-11-21")),
        ("1.2.3", text("1.2.3")),
        ("-", text("-")),
        ("'5'", text("5")),
        ("~", Value::Unset),
        ("", Value::Unset),
    ];
    for (word, expected) in table {
        if word == "-" {
            continue;
        }
        let layer = yaml(&format!("k: {word}\n")).unwrap();
        assert_eq!(pairs(&layer), [("k".to_owned(), expected)], "{word}");
    }
    let huge = "9".repeat(50);
    assert_eq!(
        refused(yaml(&format!("k: {huge}\n"))),
        [format!(
            "1:4 a number is too large: `{huge}` is too large for a number"
        )]
    );
}

#[test]
fn h12_anchors_and_merge_keys_work_inside_a_file() {
    let layer = yaml(
        "base: &base {ip: a, port: 1}\nbox:\n  <<: *base\n  port: 2\nwords: &w [x]\nmore: *w\n",
    )
    .unwrap();
    let mut pairs = pairs(&layer);
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(
        pairs,
        [
            ("base.ip".to_owned(), text("a")),
            ("base.port".to_owned(), Value::Integer(1)),
            ("box.ip".to_owned(), text("a")),
            ("box.port".to_owned(), Value::Integer(2)),
            ("more".to_owned(), Value::List(vec![text("x")])),
            ("words".to_owned(), Value::List(vec![text("x")])),
        ]
    );
    let first_wins = yaml("a: &a {k: 1}\nb: &b {k: 2}\nc: {<<: [*a, *b]}\n").unwrap();
    let merged = first_wins
        .entries()
        .iter()
        .find(|entry| entry.key.as_str() == "c.k")
        .unwrap();
    assert_eq!(merged.value, Value::Integer(1));
    assert!(refused(yaml("a: &a 1\nb: {<<: *a}\n"))[0].contains("expected `<<: *anchor`"));
    assert!(refused(yaml("a: &a {b: *a}\n"))[0].contains("contains itself"));
    assert_eq!(refused(yaml("a: *b\n")).len(), 1);
}

#[test]
fn h13_tags_and_several_documents_are_refused() {
    assert_eq!(
        refused(yaml("a: !!python/object x\n")),
        ["1:4 tags are not supported: remove the tag; the option decides what the value is"]
            .map(str::to_owned)
    );
    assert!(refused(yaml("a: !!str 5\n"))[0].contains("tags are not supported"));
    assert!(
        refused(yaml("a: 1\n---\nb: 2\n"))[0].starts_with("2:1 the file has several documents")
    );
}

#[test]
fn lists_hold_single_values_only() {
    assert_eq!(
        refused(yaml("a: [1, [2], {b: 3}, ~]\n")),
        [
            "1:8 an element of a list is not a single value: expected text, a number, `true` or `false`",
            "1:13 an element of a list is not a single value: expected text, a number, `true` or `false`",
            "1:21 an element of a list is empty: expected a value",
        ]
    );
}

#[test]
fn keys_must_be_words() {
    assert!(refused(yaml("[a]: 1\n"))[0].contains("a key is not a word"));
    assert!(refused(yaml("'': 1\n"))[0].contains("a key is empty"));
}

#[test]
fn a_block_of_text_is_placed_at_its_first_line() {
    let layer = yaml("a:\n  |\n  text\n  more\n").unwrap();
    assert_eq!(pairs(&layer), [("a".to_owned(), text("text\nmore\n"))]);
    assert_eq!(layer.entries()[0].source.to_string(), "k2.yaml:3:3");
    let folded = yaml("a: >\n  ü\n\n# x\nb: 'y'\n").unwrap();
    let places: Vec<_> = folded
        .entries()
        .iter()
        .map(|entry| entry.source.to_string())
        .collect();
    assert_eq!(places, ["k2.yaml:2:3", "k2.yaml:5:4"]);
}

#[test]
fn h27_many_duplicates_are_refused_without_looking_for_every_line() {
    let exact = "k: 1\n".repeat(40_000);
    assert_eq!(refused(yaml(&exact)).len(), 100);
    let mut folded = String::new();
    for index in 0..20_000 {
        write!(folded, "a{index}-b: 1\na{index}.b: 1\n").unwrap();
    }
    assert_eq!(refused(yaml(&folded)).len(), 100);
}
