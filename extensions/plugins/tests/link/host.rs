//! A host for plugins under test: keeps what they ask for, and answers as it was told.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use zaf_core::message::{EncodedMessage, EncodedPayload, EncodedReply, MessageKind, WireFormat};
use zaf_plugins::link::{CallError, Calls, Delivery, Link, LinkError, LogLevel};

/// What a plugin asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Trigger(EncodedMessage),
    Send(EncodedMessage, Option<Duration>),
}

type OnTrigger = Box<dyn Fn(&EncodedMessage) -> Result<(), CallError> + Send + Sync>;

/// Calls that are kept, as long as somebody has the other end.
pub(crate) struct Host {
    asked: Sender<Asked>,
    logged: Sender<(LogLevel, String)>,
    on_trigger: OnTrigger,
}

/// Where what was kept is found.
pub(crate) struct Kept {
    pub(crate) asked: Receiver<Asked>,
    pub(crate) logged: Receiver<(LogLevel, String)>,
}

/// A host that triggers everything, and answers each request with `42` and one error.
pub(crate) fn host() -> (Arc<Host>, Kept) {
    host_with(|_| Ok(()))
}

/// A host that does this with events.
pub(crate) fn host_with(
    on_trigger: impl Fn(&EncodedMessage) -> Result<(), CallError> + Send + Sync + 'static,
) -> (Arc<Host>, Kept) {
    let (ask, asked) = unbounded();
    let (log, logged) = unbounded();
    let host = Host {
        asked: ask,
        logged: log,
        on_trigger: Box::new(on_trigger),
    };
    (Arc::new(host), Kept { asked, logged })
}

impl Calls for Host {
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError> {
        drop(self.asked.send(Asked::Trigger(event.clone())));
        (self.on_trigger)(event)
    }

    fn send(
        &self,
        request: &EncodedMessage,
        timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        drop(self.asked.send(Asked::Send(request.clone(), timeout)));
        if request.name() == "UNKNOWN" {
            return Err(CallError::new(
                "unknown-message",
                "message `UNKNOWN` is not defined",
            ));
        }
        let reply = r#"[{"handler":"answerer","result":{"Ok":{"format":"json","text":"42"}}},
            {"handler":"other","result":{"Err":"abandoned"}}]"#;
        Ok(serde_json::from_str(reply).unwrap())
    }

    fn log(&self, level: LogLevel, text: &str) {
        drop(self.logged.send((level, text.to_owned())));
    }
}

/// JSON as a payload.
pub(crate) fn json(text: &str) -> EncodedPayload {
    EncodedPayload::new(WireFormat::Json, text.as_bytes())
}

/// The event `EVENT` at `endpoint`.
pub(crate) fn event(payload: &str) -> EncodedMessage {
    EncodedMessage::new("EVENT", json(payload)).at("endpoint")
}

/// The request `ASK` at `endpoint`.
pub(crate) fn request(payload: &str) -> EncodedMessage {
    EncodedMessage::new("ASK", json(payload)).at("endpoint")
}

/// Gives an event to the dispatcher `main`.
pub(crate) fn tell(link: &dyn Link, payload: &str) -> Result<(), LinkError> {
    let message = event(payload);
    let delivery = Delivery {
        dispatcher: "main",
        kind: MessageKind::Event,
        message: &message,
    };
    link.deliver(&delivery)
        .map(|answer| assert_eq!(answer, None))
}

/// Asks the dispatcher `main`; the answer as text.
pub(crate) fn ask(link: &dyn Link, payload: &str) -> Result<String, LinkError> {
    let message = request(payload);
    let delivery = Delivery {
        dispatcher: "main",
        kind: MessageKind::Request,
        message: &message,
    };
    let answer = link.deliver(&delivery)?.expect("a request has an answer");
    Ok(String::from_utf8(answer.bytes().to_vec()).unwrap())
}
