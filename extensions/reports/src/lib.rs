//! Live output, summary, and the reports of k2 that are texts: for people and for other programs.
//!
//! Extensions of the commands `run` and `report`, each of its own: they do not know each other, and each can be switched off
//! (`ext.<name>.enabled`) or replaced.
//!
//! | Extension | What it makes | Option |
//! |---|---|---|
//! | `live` ([`Live`]) | a line per finished case and a progress line, while the run goes on | |
//! | `summary` ([`SummaryReport`]) | failures, counts, reports and the exit code, at the end | |
//! | `text` ([`TextReport`]) | `report.txt` in the directory of the run | `reports.text` |
//! | `junit` ([`JunitReport`]) | `junit.xml` in the directory of the run, or `reports.junit.file` | `reports.junit` |
//! | `testng` ([`TestngReport`]) | `testng-results.xml`, likewise | `reports.testng` |
//! | `tap` ([`TapReport`]) | `results.tap`, likewise | `reports.tap` |
//! | `json` ([`JsonReport`]) | `report.json`, likewise | `reports.json` |
//! | `ctrf` ([`CtrfReport`]) | `ctrf.json`, likewise | `reports.ctrf` |
//! | `markdown` ([`MarkdownReport`]) | `summary.md`, likewise | `reports.markdown` |
//! | `github` ([`GithubReport`]) | workflow commands on standard output | `reports.github` |
//!
//! Everything they show or write is a function of the event log's records: nothing here looks at the runner. What
//! comes out for given records is in `display`, `render` and `document`, which know neither streams nor the bus.
//!
//! A product has them by linking this crate:
//!
//! ```
//! use k2_reports as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("works", "/bin/true"), ("breaks", "/bin/false")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = ["--reports-junit".into(), "--reports-tap".into()];
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::CasesFailed, "{}", printed.stderr());
//!     let written = |name: &str| std::fs::read_to_string(output.join("latest").join(name));
//!     assert!(written("junit.xml")?.contains("tests=\"2\""));
//!     assert!(written("results.tap")?.contains("not ok"));
//!     Ok(())
//! }
//! ```

mod block;
#[cfg(test)]
mod canned;
mod ctrf;
#[cfg(test)]
mod extension_tests;
mod file_report;
mod github;
mod json;
mod junit;
mod layout;
mod live;
mod markdown;
#[cfg(test)]
mod schema;
mod stdout;
mod summary;
#[cfg(test)]
mod sut_tests;
mod tap;
mod testng;
mod text;
mod words;

pub use ctrf::{CTRF, CTRF_FILE, CtrfReport};
pub use github::{GITHUB, GITHUB_FILE, GITHUB_SUMMARY, GithubReport};
pub use json::{JSON, JSON_FILE, JsonReport};
pub use junit::{JUNIT, JUNIT_FILE, JunitReport};
pub use live::Live;
pub use markdown::{MARKDOWN, MARKDOWN_FILE, MarkdownReport};
pub use summary::SummaryReport;
pub use tap::{TAP, TAP_FILE, TAP_VERSION, TapReport};
pub use testng::{TESTNG, TESTNG_FILE, TestngReport};
pub use text::{TEXT, TEXT_FILE, TEXT_FORMAT, TextReport};
