//! What values an option accepts.

use std::time::Duration;

use super::option::OptionDescriptor;

/// What values an option accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number, 64 bits with sign.
    Integer,
    /// A whole number from 0.
    Count,
    /// A finite number.
    Float,
    /// `true` or `false`.
    Flag,
    /// A length of time with its unit.
    Duration,
    /// A number of bytes.
    Size,
    /// A path.
    Path,
    /// A glob pattern.
    Glob,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of the values that another option has; that one has several values.
    ChoiceOf(&'static OptionDescriptor),
    /// The name of an entity: `[a-z0-9]+`.
    Entity,
    /// Text that nobody may see. `file:PATH` stands for the text in a file, without the line break at its end.
    Secret,
}

/// A default that can stand in a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// For text, choices, globs and paths.
    Text(&'static str),
    /// For integers.
    Integer(i64),
    /// For counts and sizes.
    Unsigned(u64),
    /// For floats.
    Float(f64),
    /// For flags.
    Flag(bool),
    /// For durations.
    Duration(Duration),
}
