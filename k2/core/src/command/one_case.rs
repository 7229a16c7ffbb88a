//! `run` in the process of a single test function: calls the function and says how it ended, and nothing else.
//!
//! The application is the one of the run, with all its extensions, but no case is scheduled, recorded or reported here. Components
//! of every scope are made for this case alone, and taken down behind it.

use std::sync::Arc;

use zaf_core::application::{ABORT, CRITICAL_ABORT};
use zaf_core::message::DispatcherKind;
use zaf_core::prelude::*;

use super::selection;
use crate::case::{
    CaseAction, CaseId, CaseRun, Evidence, Phase, PhaseListener, TestCase, TestContext, catch,
    take_down,
};
use crate::finder::linked;
use crate::parameter::GivenParameters;
use crate::scheduler::base_id;
use crate::supervisor::apart::{Done, ThisCase};
use crate::supervisor::{Cancellation, shim};
use crate::sut::{ask_for_suts, bind};

/// What a function gets that is asked to end by something else than a signal.
const TERM: i32 = rustix::process::Signal::TERM.as_raw();

/// Calls the function of the case that this process was started for.
pub(super) fn run(cx: &CommandContext<'_>, this: &'static ThisCase) -> Result<ExitCode> {
    let which = this.which();
    let case = find(cx, &which.case, &which.suts)?;
    let CaseAction::Function(function) = &case.action else {
        return Err(Error::msg(format!("`{}` is no test function", case.id)));
    };
    let cancellation = Cancellation::new()?;
    listen(cx, &cancellation)?;
    let runner = cx.scope().child("runner");
    let module = runner.child("module");
    let class = module.child("class");
    let test = class.child("test");
    let mut own = CaseRun::new(
        case.id.clone(),
        Arc::clone(&which.run),
        which.outputs.clone(),
        cancellation.clone(),
    );
    (own.number, own.attempt) = (which.number, which.attempt);
    // A scope that has ended already says so to whoever asks it for something.
    let own = Arc::new(own);
    test.provide(Arc::clone(&own)).ok();
    let untold = |error: std::io::Error| {
        tracing::error!(%error, "the runner cannot be told what the case says");
    };
    let phases: PhaseListener = Box::new(move |phase| this.enter(phase).unwrap_or_else(untold));
    let evidence = Evidence::listened_to(own, which.limits, Some(phases), move |entry| {
        this.note(entry).unwrap_or_else(untold);
    });
    evidence.enter(Phase::SetUp);
    let context = TestContext::with_evidence(
        case.id.clone(),
        case.parameters.clone(),
        test.clone(),
        cancellation,
        evidence.clone(),
    )
    .bound(&case.binding);
    if let Some(memory) = which.memory {
        shim::limit_growth(memory)?;
    }
    let outcome = evidence.within(|| catch(|| function(&context)));
    evidence.enter(Phase::Teardown);
    let problems = [test, class, module, runner]
        .iter()
        .flat_map(take_down)
        .collect();
    this.tell(Done { outcome, problems })?;
    Ok(ExitCode::Success)
}

/// Among the linked ones first, which needs nobody's help.
fn find(cx: &CommandContext<'_>, id: &CaseId, suts: &[Arc<str>]) -> Result<TestCase> {
    let name = id
        .as_str()
        .split_once('[')
        .map_or(id.as_str(), |(name, _)| name);
    // The rounds of a case differ in nothing but their names.
    let base = base_id(id);
    let given = GivenParameters::read(cx.config())?;
    let own = linked(name).into_iter().filter(|case| case.name() == name);
    // What else was given is for cases of other sources.
    let variants = given.expand_known(own.collect());
    let offer = ask_for_suts(cx.bus())?.only(suts);
    let bound = bind(variants, &offer, cx.scope(), &given)?;
    if let Some(mut case) = bound.into_iter().find(|case| case.id == base) {
        case.id = id.clone();
        return Ok(case);
    }
    let selected = selection::select(cx)?.filled.selected;
    let found = selected.into_iter().find(|case| case.id() == *id);
    match found {
        Some(case) => Ok(Arc::unwrap_or_clone(case.to_case())),
        None => Err(Error::msg(format!("no test case `{id}` was found again"))),
    }
}

/// Signals reach the function as they do in the process of the run.
fn listen(cx: &CommandContext<'_>, cancellation: &Cancellation) -> Result<()> {
    let (asked, killed) = (cancellation.clone(), cancellation.clone());
    cx.bus()
        .dispatcher(DispatcherKind::Callback, "case-abort")
        .on(ABORT, move |message, _| {
            asked.request(message.data().signal.unwrap_or(TERM));
            Ok(())
        })
        .on(CRITICAL_ABORT, move |_, _| {
            killed.kill();
            Ok(())
        })
        .register()?;
    Ok(())
}
