//! Limits of memory: which cases have one, and what it means for how they end.

use zaf_core::prelude::*;

use crate::case::Verdict;
use crate::messages::{ExitStatus, TestCaseFinished};

/// Most memory that the processes of a case may have, each of them: its address space, as `ulimit -v` limits it.
///
/// CLI `--memory-limit 256MiB`, environment `K2_MEMORY_LIMIT`, no default (no limit). It holds for processes only: functions
/// are called in processes of their own then, unless they have to be called in the runner, and have so much beside what the program
/// itself needs.
pub const MEMORY_LIMIT: OptionId<u64> = OptionId::size("memory.limit")
    .describe("Most memory that each process of a case may have, for example 256MiB");

/// What programs say that get no memory, in small letters: C library and shells, Rust, C++, Python, Java, Go.
const SAID: [&str; 9] = [
    "cannot allocate memory",
    "out of memory",
    "memory exhausted",
    "not enough memory",
    "memory allocation of",
    "bad_alloc",
    "memoryerror",
    "outofmemoryerror",
    "cannot reserve memory",
];

/// Signals by which a program ends that does not look whether it has got memory.
const DEADLY: [i32; 4] = {
    use rustix::process::Signal;
    [
        Signal::ABORT.as_raw(),
        Signal::SEGV.as_raw(),
        Signal::BUS.as_raw(),
        Signal::KILL.as_raw(),
    ]
};

/// A case of which one process had no more than `limit` bytes: one that failed for want of memory is an error that names the limit.
///
/// The system does not say that a limit was met: a call fails, and the program deals with it. So its own words count. One that was
/// killed without words by a signal as those are that get no memory could not say anything either: an error too, which does not
/// claim to know.
pub(super) fn weigh(finished: &mut TestCaseFinished, limit: u64) {
    let has_failed = matches!(finished.verdict, Verdict::Failed | Verdict::Error);
    if !has_failed {
        return;
    }
    let limit = format!("the limit of {} (memory.limit)", size(limit));
    let reason = finished.reason.take().unwrap_or_default();
    if says_so(finished) {
        finished.verdict = Verdict::Error;
        finished.reason = Some(format!("out of memory at {limit}: {reason}").into());
        return;
    }
    let is_suspect = match finished.exit {
        Some(ExitStatus::Signal { signal, .. }) => DEADLY.contains(&signal),
        _ => false,
    };
    finished.reason = Some(if is_suspect {
        finished.verdict = Verdict::Error;
        format!("perhaps out of memory at {limit}: {reason}").into()
    } else {
        reason
    });
}

/// Whether the end of an output says that memory was lacking.
fn says_so(finished: &TestCaseFinished) -> bool {
    let outputs = [&finished.stderr, &finished.stdout];
    outputs.into_iter().any(|output| {
        let text = output.end().to_lowercase();
        SAID.iter().any(|words| text.contains(words))
    })
}

/// `256 MiB`, or bytes if it is no whole number of those.
fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::case::CaseId;
    use crate::messages::CapturedOutput;

    fn weighed(verdict: Verdict, exit: &ExitStatus, stderr: &str) -> (Verdict, String) {
        let id = CaseId::new("a");
        let mut finished = TestCaseFinished::new(1, id, verdict, Timestamp::UNIX_EPOCH);
        finished.reason = Some("why".into());
        finished.exit = Some(exit.clone());
        let length = stderr.len() as u64;
        finished.stderr = CapturedOutput::from_bytes(stderr.as_bytes(), b"", length, None);
        weigh(&mut finished, 256 << 20);
        (finished.verdict, finished.reason.unwrap().to_string())
    }

    #[test]
    fn e19_only_who_failed_for_want_of_memory_is_an_error_by_it() {
        let abort = ExitStatus::Signal {
            signal: 6,
            core: false,
        };
        let one = ExitStatus::Code { code: 1 };
        let limit = "the limit of 256 MiB (memory.limit)";
        let said = "memory allocation of 1048576 bytes failed\n";
        let out = format!("out of memory at {limit}: why");
        assert_eq!(
            weighed(Verdict::Failed, &abort, said),
            (Verdict::Error, out.clone())
        );
        assert_eq!(
            weighed(Verdict::Failed, &one, "Traceback …\nMemoryError"),
            (Verdict::Error, out)
        );
        assert_eq!(
            weighed(Verdict::Failed, &abort, "other"),
            (
                Verdict::Error,
                format!("perhaps out of memory at {limit}: why")
            )
        );
        assert_eq!(
            weighed(Verdict::Failed, &one, "other"),
            (Verdict::Failed, "why".to_owned())
        );
        for verdict in [Verdict::Passed, Verdict::TimedOut, Verdict::Skipped] {
            let weighed = weighed(verdict, &one, said);
            assert_eq!(weighed, (verdict, "why".to_owned()));
        }
    }

    #[test]
    fn sizes_are_said_as_they_are_given() {
        assert_eq!(size(3 << 30), "3 GiB");
        assert_eq!(size(1536 << 20), "1536 MiB");
        assert_eq!(size(1000), "1000 bytes");
    }
}
