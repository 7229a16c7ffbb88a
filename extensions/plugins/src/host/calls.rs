//! What a plugin asks of the host, carried out on the bus.

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
}

impl HostCalls {
    pub(super) fn new(plugin: &'static str, bus: MessageBus) -> Self {
        Self { plugin, bus }
    }
}

impl Calls for HostCalls {
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError> {
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
