//! Completion as an application of any name has it: with the entities of its files, and without loading more than it needs.

use std::sync::atomic::{AtomicUsize, Ordering};

use zaf_core::Result;
use zaf_core::application::Application;
use zaf_core::builtin;
use zaf_core::command::Invocation;
use zaf_core::config::{ConfigOption, OptionDescriptor, OptionId};
use zaf_core::extension::{
    Extends, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};
use zaf_core::message::Entity;

use super::configuration::Machine;
use super::kitchen::{COOK, KITCHEN_EXTENSION};
use super::recorder::{Ended, describe, run};

const SUTS: OptionId<Vec<Entity>> =
    OptionId::<Vec<Entity>>::entities("suts.ids").describe("Names of the systems under test.");
static SUTS_OPTION: OptionDescriptor = SUTS.descriptor();
const ADDRESS: OptionId<String> = OptionId::text("ip")
    .at(&SUTS_OPTION)
    .describe("Address of a system under test.");
const POWER: OptionId<bool> = OptionId::flag("power").at(&SUTS_OPTION).default(true);

const OPTIONS: [ConfigOption; 3] = [SUTS.optional(), ADDRESS.optional(), POWER.optional()];

static MADE: AtomicUsize = AtomicUsize::new(0);

/// Counts how often it is made.
#[derive(Debug)]
struct Counted;

impl Extension for Counted {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        MADE.fetch_add(1, Ordering::SeqCst);
        Ok(Self)
    }
}

/// An extension of the command `cook`.
const OF_COOK: ExtensionDescriptor = ExtensionDescriptor {
    kind: ExtensionKind::Command {
        extends: &[Extends::Command(&COOK)],
    },
    ..describe::<Counted>("suts", &OPTIONS, &[])
};

/// A framework extension with nothing to do before the configuration is complete.
const LATE: ExtensionDescriptor = ExtensionDescriptor {
    kind: ExtensionKind::Framework {
        load_order: 200,
        commands: &[],
    },
    ..describe::<Counted>("late", &[], &[])
};

fn acme() -> Application {
    let own = [KITCHEN_EXTENSION, OF_COOK, LATE];
    Application::new("acme")
        .command_name("acme-test")
        .environment_prefix("LAB")
        .made_of(builtin::EXTENSIONS.iter().copied().chain(own), [], [])
}

fn asked(machine: &Machine, environment: &[(&str, &str)], line: &[&str]) -> Ended {
    let question = ["__complete", "bash"].iter().chain(line).copied();
    let home = machine.path("home");
    let environment = environment.iter().copied().chain([("HOME", &*home)]);
    let invocation = Invocation::new(question)
        .environment(environment)
        .directory(machine.path("work"));
    run(acme(), invocation)
}

/// The words that are offered; nothing is said besides.
fn offered(machine: &Machine, environment: &[(&str, &str)], line: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = asked(machine, environment, line);
    assert_eq!((code, &*stderr), (0, ""), "{stdout}");
    let words = stdout.strip_prefix("words\n").expect("words");
    words
        .lines()
        .map(|line| line.split_once('\t').expect("a tab").0.to_owned())
        .collect()
}

#[test]
fn entities_of_files_environment_and_line_have_their_options() {
    let machine = Machine::new(&[
        (
            "work/acme.yaml",
            "suts:\n  ids: [box]\n  box.ip: 10.0.0.1\n  shelf.ip: 10.0.0.2\n",
        ),
        ("work/other.yaml", "suts.ids: [rig]\n"),
    ]);
    assert_eq!(
        offered(&machine, &[], &["cook", "--suts-b"]),
        ["--suts-box@ip", "--suts-box@power"]
    );
    assert_eq!(
        offered(&machine, &[], &["cook", "--no-s"]),
        ["--no-suts-box@power"]
    );
    let of_rig = ["--suts-rig@ip", "--suts-rig@power"];
    for line in [
        &["cook", "--config-file-pattern", "other.yaml", "--suts-r"][..],
        &["--config-file-pattern=other.yaml", "cook", "--suts-r"],
        &["cook", "--suts-ids", "rig", "--suts-r"],
    ] {
        assert_eq!(offered(&machine, &[], line), of_rig, "{line:?}");
    }
    let rig = [("LAB_SUTS_IDS", "rig")];
    assert_eq!(offered(&machine, &rig, &["cook", "--suts-r"]), of_rig);
    // One that has values and is not named yet may be.
    assert_eq!(
        offered(&machine, &[], &["cook", "--suts-ids", ""]),
        ["box", "shelf"]
    );
}

#[test]
fn lists_and_explanations_are_completed_with_what_there_is() {
    let machine = Machine::new(&[("work/acme.yaml", "suts.ids: box\n")]);
    assert_eq!(offered(&machine, &[], &["why", "su"]), ["suts"]);
    assert_eq!(
        offered(&machine, &[], &["why", "suts", "--target-command", "co"]),
        ["commands", "completion", "components", "config", "cook"]
    );
    assert_eq!(
        offered(&machine, &[], &["config", "--explain", "suts.b"]),
        ["suts.box.ip", "suts.box.power"]
    );
    // Hidden, but somebody has begun to type it.
    assert_eq!(offered(&machine, &[], &["cook", "so"]), ["soup"]);
}

#[test]
fn who_asks_loads_no_extension_of_a_command_and_nothing_late() {
    let machine = Machine::new(&[("work/acme.yaml", "guests.number: wrong\n")]);
    let before = MADE.load(Ordering::SeqCst);
    let (code, stdout, stderr) = asked(&machine, &[], &["cook", "--gue"]);
    assert_eq!((code, &*stderr), (0, ""));
    assert_eq!(stdout, "words\n--guests-number\tHow many eat\n");
    assert_eq!(MADE.load(Ordering::SeqCst), before);
}

#[test]
fn a_script_speaks_of_its_own_program() {
    let machine = Machine::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let invocation = Invocation::new(["completion", shell]).directory(machine.path("work"));
        let (code, stdout, stderr) = run(acme(), invocation);
        assert_eq!((code, &*stderr), (0, ""));
        assert!(stdout.contains("acme-test completion"), "{stdout}");
        assert!(stdout.contains("acme_test"), "{stdout}");
        assert!(!stdout.contains("zk2"), "{stdout}");
    }
}
