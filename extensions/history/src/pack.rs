//! The executions of a run as one value of the database.
//!
//! A run may have tens of thousands of them, all written at once, read in order, and forgotten at once: as rows of a table, each with a
//! place in two trees, they took longer to store than to run. So they are packed: sorted by case, what is alike left out, some six bytes each.
//!
//! ```text
//! pack       = execution*
//! execution  = case (difference to the one before), ending (verdict, and what was expected), attempts, duration (microseconds and 1; 0 if there is none),
//!              reason (length in bytes and 1; 0 if there is none), its bytes
//! ```
//!
//! All of these are whole numbers, seven bits in each byte, the lowest first; all bytes but the last have the highest bit.

use k2::case::Verdict;

/// Verdicts by their number. Only ever appended to.
const VERDICTS: [Verdict; 8] = [
    Verdict::Passed,
    Verdict::Failed,
    Verdict::Error,
    Verdict::TimedOut,
    Verdict::Skipped,
    Verdict::Ignored,
    Verdict::Aborted,
    Verdict::NotRun,
];

/// What became of an expected failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It happened.
    Failure,
    /// It did not.
    Pass,
}

impl Expected {
    /// All there are; their number in a pack is one more than their place. Only ever appended to, up to three.
    const ALL: [Self; 2] = [Self::Failure, Self::Pass];

    /// The word for an outcome.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "expected-failure",
            Self::Pass => "unexpected-pass",
        }
    }

    /// What the word for an outcome says; nothing if it is that of a verdict.
    pub(crate) fn of(outcome: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == outcome)
    }
}

/// What is kept of an execution. The case is its number in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed<T> {
    pub(crate) case: i64,
    pub(crate) verdict: Verdict,
    pub(crate) expected: Option<Expected>,
    pub(crate) attempts: u32,
    /// In microseconds.
    pub(crate) duration: Option<u64>,
    pub(crate) reason: Option<T>,
}

/// Packs executions. Those of one case stay in their order.
pub(crate) fn pack<T: AsRef<str>>(mut executions: Vec<Packed<T>>) -> Vec<u8> {
    executions.sort_by_key(|execution| execution.case);
    let mut bytes = Vec::with_capacity(executions.len() * 8);
    let mut before = 0;
    for execution in executions {
        put(execution.case.abs_diff(before), &mut bytes);
        before = execution.case;
        put(ending(execution.verdict, execution.expected), &mut bytes);
        put(execution.attempts.into(), &mut bytes);
        put(
            execution
                .duration
                .map_or(0, |micros| micros.saturating_add(1)),
            &mut bytes,
        );
        let reason = execution.reason.as_ref().map(AsRef::as_ref);
        put(reason.map_or(0, |text| text.len() as u64 + 1), &mut bytes);
        bytes.extend_from_slice(reason.unwrap_or_default().as_bytes());
    }
    bytes
}

/// What is in a pack: by number of the case, those of one case in their order. Ends where the pack ends, or is none.
#[derive(Debug, Clone)]
pub(crate) struct Unpack<'a> {
    rest: &'a [u8],
    before: i64,
}

impl<'a> Unpack<'a> {
    pub(crate) fn new(pack: &'a [u8]) -> Self {
        Self {
            rest: pack,
            before: 0,
        }
    }

    fn take(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(index + 1..)?;
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Unpack<'a> {
    type Item = Packed<&'a str>;

    fn next(&mut self) -> Option<Self::Item> {
        let case = self.before.checked_add_unsigned(self.take()?)?;
        let (verdict, expected) = ended(self.take()?);
        let attempts = u32::try_from(self.take()?).unwrap_or(u32::MAX);
        let duration = self.take()?.checked_sub(1);
        let reason = match self.take()?.checked_sub(1) {
            None => None,
            Some(length) => {
                let (text, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
                self.rest = rest;
                Some(std::str::from_utf8(text).ok()?)
            }
        };
        self.before = case;
        Some(Packed {
            case,
            verdict,
            expected,
            attempts,
            duration,
            reason,
        })
    }
}

/// The verdict, and what was expected in the two lowest bits.
fn ending(verdict: Verdict, expected: Option<Expected>) -> u64 {
    let place = VERDICTS.iter().position(|&known| known == verdict);
    let expected = expected.and_then(|it| Expected::ALL.iter().position(|&known| known == it));
    place.map_or(u64::MAX, |place| {
        (place as u64) << 2 | expected.map_or(0, |place| place as u64 + 1)
    })
}

/// What [`ending`] made a number of.
fn ended(number: u64) -> (Verdict, Option<Expected>) {
    let place = |number: u64| usize::try_from(number).ok();
    // The number of a later program: it is not known what it means, so it is nothing good.
    let verdict = place(number >> 2).and_then(|place| VERDICTS.get(place));
    let expected = (number & 3).checked_sub(1).and_then(place);
    (
        verdict.copied().unwrap_or(Verdict::Error),
        expected.and_then(|place| Expected::ALL.get(place)).copied(),
    )
}

fn put(mut value: u64, bytes: &mut Vec<u8>) {
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Packed<&str> {
        pub(crate) fn owned(self) -> Packed<String> {
            Packed {
                case: self.case,
                verdict: self.verdict,
                expected: self.expected,
                attempts: self.attempts,
                duration: self.duration,
                reason: self.reason.map(str::to_owned),
            }
        }
    }

    fn any_execution() -> impl Strategy<Value = Packed<String>> {
        let verdict = proptest::sample::select(VERDICTS.to_vec());
        let expected = proptest::option::of(proptest::sample::select(Expected::ALL.to_vec()));
        let duration = proptest::option::of(0..u64::MAX);
        let reason = proptest::option::of(any::<String>());
        (
            0..i64::MAX,
            verdict,
            expected,
            any::<u32>(),
            duration,
            reason,
        )
            .prop_map(
                |(case, verdict, expected, attempts, duration, reason)| Packed {
                    case,
                    verdict,
                    expected,
                    attempts,
                    duration,
                    reason,
                },
            )
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back_sorted_by_case(
            mut executions in proptest::collection::vec(any_execution(), 0..20),
        ) {
            let bytes = pack(executions.clone());
            executions.sort_by_key(|execution| execution.case);
            let read: Vec<_> = Unpack::new(&bytes).map(Packed::owned).collect();
            prop_assert_eq!(read, executions);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _count = Unpack::new(&bytes).count();
        }
    }

    #[test]
    fn every_verdict_has_a_number() {
        for verdict in Verdict::ALL {
            assert!(VERDICTS.contains(&verdict), "{verdict}");
        }
    }

    #[test]
    fn an_execution_that_passed_takes_few_bytes() {
        let passed = (1..=1000).map(|case| Packed {
            case,
            verdict: Verdict::Passed,
            expected: None,
            attempts: 1,
            duration: Some(1500),
            reason: None::<String>,
        });
        assert_eq!(pack(passed.collect()).len(), 6000);
    }
}
