//! An application for the tests of the command line.

use super::model::{CliCommand, Model};
use super::options::{CliOption, Owner};
use crate::config::{
    ConfigLayer, ConfigOption, ConfigStore, OptionDescriptor, OptionId, Priority, Source, Value,
};
use crate::message::Entity;
use camino::Utf8Path;

const OUTPUT: ConfigOption = OptionId::path("output.dir")
    .describe("Where results go.")
    .default("output")
    .short('o')
    .optional();
const LEVEL: ConfigOption = OptionId::choice("log.level", &["warn", "info"])
    .default("warn")
    .describe("How much is logged.")
    .optional();
const ABORT: ConfigOption = OptionId::flag("abort.on.fail")
    .describe("Stop at the first failure.")
    .optional();
const INCLUDE: ConfigOption = OptionId::text("tests.include")
    .multiple()
    .describe("Run only these.")
    .optional();
const WORKERS: ConfigOption = OptionId::count("parallel.workers")
    .describe("How many at once.")
    .optional();
const PATHS: ConfigOption = OptionId::text("run.paths")
    .multiple()
    .argument()
    .describe("What to run.")
    .optional();
const SECRET: ConfigOption = OptionId::text("deep.secret")
    .hidden()
    .describe("For the curious.")
    .optional();

/// An option as `owner` asks for it.
pub(super) fn option(option: ConfigOption, owner: Owner) -> CliOption {
    CliOption {
        descriptor: option.option,
        required: option.required,
        owner,
        entities: std::sync::Arc::default(),
    }
}

/// A small application: two commands, one of them with others below it, extensions and options of every look.
pub(super) fn model() -> Model {
    let command = |path: &str, description, options| CliCommand {
        path: path.to_owned(),
        description,
        hidden: false,
        options,
    };
    Model {
        name: "demo".to_owned(),
        program: "demo".to_owned(),
        about: "Shows how it is done.".to_owned(),
        version: "1.2.3".to_owned(),
        environment_prefix: "DEMO".to_owned(),
        width: 80,
        extensions: [("abort", "Ends the run early.")].into(),
        store: ConfigStore::new(),
        catalog: None,
        main: vec![
            option(OUTPUT, Owner::Application),
            option(LEVEL, Owner::Application),
        ],
        commands: vec![
            command("addon", "Add-ons.", vec![]),
            command("addon create", "Makes an add-on.", vec![]),
            command(
                "list",
                "Lists tests.",
                vec![option(INCLUDE, Owner::Command)],
            ),
            command(
                "run",
                "Runs tests.\n\nAt length.",
                vec![
                    option(PATHS, Owner::Command),
                    option(INCLUDE, Owner::Command),
                    option(WORKERS, Owner::Command),
                    option(ABORT, Owner::Extension("abort")),
                    option(SECRET, Owner::Extension("abort")),
                ],
            ),
        ],
    }
}

static BOXES: OptionDescriptor = OptionId::<Vec<Entity>>::entities("boxes.ids").descriptor();

/// The application with entities, and with values of all sorts of sources.
pub(super) fn configured() -> Model {
    let mut model = model();
    let ids = OptionId::<Vec<Entity>>::entities("boxes.ids")
        .describe("Names of the boxes.")
        .optional();
    let address = OptionId::text("ip")
        .at(&BOXES)
        .describe("Address of a box.")
        .required();
    let live = OptionId::flag("reports.live")
        .default(true)
        .describe("Show how the run goes on while it does.\n\nOnly on a terminal.")
        .optional();
    let format = OptionId::choice(
        "reports.format",
        &["text", "junit", "testng", "html", "json"],
    )
    .default("text")
    .describe("How the report is written.")
    .optional();
    let run = &mut model.commands[3];
    run.options.push(option(ids, Owner::Extension("boxes")));
    let mut address = option(address, Owner::Extension("boxes"));
    address.entities = [Entity::from("lab"), Entity::from("desk")].into();
    run.options.push(address);
    run.options.push(option(live, Owner::Extension("reports")));
    run.options
        .push(option(format, Owner::Extension("reports")));
    model.extensions.insert("boxes", "Boxes to run tests on.");

    let mut store = ConfigStore::new();
    for option in model.main.iter().chain(&model.commands[3].options) {
        store
            .define(&option.descriptor, "demo")
            .expect("a right declaration");
    }
    let file = Source::File {
        path: Utf8Path::new("demo.yaml").into(),
        line: 3,
        column: 7,
    };
    let mut layer = ConfigLayer::new(Priority::LOCAL, file.clone());
    layer.push("parallel.workers", Value::Integer(4), file.clone());
    layer.push("boxes.lab.ip", "10.0.0.1", file.clone());
    layer.push("reports.live", Value::Flag(false), file.clone());
    layer.push(
        "tests.include",
        Value::List(vec!["a".into(), "b".into()]),
        file,
    );
    store.add(layer);
    let mut layer = ConfigLayer::new(Priority::APPLICATION, Source::Fixed);
    layer.push("output.dir", "results", Source::Fixed);
    store.add(layer);
    let flag = Source::CommandLine {
        flag: "--log-level".into(),
    };
    let mut layer = ConfigLayer::new(Priority::COMMAND_LINE, flag.clone());
    layer.push("log.level", "info", flag);
    store.add(layer);
    model.store = store;
    model
}
