//! HTML report of k2: one file that opens without a server, without network, and with a content security policy.
//!
//! One extension, [`HtmlReport`]; what it writes is a function of the event log ([`k2::results::RunLog`]) and of what somebody may know about
//! earlier runs ([`RUN_HISTORY`](k2::messages::RUN_HISTORY)).
//!
//! The page has three parts. What a person wants first (how the run ended, the counts, the cases that failed) is plain HTML and can be
//! read without scripts. The cases are data: JSON in script elements, in which nothing can end the element. A script, written
//! for this page alone, makes the list, the timeline and the plots of them; text from cases only ever becomes text nodes.

mod content;
mod extension;
mod json;
mod page;
mod row;

pub use extension::{HTML, HTML_FILE, HtmlReport};
