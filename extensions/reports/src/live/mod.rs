//! Shows a run while it happens.
//!
//! One line per finished case on standard output. On a terminal there is a line below it, on standard error, that says
//! what runs now; elsewhere that is said every ten seconds. The run never waits for the display except when it is tens of
//! thousands of cases ahead of a terminal that does not take any more: verdicts are not dropped.

mod display;
mod event;
mod extension;
mod screen;
mod surface;

pub(crate) use display::case_row;
#[cfg(test)]
pub(crate) use event::Event;
pub use extension::Live;
pub(crate) use surface::width_of;
