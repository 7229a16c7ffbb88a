use std::time::Duration;

use proptest::prelude::*;

use super::{pairs, yaml};
use crate::config::{Kind, TypedValue, Value};

fn read(kind: Kind, value: impl Into<Value>) -> Result<TypedValue, String> {
    value
        .into()
        .read(kind, false)
        .map_err(|mismatch| mismatch.to_string())
}

#[test]
fn h8_h10_numbers_are_read_by_the_options_type_and_never_bent() {
    use Kind::{Count, Float, Integer, Text};
    assert_eq!(read(Integer, i64::MIN), Ok(TypedValue::Integer(i64::MIN)));
    assert!(read(Integer, u64::MAX).is_err());
    assert!(
        Value::Integer(i128::MAX)
            .read(Integer, false)
            .unwrap_err()
            .is_range
    );
    assert!(read(Integer, 1.0).is_err());
    assert!(read(Integer, "1").is_err());
    assert!(read(Integer, true).is_err());
    assert_eq!(read(Count, 0), Ok(TypedValue::Unsigned(0)));
    assert!(read(Count, -1).is_err());
    assert_eq!(read(Float, 3), Ok(TypedValue::Float(3.0)));
    assert!(read(Float, i64::MAX).is_err(), "it would be rounded");
    for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(read(Float, strange).is_err());
    }
    assert!(read(Text, 5).unwrap_err().contains("expected text"));
    assert_eq!(
        Value::from(5_i64)
            .read(Text, false)
            .unwrap_err()
            .help
            .unwrap(),
        "put it in quotes to make it text"
    );
}

#[test]
fn words_of_the_command_line_are_read_by_the_options_type() {
    let raw = |kind, text: &str| Value::Raw(text.to_owned()).read(kind, false);
    assert_eq!(raw(Kind::Text, "5"), Ok(TypedValue::Text("5".to_owned())));
    assert_eq!(raw(Kind::Count, "5"), Ok(TypedValue::Unsigned(5)));
    assert_eq!(raw(Kind::Flag, "true"), Ok(TypedValue::Flag(true)));
    assert_eq!(raw(Kind::Float, "2"), Ok(TypedValue::Float(2.0)));
    assert!(raw(Kind::Flag, "yes").is_err());
    assert!(raw(Kind::Count, "0755").is_err());
    assert!(raw(Kind::Count, "").is_err());
}

#[test]
fn durations_need_a_unit() {
    let good = [
        ("5s", 5_000),
        ("2m 30s", 150_000),
        ("100ms", 100),
        ("1h", 3_600_000),
        ("0s", 0),
        ("1.5s", 1_500),
    ];
    for (text, milliseconds) in good {
        assert_eq!(
            read(Kind::Duration, text),
            Ok(TypedValue::Duration(Duration::from_millis(milliseconds)))
        );
    }
    for bad in [
        "5",
        "",
        "s",
        "-5s",
        "5 parsecs",
        "5s 5s 5",
        "1.5",
        "99999999999999999999s",
    ] {
        assert!(read(Kind::Duration, bad).is_err(), "{bad}");
    }
    let help = Value::Integer(5)
        .read(Kind::Duration, false)
        .unwrap_err()
        .help
        .unwrap();
    assert_eq!(help, "a bare number has no unit: `5s`?");
}

#[test]
fn b7_a_duration_is_neither_negative_nor_a_number_that_is_none() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.5] {
        assert!(read(Kind::Duration, bad).is_err(), "{bad}");
    }
    for bad in [
        "-1s", "-0.5s", "nan", "NaNs", ".nan", "inf", "-infs", "1e999s",
    ] {
        assert!(read(Kind::Duration, bad).is_err(), "{bad}");
    }
    assert!(read(Kind::Duration, -1).is_err());
    // The shortest and the longest are none of these.
    assert_eq!(
        read(Kind::Duration, "0s"),
        Ok(TypedValue::Duration(Duration::ZERO))
    );
    let longest = Value::from(Duration::MAX).read(Kind::Duration, false);
    assert!(
        matches!(longest, Ok(TypedValue::Duration(time)) if time > Duration::from_hours(1 << 40))
    );
}

