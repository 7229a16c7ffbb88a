//! Words without quotes: what they mean when they are read, and which texts need quotes when they are printed.

use super::value::Value;

/// What an unquoted word means, by the core schema of YAML 1.2 without its surprises: a number with a leading zero (`0755`)
/// stays text, so that reading it as a number is an error and not a guess.
///
/// # Errors
///
/// A sentence, if it is a whole number that no kind can hold.
pub(super) fn scalar(word: &str) -> Result<Value, String> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Unset),
        "true" | "True" | "TRUE" => return Ok(Value::Flag(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Flag(false)),
        ".nan" | ".NaN" | ".NAN" => return Ok(Value::Float(f64::NAN)),
        _ => {}
    }
    let (negative, digits) = match word.as_bytes()[0] {
        b'-' => (true, &word[1..]),
        b'+' => (false, &word[1..]),
        _ => (false, word),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        let infinity = if negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        return Ok(Value::Float(infinity));
    }
    let radix = match digits.get(..2) {
        Some("0x") if digits.len() == word.len() => Some((16, &digits[2..])),
        Some("0o") if digits.len() == word.len() => Some((8, &digits[2..])),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some((10, digits)),
        _ => None,
    };
    match radix {
        Some((10, digits))
            if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) =>
        {
            Ok(Value::Text(word.to_owned()))
        }
        Some((radix, digits))
            if digits.chars().all(|digit| digit.is_digit(radix)) && !digits.is_empty() =>
        {
            let number = i128::from_str_radix(digits, radix).map_err(|_| {
                format!(
                    "`{}` is too large for a number",
                    super::value::shortened(word)
                )
            })?;
            Ok(Value::Integer(if negative { -number } else { number }))
        }
        None if is_float(digits) => match word.parse() {
            Ok(number) => Ok(Value::Float(number)),
            Err(_) => Ok(Value::Text(word.to_owned())),
        },
        Some(_) | None => Ok(Value::Text(word.to_owned())),
    }
}

/// `( . digits | digits [ . digits* ] ) [ e [+-] digits ]`, without a leading zero before another digit.
fn is_float(word: &str) -> bool {
    let (mantissa, exponent) = match word.find(['e', 'E']) {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_is_right = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && !(whole.len() > 1 && whole.starts_with('0'));
    let exponent_is_right = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_is_right && exponent_is_right
}

/// The text as YAML: in double quotes if it could be mistaken for something else.
pub(super) fn quoted_if_needed(text: &str) -> String {
    let safe_start =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/' | '.'));
    let safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | '+' | '@' | '=');
    let is_plain = safe_start
        && text.chars().all(safe)
        && text != "..."
        && matches!(scalar(text), Ok(Value::Text(_)));
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // Control characters, and those that a YAML reader may take for a line break or refuse.
            c if c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                quoted.push_str("\\u");
                let code = format!("{:04X}", u32::from(c));
                quoted.push_str(&code);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
