//! Names of types as people read them. Pure.

/// The name without the paths: `Arc<Record>` for `alloc::sync::Arc<k2_core::results::Record>`.
pub(super) fn short(name: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    for letter in name.chars() {
        match letter {
            // What stood before was a module, or a type whose associated item follows.
            ':' => word.clear(),
            letter if letter.is_alphanumeric() || letter == '_' => word.push(letter),
            other => {
                text.push_str(&word);
                word.clear();
                text.push(other);
            }
        }
    }
    text + &word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_left_out_also_inside_of_types() {
        for (name, expected) in [
            ("i64", "i64"),
            ("()", "()"),
            ("&'static str", "&'static str"),
            ("alloc::sync::Arc<k2_core::results::Record>", "Arc<Record>"),
            (
                "core::result::Result<(alloc::string::String, [u8; 4]), zaf_core::error::Error>",
                "Result<(String, [u8; 4]), Error>",
            ),
            ("dyn core::any::Any + core::marker::Send", "dyn Any + Send"),
        ] {
            assert_eq!(short(name), expected);
        }
    }
}
