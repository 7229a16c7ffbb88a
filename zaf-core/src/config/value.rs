//! Raw values as they stand in a layer, and the typed values that options read from them.
//!
//! A [`Value`] remembers how it was written; what it means is decided by the [`Kind`] of the option that reads it
//! ([`Value::read`]). So `0755` is never silently the number 755 and a number never silently a text. This module reads one
//! value; which value counts is decided by the store, references are replaced before.

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::kind::{DefaultValue, Kind};
use super::scalar::{quoted_if_needed, scalar};
use super::secret::{SECRET_SHOWN, Secret};
use super::unit;
use crate::message::Entity;

/// One value in a layer of configuration.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// The key stands there without a value (`null`): the next lower priority applies.
    Unset,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number, before its range is checked.
    Integer(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// Text whose meaning depends on the kind of the option: from the command line, the environment, or after references
    /// were replaced. `5` is a number here if the option is one.
    Raw(String),
    /// Several values; never contains lists.
    List(Vec<Self>),
}

/// A value that was read by its option's kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TypedValue {
    /// For texts, choices and globs.
    Text(String),
    /// For integers.
    Integer(i64),
    /// For counts and sizes (bytes).
    Unsigned(u64),
    /// For floats; finite.
    Float(f64),
    /// For flags.
    Flag(bool),
    /// For durations; not negative.
    Duration(Duration),
    /// For paths.
    Path(Utf8PathBuf),
    /// For entities.
    Entity(Entity),
    /// For secrets.
    Secret(Secret),
    /// For options with several values.
    List(Vec<Self>),
}

/// Why a value cannot be read as a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct Mismatch {
    /// What would have been right, for example ``a whole number``.
    pub expected: String,
    /// What is there, for example ``text `many` ``.
    pub found: String,
    /// Whether the kind of value is right and only its range or choice is wrong.
    pub is_range: bool,
    /// Position in the list, from 0, if an element is wrong.
    pub element: Option<usize>,
    /// What to write instead, if that can be said.
    pub help: Option<String>,
}

impl Mismatch {
    fn new(kind: Kind, found: &Value) -> Self {
        Self {
            expected: expected(kind),
            found: match (kind, found) {
                (Kind::Secret, Value::Text(_) | Value::Raw(_)) => {
                    "a text that is not shown".to_owned()
                }
                (Kind::Secret, Value::Unset) => found.to_string(),
                (Kind::Secret, Value::List(items)) => format!("a list of {}", items.len()),
                (Kind::Secret, _) => "something that is no text".to_owned(),
                (_, found) => found.to_string(),
            },
            is_range: false,
            element: None,
            help: None,
        }
    }

    fn range(self) -> Self {
        Self {
            is_range: true,
            ..self
        }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// Words for what a kind accepts, for messages: ``a whole number``.
pub fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Count => "a whole number from 0".to_owned(),
        Kind::Float => "a number".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Duration => "a length of time with its unit, like `5s`".to_owned(),
        Kind::Size => "a number of bytes, like `64 KiB`".to_owned(),
        Kind::Path => "a path".to_owned(),
        Kind::Glob => "a glob pattern".to_owned(),
        Kind::Choice(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("one of {}", words.join(", "))
        }
        Kind::ChoiceOf(other) => format!("one of the values of `{}`", other.key),
        Kind::Entity => "a name of lower-case letters and digits".to_owned(),
        Kind::Secret => "a text, or `file:PATH` with the file that has it".to_owned(),
    }
}

