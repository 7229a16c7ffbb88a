//! How the standard library treats text: an ordinary file of `#[test]` functions, as `rustc --test` builds it.
//!
//! The runner lists the tests of such a program and runs each by itself.

#[test]
fn upper_case_can_be_longer() {
    assert_eq!("straße".to_uppercase(), "STRASSE");
}

#[test]
fn invalid_utf8_is_replaced_not_dropped() {
    assert_eq!(String::from_utf8_lossy(b"a\xffb"), "a\u{fffd}b");
}

#[test]
#[should_panic(expected = "char boundary")]
fn slicing_inside_a_letter_panics() {
    let text = String::from("ä");
    let _ = &text[..1];
}

#[test]
#[ignore = "counts for minutes; shown as ignored, not as passed"]
fn every_number_has_a_successor() {
    for number in 0..u64::MAX {
        assert_eq!(number.checked_add(1), Some(number + 1));
    }
}
