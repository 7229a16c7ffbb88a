//! Processes that are still there although they were killed.

use std::fmt;

use super::TestCaseFinished;
use crate::case::CaseId;

/// How many are kept with their numbers; of more only how many there are.
const MOST: usize = 10;

/// The processes of a run that could not be killed: the kernel does not let go of them.
///
/// As long as there are some the run is not over, whatever its cases say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unkillable {
    first: Vec<(u32, CaseId)>,
    more: u64,
}

impl Unkillable {
    /// Takes the end of an attempt at a case into account.
    pub(super) fn add(&mut self, case: &TestCaseFinished) {
        for &pid in &case.unkillable {
            if self.first.len() < MOST {
                self.first.push((pid, case.case.clone()));
            } else {
                self.more += 1;
            }
        }
    }

    /// Whether every process could be killed.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.first.len() as u64 + self.more
    }

    /// Their numbers, each with its case, in the order in which the cases ended: of very many the first.
    pub fn first(&self) -> &[(u32, CaseId)] {
        &self.first
    }
}

impl fmt::Display for Unkillable {
    /// For example `1 process could not be killed: pid 7 of case a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count() {
            1 => f.write_str("1 process could not be killed")?,
            count => write!(f, "{count} processes could not be killed")?,
        }
        for (index, (pid, case)) in self.first.iter().enumerate() {
            let before = if index == 0 { ": " } else { ", " };
            write!(f, "{before}pid {pid} of case {case}")?;
        }
        if self.more > 0 {
            write!(f, ", and {} more", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::case::Verdict;

    fn of(numbers: std::ops::Range<u32>) -> Unkillable {
        let mut unkillable = Unkillable::default();
        let case = CaseId::new("a");
        let mut case = TestCaseFinished::new(1, case, Verdict::Error, Timestamp::UNIX_EPOCH);
        case.unkillable = numbers.collect();
        unkillable.add(&case);
        unkillable
    }

    #[test]
    fn e17_processes_are_named_with_their_cases_of_many_the_first() {
        assert!(of(0..0).is_empty());
        assert_eq!(
            of(7..8).to_string(),
            "1 process could not be killed: pid 7 of case a"
        );
        assert_eq!(
            of(7..9).to_string(),
            "2 processes could not be killed: pid 7 of case a, pid 8 of case a"
        );
        let many = of(1..1001);
        assert_eq!((many.count(), many.first().len()), (1000, 10));
        assert!(many.to_string().ends_with(", and 990 more"), "{many}");
    }
}
