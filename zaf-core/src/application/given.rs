//! What a program gives to its application before anything is loaded: components that are made already, messages, a clock.

use std::fmt;

use crate::clock::Clock;
use crate::component::{ComponentError, Scope};
use crate::error::Result;
use crate::message::{EndpointId, MessageBus, MessageDescriptor};

/// Makes an instance a component of the session.
type Provide = Box<dyn FnOnce(&Scope) -> Result<(), ComponentError>>;

/// What is given, until it is handed over.
#[derive(Default)]
pub(super) struct Given {
    components: Vec<Provide>,
    messages: Vec<(EndpointId, Vec<MessageDescriptor>)>,
    pub(super) clock: Clock,
}

impl Given {
    pub(super) fn provide(
        &mut self,
        provide: impl FnOnce(&Scope) -> Result<(), ComponentError> + 'static,
    ) {
        self.components.push(Box::new(provide));
    }

    pub(super) fn define(&mut self, endpoint: EndpointId, messages: Vec<MessageDescriptor>) {
        self.messages.push((endpoint, messages));
    }

    /// Defines the messages.
    ///
    /// # Errors
    /// That of the first one that clashes.
    pub(super) fn define_on(&mut self, bus: &MessageBus) -> Result<()> {
        for (endpoint, messages) in self.messages.drain(..) {
            bus.define(endpoint, &messages)?;
        }
        Ok(())
    }

    /// Provides the components.
    ///
    /// # Errors
    /// That of the first one that cannot be provided.
    pub(super) fn provide_in(&mut self, session: &Scope) -> Result<()> {
        for provide in self.components.drain(..) {
            provide(session)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("components", &self.components.len())
            .field("messages", &self.messages)
            .field("clock", &self.clock)
            .finish()
    }
}
