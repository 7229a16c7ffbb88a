//! What a plugin asks of the host, carried out on the bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zaf_core::message::{EncodedMessage, EncodedReply, MessageBus};

use crate::link::{CallError, Calls, LogLevel};

/// Longest time that a request of a plugin waits for its answers if the plugin does not say how long.
const ANSWERS: Duration = Duration::from_mins(1);

/// The bus, for one instance of a plugin.
#[derive(Debug)]
pub(super) struct HostCalls {
    plugin: &'static str,
    bus: MessageBus,
    /// How many calls are carried out.
    calling: Arc<AtomicUsize>,
}

impl HostCalls {
    pub(super) fn new(plugin: &'static str, bus: MessageBus, calling: Arc<AtomicUsize>) -> Self {
        Self {
            plugin,
            bus,
            calling,
        }
    }

    fn calling(&self) -> InCall<'_> {
        self.calling.fetch_add(1, Ordering::Relaxed);
        InCall(&self.calling)
    }
}

/// A call is carried out until this is dropped.
struct InCall<'a>(&'a AtomicUsize);

impl Drop for InCall<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Calls for HostCalls {
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError> {
        let _call = self.calling();
        // What becomes of it in the handlers of others is reported there.
        self.bus
            .trigger_encoded(event)
            .map(drop)
            .map_err(|error| CallError::from(&error))
    }

    fn send(
        &self,
        request: &EncodedMessage,
        timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        let _call = self.calling();
        let replies = self
            .bus
            .send_encoded(request)
            .map_err(|error| CallError::from(&error))?;
        Ok(replies.all(timeout.unwrap_or(ANSWERS)))
    }

    fn log(&self, level: LogLevel, text: &str) {
        let plugin = self.plugin;
        match level {
            LogLevel::Trace => tracing::trace!(plugin, "{text}"),
            LogLevel::Debug => tracing::debug!(plugin, "{text}"),
            LogLevel::Info => tracing::info!(plugin, "{text}"),
            LogLevel::Warn => tracing::warn!(plugin, "{text}"),
            LogLevel::Error => tracing::error!(plugin, "{text}"),
        }
    }
}
