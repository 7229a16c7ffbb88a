//! Aborting a run when a system under test resets and nobody expected it.

use k2::sut::{SUT_RESET_STARTED, SutReset};
use zaf_core::application::{Abort, CRITICAL_ABORT};
use zaf_core::prelude::*;

/// Where the abort comes from.
pub const ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT: EndpointId =
    EndpointId::new("abortonreset", "Aborts the run at an unexpected reset.");

/// Ends the run at once when a system under test resets and nobody had announced it.
///
/// CLI `--abort-on-unexpected-sut-reset`, environment `K2_ABORT_ON_UNEXPECTED_SUT_RESET`, default false (cases wait until the reset is over).
pub const ABORT_ON_UNEXPECTED_SUT_RESET: OptionId<bool> =
    OptionId::flag("abort.on.unexpected.sut.reset")
        .describe("End the run at once when a system under test resets unexpectedly")
        .default(false);

/// Triggers `CRITICAL_ABORT` when a reset begins that nobody had announced.
#[command_extension(
    name = "abortonreset",
    extends = [k2::RUN_COMMAND],
    config_options = [ABORT_ON_UNEXPECTED_SUT_RESET.required()],
    endpoints_and_messages = { ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT: [CRITICAL_ABORT] },
)]
#[derive(Debug)]
pub struct AbortOnUnexpectedSutReset {
    /// Resets that nobody expects are rare, and its key is too long a word for lists of what is active: so it looks here.
    is_wanted: bool,
}

impl Extension for AbortOnUnexpectedSutReset {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            is_wanted: cx.config().get(ABORT_ON_UNEXPECTED_SUT_RESET)?,
        })
    }
}

#[dispatchers]
impl AbortOnUnexpectedSutReset {
    // Without the extension `sut` there is none to reset.
    #[callback_dispatcher(SUT_RESET_STARTED, optional = true)]
    fn on_reset(&self, message: &Message<SutReset>, bus: &MessageBus) -> Result<()> {
        if !self.is_wanted || message.data().expected {
            return Ok(());
        }
        let sut = message.entity().map_or("?", Entity::name);
        let abort = Abort::because(format!("SUT `{sut}` has reset unexpectedly"));
        let endpoint = ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT;
        bus.trigger_event(CRITICAL_ABORT, endpoint, abort)?;
        Ok(())
    }
}
