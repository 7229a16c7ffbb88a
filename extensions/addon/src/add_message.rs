//! `addon add-message`.

use zaf_core::prelude::*;

use super::ADDON_COMMAND;
use crate::addition::{Addition, NewField};
use crate::answers::as_sentence;
use crate::ask::DESCRIPTION_UNSAID;
use crate::change::change;
use crate::error::AddonError;
use crate::options::{
    ADDED, DESCRIPTION, DRY_RUN, EXTENSION, MESSAGE_KIND, PACKAGE, PAYLOAD, REPLY,
};

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayloadType {
    Text,
    Nothing,
    Flag,
    Count,
    Integer,
}

impl PayloadType {
    const ALL: [Self; 5] = [
        Self::Text,
        Self::Nothing,
        Self::Flag,
        Self::Count,
        Self::Integer,
    ];

    /// The words of all, as the options take them.
    pub(crate) const WORDS: [&'static str; 5] = ["text", "nothing", "flag", "count", "integer"];

    fn of(word: &str) -> Self {
        let mut all = Self::ALL.into_iter().zip(Self::WORDS);
        let found = all.find(|(_, found)| *found == word);
        found
            .expect("invariant: the option allows no other words")
            .0
    }

    /// Its type in Rust.
    fn rust(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Nothing => "()",
            Self::Flag => "bool",
            Self::Count => "u64",
            Self::Integer => "i64",
        }
    }

    /// A value to send.
    fn sample(self) -> &'static str {
        match self {
            Self::Text => "\"hello\".to_owned()",
            Self::Nothing => "()",
            Self::Flag => "true",
            Self::Count | Self::Integer => "7",
        }
    }

    /// What a handler answers to `payload`: the same if it can, else nothing in particular. And that as a test expects it.
    fn answer(self, payload: Self) -> (&'static str, &'static str) {
        match self {
            Self::Text if payload == self => ("message.data().clone()", "\"hello\""),
            Self::Nothing => ("", "()"),
            _ if payload == self => ("*message.data()", self.sample()),
            Self::Text => ("String::new()", "\"\""),
            Self::Flag => ("false", "false"),
            Self::Count | Self::Integer => ("0", "0"),
        }
    }
}

/// Adds a message to an extension: its constant, its endpoint, a handler and a test.
///
/// The handler of an event counts them; that of a request answers with what it was asked, or with nothing in particular: both are there to be
/// replaced. Everything else in the source stays as it is. If the source is such that it cannot be done, nothing is changed.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "add-message",
    parent = ADDON_COMMAND,
    config_options = [
        PACKAGE.required(), ADDED.required(), MESSAGE_KIND.required(), PAYLOAD.required(), REPLY.required(), DESCRIPTION.optional(),
        EXTENSION.optional(), DRY_RUN.required()
    ],
)]
pub fn addon_add_message(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let config = cx.config();
    let reply =
        (config.get(MESSAGE_KIND)? == "request").then_some(PayloadType::of(&config.get(REPLY)?));
    let wanted = Wanted {
        name: config.get(ADDED)?,
        payload: PayloadType::of(&config.get(PAYLOAD)?),
        reply,
        description: config
            .get_optional(DESCRIPTION)?
            .unwrap_or_else(|| DESCRIPTION_UNSAID.to_owned()),
    };
    change(cx, |addition| wanted.added_to(addition))
}

/// The message that is wanted.
struct Wanted {
    name: String,
    payload: PayloadType,
    reply: Option<PayloadType>,
    description: String,
}

impl Wanted {
    fn added_to(&self, mut addition: Addition) -> std::result::Result<Addition, AddonError> {
        let Self {
            name,
            payload,
            description,
            ..
        } = self;
        let constant = addition.constant(name);
        let handler = format!("on_{name}");
        addition.is_free(&constant)?;
        addition.is_no_function(&handler)?;
        let sentence = as_sentence(description);
        let doc = crate::template::in_documentation(&sentence);
        let endpoint = addition.message(&constant, &sentence);
        let types = match self.reply {
            None => format!("EventId<{}> = EventId", payload.rust()),
            Some(reply) => format!(
                "RequestId<{}, {}> = RequestId",
                payload.rust(),
                reply.rust()
            ),
        };
        addition.item(&format!(
            "/// {doc}\npub const {constant}: {types}::new({constant:?}, {sentence:?});"
        ));
        let test = format!("{name}_is_handled");
        let endpoint = if endpoint.contains("::") {
            endpoint
        } else {
            format!("super::{endpoint}")
        };
        let sample = payload.sample();
        let rust = payload.rust();
        let Some(reply) = self.reply else {
            let field = format!("{name}_count");
            addition.is_no_function(&field)?;
            addition.field(&NewField {
                name: &field,
                doc: &format!("How often `{constant}` came."),
                field_type: "std::sync::atomic::AtomicU64",
                value: "std::sync::atomic::AtomicU64::new(0)".to_owned(),
                read_type: "u64",
                read: format!("self.{field}.load(std::sync::atomic::Ordering::Relaxed)"),
            })?;
            addition.handler(&format!(
                "#[sequential_dispatcher({constant})]\n    fn {handler}(&self, _message: &Message<{rust}>) {{\n        self.{field}.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n    }}"
            ))?;
            let check = format!(
                "harness.trigger_event(super::{constant}, {endpoint}, {sample})?;\n        harness.wait_until_idle()?;\n        assert_eq!(harness.extension().{field}(), 1);"
            );
            addition.test(&test, &[], true, &check)?;
            return Ok(addition);
        };
        let (answer, expected) = reply.answer(*payload);
        let message = if answer.contains("message") {
            "message"
        } else {
            "_message"
        };
        let (returns, body) = match reply {
            PayloadType::Nothing => (String::new(), "{}".to_owned()),
            reply => (
                format!(" -> {}", reply.rust()),
                format!("{{\n        {answer}\n    }}"),
            ),
        };
        addition.handler(&format!(
            "#[sequential_dispatcher({constant})]\n    fn {handler}(&self, {message}: &Message<{rust}>){returns} {body}"
        ))?;
        let check = format!(
            "let replies = harness.send_request(super::{constant}, {endpoint}, {sample})?;\n        let replies = replies.values(std::time::Duration::from_secs(10))?;\n        assert_eq!(replies, [{expected}]);"
        );
        addition.test(&test, &[], true, &check)?;
        Ok(addition)
    }
}
