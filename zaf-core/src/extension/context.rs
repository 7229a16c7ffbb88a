//! What an extension is made with.

use super::Catalog;
use crate::clock::Clock;
use crate::command::ApplicationInfo;
use crate::config::ConfigView;
use crate::message::{Entity, MessageBus};

/// What an extension is made with. Everything in it can be cloned out of it if the extension needs it later.
#[derive(Debug, Clone, Copy)]
pub struct ExtensionContext<'a> {
    pub(super) name: &'a str,
    pub(super) config: &'a ConfigView,
    pub(super) bus: &'a MessageBus,
    pub(super) entity: Option<&'a Entity>,
    pub(super) application: &'a ApplicationInfo,
    pub(super) catalog: &'a Catalog,
    pub(super) clock: &'a Clock,
}

impl ExtensionContext<'_> {
    /// Name of the extension.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The options that the extension asked for, bound to its entity. A snapshot: what later extensions provide is not in it.
    pub fn config(&self) -> &ConfigView {
        self.config
    }

    /// The bus. No message is defined yet, except in [`Extension::register_dispatchers`](super::Extension::register_dispatchers)
    /// and after it.
    pub fn bus(&self) -> &MessageBus {
        self.bus
    }

    /// The entity that this instance is for; none if the extension has no instances per entity.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity
    }

    /// Who the application is.
    pub fn application(&self) -> &ApplicationInfo {
        self.application
    }

    /// What is known so far: extensions, commands, options, values.
    pub fn catalog(&self) -> &Catalog {
        self.catalog
    }

    /// The clock of the application: for whatever the extension does later, or every so often. Handlers have it as a component.
    pub fn clock(&self) -> &Clock {
        self.clock
    }
}
