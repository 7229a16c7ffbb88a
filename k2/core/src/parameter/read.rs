//! How a text that was given for a parameter becomes a value of its type.
//!
//! A macro cannot know what a type implements, so the expansion asks with three references too many and lets the compiler find the
//! first that fits: texts themselves, what [`FromStr`] reads, and everything else, for which only declared values can be given.

use std::any::type_name;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

/// Asks for a value of a type.
#[derive(Debug)]
pub struct Reader<T>(PhantomData<fn() -> T>);

impl<T> Reader<T> {
    /// Asks for a `T`.
    #[expect(
        clippy::new_without_default,
        reason = "only macros ask, by this one name"
    )]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Texts.
pub trait ReadText<'a> {
    /// What is read.
    type Value;
    /// The text itself.
    ///
    /// # Errors
    /// None.
    fn read(&self, text: &'a str) -> Result<Self::Value, String>;
}

impl<'a> ReadText<'a> for &&Reader<&'a str> {
    type Value = &'a str;

    fn read(&self, text: &'a str) -> Result<&'a str, String> {
        Ok(text)
    }
}

/// What can be read from a text.
pub trait ReadParsed {
    /// What is read.
    type Value;
    /// The value that the text stands for.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(&self, text: &str) -> Result<Self::Value, String>;
}

impl<T: FromStr<Err: Display>> ReadParsed for &Reader<T> {
    type Value = T;

    fn read(&self, text: &str) -> Result<T, String> {
        let value = text.parse();
        value.map_err(|error: T::Err| format!("it is no `{}`: {error}", short(type_name::<T>())))
    }
}

/// What cannot be read.
pub trait ReadNothing {
    /// What is asked for.
    type Value;
    /// Always an error.
    ///
    /// # Errors
    /// That values of the type are not read from text.
    fn read(&self, text: &str) -> Result<Self::Value, String>;
}

impl<T> ReadNothing for Reader<T> {
    type Value = T;

    fn read(&self, _: &str) -> Result<T, String> {
        Err(format!(
            "`{}` is not read from text (it has no `FromStr`)",
            short(type_name::<T>())
        ))
    }
}

/// A type without the path to it.
fn short(name: &str) -> &str {
    match name.split_once('<') {
        Some(_) => name,
        None => name.rsplit("::").next().unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{ReadNothing as _, ReadParsed as _, ReadText as _, Reader};

    #[derive(Debug, PartialEq)]
    enum Mode {}

    #[test]
    #[expect(
        clippy::needless_borrow,
        reason = "the references too many are what the expansion of a macro writes"
    )]
    fn each_type_is_read_in_its_own_way() {
        assert_eq!((&&&Reader::<&str>::new()).read("a b"), Ok("a b"));
        assert_eq!((&&&Reader::<u8>::new()).read("7"), Ok(7));
        assert_eq!((&&&Reader::<String>::new()).read("7"), Ok("7".to_owned()));
        assert_eq!(
            (&&&Reader::<u8>::new()).read("x").unwrap_err(),
            "it is no `u8`: invalid digit found in string"
        );
        assert_eq!(
            (&&&Reader::<Mode>::new()).read("x").unwrap_err(),
            "`Mode` is not read from text (it has no `FromStr`)"
        );
    }
}
