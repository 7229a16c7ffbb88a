//! Declares built-in extensions without the macros, which are made for other crates.

use std::any::TypeId;

use crate::command::CommandDescriptor;
use crate::config::ConfigOption;
use crate::extension::{Constructor, Extension, ExtensionDescriptor, ExtensionKind};

/// What differs between the framework extensions of this crate.
pub(super) struct Declaration {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) load_order: u16,
    pub(super) config_options: &'static [ConfigOption],
    pub(super) commands: &'static [&'static CommandDescriptor],
    pub(super) file: &'static str,
    pub(super) line: u32,
}

impl Declaration {
    /// The constant of an extension of type `E`.
    pub(super) const fn of<E: Extension>(self) -> ExtensionDescriptor {
        ExtensionDescriptor {
            name: self.name,
            description: self.description,
            kind: ExtensionKind::Framework {
                load_order: self.load_order,
                commands: self.commands,
            },
            config_options: self.config_options,
            endpoints_and_messages: &[],
            groups: &[],
            default_enabled: true,
            activate_on: &[],
            deactivate_on: &[],
            replaces: &[],
            type_id: TypeId::of::<E>,
            construct: Constructor::linked(crate::private::construct::<E>),
            krate: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            file: self.file,
            line: self.line,
        }
    }
}
