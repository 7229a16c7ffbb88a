//! What a case tells while it runs, beside how it ends: failed checks, that it is expected to fail, and attachments.
//!
//! It is kept outside of the function's own stack, so it is there when the function panics, and when it is given up.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::attachment::{AttachError, Attachment, AttachmentLimits, Content, Kept, Store};
use super::journal::Journal;
use super::{CaseRun, Location, Outcome, Phase, Step, Verdict};

/// Most failed checks of a case that are kept; of more only the number is told. A loop over everything fails a million times.
const MOST_CHECKS: usize = 100;

/// Longest text of a failed check that is kept, in bytes.
const LONGEST_TEXT: usize = 4096;

/// How long the end of a case waits for what is just being told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What one attempt at a case tells while it runs. Clones are the same.
///
/// `check!` finds it by the thread: that of the test function has it, another one that works for the case takes it with
/// [`within`](Self::within).
#[derive(Clone)]
pub struct Evidence(Arc<Shared>);

struct Shared {
    run: Option<Arc<CaseRun>>,
    limits: AttachmentLimits,
    state: Mutex<State>,
    listener: Option<Listener>,
    phases: Option<PhaseListener>,
    /// Whether what is told has to be there when this process is not.
    is_noted: bool,
    /// Where it is, once there is something.
    journal: OnceLock<Journal>,
}

/// Is told each part of a case as it begins.
pub(crate) type PhaseListener = Box<dyn Fn(Phase) + Send + Sync>;

type Listener = Box<dyn Fn(&Entry) + Send + Sync>;

#[derive(Debug, Default)]
struct State {
    told: Told,
    store: Option<Store>,
    is_closed: bool,
}

/// One thing that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Entry {
    /// A check failed.
    Check(Step),
    /// Another check failed, of which only that is kept.
    OneMoreCheck,
    /// The case is expected to fail from now on.
    ExpectFailure(String),
    /// A file was attached.
    Attached(Attachment),
    /// A file was not attached because of a limit.
    LeftOut,
}

/// All that was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) checks: Vec<Step>,
    pub(crate) more_checks: u64,
    pub(crate) expected_to_fail: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) attachments_left_out: u64,
}

thread_local! {
    /// Of the cases that this thread works for, innermost last.
    static CURRENT: RefCell<Vec<Evidence>> = const { RefCell::new(Vec::new()) };
}

impl Evidence {
    /// Of an attempt at a case, whose attachments go to its directory.
    pub fn new(run: Arc<CaseRun>, limits: AttachmentLimits) -> Self {
        Self::with(Some(run), limits, None, None)
    }

    /// Of an attempt whose function is called in the runner, which it can kill: what it tells is in a file, too, until it is
    /// [forgotten](Self::forget). Each part of the case that begins is told to `phases`, if there is somebody.
    pub(crate) fn in_runner(
        run: Arc<CaseRun>,
        limits: AttachmentLimits,
        phases: Option<PhaseListener>,
    ) -> Self {
        Self(Arc::new(Shared {
            is_noted: true,
            ..Shared::new(Some(run), limits, None, phases)
        }))
    }

    /// Of a case of which nobody keeps files: to attach one is an error.
    pub fn without_directory() -> Self {
        Self::with(None, AttachmentLimits::default(), None, None)
    }

    /// As [`new`](Self::new); each part of the case that begins is told to `phases`, and whatever is told to `listener` too, one thing
    /// at a time.
    pub(crate) fn listened_to(
        run: Arc<CaseRun>,
        limits: AttachmentLimits,
        phases: Option<PhaseListener>,
        listener: impl Fn(&Entry) + Send + Sync + 'static,
    ) -> Self {
        Self::with(Some(run), limits, Some(Box::new(listener)), phases)
    }

    fn with(
        run: Option<Arc<CaseRun>>,
        limits: AttachmentLimits,
        listener: Option<Listener>,
        phases: Option<PhaseListener>,
    ) -> Self {
        Self(Arc::new(Shared::new(run, limits, listener, phases)))
    }

    /// Notes that a part of the case begins.
    pub(crate) fn enter(&self, phase: Phase) {
        if let Some(told) = &self.0.phases {
            told(phase);
        }
    }

