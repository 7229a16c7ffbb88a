//! Constants that describe extensions and their dispatchers: emitted by the macros, collected at link time.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use super::{ExtensionContext, ExtensionObject};
use crate::command::CommandDescriptor;
use crate::component::{Requirement, Scope};
use crate::config::{ConfigOption, OptionDescriptor};
use crate::error::Result;
use crate::message::{DispatcherBuilder, DispatcherKind, EndpointId, MessageDescriptor};

/// One entry of a command extension's `extends`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Extends {
    /// This command.
    Command(&'static CommandDescriptor),
    /// Commands that use this capability. All capabilities of one extension together must be a subset of what the command
    /// uses; a command's own name is one.
    Capability(&'static str),
}

/// What sort of extension, with what only that sort has.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ExtensionKind {
    /// Loaded by load order; may provide configuration and commands.
    Framework {
        /// 1 to 1000, lower first. Bands: 1–10, 11–20, 21–90, 91–100, above.
        load_order: u16,
        /// Commands it adds.
        commands: &'static [&'static CommandDescriptor],
    },
    /// Loaded for the commands it extends.
    Command {
        /// Which commands.
        extends: &'static [Extends],
    },
}

/// Options that must all hold, each group by any of its members ("and" of "or").
pub type Condition = &'static [&'static [OptionDescriptor]];

/// Everything about an extension: emitted by `#[framework_extension]` and `#[command_extension]`.
#[derive(Debug, Clone, Copy)]
pub struct ExtensionDescriptor {
    /// Name; several extensions may share one, which switches them together.
    pub name: &'static str,
    /// Documentation of the type; the first line is the short description.
    pub description: &'static str,
    /// Framework or command extension.
    pub kind: ExtensionKind,
    /// Options that it asks for.
    pub config_options: &'static [ConfigOption],
    /// What it defines on the bus.
    pub endpoints_and_messages: &'static [(EndpointId, &'static [MessageDescriptor])],
    /// Names of groups it belongs to.
    pub groups: &'static [&'static str],
    /// Whether it is enabled when nobody says otherwise.
    pub default_enabled: bool,
    /// Active only if this holds; empty: always.
    pub activate_on: Condition,
    /// Inactive if this holds (wins over `activate_on`); empty: never.
    pub deactivate_on: Condition,
    /// Names of extensions that are not loaded when this one is.
    pub replaces: &'static [&'static str],
    /// The Rust type, which its dispatchers refer to.
    pub type_id: fn() -> TypeId,
    /// Makes an instance.
    pub construct: Constructor,
    /// Crate that declares it.
    pub krate: &'static str,
    /// Version of that crate.
    pub version: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

/// One dispatcher of an extension: emitted by the dispatcher attributes inside `#[dispatchers]`.
#[derive(Debug, Clone, Copy)]
pub struct DispatcherDescriptor {
    /// Name of the method.
    pub handler: &'static str,
    /// On which thread the handler runs.
    pub kind: DispatcherKind,
    /// Higher is served first.
    pub priority: i32,
    /// Whether undefined messages are skipped instead of being an error.
    pub optional: bool,
    /// Whether its handlers may take as long as they like: then no warning names them.
    pub long_running: bool,
    /// Messages that it listens to; not empty.
    pub messages: &'static [MessageDescriptor],
    /// Endpoints that it listens at; empty: all that define the message.
    pub endpoints: &'static [EndpointId],
    /// Listens for the instance's entity only; must be the option that the extension is instantiated on.
    pub entity_option: Option<OptionDescriptor>,
    /// Number of workers of a thread pool; none: the default.
    pub workers: Option<usize>,
    /// Components that the method asks for.
    pub requirements: &'static [Requirement],
    /// Adds the handlers to a dispatcher under construction.
    pub bind: Binder,
    /// Line of the method, from 1.
    pub line: u32,
}

/// All dispatchers of one `impl` block.
#[derive(Debug, Clone, Copy)]
pub struct DispatcherSet {
    /// The extension's Rust type.
    pub type_id: fn() -> TypeId,
    /// In order of declaration.
    pub dispatchers: &'static [DispatcherDescriptor],
    /// Source file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

type Construct = fn(&ExtensionContext<'_>) -> Result<Box<dyn ExtensionObject>>;
type ConstructWith =
    dyn Fn(&ExtensionContext<'_>) -> Result<Box<dyn ExtensionObject>> + Send + Sync;

/// Makes instances of an extension.
#[derive(Clone, Copy)]
pub struct Constructor(Call<Construct, &'static ConstructWith>);

impl Constructor {
    /// That of a Rust type, which is known when the program is linked.
    pub const fn linked(construct: Construct) -> Self {
        Self(Call::Linked(construct))
    }

    /// That of an extension which is [provided](super::ProvidedExtension) at run time: what it needs to know is in the closure.
    pub const fn provided(construct: &'static ConstructWith) -> Self {
        Self(Call::Provided(construct))
    }

    /// Whether the extension is described at run time.
    pub const fn is_provided(&self) -> bool {
        matches!(self.0, Call::Provided(_))
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// Those of the extension.
    pub fn call(&self, context: &ExtensionContext<'_>) -> Result<Box<dyn ExtensionObject>> {
        match self.0 {
            Call::Linked(construct) => construct(context),
            Call::Provided(construct) => construct(context),
        }
    }
}

impl fmt::Debug for Constructor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Constructor").field(&self.0.word()).finish()
    }
}

/// An extension instance, whatever its type is.
type Instance = Arc<dyn Any + Send + Sync>;
type Bind = fn(Instance, DispatcherBuilder, &Scope) -> Result<DispatcherBuilder>;
type BindWith =
    dyn Fn(Instance, DispatcherBuilder, &Scope) -> Result<DispatcherBuilder> + Send + Sync;

/// Adds the handlers of one dispatcher to a dispatcher under construction.
#[derive(Clone, Copy)]
pub struct Binder(Call<Bind, &'static BindWith>);

impl Binder {
    /// That of methods of a Rust type.
    pub const fn linked(bind: Bind) -> Self {
        Self(Call::Linked(bind))
    }

    /// That of an extension which is [provided](super::ProvidedExtension) at run time.
    pub const fn provided(bind: &'static BindWith) -> Self {
        Self(Call::Provided(bind))
    }

    /// Adds the handlers of `instance` (an `Arc` of the extension's type behind `Any`), whose components are resolved in `scope`.
    ///
    /// # Errors
    /// If a component cannot be had, or the instance is of another type.
    pub fn call(
        &self,
        instance: Instance,
        builder: DispatcherBuilder,
        scope: &Scope,
    ) -> Result<DispatcherBuilder> {
        match self.0 {
            Call::Linked(bind) => bind(instance, builder, scope),
            Call::Provided(bind) => bind(instance, builder, scope),
        }
    }
}

impl fmt::Debug for Binder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Binder").field(&self.0.word()).finish()
    }
}

/// A function that the linker knows, or one with what it remembers.
#[derive(Clone, Copy)]
enum Call<F, C> {
    Linked(F),
    Provided(C),
}

impl<F, C> Call<F, C> {
    const fn word(&self) -> &'static str {
        match self {
            Self::Linked(_) => "linked",
            Self::Provided(_) => "provided",
        }
    }
}
