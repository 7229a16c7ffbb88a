//! The dozen names that an author of an extension needs.

pub use crate::application::ExitCode;
pub use crate::command::CommandContext;
pub use crate::config::{ConfigView, OptionId};
pub use crate::error::{Error, Result};
pub use crate::extension::{Extension, ExtensionContext};
pub use crate::message::{EndpointId, Entity, EventId, Message, MessageBus, RequestId};
pub use zaf_macros::{
    callback_dispatcher, command, command_extension, component, concurrent_dispatcher, dispatchers,
    framework_extension, requires, sequential_dispatcher, threadpool_dispatcher,
};