    /// Runs `work` on this thread as a part of the case: what its `check!`s find is told here.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.with_borrow_mut(|current| current.push(self.clone()));
        let _leave = Leave;
        work()
    }

    /// That of the case that this thread works for.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(|current| current.last().cloned())
    }

    /// Notes a check that failed. What comes after the case was given up is lost.
    pub fn failed_check(&self, what: &str, values: &str, place: Location) {
        let mut state = self.0.state.lock();
        let entry = if state.told.checks.len() < MOST_CHECKS {
            Entry::Check(Step {
                name: cut(what),
                verdict: Verdict::Failed,
                detail: (!values.is_empty()).then(|| cut(values)),
                location: Some(place),
            })
        } else {
            Entry::OneMoreCheck
        };
        self.tell(&mut state, entry);
    }

    /// Notes that the case is expected to fail from now on.
    pub fn expect_failure(&self, reason: impl Into<String>) {
        let entry = Entry::ExpectFailure(cut(&reason.into()));
        self.tell(&mut self.0.state.lock(), entry);
    }

    /// Keeps bytes as a file of this attempt.
    ///
    /// # Errors
    /// When the file cannot be written, or the case is over. What is too much by the limits of the run is no error: it is left out,
    /// and the reports say so.
    pub fn attach(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<(), AttachError> {
        self.keep(name, media_type, Content::Bytes(bytes))
    }

    /// Keeps a copy of a file as it is now.
    ///
    /// # Errors
    /// As [`attach`](Self::attach); also when there is no regular file: a symbolic link is not followed.
    pub fn attach_file(
        &self,
        name: &str,
        media_type: &str,
        path: &Path,
    ) -> Result<(), AttachError> {
        self.keep(name, media_type, Content::File(path))
    }

    fn keep(&self, name: &str, media_type: &str, content: Content<'_>) -> Result<(), AttachError> {
        // Attachments of one case wait for each other: names and limits are those of all.
        let mut state = self.0.state.lock();
        if state.is_closed {
            return Err(AttachError::Over);
        }
        let run = self.0.run.as_ref().ok_or(AttachError::NoDirectory)?;
        let store = match &mut state.store {
            Some(store) => store,
            none => none.insert(Store::new(run, self.0.limits)),
        };
        let entry = match store.keep(name, media_type, content)? {
            Kept::File(attachment) => Entry::Attached(attachment),
            Kept::LeftOut => Entry::LeftOut,
        };
        self.tell(&mut state, entry);
        Ok(())
    }

    fn tell(&self, state: &mut State, entry: Entry) {
        if state.is_closed {
            return;
        }
        if let Some(listener) = &self.0.listener {
            listener(&entry);
        }
        // That there were more is enough: a loop over everything fails a million times.
        let is_known = entry == Entry::OneMoreCheck && state.told.more_checks > 0;
        if self.0.is_noted && !is_known {
            self.note(&entry);
        }
        state.told.add(entry);
    }

    fn note(&self, entry: &Entry) {
        let Some(run) = self.0.run.as_deref() else {
            return;
        };
        let journal = match self.0.journal.get() {
            Some(journal) => Ok(journal),
            None => Journal::create(run).map(|journal| self.0.journal.get_or_init(|| journal)),
        };
        if let Err(error) = journal.and_then(|journal| journal.note(entry)) {
            tracing::warn!(case = %run.case, "what the case tells is lost if it kills the runner: {error}");
        }
    }

    /// Whether the case may have made files in the directory of its run.
    pub(crate) fn has_directory(&self) -> bool {
        self.0.run.as_ref().is_some_and(|run| run.has_directory())
    }

    /// Removes what is kept for the case that the runner dies: the event log has it.
    pub(crate) fn forget(&self) {
        if let Some(journal) = self.0.journal.get() {
            journal.remove();
        }
    }

    /// All that was told; nothing is taken any more.
    pub(crate) fn close(&self) -> Told {
        // A case that hangs in the middle of a copy is given up with what it tells: nobody waits for it.
        let Some(mut state) = self.0.state.try_lock_for(PATIENCE) else {
            return Told::default();
        };
        state.is_closed = true;
        std::mem::take(&mut state.told)
    }
}

impl Shared {
    fn new(
        run: Option<Arc<CaseRun>>,
        limits: AttachmentLimits,
        listener: Option<Listener>,
        phases: Option<PhaseListener>,
    ) -> Self {
        Self {
            run,
            limits,
            state: Mutex::default(),
            listener,
            phases,
            is_noted: false,
            journal: OnceLock::new(),
        }
    }
}

