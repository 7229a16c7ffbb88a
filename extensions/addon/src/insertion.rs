//! Texts that are put into a text, which otherwise stays as it is.

use crate::declared::{List, Place};

/// Insertions and replacements by place.
#[derive(Debug, Default)]
pub(crate) struct Insertions(Vec<(Place, String)>);

impl Insertions {
    /// Puts a text at a place.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.push((at..at, text.into()));
    }

    /// Puts a text in the place of another.
    pub(crate) fn replace(&mut self, place: Place, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    /// Adds an element to a list, in the shape that the list has: a line of its own if the others have that, indented like them.
    pub(crate) fn push(&mut self, text: &str, list: &List, element: &str) {
        let inside = &text[list.inner.clone()];
        let Some(end) = list.last else {
            self.replace(list.inner.clone(), element);
            return;
        };
        if !inside.contains('\n') {
            let comma = if list.has_comma { "" } else { "," };
            let rest = text[end..list.inner.end].trim_end().len();
            self.insert(end + rest, format!("{comma} {element}"));
            return;
        }
        if !list.has_comma {
            self.insert(end, ",");
        }
        // A comment behind the last element stays with it.
        let rest = &text[end..list.inner.end];
        let line_end = end + rest.find('\n').unwrap_or(rest.len());
        let begin = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[begin..end];
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let element = element.replace('\n', &format!("\n{indent}"));
        self.insert(line_end, format!("\n{indent}{element},"));
    }

    /// The text with all of them.
    pub(crate) fn applied(mut self, text: &str) -> String {
        // What was added first at a place stands first there.
        self.0.sort_by_key(|(place, _)| (place.start, place.end));
        let mut made = String::with_capacity(text.len() + 1024);
        let mut done = 0;
        for (place, added) in self.0 {
            made.push_str(&text[done..place.start]);
            made.push_str(&added);
            done = place.end;
        }
        made.push_str(&text[done..]);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::{Declared, Fields};

    fn with(text: &str) -> String {
        let declared = Declared::of(text).unwrap().remove(0);
        let Fields::Named(fields, _) = &declared.fields else {
            panic!("{declared:?}");
        };
        let mut insertions = Insertions::default();
        insertions.push(text, fields, "new: u8");
        if let Some(options) = &declared.options {
            insertions.push(text, options, "NEW.required()");
        }
        insertions.applied(text)
    }

    #[test]
    fn an_element_takes_the_shape_of_the_others() {
        assert_eq!(
            with("#[command_extension(config_options = [A.required()])]\nstruct X { a: u8 }"),
            "#[command_extension(config_options = [A.required(), NEW.required()])]\nstruct X { a: u8, new: u8 }"
        );
        assert_eq!(
            with(
                "#[command_extension(config_options = [\n        A.required() // why, [\n    ])]\nstruct X {\n    a: u8, // b\n    // c\n}"
            ),
            "#[command_extension(config_options = [\n        A.required(), // why, [\n        NEW.required(),\n    ])]\nstruct X {\n    a: u8, // b\n    new: u8,\n    // c\n}"
        );
        assert_eq!(
            with("#[command_extension(config_options = [])]\nstruct X {a: Vec<u8>,}"),
            "#[command_extension(config_options = [NEW.required()])]\nstruct X {a: Vec<u8>, new: u8}"
        );
    }
}
