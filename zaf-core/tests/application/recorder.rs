//! An extension that writes to standard output what it lives through, and commands for tests.

use std::any::TypeId;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use zaf_core::Result;
use zaf_core::application::{
    AFTER_COMMAND, Application, BEFORE_COMMAND, Captured, CommandEnded, CommandStarting, Console,
    ExitCode,
};
use zaf_core::builtin;
use zaf_core::command::{CommandContext, CommandDescriptor, Invocation};
use zaf_core::component::{Requirement, Scope};
use zaf_core::config::{ConfigOption, OptionId};
use zaf_core::extension::{
    Constructor, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::{APPLICATION_ENDPOINT, Dispatcher, DispatcherKind, Message, MessageBus};
use zaf_core::prelude::Error;

/// Makes the handler of `BEFORE_COMMAND` fail.
pub(crate) const BREAK_BEFORE: OptionId<bool> = OptionId::flag("break.before").default(false);
/// Required by the command `needy`.
pub(crate) const NEEDED: OptionId<i64> = OptionId::integer("needed.number");
/// Words for the command `print`.
pub(crate) const WORDS: OptionId<Vec<String>> = OptionId::text("words").multiple();

const RECORDER_OPTIONS: [ConfigOption; 1] = [BREAK_BEFORE.optional()];
const NEEDY_OPTIONS: [ConfigOption; 1] = [NEEDED.required()];
const PRINT_OPTIONS: [ConfigOption; 1] = [WORDS.optional()];

pub(crate) const fn command(
    name: &'static str,
    config_options: &'static [ConfigOption],
    run: fn(&CommandContext<'_>) -> Result<ExitCode>,
) -> CommandDescriptor {
    CommandDescriptor {
        name,
        description: "Does what a test needs.",
        parent: None,
        uses: &[],
        config_options,
        hidden: false,
        requirements: &[],
        run,
        krate: "recorder",
        file: file!(),
        line: line!(),
    }
}

pub(crate) const PASS: CommandDescriptor = command("pass", &[], |cx| {
    let console = cx.component::<Console>()?;
    writeln!(console.stdout(), "running")?;
    Ok(ExitCode::Success)
});
pub(crate) const FAIL: CommandDescriptor = command("fail", &[], |_| Err(Error::msg("no luck")));
pub(crate) const REPORT: CommandDescriptor = command("report", &[], |_| {
    Err(ExitCode::ReportFailed.with_error(Error::msg("disk full")))
});
pub(crate) const PANIC: CommandDescriptor = command("panic", &[], |_| panic!("out of luck"));
pub(crate) const NEEDY: CommandDescriptor = command("needy", &NEEDY_OPTIONS, |cx| {
    let console = cx.component::<Console>()?;
    writeln!(console.stdout(), "needed {}", cx.config().get(NEEDED)?)?;
    Ok(ExitCode::Success)
});
pub(crate) const PRINT: CommandDescriptor = command("print", &PRINT_OPTIONS, |cx| {
    let console = cx.component::<Console>()?;
    let config = cx.config();
    writeln!(
        console.stdout(),
        "output {} words {}",
        config.get(builtin::OUTPUT_DIR)?,
        config.get(WORDS)?.join(",")
    )?;
    for value in config
        .store()
        .explain(&zaf_core::config::Key::fold("output.dir"))
    {
        writeln!(console.stdout(), "{} {}", value.priority, value.source)?;
    }
    Ok(ExitCode::Success)
});

pub(crate) struct Recorder {
    break_before: bool,
    console: OnceLock<Arc<Console>>,
}

pub(crate) const RECORDER: ExtensionDescriptor = describe::<Recorder>(
    "recorder",
    &RECORDER_OPTIONS,
    &[&PASS, &FAIL, &REPORT, &PANIC, &NEEDY, &PRINT],
);

pub(crate) const fn describe<E: Extension>(
    name: &'static str,
    config_options: &'static [ConfigOption],
    commands: &'static [&'static CommandDescriptor],
) -> ExtensionDescriptor {
    ExtensionDescriptor {
        name,
        description: "For tests.",
        kind: ExtensionKind::Framework {
            load_order: 200,
            commands,
        },
        config_options,
        endpoints_and_messages: &[],
        groups: &[],
        default_enabled: true,
        activate_on: &[],
        deactivate_on: &[],
        replaces: &[],
        type_id: TypeId::of::<E>,
        construct: Constructor::linked(zaf_core::private::construct::<E>),
        krate: "recorder",
        version: "1.0.0",
        file: file!(),
        line: line!(),
    }
}

impl Recorder {
    fn say(&self, text: &str) {
        if let Some(console) = self.console.get() {
            writeln!(console.stdout(), "{text}").expect("memory");
        }
    }
}

impl Extension for Recorder {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            break_before: cx.config().get(BREAK_BEFORE)?,
            console: OnceLock::new(),
        })
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        let console = scope.resolve::<Console>(&Requirement::of::<Console>("console"))?;
        self.console.set(console).expect("registered once");
        Ok(())
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        let (before, after) = (Arc::clone(&self), self);
        let dispatcher = bus
            .dispatcher(DispatcherKind::Callback, "recorder")
            .endpoints([APPLICATION_ENDPOINT])
            .on(
                BEFORE_COMMAND,
                move |message: &Message<CommandStarting>, _| {
                    before.say(&format!("before {}", message.data().command));
                    if before.break_before {
                        return Err(Error::msg("broken as asked"));
                    }
                    Ok(())
                },
            )
            .on(AFTER_COMMAND, move |message: &Message<CommandEnded>, _| {
                after.say(&format!("after {}", message.data().exit_code.code()));
                Ok(())
            })
            .register()?;
        Ok(vec![dispatcher])
    }

    fn destroy(&self) -> Result<()> {
        self.say("destroyed");
        Ok(())
    }
}

/// An application of the built-in extensions, the recorder and `more`.
pub(crate) fn application(more: impl IntoIterator<Item = ExtensionDescriptor>) -> Application {
    let extensions = builtin::EXTENSIONS.iter().copied().chain([RECORDER]);
    Application::new("demo")
        .version("1.2.3")
        .made_of(extensions.chain(more), [], [])
}

/// How a run ended: exit code, standard output, standard error.
pub(crate) type Ended = (u8, String, String);

pub(crate) fn run(application: Application, invocation: Invocation) -> Ended {
    let (console, captured): (Console, Captured) = Console::captured();
    let code = application.run_with(invocation, &console);
    (code.code(), captured.stdout(), captured.stderr())
}

/// Runs this line with nothing in the environment.
pub(crate) fn run_line(line: &[&str]) -> Ended {
    // A directory of its own, so that no file of the working directory is read.
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    run(application([]), Invocation::new(line).directory(path))
}
