//! What a plugin's handler costs beyond a handler that was linked: the round trip of a request.
//!
//! `cargo bench -p zaf-plugins --bench round_trip` prints one line for each target, `name  measured  target  ok|short`, and ends with
//! exit code 1 if any falls short. A figure is the best of its rounds of the median of many round trips: what else the machine does
//! makes it slower and nothing faster.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "prints what it measures, and is itself the plugin that it measures"
)]

mod echo;
mod library;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zaf_core::message::{
    DispatcherKind, EncodedMessage, EncodedPayload, EncodedReply, EndpointId, MessageBus,
    MessageKind, RequestId, WireFormat,
};
use zaf_plugins::link::{CallError, Calls, Delivery, Launch, Link, LogLevel, ProcessLink, Start};

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
        return echo::run(&codec);
    }
    let mut is_short = false;
    let mut row = |name: &str, measured: Duration, target: Option<Duration>| {
        let verdict = match target {
            Some(target) if measured > target => "short",
            Some(_) => "ok",
            None => "",
        };
        is_short |= verdict == "short";
        let target = target.map_or(String::new(), |target| format!("{target:?}"));
        println!("{name:<24} {measured:>12.2?} {target:>8} {verdict}");
    };
    row("linked", linked(), None);
    for codec in ["json", "binary"] {
        row(
            &format!("process, {codec}"),
            process(codec),
            Some(Duration::from_micros(60)),
        );
    }
    match library::measure() {
        Some(measured) => row("library", measured, Some(Duration::from_micros(2))),
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
    const ENDPOINT: EndpointId = EndpointId::new("endpoint", "For the bench.");
    const ASK: RequestId<String, String> = RequestId::new("ASK", "For the bench.");
    let bus = MessageBus::new();
    bus.define(ENDPOINT, &[ASK.descriptor()])
        .expect("a definition");
    let _dispatcher = bus
        .dispatcher(DispatcherKind::Callback, "linked")
        .on(ASK, |message, _bus| Ok(message.data().clone()))
        .register()
        .expect("a dispatcher");
    best(|| {
        let replies = bus.send_request(ASK, ENDPOINT, "payload".to_owned());
        let answers = replies.expect("replies").values(Duration::from_secs(1));
        assert_eq!(answers.expect("an answer"), ["payload"]);
    })
}

/// A request to this program as a plugin.
fn process(codec: &str) -> Duration {
    let mut launch = Launch::new(std::env::current_exe().expect("this program"));
    launch.arguments = vec!["plugin".into(), codec.into()];
    let link = ProcessLink::launch(&launch).expect("a plugin");
    let measured = trips(&link, "ASK");
    link.stop().expect("an end");
    measured
}

/// Requests through a link, which is started here.
fn trips(link: &dyn Link, request: &'static str) -> Duration {
    link.start(&Start::default(), Arc::new(Nobody))
        .expect("a start");
    let payload = EncodedPayload::new(WireFormat::Json, *b"{\"text\":\"payload\"}");
    let message = EncodedMessage::new(request, payload).at("endpoint");
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