impl Value {
    /// Reads the value as the kind of an option. `multiple` options accept one value as a list of one; an element counts
    /// from 0 in the error.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if the value is not of the kind, not in range, or a list where one value is expected.
    pub fn read(&self, kind: Kind, multiple: bool) -> Result<TypedValue, Mismatch> {
        match (self, multiple) {
            (Self::List(items), true) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    item.read_one(kind).map_err(|mismatch| Mismatch {
                        element: Some(index),
                        ..mismatch
                    })
                })
                .collect::<Result<_, _>>()
                .map(TypedValue::List),
            (one, true) => Ok(TypedValue::List(vec![one.read_one(kind)?])),
            (one, false) => one.read_one(kind),
        }
    }

    fn read_one(&self, kind: Kind) -> Result<TypedValue, Mismatch> {
        let wrong = || Mismatch::new(kind, self);
        match kind {
            // Which values the other option has is the store's to know.
            Kind::Text | Kind::Glob | Kind::ChoiceOf(_) => {
                Ok(TypedValue::Text(self.text(kind)?.to_owned()))
            }
            // Whether the text is in a file is the store's to know.
            Kind::Secret => Ok(TypedValue::Secret(Secret::new(self.text(kind)?))),
            Kind::Path => {
                let text = self.text(kind)?;
                if text.is_empty() || text.contains('\0') {
                    return Err(wrong().range());
                }
                Ok(TypedValue::Path(Utf8PathBuf::from(text)))
            }
            Kind::Choice(words) => {
                let text = self.text(kind)?;
                if words.contains(&text) {
                    return Ok(TypedValue::Text(text.to_owned()));
                }
                let near = super::nearest(text, words.iter().copied());
                Err(match near {
                    Some(near) => wrong().range().help(format!("did you mean `{near}`?")),
                    None => wrong().range(),
                })
            }
            Kind::Entity => {
                let text = self.text(kind)?;
                if is_entity_name(text) {
                    Ok(TypedValue::Entity(Entity::from(text)))
                } else {
                    Err(wrong().range())
                }
            }
            Kind::Integer => {
                let number = self.whole().ok_or_else(wrong)?;
                i64::try_from(number).map(TypedValue::Integer).map_err(|_| {
                    wrong().range().help(format!(
                        "it must lie between {} and {}",
                        i64::MIN,
                        i64::MAX
                    ))
                })
            }
            Kind::Count => {
                let number = self.whole().ok_or_else(wrong)?;
                unsigned(number).ok_or_else(|| wrong().range())
            }
            Kind::Size => {
                if let Some(number) = self.whole() {
                    return unsigned(number).ok_or_else(|| wrong().range());
                }
                match self {
                    Self::Text(text) | Self::Raw(text) => unit::size(text)
                        .map(TypedValue::Unsigned)
                        .map_err(|problem| wrong().help(problem)),
                    _ => Err(wrong()),
                }
            }
            Kind::Float => {
                let number = self.float().ok_or_else(wrong)?;
                if number.is_finite() {
                    Ok(TypedValue::Float(number))
                } else {
                    Err(wrong().range().help("it must be finite"))
                }
            }
            Kind::Flag => match self {
                Self::Flag(flag) => Ok(TypedValue::Flag(*flag)),
                Self::Raw(text) => match text.as_str() {
                    "true" => Ok(TypedValue::Flag(true)),
                    "false" => Ok(TypedValue::Flag(false)),
                    _ => Err(wrong()),
                },
                _ => Err(wrong()),
            },
            Kind::Duration => match self {
                Self::Text(text) | Self::Raw(text) => unit::duration(text)
                    .map(TypedValue::Duration)
                    .map_err(|problem| wrong().help(problem)),
                Self::Integer(number) => {
                    Err(wrong().help(format!("a bare number has no unit: `{number}s`?")))
                }
                _ => Err(wrong()),
            },
        }
    }

    /// The text of a value for a kind that is text.
    fn text(&self, kind: Kind) -> Result<&str, Mismatch> {
        match self {
            Self::Text(text) | Self::Raw(text) => Ok(text),
            Self::Flag(_) | Self::Integer(_) | Self::Float(_) => {
                Err(Mismatch::new(kind, self).help("put it in quotes to make it text"))
            }
            Self::Unset | Self::List(_) => Err(Mismatch::new(kind, self)),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Raw(text) => match scalar(text) {
                Ok(Self::Integer(number)) => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Integer(number) => exact_float(*number),
            Self::Raw(text) => match scalar(text) {
                Ok(Self::Float(number)) => Some(number),
                Ok(Self::Integer(number)) => exact_float(number),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value as text that a file loader reads back as the same value ([`Self::Raw`] as text). Suits YAML and JSON-like
    /// readers: what could be mistaken is put in double quotes.
    pub fn print(&self) -> String {
        match self {
            Self::Unset => "null".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) if number.is_nan() => ".nan".to_owned(),
            Self::Float(number) if number.is_infinite() => {
                if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
            }
            Self::Float(number) => format!("{number:?}"),
            Self::Text(text) | Self::Raw(text) => quoted_if_needed(text),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::print).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// The value as it is put in place of a reference to it: texts as they are, lists with commas.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Raw(text) => text.clone(),
            Self::Unset => String::new(),
            Self::List(items) => items.iter().map(Self::plain).collect::<Vec<_>>().join(","),
            other => other.print(),
        }
    }
}

impl fmt::Display for Value {
    /// What it is, in the words of a message: ``text `many` ``, `the number 5`, `a list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("nothing"),
            Self::Flag(flag) => write!(f, "`{flag}`"),
            Self::Integer(_) | Self::Float(_) => write!(f, "the number `{}`", self.print()),
            Self::Text(text) => write!(f, "the text `{}`", shortened(text)),
            Self::Raw(text) => write!(f, "`{}`", shortened(text)),
            Self::List(items) => write!(f, "a list of {}", items.len()),
        }
    }
}

