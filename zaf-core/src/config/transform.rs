//! Functions that an option's author applies to each value after it was read.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::value::TypedValue;

/// What a function makes of a value: another value, or words for what would have been right (`an even number`).
pub type Transformed<T> = Result<T, String>;

/// A function on the values of an option, once they are read: references replaced, type checked.
///
/// It is called once for each value whenever the option is read, so it must depend on nothing but its argument. It is never
/// called for an option without a value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Transform {
    /// For texts, choices and globs.
    Text(fn(String) -> Transformed<String>),
    /// For integers.
    Integer(fn(i64) -> Transformed<i64>),
    /// For counts and sizes.
    Unsigned(fn(u64) -> Transformed<u64>),
    /// For floats.
    Float(fn(f64) -> Transformed<f64>),
    /// For durations.
    Duration(fn(Duration) -> Transformed<Duration>),
    /// For paths.
    Path(fn(Utf8PathBuf) -> Transformed<Utf8PathBuf>),
}

impl std::fmt::Debug for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Addresses of functions differ from build to build.
        f.write_str("Transform")
    }
}

impl Transform {
    /// The value that the function makes of one value, not of a list.
    ///
    /// # Errors
    ///
    /// What the function says would have been right.
    pub(super) fn apply(self, value: TypedValue) -> Transformed<TypedValue> {
        match (self, value) {
            (Self::Text(change), TypedValue::Text(text)) => change(text).map(TypedValue::Text),
            (Self::Integer(change), TypedValue::Integer(number)) => {
                change(number).map(TypedValue::Integer)
            }
            (Self::Unsigned(change), TypedValue::Unsigned(number)) => {
                change(number).map(TypedValue::Unsigned)
            }
            (Self::Float(change), TypedValue::Float(number)) => {
                change(number).map(TypedValue::Float)
            }
            (Self::Duration(change), TypedValue::Duration(time)) => {
                change(time).map(TypedValue::Duration)
            }
            (Self::Path(change), TypedValue::Path(path)) => change(path).map(TypedValue::Path),
            // The builders put the two together; a list is taken apart by whoever reads it.
            (_, value) => Ok(value),
        }
    }
}
