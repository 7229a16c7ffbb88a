//! How long and how deep a frame may be. Checked before anything is made of its bytes.

use super::FrameError;

/// Bytes of a frame: of the line without its end, or of what follows the length.
pub const FRAME: usize = 1 << 20;

/// How deep objects and lists may stand in one another.
pub const DEPTH: usize = 64;

/// Bytes of a string in what a plugin writes, as they are written.
pub const STRING: usize = 64 << 10;

/// Checks the length of a frame.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn check_length(actual: usize) -> Result<(), FrameError> {
    if actual > FRAME {
        return Err(FrameError::TooLong {
            actual,
            limit: FRAME,
        });
    }
    Ok(())
}

/// Checks depth and strings of JSON in one pass, without understanding it: what is not JSON may pass.
///
/// # Errors
/// [`FrameError::TooDeep`], [`FrameError::LongString`].
pub fn check_json(bytes: &[u8]) -> Result<(), FrameError> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at)?,
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Err(FrameError::TooDeep { at, limit: DEPTH });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Index of the quote that ends the string which begins at `start`; the last byte if none does.
fn end_of_string(bytes: &[u8], start: usize) -> Result<usize, FrameError> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    let end = at.min(bytes.len() - 1);
    check_string(end.saturating_sub(start + 1), start)?;
    Ok(end)
}

/// Checks the length of a string that begins at `at`.
pub(in crate::protocol) fn check_string(length: usize, at: usize) -> Result<(), FrameError> {
    if length > STRING {
        return Err(FrameError::LongString {
            at,
            actual: length,
            limit: STRING,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        [vec![b'['; depth], vec![b']'; depth]].concat()
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        assert_eq!(check_json(&nested(DEPTH)), Ok(()));
        let too_deep = FrameError::TooDeep {
            at: DEPTH,
            limit: DEPTH,
        };
        assert_eq!(check_json(&nested(DEPTH + 1)), Err(too_deep));
        let text = format!("\"{}\\\"{}\"", "[".repeat(200), "{".repeat(200));
        assert_eq!(check_json(text.as_bytes()), Ok(()));
        // One behind the other is not one in the other.
        assert_eq!(check_json("[]".repeat(500).as_bytes()), Ok(()));
    }

    #[test]
    fn strings_have_a_length() {
        assert_eq!(
            check_json(format!("\"{}\"", "x".repeat(STRING)).as_bytes()),
            Ok(())
        );
        let long = format!("[\"{}\"]", "x".repeat(STRING + 1));
        let error = check_json(long.as_bytes()).unwrap_err();
        assert!(
            matches!(error, FrameError::LongString { at: 1, .. }),
            "{error}"
        );
        // Without an end, and with an end that is cut in the middle of an escape.
        for cut in ["\"", "\"abc", "\"abc\\", "[\"\\\""] {
            assert_eq!(check_json(cut.as_bytes()), Ok(()), "{cut}");
        }
    }
}