impl Told {
    /// Takes one more thing into account.
    pub(crate) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Check(check) => self.checks.push(check),
            Entry::OneMoreCheck => self.more_checks += 1,
            Entry::ExpectFailure(reason) => self.expected_to_fail = Some(reason),
            Entry::Attached(attachment) => self.attachments.push(attachment),
            Entry::LeftOut => self.attachments_left_out += 1,
        }
    }

    /// How the case ended if its function did like this: no failed check is hidden.
    pub(crate) fn weigh(&self, outcome: Outcome) -> Outcome {
        let Some(first) = self.checks.first() else {
            return outcome;
        };
        let before = match &outcome {
            Outcome::Passed => String::new(),
            Outcome::Skipped { reason } => format!("; then it was skipped: {reason}"),
            Outcome::Failed { .. } | Outcome::Error { .. } => return outcome,
        };
        let place = first.location.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let what = first.name.lines().next().unwrap_or_default();
        let reason = match self.checks.len() as u64 + self.more_checks {
            1 => format!("1 check failed: {what}{place}{before}"),
            count => format!("{count} checks failed, the first: {what}{place}{before}"),
        };
        let detail = match self.more_checks {
            0 => String::new(),
            more => format!("{more} more failed checks were not kept"),
        };
        Outcome::Failed { reason, detail }
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").finish_non_exhaustive()
    }
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| drop(current.pop()));
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST_TEXT);
    let cut = text.get(..end).unwrap_or_default();
    if cut.len() == text.len() {
        cut.to_owned()
    } else {
        format!("{cut}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Location {
        Location::line("a.rs", 7)
    }

    #[test]
    fn failed_checks_make_a_case_fail_and_hide_nothing() {
        let evidence = Evidence::without_directory();
        evidence.failed_check("a == b", "left: 1\nright: 2", place());
        let told = evidence.close();
        let Outcome::Failed { reason, .. } = told.weigh(Outcome::Passed) else {
            panic!("not failed");
        };
        assert_eq!(reason, "1 check failed: a == b (a.rs:7)");
        let skipped = told.weigh(Outcome::Skipped {
            reason: "no".into(),
        });
        assert_eq!(
            skipped.reason(),
            Some("1 check failed: a == b (a.rs:7); then it was skipped: no")
        );
        let panicked = Outcome::Failed {
            reason: "panic".into(),
            detail: String::new(),
        };
        assert_eq!(told.weigh(panicked.clone()), panicked);
        assert_eq!(told.checks.len(), 1);
        assert_eq!(Told::default().weigh(Outcome::Passed), Outcome::Passed);
    }

    #[test]
    fn a_million_failed_checks_take_little_memory_and_are_counted() {
        let evidence = Evidence::without_directory();
        let long = "ä".repeat(LONGEST_TEXT);
        for _ in 0..1000 {
            evidence.failed_check(&long, &long, place());
        }
        let told = evidence.close();
        assert_eq!((told.checks.len(), told.more_checks), (100, 900));
        assert!(told.checks.iter().all(|check| check.name.len() < 4200));
        let outcome = told.weigh(Outcome::Passed);
        assert!(outcome.reason().unwrap().starts_with("1000 checks failed"));
    }

    #[test]
    fn what_is_told_after_the_end_is_not_taken() {
        let evidence = Evidence::without_directory();
        assert_eq!(evidence.close(), Told::default());
        evidence.failed_check("late", "", place());
        evidence.expect_failure("late");
        assert!(matches!(
            evidence.attach("late", "", b"x"),
            Err(AttachError::Over)
        ));
        assert_eq!(evidence.close(), Told::default());
    }

    #[test]
    fn a_thread_works_for_the_innermost_case_and_a_panic_ends_that() {
        let (outer, inner) = (Evidence::without_directory(), Evidence::without_directory());
        outer.within(|| {
            let panicked = super::super::catch(|| inner.within(|| -> () { panic!("x") }));
            assert_eq!(panicked.reason(), Some("x"));
            let current = Evidence::current().unwrap();
            assert!(Arc::ptr_eq(&current.0, &outer.0));
        });
        assert!(Evidence::current().is_none());
    }
}
