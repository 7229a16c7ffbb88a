//! The HTML report as a browser shows it. Where there is no browser a notice says what is not tested.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a reader starts a browser, and what cannot be set up fails the test"
)]

mod browser;
mod page;
mod sample;
