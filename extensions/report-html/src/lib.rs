//! HTML report of k2: one file that opens without a server, without network, and with a content security policy.
//!
//! One extension, [`HtmlReport`]; what it writes is a function of the event log ([`k2::results::RunLog`]) and of what somebody may know about
//! earlier runs ([`RUN_HISTORY`](k2::messages::RUN_HISTORY)).
//!
//! The page has three parts. What a person wants first (how the run ended, the counts, the cases that failed) is plain HTML and can be
//! read without scripts. The cases are data: JSON in script elements, in which nothing can end the element. A script, written
//! for this page alone, makes the list, the timeline and the plots of them; text from cases only ever becomes text nodes.
//!
//! A product has it by linking this crate:
//!
//! ```
//! use k2_report_html as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("works", "/bin/true")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = Vec::new();
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let page = std::fs::read_to_string(output.join("latest/report.html"))?;
//!     assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Content-Security-Policy"));
//!     Ok(())
//! }
//! ```

mod content;
mod extension;
mod json;
mod page;
mod row;

pub use extension::{HTML, HTML_FILE, HtmlReport};
