//! Bytes of somebody else as text that can be shown.

/// At most `limit` bytes as text of one line: what is not UTF-8 is replaced, control characters are written as escapes.
pub(super) fn printable(bytes: &[u8], limit: usize) -> String {
    let cut = bytes.len() > limit;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]);
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if cut {
        shown.push('…');
    }
    shown
}
