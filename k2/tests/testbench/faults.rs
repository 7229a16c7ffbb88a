//! Notes the sequence points, and does to them what the option `trouble` of a SUT says.

use std::sync::Arc;
use std::time::Duration;

use k2::messages::{RunPaused, TEST_RUN_CONTINUED, TEST_RUN_PAUSED};
use k2::prelude::*;
use k2::sut::{
    INITIALIZE_SUT, POST_INITIALIZE_SUT, PRE_INITIALIZE_SUT, SUT, SUT_IDS, SUT_RECOVERY_COMPLETED,
    SUT_RECOVERY_PERFORM, SUT_RECOVERY_STARTED, SUT_RESET_DONE, SUT_RESET_EXPECTED,
    SUT_RESET_NOT_EXPECTED, SUT_RESET_STARTED, SUTS, Sut, SutReset, UNINITIALIZE_SUT,
};
use zaf_core::application::{ABORT, Abort};

use crate::note;

/// What goes wrong.
const TROUBLE: OptionId<String> = OptionId::choice(
    "trouble",
    &[
        "none",
        "initialize-fails",
        "initialize-panics",
        "initialize-hangs",
        "uninitialize-fails",
        "resets-before-the-run",
        "resets-in-a-case",
        "never-comes-back",
        "abort-while-paused",
        "unexpected-reset",
        "is-dead",
        "is-dead-for-good",
        "dies-while-it-is-brought-back",
        "dies-in-a-case",
    ],
)
.default("none")
.at(&SUTS);

/// A SUT with which something goes wrong.
#[command_extension(
    name = "trouble",
    extends = [k2::RUN_COMMAND],
    config_options = [SUT_IDS.instantiate_on(), TROUBLE.required()],
    endpoints_and_messages = {
        TROUBLES: [
            SUT_RESET_STARTED,
            SUT_RESET_DONE,
            SUT_RECOVERY_STARTED,
            SUT_RECOVERY_COMPLETED,
            SUT_RESET_EXPECTED,
            SUT_RESET_NOT_EXPECTED,
            ABORT,
        ],
    },
)]
struct Trouble {
    sut: Entity,
    what: String,
}

const TROUBLES: EndpointId = EndpointId::new("troubles", "What goes wrong.");

impl Extension for Trouble {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let sut = cx.entity().cloned();
        Ok(Self {
            sut: sut.ok_or_else(|| Error::msg("there is an instance for each"))?,
            what: cx.config().get(TROUBLE)?,
        })
    }
}

impl Trouble {
    fn ask_for_a_recovery(&self, bus: &MessageBus) -> Result<()> {
        let replies = bus.send_request_for(SUT_RECOVERY_PERFORM, SUT, &self.sut, ())?;
        for reply in replies.all(Duration::from_mins(1)) {
            reply.result?;
        }
        note("is back");
        Ok(())
    }
}

#[dispatchers]
impl Trouble {
    #[callback_dispatcher(PRE_INITIALIZE_SUT, entity = SUT_IDS)]
    fn prepare(&self, message: &Message<Arc<Sut>>, bus: &MessageBus) -> Result<()> {
        note(&format!("PRE_INITIALIZE_SUT {}", message.data()));
        match self.what.as_str() {
            "resets-before-the-run" | "never-comes-back" | "abort-while-paused" => {
                bus.trigger_event_for(SUT_RESET_STARTED, SUT, &self.sut, SutReset::EXPECTED)?;
            }
            _ => {}
        }
        Ok(())
    }

    #[callback_dispatcher(INITIALIZE_SUT, entity = SUT_IDS)]
    fn initialize(&self, message: &Message<Arc<Sut>>) -> Result<()> {
        note(&format!("INITIALIZE_SUT {}", message.data()));
        match self.what.as_str() {
            "initialize-fails" => Err(Error::msg("no power")),
            "initialize-panics" => panic!("no socket"),
            "initialize-hangs" => loop {
                std::thread::park();
            },
            _ => Ok(()),
        }
    }

    /// Finds it dead, and asks for it to be brought back.
    #[callback_dispatcher(POST_INITIALIZE_SUT, entity = SUT_IDS, long_running = true)]
    fn check(&self, message: &Message<Arc<Sut>>, bus: &MessageBus) -> Result<()> {
        note(&format!("POST_INITIALIZE_SUT {}", message.data()));
        match self.what.as_str() {
            "is-dead" | "is-dead-for-good" | "dies-while-it-is-brought-back" => {
                self.ask_for_a_recovery(bus)
            }
            _ => Ok(()),
        }
    }

