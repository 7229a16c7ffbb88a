//! The scopes between the run and a single case, one chain for each worker: module, and within it class.
//!
//! A scope ends when the worker has got its next case and that lies outside, or there is none: behind the last case that belongs to it,
//! before anything of the next one has begun. The chain is taken down from the inside; within a scope, what was made last goes first.
//!
//! What cannot be taken down is told as a case of its own that ends in error, named after the scope: the cases of the scope have their
//! verdicts already, and the next one has nothing to do with it. The same is told if a component hangs: it has as long as a case has.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use zaf_core::component::Scope;

use super::execution::Execution;
use super::exit_watch;
use super::pool::{Run, Worker, now};
use super::slot::Running;
use crate::case::{CaseAction, CaseId, TestCase, Verdict, take_down};
use crate::messages::TestCaseFinished;
use crate::supervisor::pause;

/// The scopes that a worker is in.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    module: Option<Entered>,
    class: Option<Entered>,
}

/// A scope of a worker.
#[derive(Debug)]
pub(super) struct Entered {
    /// The module, or the module and the class.
    name: String,
    what: &'static str,
    scope: Scope,
}

impl Scopes {
    /// Takes out what `next` does not belong to, the innermost first; everything if there is no case.
    pub(super) fn leave(&mut self, next: Option<&TestCase>) -> Vec<Entered> {
        let is_left = |entered: &mut Entered, name: Option<&str>| Some(&*entered.name) != name;
        let module = next.map(TestCase::module);
        let class = next.and_then(class_of);
        let class = self
            .class
            .take_if(|entered| is_left(entered, class.as_deref()));
        let module = self.module.take_if(|entered| is_left(entered, module));
        class.into_iter().chain(module).collect()
    }

    /// The innermost scope around `case`, made if need be. What it does not belong to has been left before.
    pub(super) fn enter(&mut self, runner: &Scope, case: &TestCase) -> &Scope {
        let module = self.module.get_or_insert_with(|| Entered {
            name: case.module().to_owned(),
            what: "module",
            scope: runner.child("module"),
        });
        let Some(class) = class_of(case) else {
            return &module.scope;
        };
        let class = self.class.get_or_insert_with(|| Entered {
            name: class,
            what: "class",
            scope: module.scope.child("class"),
        });
        &class.scope
    }
}

/// The name of the scope of its class, if it has one.
fn class_of(case: &TestCase) -> Option<String> {
    let class = case.class.as_ref()?;
    Some(match case.module() {
        "" => class.to_string(),
        module => format!("{module}::{class}"),
    })
}

/// How often something could not be taken down, by name: each is told under a name of its own.
#[derive(Debug, Default)]
pub(super) struct Teardowns(Mutex<BTreeMap<String, u32>>);

impl Teardowns {
    fn name(&self, scope: &str, what: &str) -> CaseId {
        let name = format!("{scope} (teardown of the {what}");
        let name = name.trim_start();
        let mut told = self.0.lock();
        let count = told.entry(name.to_owned()).or_default();
        *count += 1;
        match *count {
            1 => CaseId::new(format!("{name})")),
            count => CaseId::new(format!("{name}, {count})")),
        }
    }
}

impl Run {
    /// Ends a scope of a worker on its thread; false if that took too long, and the worker was given up meanwhile.
    pub(super) fn end_scope(&self, worker: &Worker, entered: Entered) -> bool {
        let Entered { name, what, scope } = entered;
        let is_empty = scope.is_empty();
        let execution = Arc::new(teardown(&name, what, worker.number));
        if is_empty {
            // Not shown as running: an abort that came just then would give a verdict to something that never was.
            let problems = take_down(&scope);
            self.tell_teardown(&execution, &name, what, &problems);
            return true;
        }
        let limit = execution.limit(&self.settings);
        let deadline = limit.and_then(|limit| execution.clock.checked_add(limit));
        worker.slot.start(Running {
            execution: Arc::clone(&execution),
            deadline,
            phase: None,
            paused: execution.paused,
            in_process: true,
        });
        if let Some(deadline) = deadline {
            self.look_by(deadline);
        }
        let problems = exit_watch::watched(&execution.case.id, || take_down(&scope));
        if !worker.slot.finish() {
            return false;
        }
        self.tell_teardown(&execution, &name, what, &problems);
        true
    }

    /// Ends the scope of the run, when no worker is left.
    pub(super) fn end_own_scope(&self) {
        let execution = teardown("", "run", 0);
        let problems = take_down(&self.scope);
        self.tell_teardown(&execution, "", "run", &problems);
    }

    fn tell_teardown(&self, execution: &Execution, name: &str, what: &str, problems: &[String]) {
        let Some((first, more)) = problems.split_first() else {
            return;
        };
        let mut finished = execution.to_finished(Verdict::Error, Some(first.as_str().into()));
        if !more.is_empty() {
            finished.detail = Some(more.join("\n").into());
        }
        finished.case = self.teardowns.name(name, what);
        self.number(&mut finished);
        self.tell_finished(finished);
    }

    /// Gives what has no number the next one.
    pub(super) fn number(&self, finished: &mut TestCaseFinished) {
        if finished.execution == 0 {
            finished.execution = self.next_execution();
        }
    }
}

/// It stands in for a case; it has a number and a name of its own only if it is told.
fn teardown(name: &str, what: &str, worker: u32) -> Execution {
    let (started, clock) = now();
    let id = CaseId::new(format!("{name} (teardown of the {what})").trim_start());
    Execution {
        number: 0,
        attempt: 1,
        worker,
        apart: false,
        case: Arc::new(TestCase::new(id, CaseAction::LoadFailure(String::new()))),
        started,
        clock,
        paused: pause::total(),
        evidence: OnceLock::new(),
    }
}

