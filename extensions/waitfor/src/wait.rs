//! The loop that all waits share.

use std::time::{Duration, Instant};

use k2::supervisor::Cancellation;
use regex::Regex;
use zaf_core::prelude::*;

use crate::{WaitError, WaitForFile, WaitForHttp, WaitForLogLine};

/// Waits for a case. Settings return a changed copy: `wait.timeout(…).file(…)`.
#[derive(Debug, Clone)]
pub struct WaitFor {
    cancellation: Cancellation,
    timeout: Duration,
    interval: Duration,
}

/// Text that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matched {
    /// All of it.
    pub text: String,
    /// The groups of the pattern, from the first one in parentheses on; those that took no part are `None`.
    pub groups: Vec<Option<String>>,
}

impl Matched {
    pub(crate) fn in_text(pattern: &Regex, text: &str) -> Option<Self> {
        let captures = pattern.captures(text)?;
        let owned = |found: regex::Match<'_>| found.as_str().to_owned();
        Some(Self {
            text: captures.get(0).map(owned)?,
            groups: captures
                .iter()
                .skip(1)
                .map(|group| group.map(owned))
                .collect(),
        })
    }
}

/// One look at what is waited for.
pub(crate) enum Look<T> {
    /// It is there.
    There(T),
    /// Not yet; this was seen instead.
    NotYet(String),
}

impl WaitFor {
    /// Longest wait unless another is set.
    pub const TIMEOUT: Duration = Duration::from_mins(1);
    /// Time between two looks unless another is set.
    pub const INTERVAL: Duration = Duration::from_millis(100);

    /// Waits until `cancellation` is raised, at the longest.
    pub fn new(cancellation: Cancellation) -> Self {
        Self {
            cancellation,
            timeout: Self::TIMEOUT,
            interval: Self::INTERVAL,
        }
    }

    /// Sets the longest wait. With zero there is one look.
    #[must_use]
    pub fn timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Sets the time between the end of one look and the beginning of the next.
    #[must_use]
    pub fn interval(&self, interval: Duration) -> Self {
        Self {
            interval,
            ..self.clone()
        }
    }

    /// Waits until `predicate` returns something, and returns that. `what` names it in the error: "`what` did not come within 1s".
    ///
    /// # Errors
    /// When the time is over, or the case is asked to end.
    pub fn some<T>(&self, what: &str, mut predicate: impl FnMut() -> Option<T>) -> Result<T> {
        self.until(what, |_| match predicate() {
            Some(value) => Look::There(value),
            None => Look::NotYet("the last look found nothing".to_owned()),
        })
    }

    /// Waits until `predicate` is true.
    ///
    /// # Errors
    /// When the time is over, or the case is asked to end.
    pub fn is_true(&self, what: &str, mut predicate: impl FnMut() -> bool) -> Result<()> {
        self.some(what, || predicate().then_some(()))
    }

    /// Waits until `attempt` succeeds. The error names what kept it from it last.
    ///
    /// # Errors
    /// When the time is over, or the case is asked to end.
    pub fn ok<T, E: std::fmt::Display>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> Result<T, E>,
    ) -> Result<T> {
        self.until(what, |_| match attempt() {
            Ok(value) => Look::There(value),
            Err(error) => Look::NotYet(format!("the last attempt said: {error}")),
        })
    }

    /// Waits for a file: that it exists, or what it holds.
    pub fn file(&self, path: impl Into<std::path::PathBuf>) -> WaitForFile<'_> {
        WaitForFile::new(self, path.into())
    }

    /// Waits for lines that are written to a file from now on.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn log(&self, path: impl Into<std::path::PathBuf>) -> Result<WaitForLogLine> {
        WaitForLogLine::new(self.clone(), path.into())
    }

    /// Waits for an answer of a server.
    pub fn http(&self, url: impl Into<String>) -> WaitForHttp<'_> {
        WaitForHttp::new(self, url.into())
    }

    /// Looks until it is there. A look is told how much time is left; at least one is taken, and a last one when the time is over.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        mut look: impl FnMut(Duration) -> Look<T>,
    ) -> Result<T> {
        let deadline = Instant::now().checked_add(self.timeout);
        loop {
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            let last = match look(left) {
                Look::There(value) => return Ok(value),
                Look::NotYet(seen) => seen,
            };
            if left.is_zero() {
                let error = WaitError::TimedOut {
                    what: what.to_owned(),
                    limit: self.timeout,
                    last,
                };
                return Err(error.judged());
            }
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if self.cancellation.wait(self.interval.min(left)) {
                let what = what.to_owned();
                return Err(WaitError::Cancelled { what }.into());
            }
        }
    }
}

pub(crate) fn regex(pattern: &str) -> Result<Regex> {
    let regex = Regex::new(pattern).map_err(|source| WaitError::Pattern {
        pattern: pattern.to_owned(),
        source: Box::new(source),
    })?;
    Ok(regex)
}

/// The end of a text, for messages.
pub(crate) fn tail(text: &str) -> String {
    const SHOWN: usize = 200;
    let text = text.trim_end();
    let count = text.chars().count();
    let skipped = count.saturating_sub(SHOWN);
    let end: String = text.chars().skip(skipped).collect();
    if skipped > 0 {
        format!("…{end}")
    } else {
        end
    }
}
