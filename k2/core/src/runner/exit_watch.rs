//! Makes sure that a function that ends the whole process does not end it as if all were well.
//!
//! A test function runs in this process, and may call `std::process::exit(0)`. What the system runs then are the destructors of the
//! calling thread: one of them belongs to a [`Watch`], which knows whether a case is running on the thread, and ends the process with
//! the exit code of an incomplete run instead. What is in the event log by then stays; the case and those behind it have no verdict.
//!
//! Where there is a guard, nothing of this happens: it notices that the process ended before the run was over, whichever thread
//! called for it, and starts another runner. Without one, an exit on another thread that the function has started is not noticed.

use std::cell::RefCell;

use zaf_core::application::ExitCode;

use crate::case::CaseId;

thread_local! {
    static WATCH: Watch = const { Watch(RefCell::new(None)) };
}

/// The case whose function runs on this thread, if there is one.
struct Watch(RefCell<Option<CaseId>>);

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(case) = self.0.take() else {
            return;
        };
        if crate::supervisor::guard::is_guarded() {
            // The guard sees the code, and goes on with the run.
            return;
        }
        let case = crate::results::printable_line(case.as_str()).into_owned();
        let code = ExitCode::Incomplete;
        let text = format!(
            "\nerror: test case {case} has ended the whole process, and the run with it (exit {})\n",
            code.code()
        );
        // Not by way of the log: its buffers belong to the thread too, and may be gone.
        // Nobody is left to be told that it cannot be told.
        let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
        signal_hook::low_level::exit(code.code().into());
    }
}

/// Calls the function of `case`, which must not unwind.
pub(super) fn watched<T>(case: &CaseId, function: impl FnOnce() -> T) -> T {
    WATCH.with(|watch| watch.0.replace(Some(case.clone())));
    let outcome = function();
    WATCH.with(|watch| watch.0.take());
    outcome
}
