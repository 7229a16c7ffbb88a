//! Option ids: constants that say everything about an option, and the requests for them.
//!
//! A typed [`OptionId`] is what an author declares and reads with; [`OptionDescriptor`] is the same without the type, for
//! registries, the command line and documentation. Identity is the key alone.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::context::ApplicationContext;
use super::kind::{DefaultValue, Kind};
use super::secret::{Secret, written};
use super::transform::Transform;
use super::value::{TypedValue, Value};
use crate::message::Entity;

/// A type that option values are read as. Implemented for the types of [`OptionId`]'s constructors and `Vec` of them.
pub trait OptionType: Send + Sync + Sized + 'static {
    /// The value as this type; none if the value is of another type, which an [`OptionId`] rules out.
    #[doc(hidden)]
    fn from_typed(value: TypedValue) -> Option<Self>;

    /// The value as it would stand in a layer.
    #[doc(hidden)]
    fn into_value(self) -> Value;
}

macro_rules! option_type {
    ($($type:ty: $variant:ident),* $(,)?) => {
        $(impl OptionType for $type {
            fn from_typed(value: TypedValue) -> Option<Self> {
                match value {
                    TypedValue::$variant(value) => Some(value),
                    _ => None,
                }
            }

            fn into_value(self) -> Value {
                self.into()
            }
        })*
    };
}

option_type! {
    String: Text,
    i64: Integer,
    u64: Unsigned,
    f64: Float,
    bool: Flag,
    Duration: Duration,
    Utf8PathBuf: Path,
    Entity: Entity,
}

impl OptionType for Secret {
    fn from_typed(value: TypedValue) -> Option<Self> {
        match value {
            TypedValue::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::Text(written(self.reveal()))
    }
}

impl<T: OptionType> OptionType for Vec<T> {
    fn from_typed(value: TypedValue) -> Option<Self> {
        match value {
            TypedValue::List(items) => items.into_iter().map(T::from_typed).collect(),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

/// Everything about an option but the Rust type of its value.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent property of a declaration"
)]
#[non_exhaustive]
pub struct OptionDescriptor {
    /// Dotted lower-case key: `output.dir` is `--output-dir` on the command line and `<PREFIX>_OUTPUT_DIR` in the
    /// environment. `.`, `-` and `_` are the same letter in a key.
    pub key: &'static str,
    /// One sentence for help and documentation; may be empty.
    pub description: &'static str,
    /// What values are accepted.
    pub kind: Kind,
    /// Whether values of all sources add up to a list.
    pub multiple: bool,
    /// Value at priority 0.
    pub default: Option<DefaultValue>,
    /// Whether its values name entities.
    pub is_entity: bool,
    /// The entity option whose entities each have a value of their own: key `<namespace>.<entity>.<name>`, flag
    /// `--<namespace>-<entity>@<name>`.
    pub at: Option<&'static Self>,
    /// One-letter flag.
    pub short: Option<char>,
    /// Whether it is a positional argument of its command.
    pub argument: bool,
    /// Whether only the full help shows it.
    pub hidden: bool,
    /// Other keys that it is known by, in every spelling; of an option that hangs at an entity option, other names.
    pub aliases: &'static [&'static str],
    /// For whom the command line has it; empty: for everybody. Files and the environment can always set it.
    pub contexts: &'static [ApplicationContext],
    /// What is made of each value once it is read.
    pub transform: Option<Transform>,
}

impl OptionDescriptor {
    /// Whether the command line of an application for these users has the option.
    pub fn is_for(&self, context: ApplicationContext) -> bool {
        self.contexts.is_empty() || self.contexts.contains(&context)
    }

    /// Whether nobody may see its values.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret)
    }

    /// The option under another of its names.
    /// A request for it, by whoever knows it without its type; see [`OptionId::required`] and [`OptionId::instantiate_on`].
    pub const fn asked_for(self, required: bool, instantiate_on: bool) -> ConfigOption {
        ConfigOption {
            option: self,
            required: required || instantiate_on,
            instantiate_on,
        }
    }

