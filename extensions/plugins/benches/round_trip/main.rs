//! What a plugin's handler costs beyond a handler that was linked: the round trip of a request.
//!
//! `cargo bench -p zaf-plugins --bench round_trip` prints one line for each target, `name  measured  ratio  target  ok|short`, and ends with
//! exit code 1 if any falls short. A figure is the best of its rounds of the median of many round trips: what else the machine does
//! makes it slower and nothing faster. The ratio is to what the machine takes for two processes that do nothing but wake each other.
//!
//! Rows `through the bus` are requests that the bus gives to a handler; the others are calls of a link.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "prints what it measures, and is itself the plugin that it measures"
)]

mod echo;
mod library;
mod yardstick;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zaf_core::message::{
    DispatcherBuilder, DispatcherKind, EncodedMessage, EncodedPayload, EncodedReply, EndpointId,
    MessageBus, MessageKind, RequestId, WireFormat,
};
use zaf_plugins::link::{CallError, Calls, Delivery, Launch, Link, LogLevel, ProcessLink, Start};

/// Longest round trip of a process.
const PROCESS: Duration = Duration::from_micros(60);
/// Longest round trip of a library.
const LIBRARY: Duration = Duration::from_micros(2);

const ENDPOINT: EndpointId = EndpointId::new("endpoint", "For the bench.");
/// What the example of a library answers.
const NAME: &str = "COUNT";
const ASK: RequestId<Text, Value> = RequestId::new(NAME, "For the bench.").portable_as_json();

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Text(String);

const ROUNDS: usize = 20;
const TRIPS: usize = 1_000;

/// Asks for nothing and logs nothing.
struct Nobody;

impl Calls for Nobody {
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

    fn log(&self, _level: LogLevel, _text: &str) {}
}

fn main() -> ExitCode {
    if let Some(codec) = std::env::args().skip_while(|word| word != "plugin").nth(1) {
        return match &*codec {
            "pong" => yardstick::pong(),
            codec => echo::run(codec),
        };
    }
    let mut is_short = false;
    let yardstick = yardstick::measure();
    let mut row = |name: &str, measured: Duration, target: Option<Duration>| {
        let verdict = match target {
            Some(target) if measured > target => "short",
            Some(_) => "ok",
            None => "",
        };
        is_short |= verdict == "short";
        let target = target.map_or(String::new(), |target| format!("{target:?}"));
        let ratio = measured.as_secs_f64() / yardstick.as_secs_f64();
        println!("{name:<32} {measured:>12.2?} {ratio:>8.3} {target:>8} {verdict}");
    };
    row("two processes and two pipes", yardstick, None);
    row("linked, through the bus", linked(), None);
    let limit = Some(PROCESS);
    for codec in ["json", "binary"] {
        let plugin = process(codec);
        row(&format!("process, {codec}"), trips(&*plugin), limit);
        let name = format!("process, {codec}, through the bus");
        row(&name, through_the_bus(&plugin), limit);
        plugin.stop().expect("an end");
    }
    match library::open() {
        Some(plugin) => {
            row("library", trips(&*plugin), Some(LIBRARY));
            let measured = through_the_bus(&plugin);
            row("library, through the bus", measured, Some(LIBRARY));
        }
        None => println!("NOTICE: cc is not installed: libraries are not measured"),
    }
    ExitCode::from(u8::from(is_short))
}

/// The best of the rounds of the median of their round trips.
fn best(mut trip: impl FnMut()) -> Duration {
    let mut round = || {
        let mut times: Vec<_> = (0..TRIPS)
            .map(|_| {
                let begun = Instant::now();
                trip();
                begun.elapsed()
            })
            .collect();
        times.sort();
        times[TRIPS / 2]
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

/// A request to a handler of this program.
fn linked() -> Duration {
    asked(|dispatcher| {
        dispatcher.on(ASK, |message, _bus| {
            Ok(Value::String(message.data().0.clone()))
        })
    })
}

/// A request that the bus writes for the plugin, as the extension of plugins has it.
fn through_the_bus(plugin: &Arc<dyn Link>) -> Duration {
    let plugin = Arc::clone(plugin);
    asked(|dispatcher| {
        let answer = move |message: &EncodedMessage, _: &MessageBus| {
            let delivery = Delivery {
                dispatcher: "main",
                kind: MessageKind::Request,
                message,
            };
            Ok(plugin.deliver(&delivery)?.expect("an answer"))
        };
        dispatcher
            .answer_encoded([NAME], WireFormat::Json, answer)
            .expect("a portable message")
    })
}

/// A request through a bus with one callback.
fn asked(on: impl FnOnce(DispatcherBuilder) -> DispatcherBuilder) -> Duration {
    let bus = MessageBus::new();
    bus.define(ENDPOINT, &[ASK.descriptor()])
        .expect("a definition");
    let dispatcher = bus.dispatcher(DispatcherKind::Callback, "main");
    let _dispatcher = on(dispatcher).register().expect("a dispatcher");
    best(|| {
        let replies = bus.send_request(ASK, ENDPOINT, Text("payload".to_owned()));
        let answers = replies.expect("replies").values(Duration::from_secs(1));
        assert_eq!(answers.expect("an answer").len(), 1);
    })
}

/// This program as a plugin, started.
fn process(codec: &str) -> Arc<dyn Link> {
    let mut launch = Launch::new(std::env::current_exe().expect("this program"));
    launch.arguments = vec!["plugin".into(), codec.into()];
    started(ProcessLink::launch(&launch).expect("a plugin"))
}

fn started(link: impl Link + 'static) -> Arc<dyn Link> {
    link.start(&Start::default(), Arc::new(Nobody))
        .expect("a start");
    Arc::new(link)
}

/// Requests through a link.
fn trips(link: &dyn Link) -> Duration {
    let payload = EncodedPayload::new(WireFormat::Json, *b"{\"text\":\"payload\"}");
    let message = EncodedMessage::new(NAME, payload).at("endpoint");
    let delivery = Delivery {
        dispatcher: "main",
        kind: MessageKind::Request,
        message: &message,
    };
    best(|| {
        let answer = link.deliver(&delivery).expect("an answer");
        assert!(answer.is_some());
    })
}
