//! Where a value comes from, and how much it counts.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8Path;

/// How much a value counts: the higher level wins. Files that are included by a file count a little less than that file (one
/// *depth* per step), but never less than the next level.
///
/// Of equal priorities, the value that was added later wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Priority {
    level: u16,
    depth: Reverse<u16>,
}

impl Priority {
    /// Defaults of options.
    pub const DEFAULT: Self = Self::new(0);
    /// Values that an extension or the application provides.
    pub const APPLICATION: Self = Self::new(1);
    /// File of the machine.
    pub const SYSTEM: Self = Self::new(10);
    /// File of the user.
    pub const USER: Self = Self::new(20);
    /// File in the working directory.
    pub const LOCAL: Self = Self::new(30);
    /// Files that were named in addition to the standard ones.
    pub const ADDITIONAL: Self = Self::new(40);
    /// Files that were named instead of the standard ones.
    pub const EXPLICIT: Self = Self::new(50);
    /// Files that an entity includes.
    pub const ENTITY_INCLUDE: Self = Self::new(90);
    /// Environment variables.
    pub const ENVIRONMENT: Self = Self::new(99);
    /// Command line.
    pub const COMMAND_LINE: Self = Self::new(100);
    /// Values that the application fixes; nobody can override them.
    pub const FIXED: Self = Self::new(102);

    /// A priority of its own level.
    pub const fn new(level: u16) -> Self {
        Self {
            level,
            depth: Reverse(0),
        }
    }

    /// The level, 0 for defaults up to 102 for fixed values.
    pub const fn level(self) -> u16 {
        self.level
    }

    /// Priority of a file that is included by one of this priority: just below it, of the same level.
    #[must_use]
    pub const fn included(self) -> Self {
        Self {
            level: self.level,
            depth: Reverse(self.depth.0.saturating_add(1)),
        }
    }

    /// Steps of inclusion.
    pub const fn depth(self) -> u16 {
        self.depth.0
    }

    /// Words for what usually has this priority.
    pub const fn name(self) -> &'static str {
        match self.level {
            0 => "default",
            1 => "application",
            10 => "system file",
            20 => "user file",
            30 => "local file",
            40 => "additional file",
            50 => "explicit file",
            90 => "entity's file",
            99 => "environment",
            100 => "command line",
            102 => "fixed",
            _ => "other",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.level.to_string())
    }
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In a file.
    File {
        /// Path as it was given.
        path: Arc<Utf8Path>,
        /// Line of the value, from 1.
        line: u32,
        /// Column of the value in characters, from 1.
        column: u32,
    },
    /// In an environment variable.
    Environment {
        /// Name of the variable.
        name: Arc<str>,
    },
    /// On the command line.
    CommandLine {
        /// The flag as it was typed, with its dashes; the name of a positional argument.
        flag: Arc<str>,
    },
    /// With the option.
    Default {
        /// Extension that asks for the option.
        extension: Arc<str>,
    },
    /// From an extension.
    Extension {
        /// Its name.
        name: Arc<str>,
    },
    /// From the application itself.
    Fixed,
}

impl Source {
    /// A file as a whole.
    pub(crate) fn file(path: &Arc<Utf8Path>, line: u32, column: u32) -> Self {
        Self::File {
            path: Arc::clone(path),
            line,
            column,
        }
    }

    /// Directory that relative paths in a file start from; none for other sources (working directory).
    pub(crate) fn directory(&self) -> Option<&Utf8Path> {
        match self {
            Self::File { path, .. } => path.parent(),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Self::Environment { name } => f.write_str(name),
            Self::CommandLine { flag } => f.write_str(flag),
            Self::Default { extension } | Self::Extension { name: extension } => {
                write!(f, "extension {extension}")
            }
            Self::Fixed => f.write_str("application"),
        }
    }
}

/// A file that was read, kept so that problems can show the line.
#[derive(PartialEq, Eq)]
pub struct Document {
    path: Arc<Utf8Path>,
    text: String,
    /// Bytes that may be a secret.
    hidden: Vec<Range<usize>>,
}

impl Document {
    /// A text and where it comes from. A byte order mark at the start is dropped.
    pub fn new(path: impl AsRef<Utf8Path>, text: impl Into<String>) -> Self {
        let text = text.into();
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Self {
            path: Arc::from(path.as_ref()),
            text,
            hidden: Vec::new(),
        }
    }

    /// With what stands behind these words, as behind a key, left out of every picture: for keys of secrets, before anybody
    /// could read the file. Rather too much than too little is left out.
    #[must_use]
    pub fn hiding(self, words: &BTreeSet<String>) -> Self {
        let hidden = super::secret::behind(&self.text, words);
        Self { hidden, ..self }
    }

    /// Bytes that no picture shows; sorted.
    pub(super) fn hidden(&self) -> &[Range<usize>] {
        &self.hidden
    }

    /// Path as it was given.
    pub fn path(&self) -> &Arc<Utf8Path> {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column, both from 1, the column in characters, of a byte. Positions outside are those of the end; positions
    /// inside a character those of the character.
    pub fn position(&self, byte: usize) -> (u32, u32) {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, {} bytes)", self.path, self.text.len())
    }
}

/// Which bytes of a document an entry takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The document.
    pub document: Arc<Document>,
    /// Bytes of the key.
    pub key: Range<usize>,
    /// Bytes of the value.
    pub value: Range<usize>,
    /// Bytes of each element if the value is a list.
    pub items: Vec<Range<usize>>,
}