/// Notes that components of a case could not be taken down: one that was well is an error by that, also if it failed as expected, for
/// that was not expected. Whatever else it is, nothing of it is lost.
pub(super) fn tell_components(finished: &mut TestCaseFinished, problems: &[String]) {
    let Some((first, more)) = problems.split_first() else {
        return;
    };
    let was_well = matches!(finished.verdict, Verdict::Passed | Verdict::Skipped);
    let mut detail: Vec<String> = Vec::new();
    if was_well {
        let was = match finished.verdict {
            Verdict::Skipped => "was skipped: ",
            // The reason says that it has passed although it should not.
            _ => "",
        };
        finished.verdict = Verdict::Error;
        finished.expected_failure = None;
        let before = finished.reason.replace(first.as_str().into());
        detail.extend(before.map(|reason| format!("before that it {was}{reason}")));
    }
    detail.extend(finished.detail.take().map(|detail| detail.to_string()));
    let left = if was_well { more } else { problems };
    detail.extend(left.iter().cloned());
    if !detail.is_empty() {
        finished.detail = Some(detail.join("\n").into());
    }
}

#[cfg(test)]
mod tests {
    use zaf_core::component::ComponentRegistry;

    use super::*;

    fn case(id: &str, class: Option<&str>) -> TestCase {
        let mut case = TestCase::new(CaseId::new(id), CaseAction::LoadFailure(String::new()));
        case.class = class.map(Into::into);
        case
    }

    #[test]
    fn a_scope_is_left_when_the_next_case_lies_outside_and_the_inner_one_first() {
        let runner = Scope::root("runner", &ComponentRegistry::empty());
        let mut scopes = Scopes::default();
        let mut step = |next: Option<&TestCase>| -> (Vec<String>, String) {
            let left = scopes.leave(next);
            let left = left.into_iter().map(|entered| entered.name).collect();
            let inner = next.map(|next| scopes.enter(&runner, next).name().to_owned());
            (left, inner.unwrap_or_default())
        };
        let left = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let (a, b) = (Some("A"), Some("B"));
        let none = left(&[]);
        assert_eq!(
            step(Some(&case("m::x", None))),
            (none.clone(), "module".into())
        );
        assert_eq!(
            step(Some(&case("m::A::x", a))),
            (none.clone(), "class".into())
        );
        assert_eq!(
            step(Some(&case("m::A::y", a))),
            (none.clone(), "class".into())
        );
        assert_eq!(
            step(Some(&case("m::B::x", b))),
            (left(&["m::A"]), "class".into())
        );
        assert_eq!(
            step(Some(&case("m::y", None))),
            (left(&["m::B"]), "module".into())
        );
        assert_eq!(step(Some(&case("m::A::z", a))), (none, "class".into()));
        // The same class of another module is another class.
        assert_eq!(
            step(Some(&case("n::A::x", a))),
            (left(&["m::A", "m"]), "class".into())
        );
        assert_eq!(step(None), (left(&["n::A", "n"]), String::new()));
    }

    #[test]
    fn f12_no_diagnostics_are_lost_when_components_of_a_case_cannot_be_taken_down() {
        let told = |verdict, reason: Option<&str>, detail: Option<&str>| {
            let case = CaseId::new("c");
            let mut finished = TestCaseFinished::new(1, case, verdict, now().0);
            finished.reason = reason.map(Into::into);
            finished.detail = detail.map(Into::into);
            tell_components(&mut finished, &["one".to_owned(), "two".to_owned()]);
            let text = |text: Option<Arc<str>>| text.unwrap_or_default().to_string();
            (
                finished.verdict,
                text(finished.reason),
                text(finished.detail),
            )
        };
        let text = str::to_owned;
        assert_eq!(
            told(Verdict::Passed, None, None),
            (Verdict::Error, text("one"), text("two"))
        );
        assert_eq!(
            told(Verdict::Failed, Some("sums"), Some("at x")),
            (Verdict::Failed, text("sums"), text("at x\none\ntwo"))
        );
        assert_eq!(
            told(Verdict::Skipped, Some("Sunday"), None),
            (
                Verdict::Error,
                text("one"),
                text("before that it was skipped: Sunday\ntwo")
            )
        );
    }

    #[test]
    fn a_failure_that_was_expected_does_not_cover_a_component_that_stays() {
        let case = CaseId::new("c");
        let mut finished = TestCaseFinished::new(1, case, Verdict::Skipped, now().0);
        finished.reason = Some("expected to fail: known".into());
        finished.detail = Some("failed: sums".into());
        finished.expected_failure = Some(Box::new(crate::results::ExpectedFailure {
            ended: Verdict::Failed,
            reason: "known".into(),
            link: None,
            by: "code".into(),
        }));
        tell_components(&mut finished, &["stuck".to_owned()]);
        assert_eq!(
            (finished.verdict, finished.outcome()),
            (Verdict::Error, "error")
        );
        assert_eq!(finished.reason.as_deref(), Some("stuck"));
        assert_eq!(
            finished.detail.as_deref(),
            Some("before that it was skipped: expected to fail: known\nfailed: sums")
        );
    }

    #[test]
    fn f23_what_is_told_twice_has_two_names() {
        let teardowns = Teardowns::default();
        let name = |scope: &str, what: &str| teardowns.name(scope, what).as_str().to_owned();
        assert_eq!(name("a::b", "module"), "a::b (teardown of the module)");
        assert_eq!(name("a::b", "module"), "a::b (teardown of the module, 2)");
        assert_eq!(name("a::b", "class"), "a::b (teardown of the class)");
        assert_eq!(name("", "run"), "(teardown of the run)");
    }
}
