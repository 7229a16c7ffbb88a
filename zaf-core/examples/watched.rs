//! A small application whose handlers do what should be noticed: they block, they send each other messages through queues.
//!
//! Try `cargo run -p zaf-core --example watched -- work --trace /tmp/trace.json` and open the file in <https://ui.perfetto.dev>, or
//! `-- stuck --handler-warn 100ms`. The tests of observation run it as a process.

use std::any::TypeId;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use zaf_core::Result;
use zaf_core::application::{Application, ExitCode};
use zaf_core::command::{AbortLevel, CommandContext, CommandDescriptor};
use zaf_core::extension::{Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind};
use zaf_core::message::{
    Dispatcher, DispatcherKind, EndpointId, EventId, MessageBus, MessageDescriptor, RequestId,
};

fn main() -> std::process::ExitCode {
    let built_in = zaf_core::builtin::EXTENSIONS.iter().copied();
    Application::new("watched")
        .version("1.2.3")
        .about("Has handlers that should be noticed.")
        .made_of(built_in.chain([WATCHED]), [], [])
        .run()
}

const WORKSHOP: EndpointId = EndpointId::new("workshop", "Where things are made.");
const ORDERED: EventId<u32> = EventId::new("ORDERED", "Somebody wants this many parts.");
const PART: EventId<u32> = EventId::new("PART", "One part is to be made.");
const PRICE: RequestId<u32, u32> = RequestId::new("PRICE", "What so many parts cost.");
const PAINT: EventId<()> = EventId::new("PAINT", "Not defined anywhere.");
const STUCK: EventId<()> = EventId::new("STUCK", "Its handler never returns.");

const MESSAGES: [MessageDescriptor; 4] = [
    ORDERED.descriptor(),
    PART.descriptor(),
    PRICE.descriptor(),
    STUCK.descriptor(),
];

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
        config_options: &[],
        hidden: false,
        requirements: &[],
        run,
        krate: "watched",
        file: file!(),
        line: line!(),
    }
}

const WORK: CommandDescriptor = command("work", "Makes parts.", |cx| {
    cx.bus().trigger_event(ORDERED, WORKSHOP, 20)?;
    cx.bus()
        .send_request(PRICE, WORKSHOP, 20)?
        .values(Duration::from_secs(10))?;
    Ok(ExitCode::Success)
});

const WAIT: CommandDescriptor = command(
    "wait",
    "Makes parts and waits until it is told to stop.",
    |cx| {
        cx.bus().trigger_event(ORDERED, WORKSHOP, 20)?;
        cx.bus().wait_until_idle(Duration::from_secs(10))?;
        say("waiting");
        cx.abort().wait(AbortLevel::Gentle, Duration::from_mins(1));
        Ok(ExitCode::Incomplete)
    },
);

const BLOCK: CommandDescriptor = command(
    "stuck",
    "Triggers an event whose handler never returns.",
    |cx| {
        cx.bus().trigger_event(STUCK, WORKSHOP, ())?;
        Ok(ExitCode::Success)
    },
);

/// Makes parts, in several ways.
struct Watched;

const WATCHED: ExtensionDescriptor = ExtensionDescriptor {
    name: "watched",
    description: "Has handlers that should be noticed.",
    kind: ExtensionKind::Framework {
        load_order: 200,
        commands: &[&WORK, &WAIT, &BLOCK],
    },
    config_options: &[],
    endpoints_and_messages: &[(WORKSHOP, &MESSAGES)],
    groups: &[],
    default_enabled: true,
    activate_on: &[],
    deactivate_on: &[],
    replaces: &[],
    type_id: TypeId::of::<Watched>,
    construct: zaf_core::private::Constructor::linked(zaf_core::private::construct::<Watched>),
    krate: "watched",
    version: "1.2.3",
    file: file!(),
    line: line!(),
};

impl Extension for Watched {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        let office = bus
            .dispatcher(DispatcherKind::Callback, "office")
            .on(ORDERED, |message, bus| {
                for part in 0..*message.data() {
                    bus.trigger_event(PART, WORKSHOP, part)?;
                }
                // Nobody defined it: the sender is told, and the trace shows it.
                let refused = bus.trigger_event(PAINT, WORKSHOP, ());
                debug_assert!(refused.is_err());
                Ok(())
            })
            .on(STUCK, |_, _| {
                say("stuck");
                loop {
                    std::thread::park();
                }
            })
            .register()?;
        let bench = bus
            .dispatcher(DispatcherKind::Sequential, "bench")
            .on(PART, |message, _| {
                if *message.data() == 13 {
                    return Err(zaf_core::Error::msg("the drill is broken"));
                }
                Ok(())
            })
            .on(PRICE, |message, _| Ok(message.data() * 7))
            .register()?;
        let painters = bus
            .dispatcher(DispatcherKind::ThreadPool, "painters")
            .on(PART, |_, _| Ok(()))
            .register()?;
        Ok(vec![office, bench, painters])
    }
}

fn say(text: &str) {
    // A reader that has gone away is none of our business.
    drop(writeln!(std::io::stdout(), "{text}"));
}
