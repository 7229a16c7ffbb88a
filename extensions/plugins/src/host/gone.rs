//! Why a plugin gets no messages any more.

use std::sync::Arc;

use thiserror::Error;
use zaf_core::Error;

use super::instance::EVENTS_KEPT;

/// A plugin is not there any more.
#[derive(Debug, Error)]
pub(super) enum Gone {
    #[error("plugin `{plugin}` has died, as reported before")]
    Died { plugin: &'static str },
    #[error("plugin `{plugin}` was given up: it died {} in this run; {last}", times(*.deaths))]
    GivenUp {
        plugin: &'static str,
        deaths: u64,
        last: String,
    },
    #[error("plugin `{plugin}` was given up: {last}")]
    Stuck { plugin: &'static str, last: String },
    #[error(
        "plugin `{plugin}` says something else about itself than when it was looked at; `trust` it again"
    )]
    Changed { plugin: &'static str },
    #[error("plugin `{plugin}` is not run by commands that only look, like this one")]
    OnlyLooking { plugin: &'static str },
    #[error("plugin `{plugin}` has ended with the application")]
    Ended { plugin: &'static str },
    #[error(
        "plugin `{plugin}` is starting and has called its host: a request that it gets before its start is done would wait for itself"
    )]
    Starting { plugin: &'static str },
    #[error(
        "plugin `{plugin}`, when it was started: what this program does for it panicked: {text}"
    )]
    StartPanicked { plugin: &'static str, text: String },
    #[error("plugin `{plugin}` is starting, and more than {EVENTS_KEPT} events are kept for it")]
    TooManyKept { plugin: &'static str },
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// Whether an event that a plugin does not get is no failure.
pub(super) fn is_quiet(error: &Error) -> bool {
    let is_given_up = error.downcast_ref::<Arc<Gone>>().is_some();
    is_given_up || matches!(error.downcast_ref(), Some(Gone::OnlyLooking { .. }))
}
