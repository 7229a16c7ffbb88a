//! An application for the tests of the command line.

use super::model::{CliCommand, Model};
use super::options::{CliOption, Owner};
use crate::config::{ConfigOption, ConfigStore, OptionId};

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
        entities: Vec::new(),
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
        program: "demo".to_owned(),
        about: "Shows how it is done.".to_owned(),
        version: "1.2.3".to_owned(),
        environment_prefix: "DEMO".to_owned(),
        width: 80,
        extensions: [("abort", "Ends the run early.")].into(),
        store: ConfigStore::new(),
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
