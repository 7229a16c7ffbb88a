use super::{pairs, refused, toml, yaml};
use crate::config::Value;
use crate::config::load::NODE_LIMIT;

#[test]
fn tables_dotted_keys_and_yaml_mean_the_same() {
    let expected = pairs(&yaml("a: {b: {c: [1, x]}, d: true}\ne: 1.5\n").unwrap());
    for text in [
        "e = 1.5\n[a]\nd = true\nb.c = [1, 'x']\n",
        "a = {b = {c = [1, \"x\"]}, d = true}\ne = 1.5\n",
        "a.b.c = [1, 'x']\na.d = true\ne = 1.5\n",
    ] {
        let mut found = pairs(&toml(text).unwrap());
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn entries_know_their_place_and_order() {
    let layer = toml("# ü\nz = 1\n[reports]\njunit.file = \"ä\"\na = [1,\n  2]\n").unwrap();
    let places: Vec<_> = layer
        .entries()
        .iter()
        .map(|entry| format!("{} {}", entry.source, entry.spelling))
        .collect();
    assert_eq!(
        places,
        [
            "k2.toml:2:5 z",
            "k2.toml:4:14 reports.junit.file",
            "k2.toml:5:5 reports.a"
        ]
    );
    let place = layer.entries()[1].place.clone().unwrap();
    assert_eq!(&place.document.text()[place.key], "junit.file");
}

#[test]
fn h2_h7_empty_files_marks_and_carriage_returns_are_accepted() {
    for empty in ["", "\u{feff}", "# x\r\n", "[a]\n"] {
        assert_eq!(pairs(&toml(empty).unwrap()), [], "{empty:?}");
    }
    let layer = toml("\u{feff}a = 1\r\nb = 2\r\n").unwrap();
    assert_eq!(layer.entries()[1].source.to_string(), "k2.toml:2:5");
}

#[test]
fn h4_h5_size_and_depth_are_bounded() {
    let many = format!("a = [{}]\n", vec!["1"; NODE_LIMIT + 1].join(","));
    assert!(refused(toml(&many))[0].contains("too many values"));
    for deep in [
        format!("{}x = 1\n", "a.".repeat(1_000_000)),
        format!("{}x = 1\n", "'a' . ".repeat(100_000)),
        format!("[{}x]\n", "a.".repeat(100_000)),
        format!("a = {}{}\n", "[".repeat(200_000), "]".repeat(200_000)),
        format!("a = {}1{}\n", "{b.c.d.e.f = ".repeat(20), "}".repeat(20)),
    ] {
        assert!(refused(toml(&deep))[0].contains("nested too deeply"));
    }
    let dots_in_strings = format!(
        "a = '{0}'\nb = \"\"\"\n{0}\"\"\"\n# {0}\n",
        "a.".repeat(100)
    );
    assert_eq!(pairs(&toml(&dots_in_strings).unwrap()).len(), 2);
}

#[test]
fn h6_duplicate_keys_are_refused_with_both_lines() {
    assert!(
        refused(toml("a = 1\na = 2\n"))[0].starts_with("2:1 the file is not TOML: duplicate key")
    );
    assert_eq!(
        refused(toml("a-b = 1\n[a]\nb = 2\n")),
        [
            "3:1 key `a.b` is set twice: the same key as `a-b` in line 1: `.`, `-` and `_` are one letter"
        ]
    );
}

#[test]
fn h8_numbers_that_nothing_can_hold_are_refused() {
    assert!(refused(toml(&format!("a = {}\n", "9".repeat(50))))[0].contains("too large"));
    assert_eq!(
        pairs(&toml("a = 0xff\nb = 1_000\n").unwrap())[0].1,
        Value::Integer(255)
    );
}

#[test]
fn h13_dates_and_lists_in_lists_are_refused() {
    assert_eq!(
        refused(toml("a = 2026-11-21\nb = [[1]]\n")),
        [
            "1:5 dates are not supported: put it in quotes to make it text",
            "2:6 an element of a list is not a single value: expected text, a number, `true` or `false`",
        ]
    );
}

#[test]
fn several_syntax_errors_are_reported_at_once() {
    assert!(refused(toml("a = \nb = ]\nc = 1\n")).len() >= 2);
}

#[test]
fn h27_many_errors_are_refused_without_keeping_them_all() {
    assert_eq!(refused(toml(&"=\n".repeat(1_000_000))).len(), 1);
    assert_eq!(refused(toml(&"=\n".repeat(50_000))).len(), 1);
    assert_eq!(refused(toml(&"=\n".repeat(20_000))).len(), 10);
}
