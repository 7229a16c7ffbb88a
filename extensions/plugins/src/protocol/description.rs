//! What a plugin says about itself: all that a linked extension says with its attribute.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a plugin is: its answer to `describe`.
///
/// Read from a plugin it is only well-formed; `validate` says what is wrong with its contents, all at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Description {
    /// Version of the protocol that it speaks.
    pub protocol: u32,
    /// How frames are written after this one.
    #[serde(default)]
    pub codec: Codec,
    /// Name of the extension.
    pub name: String,
    /// Version of the plugin, for people.
    pub version: String,
    /// What it does; the first line is the short description.
    pub description: String,
    /// Framework or command extension.
    pub kind: ExtensionKind,
    /// Options that it asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionDescription>,
    /// What it defines on the bus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<EndpointDescription>,
    /// What it listens to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispatchers: Vec<DispatcherDescription>,
    /// Names of groups it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whether it is enabled when nobody says otherwise.
    #[serde(default = "yes")]
    pub default_enabled: bool,
    /// Active only if of each of these groups of options any holds; empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activate_on: Vec<Vec<String>>,
    /// Inactive if of each of these groups of options any holds; empty: never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deactivate_on: Vec<Vec<String>>,
    /// Names of extensions that are not loaded when this one is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// Whether it can be given the next message before it is done with the one before. If not, the host waits.
    #[serde(default)]
    pub concurrent: bool,
    /// An example payload for messages that it listens to, by name: what `plugin check` sends.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub samples: BTreeMap<String, Value>,
    /// What the plugin wrote, if it was read: with the fields that this version does not know.
    #[serde(skip)]
    pub(crate) source: Option<Box<str>>,
}

impl Description {
    /// A plugin that asks for nothing, defines nothing and listens to nothing.
    pub fn new(name: impl Into<String>, kind: ExtensionKind) -> Self {
        Self {
            protocol: super::PROTOCOL,
            codec: Codec::default(),
            name: name.into(),
            version: String::new(),
            description: String::new(),
            kind,
            options: Vec::new(),
            endpoints: Vec::new(),
            dispatchers: Vec::new(),
            groups: Vec::new(),
            default_enabled: true,
            activate_on: Vec::new(),
            deactivate_on: Vec::new(),
            replaces: Vec::new(),
            concurrent: false,
            samples: BTreeMap::new(),
            source: None,
        }
    }
}

fn yes() -> bool {
    true
}

/// How frames are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Codec {
    /// One JSON object in a line.
    #[default]
    Json,
    /// Length, head of fixed layout, raw payload.
    Binary,
}

/// How payloads are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PayloadFormat {
    /// JSON.
    #[default]
    Json,
    /// Postcard, which only the binary codec and libraries can carry.
    Postcard,
}

/// What sort of extension, with what only that sort has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExtensionKind {
    /// Loaded by load order.
    Framework {
        /// 11 to 1000, lower first.
        load_order: u16,
    },
    /// Loaded for the commands it extends.
    Command {
        /// Names of commands or capabilities.
        extends: Vec<String>,
    },
}

/// An option that a plugin asks for.
///
/// One without a type is declared by another extension, and asked for by its key alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OptionDescription {
    /// Dotted key.
    pub name: String,
    /// What values it accepts; none if another extension declares it.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<OptionType>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether it takes several values.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// The words that a choice accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Value if nobody gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether the plugin cannot do without.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether there is one instance for each value, an entity.
    #[serde(default, skip_serializing_if = "is_false")]
    pub instantiate_on: bool,
    /// Key of the option whose values are the entities that this option belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Letter of the short spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<char>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out the field"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What values an option accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OptionType {
    /// Any text.
    Text,
    /// A whole number, 64 bits with sign.
    Integer,
    /// A whole number from 0.
    Count,
    /// A finite number.
    Float,
    /// `true` or `false`.
    Flag,
    /// A length of time with its unit.
    Duration,
    /// A number of bytes.
    Size,
    /// A path.
    Path,
    /// A glob pattern.
    Glob,
    /// One of the words in `choices`.
    Choice,
    /// The name of an entity.
    Entity,
    /// Text that nobody may see.
    Secret,
}

/// An endpoint with messages that a plugin defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EndpointDescription {
    /// Name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What is triggered by it or sent to it. One that the host knows already is named only.
    pub messages: Vec<MessageDescription>,
}

/// A message that a plugin defines; its payload is any JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageDescription {
    /// Name.
    pub name: String,
    /// Event or request.
    pub kind: Kind,
    /// When it is sent, and what it carries.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Whether somebody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nobody answers.
    Event,
    /// Each dispatcher answers once.
    Request,
}

/// One dispatcher of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DispatcherDescription {
    /// Name, by which deliveries say for whom they are.
    pub name: String,
    /// Names of the messages that it listens to; not empty. Events and requests can be mixed.
    pub messages: Vec<String>,
    /// Names of the endpoints that it listens at; empty: all that define the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Higher is served first.
    #[serde(default)]
    pub priority: i32,
    /// On which of the host's threads it waits for the plugin.
    #[serde(default)]
    pub threads: Threads,
    /// Whether undefined messages are skipped instead of being an error.
    #[serde(default)]
    pub optional: bool,
    /// Listens for the instance's entity only.
    #[serde(default)]
    pub entity: bool,
    /// In which format it gets payloads.
    #[serde(default)]
    pub format: PayloadFormat,
}

/// On which of the host's threads a delivery waits until the plugin is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Threads {
    /// That of the sender, who goes on when the plugin is done.
    Callback,
    /// One of its own: one message after the other, in order.
    #[default]
    Sequential,
    /// A fixed number of workers.
    Threadpool,
    /// One for each message.
    Concurrent,
}