    pub(super) const fn named(self, key: &'static str) -> Self {
        Self { key, ..self }
    }
}

impl PartialEq for OptionDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.at.map(|at| at.key) == other.at.map(|at| at.key)
    }
}

impl Eq for OptionDescriptor {}

/// Identity of an option whose values are read as `T`.
pub struct OptionId<T> {
    descriptor: OptionDescriptor,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for OptionId<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OptionId<T> {}

impl<T> fmt::Debug for OptionId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OptionId({})", self.descriptor.key)
    }
}

impl<T> OptionId<T> {
    pub(super) const fn with_kind(key: &'static str, kind: Kind) -> Self {
        let descriptor = OptionDescriptor {
            key,
            description: "",
            kind,
            multiple: false,
            default: None,
            is_entity: false,
            at: None,
            short: None,
            argument: false,
            hidden: false,
            aliases: &[],
            contexts: &[],
            transform: None,
        };
        Self {
            descriptor,
            value: PhantomData,
        }
    }

    pub(super) const fn with(descriptor: OptionDescriptor) -> Self {
        Self {
            descriptor,
            value: PhantomData,
        }
    }

    /// The option without its type, usable in constants.
    pub const fn descriptor(&self) -> OptionDescriptor {
        self.descriptor
    }

    /// Dotted key.
    pub const fn key(&self) -> &'static str {
        self.descriptor.key
    }

    /// Says in one sentence what the option is for.
    #[must_use]
    pub const fn describe(self, description: &'static str) -> Self {
        Self::with(OptionDescriptor {
            description,
            ..self.descriptor
        })
    }

    /// Adds a one-letter flag.
    #[must_use]
    pub const fn short(self, letter: char) -> Self {
        Self::with(OptionDescriptor {
            short: Some(letter),
            ..self.descriptor
        })
    }

    /// Adds other keys that it is known by: older names, shorter ones. All sources may use them, and all mean this option.
    #[must_use]
    pub const fn aliases(self, keys: &'static [&'static str]) -> Self {
        Self::with(OptionDescriptor {
            aliases: keys,
            ..self.descriptor
        })
    }

    /// Gives it to the command line of these applications only. Files and the environment can always set it.
    #[must_use]
    pub const fn contexts(self, contexts: &'static [ApplicationContext]) -> Self {
        Self::with(OptionDescriptor {
            contexts,
            ..self.descriptor
        })
    }

    /// Makes it a positional argument of its command.
    #[must_use]
    pub const fn argument(self) -> Self {
        Self::with(OptionDescriptor {
            argument: true,
            ..self.descriptor
        })
    }

    /// Shows it in the full help only.
    #[must_use]
    pub const fn hidden(self) -> Self {
        Self::with(OptionDescriptor {
            hidden: true,
            ..self.descriptor
        })
    }

    /// Gives each entity of `entity_option` a value of its own.
    #[must_use]
    pub const fn at(self, entity_option: &'static OptionDescriptor) -> Self {
        Self::with(OptionDescriptor {
            at: Some(entity_option),
            ..self.descriptor
        })
    }

    /// Asks for the option; the extension cannot start without a value.
    pub const fn required(self) -> ConfigOption {
        ConfigOption {
            option: self.descriptor,
            required: true,
            instantiate_on: false,
        }
    }

    /// Asks for the option; there may be no value.
    pub const fn optional(self) -> ConfigOption {
        ConfigOption {
            option: self.descriptor,
            required: false,
            instantiate_on: false,
        }
    }

    /// Asks for the option and for one instance of the extension per entity that it names.
    pub const fn instantiate_on(self) -> ConfigOption {
        ConfigOption {
            option: self.descriptor,
            required: true,
            instantiate_on: true,
        }
    }
}

/// A request for an option by an extension or a command.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ConfigOption {
    /// Which option.
    pub option: OptionDescriptor,
    /// Whether a value must exist.
    pub required: bool,
    /// Whether there is one instance of the extension per entity that the option names.
    pub instantiate_on: bool,
}
