//! The kinds of things that can be written.

use std::fmt;

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// An extension that is there whatever the command is.
    Framework,
    /// An extension that is there with the commands it extends.
    Command,
    /// Components that handlers and test cases can ask for.
    Components,
    /// A report of runs.
    Report,
    /// Test cases of a kind of its own: who finds them, and who runs them.
    TestKind,
    /// A command line of its own, with its own name, prefix and extensions.
    Product,
    /// Test cases, to be linked into a product.
    Suite,
}

impl Kind {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Command,
        Self::Framework,
        Self::Components,
        Self::Report,
        Self::TestKind,
        Self::Suite,
        Self::Product,
    ];

    /// The words of all, as the option takes them.
    pub const WORDS: [&'static str; 7] = [
        "command",
        "framework",
        "components",
        "report",
        "test-kind",
        "suite",
        "product",
    ];

    /// The kind of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Framework => "framework",
            Self::Command => "command",
            Self::Components => "components",
            Self::Report => "report",
            Self::TestKind => "test-kind",
            Self::Product => "product",
            Self::Suite => "suite",
        }
    }

    /// What it is, in a few words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Framework => "an extension that is there whatever the command is",
            Self::Command => "an extension that is there with the commands it extends",
            Self::Components => "components that handlers and test cases can ask for",
            Self::Report => "a report of runs",
            Self::TestKind => "test cases of a kind of its own: a finder and a runner",
            Self::Product => "a test command of its own: name, prefix, extensions",
            Self::Suite => "test cases, to be linked into a test command",
        }
    }

    /// What is in it when it has been written, in a few words.
    pub(crate) fn beginning(self) -> &'static str {
        match self {
            Self::Framework => "begins as: a request, answered with what an option says",
            Self::Command => "begins as: an alarm if more cases fail than an option allows",
            Self::Components => "begins as: a clock of the session, to be asked for",
            Self::Report => "begins as: a text file with a line for each case",
            Self::TestKind => "begins as: files whose lines are cases, found and run",
            Self::Product => "begins as: a workspace and a command, for the others to join",
            Self::Suite => "begins as: two test functions, one of them with parameters",
        }
    }

    /// Whether a product links it, so that it belongs into a product's list of extensions.
    pub fn is_linked(self) -> bool {
        self != Self::Product
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_of_its_own() {
        for (kind, word) in Kind::ALL.into_iter().zip(Kind::WORDS) {
            assert_eq!(kind.word(), word);
            assert_eq!(Kind::of(word), Some(kind));
        }
        assert_eq!(Kind::of("Command"), None);
    }
}
