//! The text report: every case of a run on a line, then what a person needs to look into those that failed.

mod extension;
mod render;

pub use extension::{TEXT, TEXT_FILE, TEXT_FORMAT, TextReport};
#[cfg(test)]
pub(crate) use render::write_report;
