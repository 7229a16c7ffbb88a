//! What becomes of the files that a case has made in its directory, once it has its verdict.

use zaf_core::prelude::*;

use super::execution::Execution;
use super::pool::Run;
use crate::case::CaseAction;
use crate::case::artefacts::{KeepRule, Settled};
use crate::case::journal::CaseFiles;
use crate::messages::TestCaseFinished;

/// Which cases keep the files that they made in their workspaces and other directories of theirs.
///
/// CLI `--artefacts-keep always`, environment `K2_ARTEFACTS_KEEP`, default `failure`: those that neither passed nor were skipped.
/// What a case attaches is kept in any case.
pub const KEEP_ARTEFACTS: OptionId<String> =
    OptionId::choice("artefacts.keep", &["always", "failure", "never"])
        .describe("Which cases keep the files of their workspaces")
        .default("failure");

/// Most bytes that are kept of all cases of a run together; the files of a case that do not fit are deleted, and reports say so.
///
/// CLI `--artefacts-bytes 10GiB`, environment `K2_ARTEFACTS_BYTES`, default 1 GiB.
pub const ARTEFACT_BYTES: OptionId<u64> = OptionId::size("artefacts.bytes")
    .describe("Most bytes that a run keeps of the files of all workspaces together")
    .default(1024 * 1024 * 1024);

impl KeepRule {
    /// What the option says.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "always" => Self::Always,
            "never" => Self::Never,
            _ => Self::Failure,
        }
    }
}

impl Run {
    /// Keeps or deletes the files of an attempt that has ended, and notes what is kept.
    pub(super) fn settle(&self, execution: &Execution, finished: &mut TestCaseFinished) {
        if matches!(execution.case.action, CaseAction::Function(_)) && execution.may_have_files() {
            self.settle_files(execution.files(), finished);
        }
    }

    /// The same of whatever attempt.
    pub(super) fn settle_files(&self, files: CaseFiles<'_>, finished: &mut TestCaseFinished) {
        let outputs = &self.plan.outputs;
        let root = outputs.parent().unwrap_or(outputs);
        let directory = outputs.join(files.name());
        // What failed as expected keeps its files like any failure.
        let expected = finished.expected_failure.as_ref();
        let ended = expected.map_or(finished.verdict, |expected| expected.ended);
        let verdict = ended.worst(finished.verdict);
        match self.artefacts.settle(&directory, root, verdict) {
            Ok(Settled::Gone) => {}
            Ok(Settled::Kept(attachment)) => finished.attachments.push(attachment),
            Ok(Settled::TooMuch(bytes)) => {
                finished.attachments_left_out += 1;
                tracing::warn!(
                    case = %files.case,
                    "its files were deleted: with their {bytes} bytes the run would keep more than artefacts.bytes"
                );
            }
            Err(error) => tracing::warn!(
                case = %files.case,
                "files that are not to be kept stay in `{directory}`: {error}"
            ),
        }
    }
}
