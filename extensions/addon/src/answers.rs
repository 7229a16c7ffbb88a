//! What is known about an addon before it is written.

use camino::Utf8PathBuf;

use crate::kind::Kind;
use crate::name::AddonName;
use crate::origin::Origin;

/// All that templates need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    /// What is to be written.
    pub(crate) kind: Kind,
    /// What it is called.
    pub(crate) name: AddonName,
    /// What it is for, in one line.
    pub(crate) description: String,
    /// Who writes it; may be empty.
    pub(crate) author: String,
    /// What a command extension extends: the name of a command, or a capability.
    pub(crate) extends: String,
    /// When a framework extension is loaded.
    pub(crate) load_order: u16,
    /// Where it gets zaf and k2 from.
    pub(crate) origin: Origin,
    /// The directory in which its own directory is made.
    pub(crate) parent: Utf8PathBuf,
}

impl Answers {
    /// The directory that is made.
    pub(crate) fn directory(&self) -> Utf8PathBuf {
        self.parent.join(self.name.package())
    }
}

/// Longest description, in letters: one line of a list.
const LONGEST_LINE: usize = 200;

/// A text of one line, without blanks at its ends.
///
/// # Errors
/// What was expected.
pub(crate) fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(odd) = text.chars().find(|c| is_odd(*c)) {
        return Err(format!(
            "a text of one line without `{}`",
            odd.escape_debug()
        ));
    }
    let letters = text.chars().count();
    if letters > LONGEST_LINE {
        return Err(format!(
            "at most {LONGEST_LINE} letters; these are {letters}"
        ));
    }
    Ok(text.to_owned())
}

/// What an addon is for: a text of one line, and not nothing.
///
/// # Errors
/// What was expected.
pub(crate) fn description(text: &str) -> Result<String, String> {
    match line(text)? {
        text if text.is_empty() => Err("a text of at least one letter".to_owned()),
        text => Ok(text),
    }
}

/// With a full stop.
pub(crate) fn as_sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