    /// Brings it back by a reset that is no surprise.
    #[callback_dispatcher(SUT_RECOVERY_PERFORM, entity = SUT_IDS, long_running = true)]
    fn recover(&self, _message: &Message<()>, bus: &MessageBus) -> Result<()> {
        let sut = &self.sut;
        if self.what == "is-dead-for-good" {
            return Err(Error::msg("there is no smoke left in it"));
        }
        bus.trigger_event_for(SUT_RECOVERY_STARTED, TROUBLES, sut, ())?;
        if self.what == "dies-while-it-is-brought-back" {
            return Err(Error::msg("there is smoke in it"));
        }
        bus.trigger_event_for(SUT_RESET_EXPECTED, TROUBLES, sut, ())?;
        bus.trigger_event_for(SUT_RESET_STARTED, TROUBLES, sut, SutReset::EXPECTED)?;
        bus.trigger_event_for(SUT_RESET_DONE, TROUBLES, sut, SutReset::EXPECTED)?;
        bus.trigger_event_for(SUT_RESET_NOT_EXPECTED, TROUBLES, sut, ())?;
        bus.trigger_event_for(SUT_RECOVERY_COMPLETED, TROUBLES, sut, ())?;
        Ok(())
    }

    /// What others hear of it, in order.
    #[callback_dispatcher(
        [SUT_RECOVERY_STARTED, SUT_RECOVERY_COMPLETED, SUT_RESET_EXPECTED, SUT_RESET_NOT_EXPECTED],
        entity = SUT_IDS
    )]
    fn hear(&self, message: &Message<()>) {
        note(&format!("{} {}", message.id().name, self.sut));
    }

    #[callback_dispatcher(UNINITIALIZE_SUT, entity = SUT_IDS)]
    fn put_away(&self, message: &Message<Arc<Sut>>) -> Result<()> {
        note(&format!("UNINITIALIZE_SUT {}", message.data()));
        match self.what.as_str() {
            "uninitialize-fails" => Err(Error::msg("no way to switch it off")),
            _ => Ok(()),
        }
    }

    /// The first thing that a case does: its SUT resets under it.
    #[callback_dispatcher(k2::messages::TEST_CASE_STARTED)]
    fn on_started(
        &self,
        message: &Message<k2::messages::TestCaseStarted>,
        bus: &MessageBus,
    ) -> Result<()> {
        note(&format!("started {}", message.data().case));
        let reset = match self.what.as_str() {
            "resets-in-a-case" if message.data().execution == 1 => SutReset::EXPECTED,
            "unexpected-reset" => SutReset::UNEXPECTED,
            _ => return Ok(()),
        };
        bus.trigger_event_for(SUT_RESET_STARTED, TROUBLES, &self.sut, reset)?;
        Ok(())
    }

    #[callback_dispatcher(k2::messages::TEST_CASE_FINISHED, long_running = true)]
    fn on_finished(
        &self,
        message: &Message<k2::messages::TestCaseFinished>,
        bus: &MessageBus,
    ) -> Result<()> {
        let finished = message.data();
        note(&format!("{} {}", finished.verdict, finished.case));
        if self.what == "dies-in-a-case" {
            return self.ask_for_a_recovery(bus);
        }
        Ok(())
    }

    #[callback_dispatcher(TEST_RUN_PAUSED)]
    fn on_paused(&self, message: &Message<RunPaused>, bus: &MessageBus) -> Result<()> {
        note(&format!("paused {}", message.data().suts.join(" ")));
        match self.what.as_str() {
            "resets-before-the-run" | "resets-in-a-case" => {
                note("back");
                bus.trigger_event_for(SUT_RESET_DONE, TROUBLES, &self.sut, SutReset::EXPECTED)?;
            }
            "abort-while-paused" => {
                bus.trigger_event(ABORT, TROUBLES, Abort::because("enough"))?;
            }
            _ => {}
        }
        Ok(())
    }

    #[callback_dispatcher(TEST_RUN_CONTINUED)]
    fn on_continued(&self, _message: &Message<()>) {
        note("continued");
    }
}
