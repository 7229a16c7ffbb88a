//! An application with a bit of everything that lists show.

use std::any::{Any, TypeId};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use zaf_core::Result;
use zaf_core::application::{Application, Console, ExitCode};
use zaf_core::builtin;
use zaf_core::command::{CommandDescriptor, Invocation};
use zaf_core::component::{ComponentDescriptor, Requirement, Scope};
use zaf_core::config::{ConfigOption, OptionDescriptor, OptionId};
use zaf_core::extension::{
    Binder, DispatcherDescriptor, DispatcherSet, Extends, Extension, ExtensionContext,
    ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::{
    Dispatcher, DispatcherKind, EndpointId, EventId, Message, MessageBus, MessageQueue, RequestId,
};

use super::recorder::{Ended, command, describe};

const KITCHEN: EndpointId = EndpointId::new("kitchen-of-the-house", "Where meals are made.");
const HALL: EndpointId = EndpointId::new("hall", "Where meals are eaten.");

/// Longer than the names that the application itself has, so that columns depend on this file only.
const MEAL: EventId<Vec<String>> =
    EventId::new("MEAL_IS_READY_TO_BE_SERVED", "A meal is ready.").portable();
const PRICE: RequestId<String, u32> = RequestId::new("PRICE_OF_A_MEAL", "What a meal costs.");
const NOBODYS: EventId<()> = EventId::new("PLATE_IS_EMPTY", "Nobody says this.");

const SMOKE: OptionId<bool> = OptionId::flag("smoke.allowed")
    .describe("Whether smoke may rise.")
    .default(false);
const GUESTS: OptionId<i64> = OptionId::integer("guests.number").describe("How many eat.");
const SMOKE_OPTION: OptionDescriptor = SMOKE.descriptor();
const SMOKE_OPTIONS: [ConfigOption; 1] = [SMOKE.optional()];
const COOK_OPTIONS: [ConfigOption; 1] = [GUESTS.required()];

pub(crate) const COOK: CommandDescriptor = CommandDescriptor {
    description: "Cooks and serves.\n\nMore about it.",
    uses: &["heat", "serve"],
    ..command("cook", &COOK_OPTIONS, |_| Ok(ExitCode::Success))
};
const SOUP: CommandDescriptor = CommandDescriptor {
    description: "Cooks soup.",
    parent: Some(&COOK),
    uses: &["dig"],
    hidden: true,
    ..command("soup", &[], |_| Ok(ExitCode::Success))
};

/// An extension type that does nothing; the number makes it a type of its own.
#[derive(Debug)]
pub(crate) struct Cook<const N: u8>;

impl<const N: u8> Extension for Cook<N> {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

pub(crate) const KITCHEN_EXTENSION: ExtensionDescriptor = ExtensionDescriptor {
    endpoints_and_messages: &[
        (KITCHEN, &[MEAL.descriptor(), PRICE.descriptor()]),
        (HALL, &[MEAL.descriptor()]),
    ],
    krate: "house",
    file: "src/kitchen.rs",
    line: 10,
    ..describe::<Cook<0>>("kitchen", &[], &[&COOK, &SOUP])
};

pub(crate) const fn extending<const N: u8>(
    name: &'static str,
    extends: &'static [Extends],
) -> ExtensionDescriptor {
    ExtensionDescriptor {
        kind: ExtensionKind::Command { extends },
        krate: "house",
        file: "src/staff.rs",
        line: N as u32,
        ..describe::<Cook<N>>(name, &[], &[])
    }
}

const OVEN: ExtensionDescriptor = extending::<1>("oven", &[Extends::Capability("heat")]);
const WAITER: ExtensionDescriptor = extending::<2>(
    "waiter",
    &[Extends::Capability("heat"), Extends::Capability("serve")],
);
const CASHIER: ExtensionDescriptor = ExtensionDescriptor {
    replaces: &["honesty"],
    ..extending::<3>("cashier", &[Extends::Command(&COOK)])
};
const SMOKER: ExtensionDescriptor = ExtensionDescriptor {
    config_options: &SMOKE_OPTIONS,
    activate_on: &[&[SMOKE_OPTION]],
    ..extending::<4>("smoker", &[Extends::Capability("heat")])
};
const HONESTY: ExtensionDescriptor = extending::<5>("honesty", &[Extends::Command(&COOK)]);
const GARDENER: ExtensionDescriptor = extending::<6>("gardener", &[Extends::Capability("dig")]);

pub(crate) const GROUPED: ExtensionDescriptor = ExtensionDescriptor {
    groups: &["staff"],
    ..extending::<7>("groom", &[Extends::Capability("dig")])
};

type Instance = Arc<dyn Any + Send + Sync>;
type Builder = zaf_core::private::DispatcherBuilder;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature is the same for all dispatchers"
)]
fn bind(_: Instance, builder: Builder, _: &Scope) -> Result<Builder> {
    Ok(builder.on(MEAL, |_: &Message<Vec<String>>, _: &MessageBus| Ok(())))
}

