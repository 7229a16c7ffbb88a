//! Command line and environment.

use std::any::TypeId;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use zaf_core::Result;
use zaf_core::application::{Application, Console, ExitCode};
use zaf_core::builtin;
use zaf_core::command::{CommandContext, CommandDescriptor, Invocation};
use zaf_core::config::{ConfigOption, OptionDescriptor, OptionId};
use zaf_core::extension::{
    Extends, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::Entity;

static IDS: OptionDescriptor = OptionId::<Vec<Entity>>::entities("suts.ids").descriptor();

/// One option of every kind.
const OPTIONS: [ConfigOption; 13] = [
    OptionId::<Vec<Entity>>::entities("suts.ids")
        .short('s')
        .optional(),
    OptionId::text("a.text").short('t').optional(),
    OptionId::text("a.words").multiple().short('w').optional(),
    OptionId::integer("a.integer").default(1).optional(),
    OptionId::count("a.count").optional(),
    OptionId::float("a.float").optional(),
    OptionId::flag("a.flag").short('f').optional(),
    OptionId::flag("b.flag")
        .default(true)
        .short('b')
        .hidden()
        .optional(),
    OptionId::duration("a.duration").optional(),
    OptionId::size("a.size").optional(),
    OptionId::choice("a.choice", &["one", "two"])
        .short('c')
        .optional(),
    OptionId::text("ip").at(&IDS).optional(),
    OptionId::flag("power").at(&IDS).default(true).optional(),
];
const ARGUMENTS: [ConfigOption; 3] = [
    OptionId::text("work.first").argument().required(),
    OptionId::integer("work.rest")
        .multiple()
        .argument()
        .optional(),
    OptionId::text("own.letter").short('x').optional(),
];
const OTHER: [ConfigOption; 1] = [OptionId::flag("other.letter").short('x').optional()];

const fn command(
    name: &'static str,
    parent: Option<&'static CommandDescriptor>,
    config_options: &'static [ConfigOption],
) -> CommandDescriptor {
    CommandDescriptor {
        name,
        description: "Does nothing.\n\n- At *length*.",
        parent,
        uses: &[],
        config_options,
        hidden: false,
        requirements: &[],
        run,
        krate: "fuzz",
        file: file!(),
        line: line!(),
    }
}

static WORK: CommandDescriptor = command("work", None, &ARGUMENTS);
static OTHER_WORK: CommandDescriptor = command("other-work", None, &OTHER);
static GROUP: CommandDescriptor = command("group", None, &[]);
static BELOW: CommandDescriptor = command("below", Some(&GROUP), &[]);
static DEEP: CommandDescriptor = command("deep", Some(&BELOW), &ARGUMENTS);

fn run(_: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

#[derive(Debug)]
struct Nothing;

impl Extension for Nothing {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

const fn extension(name: &'static str, kind: ExtensionKind) -> ExtensionDescriptor {
    ExtensionDescriptor {
        name,
        description: "For fuzzing.",
        kind,
        config_options: &[],
        endpoints_and_messages: &[],
        groups: &[],
        default_enabled: true,
        activate_on: &[],
        deactivate_on: &[],
        replaces: &[],
        type_id: TypeId::of::<Nothing>,
        construct: zaf_core::private::Constructor::linked(zaf_core::private::construct::<Nothing>),
        krate: "fuzz",
        version: "1.0.0",
        file: file!(),
        line: line!(),
    }
}

static FRAMEWORK: ExtensionDescriptor = ExtensionDescriptor {
    config_options: &OPTIONS,
    ..extension(
        "base",
        ExtensionKind::Framework {
            load_order: 15,
            commands: &[&WORK, &OTHER_WORK, &GROUP, &BELOW, &DEEP],
        },
    )
};
static OF_WORK: ExtensionDescriptor = extension(
    "more",
    ExtensionKind::Command {
        extends: &[Extends::Capability("work")],
    },
);

/// What reads the line and the environment and judges the values. Not what files, traces and lists are for: those would find
/// files of the machine that fuzzes.
const BUILT_IN: [&str; 3] = ["cli", "environment", "configvalidator"];

/// A line and an environment: the arguments, one on each line; behind a zero byte the variables. Whatever they are, the
/// application does what it was told, or says on standard error what is wrong and ends with 2.
pub fn argv(data: &[u8]) {
    let (line, variables) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let arguments: Vec<OsString> = line
        .split(|byte| *byte == b'\n')
        // An operating system hands over no zero bytes.
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    let environment = variables
        .split(|byte| *byte == b'\n')
        .filter(|variable| !variable.contains(&0))
        .map(|variable| {
            let at = variable.iter().position(|byte| *byte == b'=');
            let (name, value) = match at {
                Some(at) => (&variable[..at], &variable[at + 1..]),
                None => (variable, &b""[..]),
            };
            let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            (text(name), text(value))
        });
    let built_in = builtin::EXTENSIONS
        .iter()
        .copied()
        .filter(|extension| BUILT_IN.contains(&extension.name));
    let application = Application::new("fuzz").version("1.0.0").made_of(
        built_in.chain([FRAMEWORK, OF_WORK]),
        [],
        [],
    );
    let asks = match arguments.as_slice() {
        [first, shell, ..] => {
            first == "__complete" && ["bash", "zsh", "fish"].iter().any(|name| shell == name)
        }
        _ => false,
    };
    let (console, captured) = Console::captured();
    let invocation = Invocation::new(arguments).environment(environment);
    let code = application.run_with(invocation, &console.with_width(data.len() % 130));
    let (said, wrong) = (captured.stdout(), captured.stderr());
    match code {
        ExitCode::Success => {}
        ExitCode::Usage => assert!(
            !asks && said.is_empty() && wrong.contains("error"),
            "{wrong}"
        ),
        other => panic!("ended with {other}: {wrong}"),
    }
    if asks && !said.is_empty() {
        assert!(said.starts_with("words\n") || said == "files\n", "{said}");
        let words = said.lines().skip(1).filter(|line| !line.is_empty());
        assert!(
            words.clone().all(|line| line.matches('\t').count() == 1),
            "{said}"
        );
    }
}
