//! From payloads to bytes and back.
//!
//! Knows values and formats, nothing of messages or the bus. A limit holds in both directions: nothing longer is kept in memory
//! while a value is written, nothing longer is looked at when one is read.

use std::cell::Cell;
use std::fmt;
use std::io;

use postcard::{de_flavors, ser_flavors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How payloads are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WireFormat {
    /// The postcard format: values one behind the other, without names. Small and fast, and both sides need the same
    /// declaration of the type. Source: the postcard specification, version 1.
    Postcard,
    /// JSON text. For people, for other languages, and for payloads that have to be read by another version of their program.
    Json,
}

impl WireFormat {
    /// Word for it in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postcard => "postcard",
            Self::Json => "JSON",
        }
    }
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value became no bytes, or bytes no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodecError {
    /// It has `actual` bytes.
    TooLarge { actual: usize },
    /// The type cannot be written like this.
    Unwritable { problem: String },
    /// The bytes are no such value; `at` is how many were understood.
    Unreadable { at: usize, problem: String },
    /// `extra` bytes are left behind a value that was read.
    Trailing { extra: usize },
}

/// Writes a value; at most `limit` bytes.
pub(crate) fn encode<T: Serialize + ?Sized>(
    value: &T,
    format: WireFormat,
    limit: usize,
) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Bounded::new(limit);
    let outcome = match format {
        WireFormat::Postcard => postcard::serialize_with_flavor(value, &mut bytes)
            .map_err(|error| plain_text(&error).to_owned()),
        WireFormat::Json => {
            serde_json::to_writer(&mut bytes, value).map_err(|error| error.to_string())
        }
    };
    outcome.map_err(|problem| CodecError::Unwritable { problem })?;
    bytes.finish()
}

/// Reads a value, which must be all there is.
pub(crate) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    format: WireFormat,
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        let actual = bytes.len();
        return Err(CodecError::TooLarge { actual });
    }
    match format {
        WireFormat::Postcard => decode_postcard(bytes),
        WireFormat::Json => decode_json(bytes),
    }
}

fn decode_postcard<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let left = Cell::new(bytes.len());
    let input = Watched {
        rest: bytes,
        left: &left,
    };
    let mut deserializer = postcard::Deserializer::from_flavor(input);
    let value = T::deserialize(&mut deserializer).map_err(|error| CodecError::Unreadable {
        at: bytes.len() - left.get(),
        problem: plain_text(&error).to_owned(),
    })?;
    match left.get() {
        0 => Ok(value),
        extra => Err(CodecError::Trailing { extra }),
    }
}

fn decode_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    let value = match stream.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) => {
            return Err(CodecError::Unreadable {
                at: offset(bytes, &error),
                problem: without_place(&error),
            });
        }
        None => {
            return Err(CodecError::Unreadable {
                at: bytes.len(),
                problem: "there is no value".to_owned(),
            });
        }
    };
    let end = stream.byte_offset();
    let rest = bytes.get(end..).unwrap_or_default();
    if rest.iter().all(u8::is_ascii_whitespace) {
        return Ok(value);
    }
    Err(CodecError::Trailing { extra: rest.len() })
}

/// Bytes in front of where the reader of JSON stopped.
fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (before + error.column().saturating_sub(1)).min(bytes.len())
}

/// The error without ` at line 1 column 2`: the place is told otherwise.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What postcard says, for somebody who reads about a payload.
fn plain_text(error: &postcard::Error) -> &'static str {
    use postcard::Error;
    match error {
        Error::WontImplement => {
            "the type needs a format with names (`tag`, `untagged`, `flatten` or `skip_serializing_if`?)"
        }
        Error::SerializeSeqLengthUnknown => "a sequence does not know its length",
        Error::DeserializeUnexpectedEnd => "the bytes end before the value does",
        Error::DeserializeBadVarint => "a number is too large for its type",
        Error::DeserializeBadBool => "a truth value is neither 0 nor 1",
        Error::DeserializeBadChar => "not a character",
        Error::DeserializeBadUtf8 => "a text is not UTF-8",
        Error::DeserializeBadOption => "what tells whether there is a value is neither 0 nor 1",
        Error::SerdeSerCustom => "the type refuses to be written",
        Error::SerdeDeCustom => "the type refuses the value",
        Error::CollectStrError => "a text could not be written",
        _ => "the bytes are not well formed",
    }
}

/// Keeps bytes up to a limit and counts the rest, so that it can be said how many there were.
struct Bounded {
    bytes: Vec<u8>,
    total: usize,
    limit: usize,
}

impl Bounded {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            total: 0,
            limit,
        }
    }

    fn add(&mut self, more: &[u8]) {
        self.total = self.total.saturating_add(more.len());
        if self.total <= self.limit {
            self.bytes.extend_from_slice(more);
        }
    }

    fn finish(self) -> Result<Vec<u8>, CodecError> {
        if self.total > self.limit {
            let actual = self.total;
            return Err(CodecError::TooLarge { actual });
        }
        Ok(self.bytes)
    }
}

impl ser_flavors::Flavor for &mut Bounded {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.add(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.add(&[data]);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl io::Write for Bounded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.add(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes to read, and how many are left for whoever watches.
struct Watched<'a> {
    rest: &'a [u8],
    left: &'a Cell<usize>,
}

impl<'a> de_flavors::Flavor<'a> for Watched<'a> {
    type Remainder = ();
    type Source = &'a [u8];

    fn pop(&mut self) -> postcard::Result<u8> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.rest = rest;
        self.left.set(rest.len());
        Ok(*first)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }

    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.rest = rest;
        self.left.set(rest.len());
        Ok(taken)
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [WireFormat; 2] = [WireFormat::Postcard, WireFormat::Json];

