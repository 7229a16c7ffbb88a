//! Extensions with every key, with as few as possible, and what their descriptors say.

use std::any::TypeId;

use zaf_core::config::OptionDescriptor;
use zaf_core::extension::{Extends, ExtensionDescriptor, ExtensionKind};
use zaf_core::prelude::*;
use zaf_core::private::ZAF_EXTENSIONS;

const HERE: EndpointId = EndpointId::new("here", "Where these extensions speak.");
const THERE: EndpointId = EndpointId::new("there", "Another endpoint.");
const SAID: EventId<i64> = EventId::new("SAID", "Something was said.");
const ASKED: RequestId<String, bool> = RequestId::new("ASKED", "Something was asked.");
const VALUE: OptionId<i64> = OptionId::integer("value").default(1);
const SWITCH: OptionId<bool> = OptionId::flag("switch");
const OTHER: OptionId<bool> = OptionId::flag("other");
const NAME: &str = "named-by-a-constant";

#[command(name = "talk", uses = ["talking"])]
/// Talks.
fn talk(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

/// Has every key.
///
/// And a second paragraph.
#[framework_extension(
    name = "complete",
    load_order = 91,
    config_options = [VALUE.required(), SWITCH.optional(), OTHER.optional()],
    commands = [TALK_COMMAND],
    endpoints_and_messages = { HERE: [SAID, ASKED], THERE: [] },
    groups = ["talkers", "all"],
    default_enabled = false,
    activate_on = [VALUE, (SWITCH, OTHER)],
    deactivate_on = [(SWITCH)],
    replaces = ["simple"],
)]
#[derive(Debug)]
struct Complete;

impl Extension for Complete {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[framework_extension(name = NAME)]
struct Short;

impl Extension for Short {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[command_extension(name = "extending", extends = [TALK_COMMAND, "talking", "listening"])]
enum Extending {
    One,
}

impl Extension for Extending {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self::One)
    }
}

fn descriptor<E: 'static>() -> ExtensionDescriptor {
    let mut found = ZAF_EXTENSIONS
        .iter()
        .filter(|descriptor| (descriptor.type_id)() == TypeId::of::<E>());
    let descriptor = found.next().expect("invariant: the macro registered it");
    assert!(found.next().is_none(), "registered twice");
    *descriptor
}

fn keys(condition: &[&[OptionDescriptor]]) -> Vec<Vec<&'static str>> {
    condition
        .iter()
        .map(|group| group.iter().map(|option| option.key).collect())
        .collect()
}

#[test]
fn every_key_is_in_the_descriptor() {
    let descriptor = descriptor::<Complete>();
    assert_eq!(descriptor.name, "complete");
    assert_eq!(
        descriptor.description,
        "Has every key.\n\nAnd a second paragraph."
    );
    let ExtensionKind::Framework {
        load_order,
        commands,
    } = descriptor.kind
    else {
        panic!("not a framework extension: {descriptor:?}");
    };
    assert_eq!(load_order, 91);
    assert_eq!(commands, [&TALK_COMMAND]);
    let options: Vec<_> = descriptor
        .config_options
        .iter()
        .map(|request| (request.option.key, request.required))
        .collect();
    assert_eq!(
        options,
        [("value", true), ("switch", false), ("other", false)]
    );
    let defined: Vec<_> = descriptor
        .endpoints_and_messages
        .iter()
        .map(|(endpoint, messages)| {
            (
                endpoint.name(),
                messages.iter().map(|m| m.name).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        defined,
        [("here", vec!["SAID", "ASKED"]), ("there", vec![])]
    );
    assert_eq!(descriptor.groups, ["talkers", "all"]);
    assert!(!descriptor.default_enabled);
    assert_eq!(
        keys(descriptor.activate_on),
        [vec!["value"], vec!["switch", "other"]]
    );
    assert_eq!(keys(descriptor.deactivate_on), [vec!["switch"]]);
    assert_eq!(descriptor.replaces, ["simple"]);
    assert_eq!(descriptor.krate, "zaf-macros");
    assert!(descriptor.file.ends_with("extension/pass/mod.rs"));
}

#[test]
fn what_is_not_said_has_its_default() {
    let descriptor = descriptor::<Short>();
    assert_eq!(descriptor.name, NAME);
    assert_eq!(descriptor.description, "");
    assert!(matches!(
        descriptor.kind,
        ExtensionKind::Framework {
            load_order: 50,
            commands: []
        }
    ));
    assert!(descriptor.default_enabled);
    assert!(descriptor.config_options.is_empty());
}

#[test]
fn commands_and_capabilities_can_be_extended_together() {
    let ExtensionKind::Command { extends } = descriptor::<Extending>().kind else {
        panic!("not a command extension");
    };
    let shown: Vec<_> = extends
        .iter()
        .map(|extends| match extends {
            Extends::Command(command) => format!("command {}", command.name),
            Extends::Capability(word) => format!("capability {word}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        ["command talk", "capability talking", "capability listening"]
    );
}
