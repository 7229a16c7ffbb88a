//! JSON that can stand in a script element of an HTML page.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Writes `value` as JSON without any `<`: nothing in it ends the script element or begins a comment.
pub(crate) fn write_json<T: Serialize + ?Sized, W: Write + ?Sized>(
    value: &T,
    out: &mut W,
) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, InScript);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Compact, with `<` as its number. In JSON that sign can only stand in strings.
struct InScript;

impl Formatter for InScript {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !fragment.as_bytes().contains(&b'<') {
            return out.write_all(fragment.as_bytes());
        }
        let mut parts = fragment.split('<');
        out.write_all(parts.next().unwrap_or_default().as_bytes())?;
        for part in parts {
            out.write_all(b"\\u003c")?;
            out.write_all(part.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn f9_nothing_ends_the_element_and_everything_comes_back(
            texts in prop::collection::btree_map(any::<String>(), "(</script>|<!--|]]>|&lt;|.|\u{2028})*", 0..4),
        ) {
            let mut written = Vec::new();
            write_json(&texts, &mut written).unwrap();
            prop_assert!(!written.contains(&b'<'));
            let read: BTreeMap<String, String> = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(read, texts);
        }
    }
}
