//! Lengths of time and numbers of bytes with their units.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::friendly::{Spacing, SpanPrinter};

/// Reads `5s`, `2m 30s`, `100ms`, `1h` (also the ISO form `PT5S`).
///
/// # Errors
///
/// A sentence that says what to write.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !text.is_empty()
    {
        return Err(format!("a bare number has no unit: `{text}s`?"));
    }
    let signed: SignedDuration = text
        .parse()
        .map_err(|_| "units are `ms`, `s`, `m`, `h`: `100ms`, `2m 30s`".to_owned())?;
    Duration::try_from(signed).map_err(|_| "it cannot be negative".to_owned())
}

/// The shortest spelling that [`duration`] reads back as the same.
pub(super) fn print_duration(duration: Duration) -> String {
    match SignedDuration::try_from(duration) {
        Ok(signed) if !signed.is_zero() => SpanPrinter::new()
            .spacing(Spacing::BetweenUnits)
            .duration_to_string(&signed),
        Ok(_) => "0s".to_owned(),
        // Longer than the age of the universe; the longest that can be read.
        Err(_) => SpanPrinter::new().duration_to_string(&SignedDuration::MAX),
    }
}

/// Units of size: decimal and binary ones, so that nobody has to guess which is meant.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads `64`, `4 KiB`, `1MB`, `1.5 GiB`; bytes. The case of units does not matter.
///
/// # Errors
///
/// A sentence that says what to write.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = match unit.as_str() {
        "" => 1,
        unit => SIZE_UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor)
            .ok_or_else(|| {
                "units are `KB`, `MB`, `GB`, `TB` (1000) and `KiB`, `MiB`, `GiB`, `TiB` (1024)"
                    .to_owned()
            })?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.contains('.') {
        return Err("it starts with a number: `64`, `1.5 GiB`".to_owned());
    }
    let too_large = || format!("it must be below {} bytes", u64::MAX);
    let bytes = whole
        .parse::<u64>()
        .ok()
        .and_then(|whole| whole.checked_mul(factor))
        .ok_or_else(too_large)?;
    if fraction.is_empty() {
        return Ok(bytes);
    }
    // More digits than this cannot come out as whole bytes of any unit but by zeros.
    let fraction = fraction.trim_end_matches('0');
    let not_whole = || "it is not a whole number of bytes".to_owned();
    let scale = u32::try_from(fraction.len())
        .ok()
        .and_then(|digits| 10_u128.checked_pow(digits))
        .filter(|scale| *scale < 1 << 60)
        .ok_or_else(not_whole)?;
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<u128>().map_err(|_| not_whole())?
    };
    let part = part * u128::from(factor);
    if !part.is_multiple_of(scale) {
        return Err(not_whole());
    }
    u64::try_from(part / scale)
        .ok()
        .and_then(|part| bytes.checked_add(part))
        .ok_or_else(too_large)
}
