//! A test command with two hooks for each phase: one notes that it was asked, the other misbehaves.
#![expect(clippy::disallowed_methods, reason = "it does what kills a process")]

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use k2::hooks::{HOOKS, HookCall, POST_JOB, POST_TESTS, PRE_JOB, PRE_TESTS};
use k2::prelude::*;
use k2::runner::{RUN_TEST_CASES, RunEnded, RunPlan};
use zaf_core::application::{Abort, CRITICAL_ABORT};

fn main() -> ExitCode {
    k2::application("hooking").version("1.0.0").run()
}

/// Which phase goes wrong.
const WHERE: OptionId<String> = OptionId::text("bad.phase").default("none");

/// How it goes wrong.
const HOW: OptionId<String> =
    OptionId::choice("bad.end", &["fail", "panic", "wait", "hang", "critical"]).default("fail");

/// Notes every hook that is called in `hooks`, in the working directory.
fn note(text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open("hooks")?;
    file.write_all(format!("{text}\n").as_bytes())
}

/// Notes all phases.
#[command_extension(name = "noting", extends = [k2::RUN_COMMAND])]
#[derive(Debug)]
struct Noting;

impl Extension for Noting {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Noting {
    #[concurrent_dispatcher([PRE_JOB, PRE_TESTS, POST_TESTS, POST_JOB], endpoints = [HOOKS])]
    fn called(&self, message: &Message<HookCall>) -> Result<()> {
        let call = message.data();
        let exit = call
            .exit
            .map_or(String::new(), |exit| format!(" exit {}", exit.code()));
        Ok(note(&format!("{}{exit}", call.phase.name()))?)
    }
}

/// Goes wrong.
#[command_extension(
    name = "misbehaving",
    extends = [k2::RUN_COMMAND],
    config_options = [WHERE.required(), HOW.required()],
)]
#[derive(Debug)]
struct Misbehaving {
    phase: String,
    how: String,
}

impl Extension for Misbehaving {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            phase: cx.config().get(WHERE)?,
            how: cx.config().get(HOW)?,
        })
    }
}

#[dispatchers]
impl Misbehaving {
    #[concurrent_dispatcher([PRE_JOB, PRE_TESTS, POST_TESTS, POST_JOB], endpoints = [HOOKS])]
    fn called(&self, message: &Message<HookCall>, bus: &MessageBus) -> Result<()> {
        let call = message.data();
        if self.phase != call.phase.name() {
            return Ok(());
        }
        match self.how.as_str() {
            "panic" => panic!("the hook panics"),
            "wait" => {
                std::fs::write("ready", "\n")?;
                call.cancellation.wait(Duration::from_mins(5));
                Err(fail("the hook was asked to end"))
            }
            "hang" => loop {
                std::thread::park();
            },
            "critical" => {
                let endpoint = zaf_core::message::APPLICATION_ENDPOINT;
                bus.trigger_event(CRITICAL_ABORT, endpoint, Abort::because("a test"))?;
                call.cancellation.wait(Duration::from_mins(5));
                Ok(())
            }
            _ => Err(fail("the hook fails")),
        }
    }
}

/// Whether what runs the cases panics.
const EXPLODES: OptionId<bool> = OptionId::flag("explodes").default(false);

/// Panics in the place of the runner.
#[command_extension(
    name = "exploding",
    extends = [k2::RUN_COMMAND],
    config_options = [EXPLODES.required()],
    activate_on = [EXPLODES],
)]
#[derive(Debug)]
struct Exploding;

impl Extension for Exploding {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Exploding {
    #[callback_dispatcher(RUN_TEST_CASES, priority = 10)]
    fn run(&self, _message: &Message<RunPlan>) -> Result<RunEnded> {
        panic!("what runs the cases panics")
    }
}

/// Passes.
#[k2::test_case]
fn a_passes() {}

/// Fails if it is told so.
#[k2::test_case]
fn b_may_die() -> TestResult {
    if std::path::Path::new("die").exists() {
        std::process::abort();
    }
    Ok(())
}