#[test]
fn sizes_have_units_of_1000_and_of_1024() {
    let good = [
        ("64", 64),
        ("4 KiB", 4096),
        ("1MB", 1_000_000),
        ("1.5 GiB", 3 << 29),
        ("0.5KiB", 512),
        ("2.50 kB", 2500),
    ];
    for (text, bytes) in good {
        assert_eq!(
            read(Kind::Size, text),
            Ok(TypedValue::Unsigned(bytes)),
            "{text}"
        );
    }
    for bad in [
        "",
        "KiB",
        "4 K",
        "-1",
        "1.",
        "1..5KB",
        "0.1 B",
        "99999999 TiB",
        "1.0000000000000000000000000001 TiB",
    ] {
        assert!(read(Kind::Size, bad).is_err(), "{bad}");
    }
    assert_eq!(read(Kind::Size, 5), Ok(TypedValue::Unsigned(5)));
}

#[test]
fn entity_names_and_choices_are_checked() {
    for bad in ["", "Box", "a-b", "a.b", "a b", "$x", "ü"] {
        assert!(read(Kind::Entity, bad).is_err(), "{bad}");
    }
    assert!(read(Kind::Entity, "box7").is_ok());
    let mismatch = Value::from("debgu")
        .read(Kind::Choice(&["debug", "info"]), false)
        .unwrap_err();
    assert!(mismatch.is_range);
    assert_eq!(
        mismatch.to_string(),
        "expected one of `debug`, `info`, found the text `debgu`"
    );
    assert_eq!(mismatch.help.unwrap(), "did you mean `debug`?");
}

#[test]
fn f23_one_value_is_a_list_of_one_and_a_list_is_never_one_value() {
    let one = Value::from("a").read(Kind::Text, true).unwrap();
    assert_eq!(
        one,
        TypedValue::List(vec![TypedValue::Text("a".to_owned())])
    );
    assert!(Value::from(vec!["a"]).read(Kind::Text, false).is_err());
    let wrong = Value::List(vec![Value::from("a"), Value::from(1_i64)])
        .read(Kind::Text, true)
        .unwrap_err();
    assert_eq!(wrong.element, Some(1));
}

fn any_value() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(|number| Value::Integer(number.into())),
        any::<i128>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("nan is not equal to itself", |number| !number.is_nan())
            .prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        "[-+0-9.eExo_~ntrufalseN:#,\\[\\]{}&*!|>'\"%@` \n\t\r-]{0,12}".prop_map(Value::Text),
    ];
    let list = prop::collection::vec(single.clone(), 0..4).prop_map(Value::List);
    prop_oneof![4 => single, 1 => list]
}

proptest! {
    #[test]
    fn h26_what_is_printed_is_read_back_as_the_same(value in any_value()) {
        let printed = value.print();
        let layer = yaml(&format!("key: {printed}\n")).unwrap();
        prop_assert_eq!(pairs(&layer), [("key".to_owned(), value)], "{}", printed);
    }

    #[test]
    fn durations_are_printed_as_they_are_read(nanoseconds in any::<u64>()) {
        let duration = Duration::from_nanos(nanoseconds);
        prop_assert_eq!(Value::from(duration).read(Kind::Duration, false), Ok(TypedValue::Duration(duration)));
    }

    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        let kinds = [Kind::Text, Kind::Integer, Kind::Count, Kind::Float, Kind::Flag, Kind::Duration, Kind::Size,
            Kind::Path, Kind::Glob, Kind::Choice(&["a"]), Kind::Entity];
        for kind in kinds {
            drop(Value::Raw(text.clone()).read(kind, false));
            drop(Value::Text(text.clone()).read(kind, true));
        }
    }
}
