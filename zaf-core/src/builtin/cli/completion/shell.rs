//! The shells, and the scripts that make them ask.

/// A shell that words are completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// Their names, as they are typed.
    pub(super) const NAMES: &'static [&'static str] = &["bash", "zsh", "fish"];

    /// The shell of this name; none if there is no such shell.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }

    /// The script that makes the shell ask `program`.
    pub(super) fn script(self, program: &str) -> String {
        let template = match self {
            Self::Bash => include_str!("complete.bash"),
            Self::Zsh => include_str!("complete.zsh"),
            Self::Fish => include_str!("complete.fish"),
        };
        // Names of functions have fewer letters than those of programs.
        let name = program.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        template
            .replace("@PROGRAM@", program)
            .replace("@NAME@", &name)
    }

    /// A word as the program would get it. Bash hands over what was typed, with its quotes; the others take them off.
    pub(super) fn unquoted(self, word: &str) -> String {
        if self != Self::Bash {
            return word.to_owned();
        }
        let mut text = String::with_capacity(word.len());
        let mut quote = None;
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                ('\\', None | Some('"')) => text.extend(letters.next()),
                ('\'' | '"', None) => quote = Some(letter),
                (_, Some(open)) if letter == open => quote = None,
                _ => text.push(letter),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_bash_are_taken_off() {
        for (typed, expected) in [
            ("plain", "plain"),
            (r"a\ b", "a b"),
            ("'a \\b'", "a \\b"),
            (r#""a \"b"#, "a \"b"),
            ("'open", "open"),
            ("a\\", "a"),
        ] {
            assert_eq!(Shell::Bash.unquoted(typed), expected, "{typed}");
            assert_eq!(Shell::Zsh.unquoted(typed), typed);
        }
    }

    #[test]
    fn scripts_have_the_names_of_their_program_and_every_shell_has_one() {
        for name in Shell::NAMES {
            let script = Shell::named(name).expect("a shell").script("acme-test");
            assert!(
                !script.contains("@NAME@")
                    && !script.contains("@PROGRAM@")
                    && !script.contains("zk2"),
                "{script}"
            );
            assert!(script.contains("acme_test"), "{script}");
            assert!(script.contains("acme-test completion"), "{script}");
        }
        assert_eq!(Shell::named("tcsh"), None);
    }
}
