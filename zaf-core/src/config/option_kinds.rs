//! The kinds of options: a constructor for each, and what only some of them have.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::kind::{DefaultValue, Kind};
use super::option::{OptionDescriptor, OptionId};
use super::secret::Secret;
use super::transform::{Transform, Transformed};
use crate::message::Entity;

impl OptionId<String> {
    /// Any text.
    pub const fn text(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Text)
    }

    /// One of a few words.
    pub const fn choice(key: &'static str, choices: &'static [&'static str]) -> Self {
        Self::with_kind(key, Kind::Choice(choices))
    }

    /// One of the values that another option with several values has, when this one is read: the name of something that is
    /// configured elsewhere.
    pub const fn choice_of(key: &'static str, other: &'static OptionDescriptor) -> Self {
        Self::with_kind(key, Kind::ChoiceOf(other))
    }

    /// A glob pattern.
    pub const fn glob(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Glob)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Text(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<String>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(String) -> Transformed<String>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Text(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<i64> {
    /// A whole number.
    pub const fn integer(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Integer)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: i64) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Integer(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<i64>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(i64) -> Transformed<i64>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Integer(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<u64> {
    /// A whole number that is not negative.
    pub const fn count(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Count)
    }

    /// A number of bytes: `64`, `4 KiB`, `1MB`.
    pub const fn size(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Size)
    }

    /// Value when no source has one; bytes for sizes.
    #[must_use]
    pub const fn default(self, value: u64) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Unsigned(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<u64>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(u64) -> Transformed<u64>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Unsigned(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<f64> {
    /// A finite number.
    pub const fn float(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Float)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: f64) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Float(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<f64>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(f64) -> Transformed<f64>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Float(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<bool> {
    /// Yes or no: `--name`, `--no-name`, `--name true|false`.
    pub const fn flag(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Flag)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: bool) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Flag(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up: `-vv` is twice yes.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<bool>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }
}

impl OptionId<Duration> {
    /// A length of time: `5s`, `2m 30s`, `100ms`; a bare number is refused, because its unit would be a guess.
    pub const fn duration(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Duration)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: Duration) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Duration(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<Duration>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(Duration) -> Transformed<Duration>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Duration(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<Utf8PathBuf> {
    /// A path; relative ones start where the value was written (a file's directory, else the working directory).
    pub const fn path(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Path)
    }

    /// Value when no source has one.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self::with(OptionDescriptor {
            default: Some(DefaultValue::Text(value)),
            ..self.descriptor()
        })
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<Utf8PathBuf>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }

    /// Applies a function to each value once it is read; it says what would have been right of a value that it refuses.
    #[must_use]
    pub const fn transform(self, change: fn(Utf8PathBuf) -> Transformed<Utf8PathBuf>) -> Self {
        Self::with(OptionDescriptor {
            transform: Some(Transform::Path(change)),
            ..self.descriptor()
        })
    }
}

impl OptionId<Vec<Entity>> {
    /// Names of entities, for example `suts.ids`.
    pub const fn entities(key: &'static str) -> Self {
        let id = Self::with_kind(key, Kind::Entity);
        Self::with(OptionDescriptor {
            multiple: true,
            is_entity: true,
            ..id.descriptor()
        })
    }
}

impl OptionId<Secret> {
    /// Text that nobody may see. The value `file:PATH` stands for the text in that file; the command line takes nothing else,
    /// because everybody on the machine can see it.
    pub const fn secret(key: &'static str) -> Self {
        Self::with_kind(key, Kind::Secret)
    }

    /// Values of all sources add up.
    #[must_use]
    pub const fn multiple(self) -> OptionId<Vec<Secret>> {
        OptionId::with(OptionDescriptor {
            multiple: true,
            ..self.descriptor()
        })
    }
}
