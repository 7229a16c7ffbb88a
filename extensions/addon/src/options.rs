//! The options of `addon create`: what the questions ask for, so that nothing needs to be asked. And those of what comes after.

use camino::Utf8PathBuf;
use zaf_core::config::{OptionId, Transformed};

use crate::add_message::PayloadType;
use crate::add_option::ValueType;
use crate::answers::{description, line};
use crate::kind::Kind;
use crate::name::AddonName;
use crate::origin::Origin;

fn checked_name(text: String) -> Transformed<String> {
    match AddonName::new(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("a name ({error})")),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of a transformation"
)]
fn checked_line(text: String) -> Transformed<String> {
    line(&text)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of a transformation"
)]
fn checked_description(text: String) -> Transformed<String> {
    description(&text)
}

fn checked_origin(text: String) -> Transformed<String> {
    Origin::parse(&text).map(|_| text)
}

fn checked_order(order: u64) -> Transformed<u64> {
    match order {
        21..=1000 => Ok(order),
        _ => Err(
            "a load order from 21 to 1000: what is below is loaded whatever the configuration says"
                .to_owned(),
        ),
    }
}

/// What it is called: small letters, digits, `_`.
pub const NAME: OptionId<String> = OptionId::text("addon.name")
    .describe("Name of the addon: a small letter, then small letters, digits and _")
    .aliases(&["name"])
    .transform(checked_name);

/// What is to be written.
pub const TYPE: OptionId<String> = OptionId::choice("addon.type", &Kind::WORDS)
    .describe("What is to be written")
    .aliases(&["type"]);

/// What a command extension extends.
pub const EXTENDS: OptionId<String> = OptionId::text("addon.extends")
    .describe("Command or capability that a command extension extends; run if nothing is said")
    .aliases(&["extends"]);

/// What it is for.
pub const DESCRIPTION: OptionId<String> = OptionId::text("addon.description")
    .describe("What it is for, in one line")
    .aliases(&["description"])
    .transform(checked_description);

/// Who writes it.
pub const AUTHOR: OptionId<String> = OptionId::text("addon.author")
    .describe("Who writes it, for the manifest")
    .aliases(&["author"])
    .transform(checked_line);

/// When a framework extension is loaded.
pub const LOAD_ORDER: OptionId<u64> = OptionId::count("addon.load.order")
    .describe("When a framework extension is loaded: those with lower numbers first")
    .aliases(&["load.order"])
    .default(101)
    .transform(checked_order);

/// Where zaf and k2 come from.
pub const ORIGIN: OptionId<String> = OptionId::text("addon.origin")
    .describe("Where it gets k2 from: workspace, a version, path:DIRECTORY or git:URL; else the workspace if it has k2, or the sources that this command lies in")
    .transform(checked_origin);

/// Where its directory is made.
pub const PARENT: OptionId<Utf8PathBuf> = OptionId::path("addon.parent")
    .describe("Directory in which its own is made; else `extensions` of the workspace if there is one, or the current directory");

/// Which product takes it in.
pub const PRODUCT: OptionId<String> = OptionId::text("addon.product")
    .describe("Package of the workspace that links it; else the only one with a list of extensions. `none` for none");

/// Templates instead of the built-in ones.
pub const TEMPLATES: OptionId<Utf8PathBuf> = OptionId::path("addon.templates").describe(
    "Directory with a directory of templates for each kind, instead of `addon-templates` of the product that links it, or the built-in ones",
);

/// Nothing is asked.
pub const YES: OptionId<bool> = OptionId::flag("addon.yes")
    .describe("Ask nothing: what is not said is as it is when nothing else is said")
    .aliases(&["yes"])
    .short('y')
    .default(false);

/// Nothing is written. Other commands have the same option.
pub const DRY_RUN: OptionId<bool> = OptionId::flag("dry.run")
    .describe("Say what would be done, and do nothing")
    .default(false);

fn checked_member(text: String) -> Transformed<String> {
    match AddonName::member(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("a name ({error})")),
    }
}

/// Package that something is added to; a positional argument.
pub const PACKAGE: OptionId<String> = OptionId::text("addon.package")
    .argument()
    .describe("Package of the workspace that it is added to");

/// What is added; a positional argument behind the package.
pub const ADDED: OptionId<String> = OptionId::text("addon.what.name")
    .argument()
    .describe("Name of what is added: a small letter, then small letters, digits and _")
    .transform(checked_member);

/// Which extension of the package.
pub const EXTENSION: OptionId<String> = OptionId::text("addon.extension")
    .describe("Type of the extension that it is added to; needed if the package has several");

/// What values the option has.
pub const OPTION_TYPE: OptionId<String> = OptionId::choice("addon.option.type", &ValueType::WORDS)
    .describe("What values the option has")
    .default("text");

/// Value of the option if nobody says another.
pub const OPTION_DEFAULT: OptionId<String> = OptionId::text("addon.option.default")
    .describe("Value if nobody says another; without it there may be none");

/// What is sent.
pub const MESSAGE_KIND: OptionId<String> =
    OptionId::choice("addon.message.kind", &["event", "request"])
        .describe("Whether it is an event, which nobody answers, or a request")
        .default("event");

/// What it is sent with.
pub const PAYLOAD: OptionId<String> =
    OptionId::choice("addon.message.payload", &PayloadType::WORDS)
        .describe("What it is sent with")
        .default("text");

/// What a request is answered with.
pub const REPLY: OptionId<String> = OptionId::choice("addon.message.reply", &PayloadType::WORDS)
    .describe("What a request is answered with")
    .default("text");
