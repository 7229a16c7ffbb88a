//! What components of the scope `test` know about the execution they are made for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8PathBuf;

use super::CaseId;
use super::journal::CaseFiles;
use crate::supervisor::Cancellation;

/// One execution of one case, as a component that others of the scope `test` ask for: `fn mine(run: &CaseRun) -> Mine`.
///
/// There is one in the scope of every case that runs as a function.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CaseRun {
    /// Id of the case, with its parameters.
    pub case: CaseId,
    /// Number of the execution within the run, from 1; its attempts share it.
    pub number: u64,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// What the `K2_EXECUTION` of every process of the run begins with.
    pub run: Arc<str>,
    /// Directory for what cases write; see [`directory`](Self::directory).
    pub outputs: Utf8PathBuf,
    /// Becomes cancelled when the run is aborted or the case has used up its time.
    pub cancellation: Cancellation,
    /// Whether somebody has asked for the directory.
    has_directory: Arc<AtomicBool>,
}

impl CaseRun {
    /// The first try of the first case of a run of that name, below a directory: for tests of components. Other values are set in the
    /// fields.
    pub fn new(
        case: CaseId,
        run: impl Into<Arc<str>>,
        outputs: impl Into<Utf8PathBuf>,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            case,
            number: 1,
            attempt: 1,
            run: run.into(),
            outputs: outputs.into(),
            cancellation,
            has_directory: Arc::default(),
        }
    }

    /// What the variable `K2_EXECUTION` of each process that is started on behalf of the case has to be, so that it is found and
    /// ended if it outlives the case.
    pub fn execution(&self) -> String {
        format!("{}-{}-{}", self.run, self.number, self.attempt)
    }

    /// A directory of this attempt alone, for what the case makes. It does not exist until somebody makes it. When the case has its
    /// verdict it is kept with the results or deleted, as `artefacts.keep` says.
    pub fn directory(&self) -> Utf8PathBuf {
        self.has_directory.store(true, Ordering::Relaxed);
        self.outputs.join(self.name())
    }

    /// Directory of the attachments of this attempt, beside [`directory`](Self::directory). It does not exist until something is
    /// attached.
    pub fn attachments(&self) -> Utf8PathBuf {
        self.outputs.join(format!("{}.attachments", self.name()))
    }

    /// Whether there may be something in the [`directory`](Self::directory).
    pub(crate) fn has_directory(&self) -> bool {
        self.has_directory.load(Ordering::Relaxed)
    }

    fn name(&self) -> String {
        self.which().name()
    }

    /// What names its files.
    pub(super) fn which(&self) -> CaseFiles<'_> {
        CaseFiles {
            number: self.number,
            attempt: self.attempt,
            case: &self.case,
        }
    }
}
