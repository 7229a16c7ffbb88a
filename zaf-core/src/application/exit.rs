//! The one table of exit codes.

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
    /// 5: aborted, cases without a verdict.
    Incomplete,
    /// 1: at least one case failed or ended in error.
    CasesFailed,
    /// 4: nothing to run.
    NothingToRun,
    /// 0: the command succeeded; every selected case passed.
    Success,
}

impl ExitCode {
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

    /// The stronger of two outcomes of one run.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.min(other)
    }
}
