//! Hides secrets in what is logged.

use std::borrow::Cow;

use parking_lot::RwLock;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// Shorter ones would be found everywhere, and hide nothing but the text around them.
const SHORTEST: usize = 4;

/// Texts that must not be logged.
#[derive(Debug, Default)]
pub(super) struct Masks(RwLock<Vec<String>>);

impl Masks {
    /// Hides this text from now on, if it has at least 4 bytes; also as `Debug` shows it, and each of its lines alone.
    pub(super) fn add(&self, secret: &str) {
        let mut secrets = self.0.write();
        for line in std::iter::once(secret).chain(secret.lines()) {
            let quoted = format!("{line:?}");
            for form in [line, quoted.trim_matches('"')] {
                if form.len() >= SHORTEST && !secrets.iter().any(|known| known == form) {
                    secrets.push(form.to_owned());
                }
            }
        }
        // Of two that contain each other the longer one is looked for first, so that nothing of it is left.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without secrets.
    pub(super) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secrets = self.0.read();
        let mut shown = Cow::Borrowed(text);
        for secret in secrets.iter() {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_secrets_are_hidden_the_longest_first() {
        let masks = Masks::default();
        for secret in ["hunter", "hunter22", "abc", ""] {
            masks.add(secret);
        }
        assert_eq!(masks.hide("hunter22 and hunter, abc"), "*** and ***, abc");
        assert!(matches!(masks.hide("nothing"), Cow::Borrowed(_)));
        masks.add("first line\nse\"cond");
        let shown = format!("{:?} or second: se\"cond", "first line\nse\"cond");
        assert_eq!(masks.hide(&shown), "\"***\" or second: ***");
    }
}
