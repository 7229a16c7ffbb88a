//! What the bus costs, beside what the bare mechanism costs, in one run.
//!
//! `cargo bench -p zaf-core --bench targets` prints one line for each target, `name  measured  target  ok|short  figures`, and ends with
//! exit code 1 if any falls short. Words select works: those whose name, as in the table below, contains one of
//! them. `-- --json FILE` also writes what was measured; `-- --render FILE…` measures nothing and makes the tables and
//! pictures of the book from such files.
//!
//! Work and yardstick take turns, and each figure is the median over the rounds, so that other work on the machine meets
//! both. Ratios are what counts, and each is the median of the ratios of the rounds; the figures are for orientation.

#[path = "../measure/mod.rs"]
mod measure;

mod bare_queues;
mod callbacks;
mod components;
mod idle;
mod logging;
mod many_threads;
mod observed;
mod queues;
mod registration;
mod render;
mod requests;
mod senders;
mod strands;

use std::path::PathBuf;
use std::process::ExitCode;

use measure::report::{Options, Report};

/// Measures one work, whose name is given, and adds its rows.
type Measure = fn(&mut Report, &str);

/// Works in the order in which they are run.
const WORKS: &[(&str, Measure)] = &[
    // Before any harness: its subscriber, which collects what tests log, wants every record.
    ("log-unwanted", logging::unwanted),
    ("callbacks-1", callbacks::to_one),
    ("callbacks-10", callbacks::to_ten),
    ("callbacks-1600", callbacks::to_many),
    ("callbacks-types-10", callbacks::to_ten_of_ten_types),
    ("callbacks-types-1600", callbacks::to_many_of_ten_types),
    ("callbacks-none", callbacks::to_nobody),
    ("senders-1", senders::to_one),
    ("senders-10", senders::to_ten),
    ("sequential", queues::sequential),
    ("strand-senders", strands::four_senders),
    ("strand-1600", strands::to_many),
    ("strand-1600-threads", strands::to_many_beside_threads),
    ("burst-pool", many_threads::burst_to_a_pool),
    ("burst-concurrent", many_threads::burst_to_a_concurrent_one),
    ("blocking", many_threads::blocking_handlers),
    ("request-callback", requests::to_a_callback),
    ("request-sequential", requests::to_a_sequential_one),
    ("registration", registration::among_a_hundred),
    ("idle", idle::is_idle),
    ("component", components::one_of_the_session),
    ("observed", observed::no_longer),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--render");
    if arguments.next().is_some() {
        let files: Vec<PathBuf> = arguments
            .filter(|argument| argument != "--bench")
            .map(PathBuf::from)
            .collect();
        return render::into_the_book(&files);
    }
    let mut report = Report::new("targets", Options::read());
    for (work, run) in WORKS {
        if report.wants(work) {
            run(&mut report, work);
        }
    }
    report.end(
        include_str!("../../../Cargo.lock"),
        &["arc-swap", "crossbeam-channel", "rayon-core"],
    )
}
