//! Names handlers that take too long.

use std::sync::Arc;
use std::time::Duration;

use super::declare::Declaration;
use crate::config::OptionId;
use crate::error::Result;
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};
use crate::message::{Dispatcher, MessageBus};

/// How long a handler may run before it is named in a warning and in
/// [`SLOW_HANDLER`](crate::message::SLOW_HANDLER). `--handler-warn`, `<PREFIX>_HANDLER_WARN`; default 5 s: longer than any healthy
/// handler that is not declared as long running, shorter than the patience of who waits for it. `0s` names none.
pub const HANDLER_WARN: OptionId<Duration> = OptionId::duration("handler.warn")
    .describe("How long a handler may run before a warning names it; `0s` for no warning.")
    .default(Duration::from_secs(5))
    .hidden();

/// Looks for handlers that run longer than [`HANDLER_WARN`].
#[derive(Debug)]
pub struct SlowHandlers {
    limit: Duration,
}

pub(super) const SLOW_HANDLERS: ExtensionDescriptor = Declaration {
    name: "slowhandlers",
    description: "Names handlers that take too long.",
    load_order: 103,
    config_options: &[HANDLER_WARN.optional()],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<SlowHandlers>();

impl Extension for SlowHandlers {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            limit: cx.config().get(HANDLER_WARN)?,
        })
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        if self.limit > Duration::ZERO {
            bus.name_slow_handlers(self.limit)?;
        }
        Ok(Vec::new())
    }
}
