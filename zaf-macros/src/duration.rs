//! Lengths of time as they are written in attributes: `5s`, `2m 30s`, `100ms`.

use std::time::Duration;

/// Units, longest first, with their length in nanoseconds.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a length of time. The error is a sentence that says what was expected.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let expected = "expected a number with a unit, such as `5s`, `2m 30s` or `100ms` \
                    (units: d, h, m, s, ms, us, ns)";
    let refused = |why: String| format!("`{text}` is not a length of time: {why}; {expected}");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: u64 = match number.parse() {
            Ok(number) => number,
            Err(_) if number.is_empty() => {
                return Err(refused(format!("`{rest}` does not start with a number")));
            }
            Err(_) => return Err(refused(format!("`{number}` is too large"))),
        };
        if unit.is_empty() {
            return Err(refused(format!("`{number}` has no unit")));
        }
        let Some(&(_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(refused(format!("`{unit}` is not a unit")));
        };
        total += u128::from(number) * nanoseconds;
        rest = after.trim_start();
    }
    if total == 0 {
        return Err(refused("it is zero".to_owned()));
    }
    u64::try_from(total)
        .map(Duration::from_nanos)
        .map_err(|_| refused("it is longer than 584 years".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(parse("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse("2m 30s"), Ok(Duration::from_secs(150)));
        assert_eq!(parse("1h2m"), Ok(Duration::from_mins(62)));
        assert_eq!(parse(" 100 ms "), Ok(Duration::from_millis(100)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("5 parsecs", "`parsecs` is not a unit"),
            ("5", "`5` has no unit"),
            ("soon", "`soon` does not start with a number"),
            ("", "it is empty"),
            ("0s", "it is zero"),
            ("1s,2s", "`,2s` does not start with a number"),
            ("99999999999999999999s", "is too large"),
            ("999999999999d", "it is longer than 584 years"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