    #[test]
    fn what_is_written_is_read_again() {
        let value = (7u32, "größe".to_owned(), Some(vec![1.5f64, -0.0]));
        for format in FORMATS {
            let bytes = encode(&value, format, 100).unwrap();
            assert_eq!(decode(&bytes, format, 100), Ok(value.clone()));
        }
    }

    #[test]
    fn a_number_that_needs_all_its_digits_comes_back_as_itself_and_not_as_its_neighbour() {
        // Found by the fuzz target.
        let number = f64::from_bits(0x3ff0_0001_7801_0000 | 0x2_0001);
        let neighbours = (0..2000).map(|step| f64::from_bits(number.to_bits() + step));
        for number in neighbours {
            for format in FORMATS {
                let bytes = encode(&number, format, 100).unwrap();
                let again: f64 = decode(&bytes, format, 100).unwrap();
                assert_eq!(again.to_bits(), number.to_bits(), "{format}");
            }
        }
    }

    #[test]
    fn a_limit_is_the_last_length_that_is_allowed_and_the_error_knows_the_real_one() {
        let text = "x".repeat(1000);
        for (format, length) in [(WireFormat::Postcard, 1002), (WireFormat::Json, 1002)] {
            let bytes = encode(&text, format, length).unwrap();
            assert_eq!(bytes.len(), length);
            let too_large = CodecError::TooLarge { actual: length };
            assert_eq!(encode(&text, format, length - 1), Err(too_large.clone()));
            assert_eq!(
                decode::<String>(&bytes, format, length - 1),
                Err(too_large),
                "{format}"
            );
        }
    }

    #[test]
    fn trailing_bytes_are_counted_but_blanks_behind_json_are_none() {
        let extra = CodecError::Trailing { extra: 2 };
        assert_eq!(
            decode::<u8>(&[7, 1, 2], WireFormat::Postcard, 9),
            Err(extra.clone())
        );
        assert_eq!(
            decode::<String>(b"\"a\"{}", WireFormat::Json, 9),
            Err(extra)
        );
        assert_eq!(decode::<u8>(b"7 \n", WireFormat::Json, 9), Ok(7));
    }

    #[test]
    fn an_error_tells_how_many_bytes_were_understood() {
        let unreadable = |at, problem: &str| CodecError::Unreadable {
            at,
            problem: problem.to_owned(),
        };
        assert_eq!(
            decode::<(u8, bool)>(&[7, 2], WireFormat::Postcard, 9),
            Err(unreadable(2, "a truth value is neither 0 nor 1"))
        );
        assert_eq!(
            decode::<(u8, String)>(&[7, 200, 1, b'a'], WireFormat::Postcard, 9),
            Err(unreadable(3, "the bytes end before the value does"))
        );
        assert_eq!(
            decode::<Vec<u8>>(b"[1,\n 2, x]", WireFormat::Json, 20),
            Err(unreadable(8, "expected value"))
        );
        assert_eq!(
            decode::<u8>(b" ", WireFormat::Json, 9),
            Err(unreadable(1, "there is no value"))
        );
    }

    fn problem<T>(result: Result<T, CodecError>) -> String {
        match result {
            Err(CodecError::Unreadable { problem, .. } | CodecError::Unwritable { problem }) => {
                problem
            }
            Err(error) => format!("{error:?}"),
            Ok(_) => "none".to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_with_the_bytes_of_postcard_is_said_in_words() {
        fn read<T: DeserializeOwned>(bytes: &[u8]) -> String {
            problem(decode::<T>(bytes, WireFormat::Postcard, 99))
        }
        #[derive(Deserialize)]
        enum One {
            Only,
        }
        assert!(matches!(
            decode(&[0], WireFormat::Postcard, 9),
            Ok(One::Only)
        ));
        assert_eq!(read::<u16>(&[255; 3]), "a number is too large for its type");
        assert_eq!(read::<char>(&[1, 0xff]), "not a character");
        assert_eq!(read::<String>(&[1, 0xff]), "a text is not UTF-8");
        assert_eq!(
            read::<Option<u8>>(&[2]),
            "what tells whether there is a value is neither 0 nor 1"
        );
        assert_eq!(read::<One>(&[1]), "the type refuses the value");
        assert_eq!(
            read::<std::num::NonZeroU8>(&[0]),
            "the type refuses the value"
        );
    }

    #[test]
    fn what_cannot_be_written_in_postcard_is_said_in_words() {
        use serde::Serializer;
        use serde::ser::Error as _;

        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(std::iter::from_fn(|| Some(1)))
            }
        }
        struct Refusing;
        impl Serialize for Refusing {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(S::Error::custom("no"))
            }
        }
        struct Mute;
        impl fmt::Display for Mute {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        struct Text;
        impl Serialize for Text {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&Mute)
            }
        }
        fn write(value: &impl Serialize) -> String {
            problem(encode(value, WireFormat::Postcard, 9))
        }
        assert_eq!(write(&Endless), "a sequence does not know its length");
        assert_eq!(write(&Refusing), "the type refuses to be written");
        assert_eq!(write(&Text), "a text could not be written");
    }

    #[test]
    fn a_type_that_needs_names_is_refused_by_postcard() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "how")]
        enum End {
            Done,
        }
        let bytes = encode(&End::Done, WireFormat::Postcard, 99).unwrap();
        let error = decode::<End>(&bytes, WireFormat::Postcard, 99).unwrap_err();
        assert!(
            matches!(&error, CodecError::Unreadable { problem, .. } if problem.contains("names")),
            "{error:?}"
        );
    }
}
