//! What somebody else has written breaks: extensions, handlers, hooks, finders, reports, components, commands, each by an error and by a panic.

use k2::finder::{FIND_TEST_CASES, FindTestCases, FoundUnit};
use k2::hooks::{HOOKS, HookCall, PRE_TESTS};
use k2::messages::{
    RESULTS, TEST_CASE_FINISHED, TestCaseFinished, WRITE_REPORTS, WriteReports, WrittenReport,
};
use k2::prelude::*;

/// What breaks.
const PLACE: OptionId<String> = OptionId::choice(
    "brittle.place",
    &[
        "none",
        "framework",
        "extension",
        "finder",
        "hook",
        "handler",
        "report",
        "component",
        "command",
    ],
)
.default("none");

/// How it breaks.
const END: OptionId<String> = OptionId::choice("brittle.end", &["error", "panic"]).default("error");

#[derive(Debug, Clone)]
struct Breaks {
    place: String,
    end: String,
}

impl Breaks {
    fn read(config: &ConfigView) -> Result<Self> {
        Ok(Self {
            place: config.get(PLACE)?,
            end: config.get(END)?,
        })
    }

    /// Breaks if this is the place.
    fn at(&self, place: &str) -> Result<()> {
        if self.place != place {
            return Ok(());
        }
        assert_ne!(self.end, "panic", "glass breaks in its {place}");
        Err(Error::msg(format!("glass breaks in its {place}")))
    }
}

/// Of the framework, with a command.
#[framework_extension(
    name = "brittleframe",
    load_order = 200,
    commands = [SHATTER_COMMAND],
    config_options = [PLACE.required(), END.required()],
)]
struct Frame;

impl Extension for Frame {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Breaks::read(cx.config())?.at("framework")?;
        Ok(Self)
    }
}

#[command(name = "shatter", config_options = [PLACE.required(), END.required()])]
/// Breaks where it is told to.
fn shatter(cx: &CommandContext<'_>) -> Result<ExitCode> {
    Breaks::read(cx.config())?.at("command")?;
    Ok(ExitCode::Success)
}

/// Of `run`, with all that it can listen to.
#[command_extension(
    name = "brittle",
    extends = [k2::RUN_COMMAND],
    config_options = [PLACE.required(), END.required()],
)]
struct Brittle(Breaks);

impl Extension for Brittle {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let breaks = Breaks::read(cx.config())?;
        breaks.at("extension")?;
        Ok(Self(breaks))
    }
}

#[dispatchers]
impl Brittle {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, _message: &Message<FindTestCases>) -> Result<Vec<FoundUnit>> {
        self.0.at("finder")?;
        Ok(Vec::new())
    }

    #[concurrent_dispatcher(PRE_TESTS, endpoints = [HOOKS])]
    fn before(&self, _message: &Message<HookCall>) -> Result<()> {
        self.0.at("hook")
    }

    #[callback_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, _message: &Message<TestCaseFinished>) -> Result<()> {
        self.0.at("handler")
    }

    #[concurrent_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    fn write(&self, _message: &Message<WriteReports>) -> Result<Vec<WrittenReport>> {
        self.0.at("report")?;
        Ok(Vec::new())
    }
}

/// What cases look through.
struct Glass;

#[component(scope = "test")]
/// Glass.
fn glass(config: &ConfigView) -> Result<Glass> {
    Breaks::read(config)?.at("component")?;
    Ok(Glass)
}

/// Needs it.
#[k2::test_case]
fn g_looks_through(_glass: &Glass) {}
