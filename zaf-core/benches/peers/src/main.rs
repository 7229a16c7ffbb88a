//! The bus beside other crates and bare mechanisms, on the same work, in one run.
//!
//! `cargo bench --manifest-path zaf-core/benches/peers/Cargo.toml` prints one line for each work: how many times the time of the fastest
//! peer the bus takes, `ok` or `short` where that is a target, and the figures of all. Arguments are those of `targets`.
//!
//! All take turns in each round. Works are called `callbacks`, `queues` and `requests`, followed by the number of dispatchers
//! and of senders: `callbacks-10x4`.

#[path = "../../measure/mod.rs"]
mod measure;

mod actors;
mod callbacks;
mod channels;
mod ours;
mod queues;
mod requests;
mod verdict;

use std::process::ExitCode;

use measure::report::{Options, Report};

fn main() -> ExitCode {
    let mut report = Report::new("peers", Options::read());
    callbacks::measure(&mut report);
    queues::measure(&mut report);
    requests::measure(&mut report);
    report.end(
        include_str!("../Cargo.lock"),
        &[
            "actix",
            "arc-swap",
            "bevy_ecs",
            "crossbeam-channel",
            "crossbeam-queue",
            "event-bus",
            "flume",
            "hey_listen",
            "kameo",
            "kanal",
            "mod-events",
            "ractor",
            "tokio",
            "tower",
            "xtra",
        ],
    )
}
