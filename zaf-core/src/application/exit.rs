//! The one table of exit codes, and how an error carries one.

use std::error::Error as StdError;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// How an application ends. The order of the variants is the order of precedence, strongest first.
///
/// Source: architecture, "Exit codes".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExitCode {
    /// 70: a bug of ours.
    InternalError,
    /// 2: wrong use, on the command line or in the configuration.
    Usage,
    /// 7: an extension or plugin could not be loaded or started.
    ExtensionFailed,
    /// 8: the remote engine failed.
    RemoteFailed,
    /// 6: a report or the event log could not be written.
    ReportFailed,
    /// 3: the command's time limit was reached.
    TimeLimit,
    /// 5: aborted, cases without a verdict, or a process of a case that could not be killed.
    Incomplete,
    /// 1: at least one case failed or ended in error.
    CasesFailed,
    /// 4: nothing to run.
    NothingToRun,
    /// 0: the command succeeded; every selected case passed.
    Success,
}

impl ExitCode {
    /// Every code, strongest first.
    pub const ALL: [Self; 10] = [
        Self::InternalError,
        Self::Usage,
        Self::ExtensionFailed,
        Self::RemoteFailed,
        Self::ReportFailed,
        Self::TimeLimit,
        Self::Incomplete,
        Self::CasesFailed,
        Self::NothingToRun,
        Self::Success,
    ];

    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::CasesFailed => 1,
            Self::Usage => 2,
            Self::TimeLimit => 3,
            Self::NothingToRun => 4,
            Self::Incomplete => 5,
            Self::ReportFailed => 6,
            Self::ExtensionFailed => 7,
            Self::RemoteFailed => 8,
            Self::InternalError => 70,
        }
    }

    /// What the number says, as a fragment for a summary line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "every selected case passed",
            Self::CasesFailed => "at least one case failed or ended in error",
            Self::Usage => "wrong use of the command line or the configuration",
            Self::TimeLimit => "the time limit was reached",
            Self::NothingToRun => "nothing to run",
            Self::Incomplete => {
                "incomplete: cases without a verdict, or a process that could not be killed"
            }
            Self::ReportFailed => "a report or the event log could not be written",
            Self::ExtensionFailed => "an extension could not be loaded or started",
            Self::RemoteFailed => "the remote engine failed",
            Self::InternalError => "internal error",
        }
    }

    /// The stronger of two outcomes of one run.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.min(other)
    }

    /// Makes the application end with this code when a command or an extension returns `error`.
    ///
    /// Without it, an error of a command means [`CasesFailed`](Self::CasesFailed), one of loading an extension
    /// [`ExtensionFailed`](Self::ExtensionFailed), one in the configuration [`Usage`](Self::Usage).
    #[must_use]
    pub fn with_error(self, error: impl Into<Error>) -> Error {
        let error = error.into();
        let hints = error.hints().to_vec();
        let coded = CodedError {
            code: self,
            error: error.into_inner(),
        };
        hints.into_iter().fold(Error::from(coded), Error::hint)
    }
}

impl fmt::Display for ExitCode {
    /// Number and meaning: `2: wrong use of …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.meaning())
    }
}

impl Serialize for ExitCode {
    /// As its number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for ExitCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|code| code.code() == number);
        found.ok_or_else(|| {
            D::Error::custom(format_args!(
                "{number} is no exit code of an application; expected one of its table"
            ))
        })
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

/// An error that says which code the application ends with; reads like the error inside. Made by
/// [`ExitCode::with_error`].
#[derive(Debug)]
pub struct CodedError {
    code: ExitCode,
    error: Box<dyn StdError + Send + Sync>,
}

impl CodedError {
    /// The code to end with.
    pub fn code(&self) -> ExitCode {
        self.code
    }

    /// The error itself.
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.error
    }
}

impl fmt::Display for CodedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for CodedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_the_documented_order() {
        let codes: Vec<u8> = ExitCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes, [70, 2, 7, 8, 6, 3, 5, 1, 4, 0]);
        for (rank, strong) in ExitCode::ALL.iter().enumerate() {
            for weak in &ExitCode::ALL[rank..] {
                assert_eq!(strong.merge(*weak), *strong);
                assert_eq!(weak.merge(*strong), *strong);
            }
        }
    }

    #[test]
    fn a_code_is_written_as_its_number() {
        for code in ExitCode::ALL {
            let written = serde_json::to_string(&code).expect("a number");
            assert_eq!(written, code.code().to_string());
            let read: ExitCode = serde_json::from_str(&written).expect("a code");
            assert_eq!(read, code);
        }
        let error = serde_json::from_str::<ExitCode>("9").expect_err("no code");
        assert!(error.to_string().contains("9 is no exit code"), "{error}");
    }

    #[test]
    fn an_error_with_a_code_keeps_its_text_causes_and_hints() {
        let cause = std::io::Error::other("no space left");
        let error = ExitCode::ReportFailed.with_error(Error::from(cause).hint("free some space"));
        assert_eq!(error.to_string(), "no space left");
        assert_eq!(error.hints(), ["free some space"]);
        let coded = error.downcast_ref::<CodedError>().expect("a coded error");
        assert_eq!(coded.code(), ExitCode::ReportFailed);
    }
}