/// Longest value that a message repeats, in characters: a line of a terminal less the words around it.
const SHOWN: usize = 60;

pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn unsigned(number: i128) -> Option<TypedValue> {
    u64::try_from(number).ok().map(TypedValue::Unsigned)
}

/// The float of exactly this value; none if it would be rounded.
fn exact_float(number: i128) -> Option<f64> {
    // Every whole number up to 2^53 has a float of its own.
    const EXACT: i128 = 1 << 53;
    if !(-EXACT..=EXACT).contains(&number) {
        return None;
    }
    number.to_string().parse().ok()
}

/// Whether `name` can be the name of an entity: `[a-z0-9]+`. So a name never contains a separator of keys.
pub fn is_entity_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

impl TypedValue {
    /// The value in the form that a file would have: durations and sizes as text with units. Of a secret, what is shown.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::Integer(number) => Value::Integer((*number).into()),
            Self::Unsigned(number) => Value::Integer((*number).into()),
            Self::Float(number) => Value::Float(*number),
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Duration(duration) => Value::Text(unit::print_duration(*duration)),
            Self::Path(path) => Value::Text(path.to_string()),
            Self::Entity(entity) => Value::Text(entity.name().to_owned()),
            Self::Secret(_) => Value::Text(SECRET_SHOWN.to_owned()),
            Self::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
        }
    }
}

impl TypedValue {
    /// What makes two elements of a list the same.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Secret(secret) => secret.reveal().to_owned(),
            other => other.to_value().print(),
        }
    }
}

impl From<DefaultValue> for Value {
    fn from(default: DefaultValue) -> Self {
        match default {
            DefaultValue::Text(text) => Self::Text(text.to_owned()),
            DefaultValue::Integer(number) => Self::Integer(number.into()),
            DefaultValue::Unsigned(number) => Self::Integer(number.into()),
            DefaultValue::Float(number) => Self::Float(number),
            DefaultValue::Flag(flag) => Self::Flag(flag),
            DefaultValue::Duration(duration) => Self::Text(unit::print_duration(duration)),
        }
    }
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $made:expr),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        })*
    };
}

value_from! {
    bool => |value| Self::Flag(value),
    i64 => |value| Self::Integer(value.into()),
    i32 => |value| Self::Integer(value.into()),
    u64 => |value| Self::Integer(value.into()),
    f64 => |value| Self::Float(value),
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    Duration => |value| Self::Text(unit::print_duration(value)),
    Utf8PathBuf => |value| Self::Text(value.into_string()),
    Entity => |value| Self::Text(value.name().to_owned()),
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
