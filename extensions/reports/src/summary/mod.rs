//! What a person sees at the end of a run: the cases that did not go well, the counts, the reports, the exit code.

mod extension;
mod render;

pub use extension::SummaryReport;
pub(crate) use render::{RenderError, counts_line, write_failures};