const LISTENER: DispatcherDescriptor = DispatcherDescriptor {
    handler: "on_meal",
    kind: DispatcherKind::Callback,
    priority: 0,
    optional: false,
    messages: &[MEAL.descriptor()],
    endpoints: &[],
    entity_option: None,
    workers: None,
    long_running: false,
    requirements: &[],
    bind: Binder::linked(bind),
    line: 7,
};

const fn set<const N: u8>(dispatchers: &'static [DispatcherDescriptor]) -> DispatcherSet {
    DispatcherSet {
        type_id: TypeId::of::<Cook<N>>,
        dispatchers,
        file: "src/staff.rs",
        line: 1,
    }
}

const SETS: [DispatcherSet; 4] = [
    set::<0>(&[LISTENER]),
    set::<2>(&[DispatcherDescriptor {
        handler: "carry",
        kind: DispatcherKind::Sequential,
        priority: 50,
        endpoints: &[HALL],
        requirements: &[Requirement::of::<Tray>("tray")],
        ..LISTENER
    }]),
    set::<3>(&[DispatcherDescriptor {
        handler: "charge",
        messages: &[PRICE.descriptor(), NOBODYS.descriptor()],
        optional: true,
        ..LISTENER
    }]),
    set::<4>(&[DispatcherDescriptor {
        handler: "smoke",
        priority: -3,
        ..LISTENER
    }]),
];

/// Listens by what it does in its code.
pub(crate) struct Guest(Mutex<Option<MessageQueue<Vec<String>>>>);

impl Extension for Guest {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(Mutex::default()))
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        *self.0.lock() = Some(bus.message_queue(MEAL, HALL)?);
        let guest = bus
            .dispatcher(DispatcherKind::Sequential, "guest")
            .priority(7)
            .on(MEAL, |_, _| Ok(()))
            .register()?;
        Ok(vec![guest])
    }
}

pub(crate) const REGISTERING: ExtensionDescriptor = describe::<Guest>("guest", &[], &[]);

/// What meals are carried on.
pub(crate) struct Tray;

const TRAY: ComponentDescriptor = ComponentDescriptor {
    name: "tray_of_silver",
    description: "Carries meals.\nMore about it.",
    scope: "session",
    can: &["carry", "shine"],
    priority: 5,
    type_id: TypeId::of::<Tray>,
    type_name: std::any::type_name::<Tray>,
    requirements: &[Requirement::of::<Console>("console")],
    make: |_| Ok(Arc::new(Tray)),
    teardown: None,
    entity: None,
    krate: "house",
    file: "src/staff.rs",
    line: 70,
};
const OTHER_TRAY: ComponentDescriptor = ComponentDescriptor {
    name: "tray_of_wood",
    description: "",
    can: &["carry"],
    priority: 1,
    file: "src/wood.rs",
    ..TRAY
};

/// The application, with more extensions.
pub(crate) fn house(more: impl IntoIterator<Item = ExtensionDescriptor>) -> Application {
    let own = [
        KITCHEN_EXTENSION,
        OVEN,
        WAITER,
        CASHIER,
        SMOKER,
        HONESTY,
        GARDENER,
    ];
    let extensions = builtin::EXTENSIONS.iter().copied().chain(own).chain(more);
    Application::new("demo")
        .version("1.2.3")
        .made_of(extensions, SETS, [OTHER_TRAY, TRAY])
}

/// Runs a line of an application at a terminal of this width, with nothing in files and environment.
pub(crate) fn run_wide(application: Application, width: usize, line: &[&str]) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let (console, captured) = Console::captured();
    let invocation = Invocation::new(line).directory(path);
    let code = application.run_with(invocation, &console.with_width(width));
    (code.code(), captured.stdout(), captured.stderr())
}

/// Standard output of a line that succeeds.
pub(crate) fn said(width: usize, line: &[&str]) -> String {
    let (code, stdout, stderr) = run_wide(house([]), width, line);
    assert_eq!((code, stderr.as_str()), (0, ""), "{line:?}");
    stdout
}

/// The list of a line as a program reads it.
pub(crate) fn parsed(line: &[&str]) -> Value {
    let line = [line, &["--format", "json"]].concat();
    serde_json::from_str(&said(80, &line)).expect("JSON")
}

/// The rows of a table whose first words are these, each with the lines below it, after the heading.
pub(crate) fn rows(table: &str, names: &[&str]) -> String {
    let mut shown = String::new();
    let mut is_meant = true;
    for line in table.split_inclusive('\n') {
        if !line.starts_with("    ") && !shown.is_empty() {
            is_meant = line.split_whitespace().any(|word| names.contains(&word));
        }
        if is_meant {
            shown.push_str(line);
        }
    }
    shown
}
