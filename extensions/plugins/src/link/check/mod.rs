//! What an author runs on a plugin: drives it through the protocol, and says of everything whether it is right, and how to mend it.
//!
//! The plugin is started twice: once for all steps of its life, and once to see that it ends when its input does. Nothing of what it asks
//! for is done: events are taken, requests have no answers.

mod fields;
mod report;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use zaf_core::message::{EncodedMessage, EncodedPayload, EncodedReply, MessageKind, WireFormat};

use super::{
    CallError, Calls, Delivery, Launch, LibraryLink, Link, LinkError, LinkProblem, LogLevel,
    ProcessLink, Start,
};
use crate::protocol::{Codec, Description, Kind};

pub use self::report::{CheckReport, Finding, Outcome};

/// A message that nobody defines.
const UNKNOWN: &str = "ZAF_PLUGIN_CHECK_UNKNOWN";

/// Says of a message that the plugin does not define itself whether it is an event or a request; none if it is not known either.
pub type KindOf<'a> = &'a dyn Fn(&str) -> Option<Kind>;

/// Checks a plugin that is a program.
pub fn check_program(launch: &Launch, kind_of: KindOf<'_>) -> CheckReport {
    let mut report = CheckReport::default();
    let Some(link) = described(
        ProcessLink::launch(launch),
        CheckReport::failed,
        &mut report,
    ) else {
        return report;
    };
    let host = Arc::new(Listener::default());
    if life(&link, &host, kind_of, &mut report) {
        bad_frame(&link, &host, &mut report);
    }
    match link.stop() {
        Ok(()) if link.said_stopped() => report.ok("stop"),
        Ok(()) => report.wrong(
            "stop",
            "it ended without a frame `stopped`",
            "answer `stop` with `stopped` and its id, then end",
        ),
        Err(error) => report.failed("stop", &error),
    }
    end_of_input(launch, &mut report);
    report
}

/// Checks a plugin that is a library.
pub fn check_library_plugin(launch: &Launch, kind_of: KindOf<'_>) -> CheckReport {
    let mut report = CheckReport::default();
    let Some(link) = described(
        LibraryLink::open(launch),
        CheckReport::failed_in_library,
        &mut report,
    ) else {
        return report;
    };
    let host = Arc::new(Listener::default());
    life(&link, &host, kind_of, &mut report);
    match link.stop() {
        Ok(()) => report.ok("stop"),
        Err(error) => report.failed("stop", &error),
    }
    report
}

/// The plugin, if it has said what it is; `failed` says how the report tells that it has not.
fn described<L: Link>(
    opened: Result<L, LinkError>,
    failed: fn(&mut CheckReport, &str, &LinkError),
    report: &mut CheckReport,
) -> Option<L> {
    match opened {
        Ok(link) => {
            report.described(link.description());
            fields::check(link.description(), report);
            Some(link)
        }
        Err(error) => {
            failed(report, "describe", &error);
            None
        }
    }
}

/// Start and messages; whether the plugin is still there.
fn life(
    link: &dyn Link,
    host: &Arc<Listener>,
    kind_of: KindOf<'_>,
    report: &mut CheckReport,
) -> bool {
    let description = link.description();
    let calls: Arc<dyn Calls> = Arc::<Listener>::clone(host);
    if let Err(error) = link.start(&start(description), calls) {
        report.failed("start", &error);
        return false;
    }
    report.ok("start");
    for dispatcher in &description.dispatchers {
        for name in &dispatcher.messages {
            let step = format!("message {name}");
            let Some(sample) = description.samples.get(name) else {
                report.skipped(&step, "there is no sample of it; add one to `samples`");
                continue;
            };
            let kind = own_kind(description, name).or_else(|| kind_of(name));
            let give = |kind| deliver(link, &dispatcher.name, kind, name, &sample.to_string());
            let given = match kind {
                Some(kind) => give(kind),
                // Nobody knows; what is refused as an event may be a request.
                None => give(Kind::Event).or_else(|error| {
                    if error.is_fatal() {
                        return Err(error);
                    }
                    give(Kind::Request)
                }),
            };
            match given {
                Ok(()) => report.ok(&step),
                Err(error) => {
                    report.failed(&step, &error);
                    if error.is_fatal() {
                        return false;
                    }
                }
            }
        }
    }
    let Some(dispatcher) = description.dispatchers.first() else {
        report.skipped("unknown message", "it has no dispatchers");
        return true;
    };
    match deliver(link, &dispatcher.name, Kind::Request, UNKNOWN, "null") {
        Ok(()) => report.wrong(
            "unknown message",
            "it answered a request that it cannot know",
            "answer messages that you do not know with `error` and the id",
        ),
        Err(error) if error.is_fatal() => {
            report.failed("unknown message", &error);
            return false;
        }
        Err(_) => report.ok("unknown message"),
    }
    true
}

