//! The error that handlers, commands and extensions return, and that the edge of the application prints.
//!
//! Every module has its own `thiserror` enum. [`Error`] is the envelope for all of them: it keeps the original (to look at
//! with [`Error::downcast_ref`]), its chain of causes, and hints that say what to do. It does not print itself.

use std::error::Error as StdError;
use std::fmt;

/// Result with [`Error`] unless another error is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a test function returns, so that `?` works on every error.
///
/// Here, so that the preludes of the test harness and of the test framework mean the same by it.
pub type TestResult<E = Error> = std::result::Result<(), E>;

/// Any error, with hints for the person who reads it.
///
/// Made from every type that implements [`std::error::Error`] by `?`. It does not implement that trait itself (as with
/// `anyhow::Error`, the two would contradict each other).
///
/// As large as a pointer: handlers return it on the fastest path that there is.
pub struct Error(Box<Parts>);

struct Parts {
    inner: Box<dyn StdError + Send + Sync>,
    hints: Vec<String>,
}

impl Error {
    /// An error that is only a text.
    pub fn msg(text: impl fmt::Display) -> Self {
        Self::boxed(text.to_string().into())
    }

    #[cold]
    fn boxed(inner: Box<dyn StdError + Send + Sync>) -> Self {
        Self(Box::new(Parts {
            inner,
            hints: Vec::new(),
        }))
    }

    /// Adds a sentence that says what the reader can do. Hints are shown after the causes, in the order added.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.0.hints.push(hint.to_string());
        self
    }

    /// The hints, in the order added; may be empty.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The original error if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.inner.downcast_ref()
    }

    /// The error itself and then its causes, outermost first; never empty.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = &*self.0.inner;
        std::iter::successors(Some(first), |&error| error.source())
    }

    /// The original error as a trait object, for example as the `#[source]` of another error.
    pub fn into_inner(self) -> Box<dyn StdError + Send + Sync> {
        self.0.inner
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::boxed(Box::new(error))
    }
}

impl fmt::Display for Error {
    /// The outermost message; with `{:#}` the causes follow, each after `: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.inner)?;
        if f.alternate() {
            for cause in self.chain().skip(1) {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// Message, causes and hints on lines of their own, so that a failed `main` or test reads well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.inner)?;
        for cause in self.chain().skip(1) {
            write!(f, "\n  caused by: {cause}")?;
        }
        for hint in &self.0.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_printed_once_each_and_hints_last() {
        let error = Error::from(Outer(std::io::Error::other("inner"))).hint("try again");
        assert_eq!(format!("{error}"), "outer");
        assert_eq!(format!("{error:#}"), "outer: inner");
        assert_eq!(
            format!("{error:?}"),
            "outer\n  caused by: inner\n  hint: try again"
        );
        assert!(error.downcast_ref::<Outer>().is_some());
    }
}
