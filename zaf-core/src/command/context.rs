//! What a command runs with.

use std::sync::Arc;

use super::{AbortState, ApplicationInfo, CommandDescriptor};
use crate::component::{ComponentError, Requirement, Scope};
use crate::config::ConfigView;
use crate::message::MessageBus;

/// What a command runs with.
#[derive(Debug, Clone, Copy)]
pub struct CommandContext<'a> {
    command: &'static CommandDescriptor,
    config: &'a ConfigView,
    bus: &'a MessageBus,
    scope: &'a Scope,
    application: &'a ApplicationInfo,
    abort: &'a AbortState,
}

impl<'a> CommandContext<'a> {
    /// A context of these parts.
    pub fn new(
        command: &'static CommandDescriptor,
        config: &'a ConfigView,
        bus: &'a MessageBus,
        scope: &'a Scope,
        application: &'a ApplicationInfo,
        abort: &'a AbortState,
    ) -> Self {
        Self {
            command,
            config,
            bus,
            scope,
            application,
            abort,
        }
    }

    /// The command itself.
    pub fn command(&self) -> &'static CommandDescriptor {
        self.command
    }

    /// The configuration, complete.
    pub fn config(&self) -> &'a ConfigView {
        self.config
    }

    /// The bus.
    pub fn bus(&self) -> &'a MessageBus {
        self.bus
    }

    /// The session: the outermost scope of components. Ends after the command.
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// Who the application is.
    pub fn application(&self) -> &'a ApplicationInfo {
        self.application
    }

    /// Whether the command was told to stop.
    pub fn abort(&self) -> &'a AbortState {
        self.abort
    }

    /// The component of type `T`, whatever it can. Use [`scope`](Self::scope) to ask for more.
    ///
    /// # Errors
    /// As [`Scope::resolve`].
    pub fn component<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, ComponentError> {
        self.scope.resolve(&Requirement::of::<T>("command"))
    }
}
