//! Measures and fits text: columns, lengths of time, sizes.

use std::time::Duration;

use jiff::Timestamp;
use k2::case::CaseId;
use k2::results::printable_line;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes on a terminal. `text` has no escape sequences.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` on one line, escaped, and cut to `width` columns with `…` at the end if it is longer.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = printable_line(text);
    if columns(&text) <= width {
        return text.into_owned();
    }
    let mut fitted = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        fitted.push(c);
    }
    if width > 0 {
        fitted.push('…');
    }
    fitted
}

/// `text`, a line, in parts of at most `width` columns: cut at blanks, and within a word only if that is longer.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while columns(rest) > width {
        let (mut used, mut end, mut blank) = (0, 0, None);
        for (at, c) in rest.char_indices() {
            used += c.width().unwrap_or(0);
            if c == ' ' && at > 0 {
                blank = Some(at);
            }
            if used > width {
                end = at;
                break;
            }
        }
        // A blank that does not fit any more is the best place.
        let indent = rest.len() - rest.trim_start().len();
        let cut = blank.filter(|&blank| blank > indent);
        let cut = cut.unwrap_or_else(|| end.max(rest.chars().next().map_or(1, char::len_utf8)));
        let (part, behind) = rest.split_at(cut);
        parts.push(part);
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    parts.push(rest);
    parts
}

/// `text` with spaces behind it up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(
        ' ',
        width.saturating_sub(columns(text)),
    ));
    padded
}

/// Dates and times of a document whose moments follow each other closely: most have the second of the one before, so its text is kept.
#[derive(Default)]
pub(crate) struct Moments {
    second: Option<i64>,
    text: String,
}

impl Moments {
    /// `time` in UTC, up to whole seconds: `2026-11-21T03:01:06`.
    pub(crate) fn second(&mut self, time: Timestamp) -> &str {
        let second = whole(time, 1_000_000_000);
        if self.second != Some(second) {
            self.second = Some(second);
            self.text = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        }
        &self.text
    }

    /// The milliseconds of `time` within its second.
    pub(crate) fn millisecond(time: Timestamp) -> i64 {
        whole(time, 1_000_000).rem_euclid(1000)
    }
}

/// How many times `nanoseconds` have passed since 1970.
fn whole(time: Timestamp, nanoseconds: i128) -> i64 {
    i64::try_from(time.as_nanosecond().div_euclid(nanoseconds)).unwrap_or(i64::MAX)
}

/// Seconds with three decimals: `0.004s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.3}s", duration.as_secs_f64())
}

/// A length of time for a person: `0.31 s`, `5.31 s`, `2 min 05 s`, `1 h 02 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..60 => format!("{:.2} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// A number of bytes for a person: `17 bytes`, `1.5 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return if bytes == 1 {
            "1 byte".to_owned()
        } else {
            format!("{bytes} bytes")
        };
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!(
        "{}.{} {}",
        tenths / 10,
        tenths % 10,
        UNITS.get(unit).unwrap_or(&"TiB")
    )
}

/// `count` things: `1 case`, `2 cases`.
pub(crate) fn many(count: u64, thing: &str) -> String {
    if count == 1 {
        format!("1 {thing}")
    } else {
        format!("{count} {thing}s")
    }
}

/// Class and name: an id without its last part, and that part. Dots and colons in parameters separate nothing.
pub(crate) fn id_parts(id: &CaseId) -> (&str, &str) {
    let id = id.as_str();
    let plain = id.split_once('[').map_or(id, |(plain, _)| plain);
    for separator in ["::", "/"] {
        if let Some(at) = plain.rfind(separator) {
            let (class, name) = id.split_at(at);
            let name = name.get(separator.len()..).unwrap_or_default();
            if !class.is_empty() && !name.is_empty() {
                return (class, name);
            }
        }
    }
    ("", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_blanks_and_only_long_words_are_cut() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 13), ["one two three"]);
        assert_eq!(wrapped("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(wrapped("größe größe", 5), ["größe", "größe"]);
        assert_eq!(wrapped("  left: 1234567", 8), ["  left:", "1234567"]);
        assert_eq!(wrapped("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrapped("", 5), [""]);
        for width in 1..20 {
            let text = "a bb  ccc dddd 漢字漢字 eeeeeeeeeeeee";
            let parts = wrapped(text, width);
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(&parts.concat()), letters(text));
            assert!(
                parts.iter().all(|part| columns(part) <= width.max(2)),
                "{parts:?}"
            );
        }
    }

    #[test]
    fn text_is_cut_by_columns_not_by_letters() {
        assert_eq!(fit("short", 5), "short");
        assert_eq!(fit("longer", 5), "long…");
        assert_eq!(fit("大大大", 5), "大大…");
        assert_eq!(fit("大大大", 4), "大…");
        assert_eq!(fit("x\ny", 10), "x\\ny");
    }

    #[test]
    fn m1_no_room_is_no_panic() {
        assert_eq!(fit("longer", 0), "");
        assert_eq!(fit("longer", 1), "…");
    }

    #[test]
    fn lengths_and_sizes_are_readable() {
        assert_eq!(duration(Duration::from_millis(5310)), "5.31 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(duration(Duration::from_mins(62)), "1 h 02 min");
        assert_eq!(
            (size(1), size(17)),
            ("1 byte".to_owned(), "17 bytes".to_owned())
        );
        assert_eq!(
            (size(1536), size(1 << 30)),
            ("1.5 KiB".to_owned(), "1.0 GiB".to_owned())
        );
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn classes_are_ids_without_their_last_part() {
        for (id, class, name) in [
            ("a::b::c", "a::b", "c"),
            ("a::c[path=x::y/z]", "a", "c[path=x::y/z]"),
            ("suite/a.sh", "suite", "a.sh"),
            ("alone", "", "alone"),
            ("::", "", "::"),
            ("", "", ""),
        ] {
            assert_eq!(id_parts(&CaseId::new(id)), (class, name), "{id}");
        }
    }
}
