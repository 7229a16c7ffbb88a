//! Live output, summary, text report and JUnit report of k2.
//!
//! Four extensions of the `run` command, each of its own: they do not know each other, and each can be switched off
//! (`ext.<name>.enabled`) or replaced.
//!
//! | Extension | What it makes | Option |
//! |---|---|---|
//! | `live` ([`Live`]) | a line per finished case and a progress line, while the run goes on | |
//! | `summary` ([`SummaryReport`]) | failures, counts, reports and the exit code, at the end | |
//! | `text` ([`TextReport`]) | `report.txt` in the directory of the run | `reports.text` |
//! | `junit` ([`JunitReport`]) | `junit.xml` in the directory of the run, or `reports.junit.file` | `reports.junit` |
//!
//! Everything they show or write is a function of the event log's records: nothing here looks at the runner. What
//! comes out for given records is in `display`, `render` and `document`, which know neither streams nor the bus.

mod block;
#[cfg(test)]
mod canned;
#[cfg(test)]
mod extension_tests;
mod junit;
mod layout;
mod live;
mod summary;
mod text;
mod words;

pub use junit::{JUNIT, JUNIT_FILE, JunitReport};
pub use live::Live;
pub use summary::SummaryReport;
pub use text::{TEXT, TextReport};
