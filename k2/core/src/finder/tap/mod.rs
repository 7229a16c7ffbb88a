//! The Test Anything Protocol, versions 12 to 14: what a producer wrote, and what it means.
//!
//! [`parse`] is pure and accepts every text; what is wrong with a stream is part of its result. Version 14 calls lines that
//! are no TAP harmless, so text that a test prints between its points is kept out of the way and counted. Sources:
//! the specifications of versions 13 and 14 on testanything.org.

mod line;
mod parse;

pub use parse::parse;

use crate::case::{Step, Verdict};

/// A stream of TAP, or a subtest within one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TapStream {
    /// Version that the producer declared, if any.
    pub version: Option<u32>,
    /// How many points were announced.
    pub plan: Option<Plan>,
    /// The points in their order.
    pub points: Vec<Point>,
    /// Reason given after `Bail out!`, which may be empty.
    pub bail_out: Option<String>,
    /// What is wrong with the stream itself, in words.
    pub problems: Vec<String>,
    /// Number of lines that are no TAP.
    pub other_lines: usize,
}

/// The announcement `1..count`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Number of points.
    pub count: u64,
    /// Reason of `1..0 # SKIP reason`.
    pub skip: Option<String>,
}

/// One test point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its number, counted if it was not written.
    pub number: u64,
    /// It was `ok`.
    pub ok: bool,
    /// Its description without the directive; may be empty.
    pub description: String,
    /// `# SKIP` or `# TODO`, with the reason, which may be empty.
    pub directive: Option<Directive>,
    /// The lines of its YAML block as they were written, without their indentation.
    pub diagnostics: String,
    /// Points of its subtest.
    pub children: Vec<Self>,
}

/// What a producer says about a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// It was not executed.
    Skip(String),
    /// It is known not to work.
    Todo(String),
}

impl Point {
    /// How it counts: a point with `# TODO` cannot fail, one with `# SKIP` says nothing.
    pub fn verdict(&self) -> Verdict {
        match (&self.directive, self.ok) {
            (Some(Directive::Skip(_)), _) | (Some(Directive::Todo(_)), false) => Verdict::Skipped,
            (_, true) => Verdict::Passed,
            (None, false) => Verdict::Failed,
        }
    }

    /// `number description`, or only the number.
    fn label(&self) -> String {
        if self.description.is_empty() {
            self.number.to_string()
        } else {
            format!("{} {}", self.number, self.description)
        }
    }

    fn detail(&self) -> Option<String> {
        let mut detail = match &self.directive {
            Some(Directive::Skip(reason)) => reason.clone(),
            Some(Directive::Todo(reason)) if self.ok => format!("TODO {reason}: it works by now"),
            Some(Directive::Todo(reason)) => format!("TODO {reason}"),
            None => String::new(),
        };
        if !self.diagnostics.is_empty() {
            if !detail.is_empty() {
                detail.push('\n');
            }
            detail.push_str(&self.diagnostics);
        }
        (!detail.is_empty()).then_some(detail)
    }
}

impl TapStream {
    /// The points as steps, those of subtests before the point that sums them up.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        add_steps("", &self.points, &mut steps);
        steps
    }

    /// The verdict of the stream, given that its producer ended with exit code `code`; and why, unless it is a pass.
    pub fn verdict(&self, code: i32) -> (Verdict, Option<String>) {
        if let Some(reason) = &self.bail_out {
            let reason = if reason.is_empty() {
                "without a reason"
            } else {
                reason
            };
            return (Verdict::Error, Some(format!("bailed out: {reason}")));
        }
        if let Some(problem) = self.problem() {
            let ended = match code {
                0 => String::new(),
                code => format!("; exit code {code}"),
            };
            return (Verdict::Error, Some(format!("{problem}{ended}")));
        }
        let failed: Vec<&Point> = self
            .points
            .iter()
            .filter(|point| point.verdict() == Verdict::Failed)
            .collect();
        if let Some(first) = failed.first() {
            let reason = format!(
                "{} of {} points failed, first {}",
                failed.len(),
                self.points.len(),
                first.label()
            );
            return (Verdict::Failed, Some(reason));
        }
        if code != 0 {
            let reason = format!("exit code {code}, although no point failed");
            return (Verdict::Failed, Some(reason));
        }
        if let Some(Plan { count: 0, skip }) = &self.plan {
            let reason = skip.as_deref().filter(|reason| !reason.is_empty());
            return (
                Verdict::Skipped,
                Some(reason.unwrap_or("its plan has no points").to_owned()),
            );
        }
        let skips = self.points.iter().map(|point| match &point.directive {
            Some(Directive::Skip(reason)) => Some(reason),
            _ => None,
        });
        match skips.collect::<Option<Vec<_>>>().as_deref() {
            Some([first, ..]) => {
                let reason = match first.as_str() {
                    "" => "all points are skipped".to_owned(),
                    first => format!("all points are skipped: {first}"),
                };
                (Verdict::Skipped, Some(reason))
            }
            _ => (Verdict::Passed, None),
        }
    }

    /// Why the points cannot be trusted to be all that there should be.
    fn problem(&self) -> Option<String> {
        if let Some(problem) = self.problems.first() {
            return Some(problem.clone());
        }
        match &self.plan {
            None if self.points.is_empty() => Some("no TAP on standard output".to_owned()),
            None => Some(format!(
                "no plan: it broke off after {} points, or never says how many there are",
                self.points.len()
            )),
            Some(plan) if plan.count != self.points.len() as u64 => Some(format!(
                "{} points were planned, {} came",
                plan.count,
                self.points.len()
            )),
            Some(_) => None,
        }
    }
}

/// Subtests are nested no deeper than the parser allows, which bounds this recursion.
fn add_steps(prefix: &str, points: &[Point], steps: &mut Vec<Step>) {
    for point in points {
        let name = format!("{prefix}{}", point.label());
        if !point.children.is_empty() {
            add_steps(&format!("{name} / "), &point.children, steps);
        }
        steps.push(Step {
            verdict: point.verdict(),
            detail: point.detail(),
            location: None,
            name,
        });
    }
}

#[cfg(test)]
mod tests;
