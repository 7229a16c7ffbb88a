//! What was found, as a table.

use std::fmt;
use std::time::Duration;

use super::super::{LinkError, LinkProblem};
use crate::protocol::Description;

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Failed {
        /// What happened.
        what: String,
        /// How to mend it.
        fix: String,
    },
    /// Could not be checked.
    Skipped {
        /// Why.
        why: String,
    },
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// All that was checked, in order. As text it is a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Name and version that the plugin says; empty if it says nothing.
    pub plugin: String,
    /// All checks.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether nothing failed.
    pub fn is_ok(&self) -> bool {
        let failed = |finding: &Finding| matches!(finding.outcome, Outcome::Failed { .. });
        !self.findings.iter().any(failed)
    }

    pub(super) fn described(&mut self, description: &Description) {
        self.plugin = format!("{} {}", description.name, description.version);
        self.ok("describe");
    }

    pub(super) fn ok(&mut self, step: &str) {
        self.add(step, Outcome::Ok);
    }

    pub(super) fn skipped(&mut self, step: &str, why: &str) {
        let why = why.to_owned();
        self.add(step, Outcome::Skipped { why });
    }

    pub(super) fn wrong(&mut self, step: &str, what: &str, fix: &str) {
        let outcome = Outcome::Failed {
            what: what.to_owned(),
            fix: fix.to_owned(),
        };
        self.add(step, outcome);
    }

    pub(super) fn failed(&mut self, step: &str, error: &LinkError) {
        let mut what = error.problem.to_string();
        for line in &error.stderr {
            what.push_str("\nstderr: ");
            what.push_str(line);
        }
        self.wrong(step, &what, fix(&error.problem));
    }

    /// The same of a library, which nobody could end, so that a child is what ended.
    pub(super) fn failed_in_library(&mut self, step: &str, error: &LinkError) {
        let what = match &*error.problem {
            LinkProblem::TimedOut { after } => {
                format!("did not return within {after:?}, in a process that only opens it")
            }
            problem => problem.to_string(),
        };
        let fix = match &*error.problem {
            LinkProblem::TimedOut { .. } => fix(&LinkProblem::Stuck {
                after: Duration::ZERO,
            }),
            LinkProblem::Signalled { .. } | LinkProblem::Exited { .. } => {
                "open it in a debugger: it must not crash or end the process, neither in a constructor nor when it is asked what it is"
            }
            problem => fix(problem),
        };
        self.wrong(step, &what, fix);
    }

    fn add(&mut self, step: &str, outcome: Outcome) {
        let step = step.to_owned();
        self.findings.push(Finding { step, outcome });
    }
}

/// What helps, for each problem.
fn fix(problem: &LinkProblem) -> &'static str {
    match problem {
        LinkProblem::Refused { .. } | LinkProblem::Panicked { .. } => {
            "make it do what its description says; a sample that is wrong belongs into `samples` right"
        }
        LinkProblem::Spawn(_) => {
            "make it executable, with a first line `#!…` that names its interpreter if it is a script"
        }
        LinkProblem::Exited { .. } | LinkProblem::Signalled { .. } => {
            "read frames until `stop` comes or the input ends; answer what fails with `error` instead of ending"
        }
        LinkProblem::TimedOut { .. } => {
            "answer each frame with its id, and flush the output behind each line"
        }
        LinkProblem::Stuck { .. } => {
            "return from every function and constructor, also when what it waits for never comes"
        }
        // A frame it is, and one of its fields is not what it should be.
        LinkProblem::Garbage { problem, .. } if problem.starts_with("the field ") => {
            "write this field as the page on the plugin protocol shows it"
        }
        LinkProblem::Garbage { .. } => {
            "write nothing but frames to standard output; what is for people goes to standard error"
        }
        LinkProblem::OutOfOrder { .. } => {
            "answer `start` and `event` with `done`, `request` with `reply`, each with its id"
        }
        LinkProblem::OtherProtocol { .. } => {
            "write \"protocol\": 1 and what that version means by it"
        }
        LinkProblem::Description { .. } => "mend all of these fields of the description",
        LinkProblem::DoesNotRead { .. } | LinkProblem::ClosedInput {} => {
            "go on reading frames as long as the plugin runs"
        }
        LinkProblem::ClosedOutput {} => "keep standard output open as long as the plugin runs",
        LinkProblem::Library(_) | LinkProblem::Loader { .. } => {
            "include `zaf_plugin.h`, write `ZAF_PLUGIN_NOTE`, export the table `zaf_plugin_v1`, and build it for this machine"
        }
        LinkProblem::HostPanicked { .. } => {
            "tell those who make this program what the plugin wrote: it must not panic, whatever that is"
        }
        _ => "see the page on the plugin protocol",
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.plugin.is_empty() {
            writeln!(f, "plugin {}", self.plugin)?;
        }
        let longest = |finding: &Finding| finding.step.chars().count();
        let width = self.findings.iter().map(longest).max().unwrap_or(0);
        for Finding { step, outcome } in &self.findings {
            let indent = " ".repeat(width + 11);
            match outcome {
                Outcome::Ok => writeln!(f, "  {step:width$}  ok")?,
                Outcome::Skipped { why } => writeln!(f, "  {step:width$}  skipped: {why}")?,
                Outcome::Failed { what, fix } => {
                    let what = what.replace('\n', &format!("\n{indent}"));
                    writeln!(f, "  {step:width$}  FAILED: {what}")?;
                    writeln!(f, "{indent} fix: {fix}")?;
                }
            }
        }
        let failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Failed { .. });
        match self.findings.iter().filter(failed).count() {
            0 => writeln!(f, "It is right."),
            1 => writeln!(f, "1 check failed."),
            failed => writeln!(f, "{failed} checks failed."),
        }
    }
}