/// Defaults of its options, and an entity if it is for one.
fn start(description: &Description) -> Start {
    let defaults = description.options.iter().filter_map(|option| {
        let default = option.default.clone()?;
        Some((option.name.clone(), default))
    });
    let for_entity = description
        .options
        .iter()
        .any(|option| option.instantiate_on);
    Start {
        config: defaults.collect(),
        entity: for_entity.then(|| "sample".to_owned()),
    }
}

fn own_kind(description: &Description, name: &str) -> Option<Kind> {
    let mut messages = description
        .endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.messages);
    messages
        .find(|message| message.name == name)
        .map(|message| message.kind)
}

fn deliver(
    link: &dyn Link,
    dispatcher: &str,
    kind: Kind,
    name: &str,
    payload: &str,
) -> Result<(), LinkError> {
    let payload = EncodedPayload::new(WireFormat::Json, payload.as_bytes());
    let message = EncodedMessage::new(name.to_owned(), payload).at("plugin-check");
    let delivery = Delivery {
        dispatcher,
        kind: match kind {
            Kind::Event => MessageKind::Event,
            Kind::Request => MessageKind::Request,
        },
        message: &message,
    };
    link.deliver(&delivery).map(drop)
}

/// What is no frame is answered with an error, and the next frame is understood.
fn bad_frame(link: &ProcessLink, host: &Listener, report: &mut CheckReport) {
    const STEP: &str = "bad frame";
    let description = link.description();
    let Some(dispatcher) = description.dispatchers.first() else {
        report.skipped(STEP, "it has no dispatchers");
        return;
    };
    let bytes: &[u8] = match description.codec {
        Codec::Json => b"this is not a frame\n",
        // Of a type that there is not.
        Codec::Binary => &[
            48, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
            255, 255, 255, 255, 255,
        ],
    };
    link.write_raw(bytes);
    // An answer to this comes after an answer to that.
    let next = deliver(link, &dispatcher.name, Kind::Request, UNKNOWN, "null");
    match next {
        Err(error) if error.is_fatal() => report.failed(STEP, &error),
        _ if host.was_told_of_a_frame() => report.ok(STEP),
        _ => report.wrong(
            STEP,
            "it passed over what is no frame in silence",
            "write `{\"type\":\"error\",\"text\":\"…\"}` without an id, and go on",
        ),
    }
}

/// It ends when its input does: that is how it learns that the host is gone.
fn end_of_input(launch: &Launch, report: &mut CheckReport) {
    const STEP: &str = "end of input";
    let ended = ProcessLink::launch(launch).and_then(|link| link.end_of_input());
    match ended {
        Ok(()) => report.ok(STEP),
        Err(error) if matches!(*error.problem, LinkProblem::TimedOut { .. }) => report.wrong(
            STEP,
            "it goes on when its standard input has ended",
            "end when nothing more can be read: the host is gone",
        ),
        Err(error) => report.failed(STEP, &error),
    }
}

/// A host that does nothing and listens.
#[derive(Default)]
struct Listener {
    lines: Mutex<Vec<(LogLevel, String)>>,
}

impl Listener {
    fn was_told_of_a_frame(&self) -> bool {
        let lines = self.lines.lock();
        lines.iter().any(|(level, line)| {
            *level == LogLevel::Warn && line.starts_with("did not understand a frame")
        })
    }
}

impl Calls for Listener {
    fn trigger(&self, _event: &EncodedMessage) -> Result<(), CallError> {
        Ok(())
    }

    fn send(
        &self,
        _request: &EncodedMessage,
        _timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        Ok(Vec::new())
    }

    fn log(&self, level: LogLevel, text: &str) {
        self.lines.lock().push((level, text.to_owned()));
    }
}
