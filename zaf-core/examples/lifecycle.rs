//! A small application whose commands end in all the ways a command can end.
//!
//! Try `cargo run -p zaf-core --example lifecycle -- wait` and press Ctrl-C once, twice, three times. The tests of the
//! application's life cycle run it as a process.

use std::any::TypeId;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zaf_core::Result;
use zaf_core::application::{
    ABORT, AFTER_COMMAND, Abort, Application, BEFORE_COMMAND, CRITICAL_ABORT, CommandEnded,
    CommandStarting, Console, ExitCode,
};
use zaf_core::command::{AbortLevel, CommandContext, CommandDescriptor};
use zaf_core::config::{ConfigOption, OptionId};
use zaf_core::extension::{
    Constructor, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::{APPLICATION_ENDPOINT, Dispatcher, DispatcherKind, Message, MessageBus};
use zaf_core::prelude::Error;

fn main() -> std::process::ExitCode {
    Application::new("lifecycle")
        .version("1.2.3")
        .about("Ends in all the ways a command can end.")
        .made_of(
            zaf_core::builtin::EXTENSIONS
                .iter()
                .copied()
                .chain([LIFECYCLE]),
            [],
            [],
        )
        .run()
}

/// The abort level at which the command `wait` ends: `gentle` or `critical`; `never` for neither.
const UNTIL: OptionId<String> = OptionId::choice("until", &["gentle", "critical", "never"])
    .describe("When the command ends.")
    .default("gentle");

const OPTIONS: [ConfigOption; 1] = [UNTIL.optional()];

const fn command(
    name: &'static str,
    description: &'static str,
    run: fn(&CommandContext<'_>) -> Result<ExitCode>,
) -> CommandDescriptor {
    CommandDescriptor {
        name,
        description,
        parent: None,
        uses: &[],
        config_options: &OPTIONS,
        hidden: false,
        requirements: &[],
        run,
        krate: "lifecycle",
        file: file!(),
        line: line!(),
    }
}

const WAIT: CommandDescriptor = command("wait", "Waits until it is told to stop.", wait);
const FLOOD: CommandDescriptor = command("flood", "Writes a million lines.", flood);
const STOPPED: CommandDescriptor = command(
    "stopped",
    "Stops the process in its end, as Ctrl-Z does, twice.",
    |_| Ok(ExitCode::Success),
);
const FAIL: CommandDescriptor = command("fail", "Fails.", |_| Err(Error::msg("no luck")));
const PANIC: CommandDescriptor = command("panic", "Panics.", |_| panic!("out of luck"));

fn wait(cx: &CommandContext<'_>) -> Result<ExitCode> {
    say("waiting");
    let level = match cx.config().get(UNTIL)?.as_str() {
        "critical" => AbortLevel::Critical,
        "never" => loop {
            cx.abort()
                .wait(AbortLevel::Critical, Duration::from_secs(1));
            std::thread::park_timeout(Duration::from_secs(1));
        },
        _ => AbortLevel::Gentle,
    };
    cx.abort().wait(level, Duration::from_mins(1));
    Ok(ExitCode::Incomplete)
}

fn flood(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    for number in 0..1_000_000 {
        writeln!(console.stdout(), "line {number}")?;
    }
    writeln!(console.stderr(), "flooded")?;
    Ok(ExitCode::CasesFailed)
}

/// Says on standard output what happens.
struct Lifecycle;

const LIFECYCLE: ExtensionDescriptor = ExtensionDescriptor {
    name: "lifecycle",
    description: "Says what happens.",
    kind: ExtensionKind::Framework {
        load_order: 200,
        commands: &[&WAIT, &FLOOD, &STOPPED, &FAIL, &PANIC],
    },
    config_options: &[],
    endpoints_and_messages: &[],
    groups: &[],
    default_enabled: true,
    activate_on: &[],
    deactivate_on: &[],
    replaces: &[],
    type_id: TypeId::of::<Lifecycle>,
    construct: Constructor::linked(zaf_core::private::construct::<Lifecycle>),
    krate: "lifecycle",
    version: "1.2.3",
    file: file!(),
    line: line!(),
};

impl Extension for Lifecycle {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        let dispatcher = bus
            .dispatcher(DispatcherKind::Callback, "lifecycle")
            .endpoints([APPLICATION_ENDPOINT])
            .on(BEFORE_COMMAND, |message: &Message<CommandStarting>, _| {
                say(&format!("before {}", message.data().command));
                Ok(())
            })
            .on(AFTER_COMMAND, |message: &Message<CommandEnded>, _| {
                let CommandEnded {
                    command, exit_code, ..
                } = message.data();
                say(&format!("after {command} {}", exit_code.code()));
                if **command == *STOPPED.name {
                    IS_STOPPED.store(true, Ordering::SeqCst);
                    stop();
                }
                Ok(())
            })
            .on(ABORT, |message: &Message<Abort>, _| {
                say(&format!("abort: {}", message.data()));
                Ok(())
            })
            .on(CRITICAL_ABORT, |message: &Message<Abort>, _| {
                say(&format!("critical abort: {}", message.data()));
                Ok(())
            })
            .register()?;
        Ok(vec![dispatcher])
    }

    fn destroy(&self) -> Result<()> {
        if IS_STOPPED.load(Ordering::SeqCst) {
            stop();
        }
        say("destroyed");
        Ok(())
    }
}

/// Whether the command is the one that stops the process.
static IS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Stops the process, and takes a part of the time limits when it has been continued.
fn stop() {
    let process = rustix::process::getpid();
    rustix::process::kill_process(process, rustix::process::Signal::STOP)
        .expect("invariant: it is this process");
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

fn say(text: &str) {
    // A reader that has gone away is none of our business.
    drop(writeln!(std::io::stdout(), "{text}"));
}
