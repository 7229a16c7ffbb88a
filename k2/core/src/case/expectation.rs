//! Cases that are known to fail.

/// Why and by whom a case is expected to fail.
///
/// A case that fails as expected is no failure, and one that passes although it should not is worth a look: see the page
/// "Outcomes" of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedToFail {
    /// Why, in one line.
    pub reason: String,
    /// Where the fault is tracked, if that was said.
    pub link: Option<String>,
    /// Who says so: `code`, `run time`, or `file:line` of a list.
    pub by: String,
    /// Whether a pass is a failure, instead of what the run says.
    pub strict: Option<bool>,
}

impl ExpectedToFail {
    /// Expected because of `reason`, said by `by`; nothing else known.
    pub fn new(reason: impl Into<String>, by: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            link: None,
            by: by.into(),
            strict: None,
        }
    }
}
