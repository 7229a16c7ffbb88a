//! The extension that shows a run while it happens.

use std::sync::{Arc, OnceLock};

use k2::messages::{RECORDED, RESULTS};
use k2::results::{Record, RecordBody};
use zaf_core::application::Console;
use zaf_core::component::Scope;
use zaf_core::prelude::*;

use super::event::Event;
use super::screen::Screen;
use super::surface::Surface;
use crate::{
    CTRF, CTRF_FILE, JSON, JSON_FILE, JUNIT, JUNIT_FILE, MARKDOWN, MARKDOWN_FILE, TAP, TAP_FILE,
    TESTNG, TESTNG_FILE, TEXT, TEXT_FILE, stdout,
};

/// Shows each finished case as one line, and what runs at the moment.
#[command_extension(
    name = "live",
    extends = ["run"],
    config_options = [
        JUNIT.required(), JUNIT_FILE.optional(), TESTNG.required(), TESTNG_FILE.optional(), TAP.required(), TAP_FILE.optional(),
        JSON.required(), JSON_FILE.optional(), CTRF.required(), CTRF_FILE.optional(), MARKDOWN.required(), MARKDOWN_FILE.optional(),
        TEXT.required(), TEXT_FILE.optional(),
    ],
)]
#[derive(Debug)]
pub struct Live {
    /// Started with the first record; none if its thread could not be started.
    screen: OnceLock<Option<Screen>>,
    stdout_is_taken: bool,
    console: OnceLock<Console>,
}

impl Extension for Live {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            screen: OnceLock::new(),
            stdout_is_taken: stdout::is_taken(cx.config())?,
            console: OnceLock::new(),
        })
    }

    fn register_components(&self, session: &Scope) -> Result<()> {
        self.console.get_or_init(|| Console::of(session));
        Ok(())
    }

    fn destroy(&self) -> Result<()> {
        if let Some(Some(screen)) = self.screen.get() {
            screen.stop();
        }
        Ok(())
    }
}

#[dispatchers]
impl Live {
    #[callback_dispatcher(RECORDED, endpoints = [RESULTS])]
    fn recorded(&self, message: &Message<Arc<Record>>) {
        let record = message.data();
        let screen = self.screen.get_or_init(|| {
            let surface = match self.console.get().filter(|it| !it.is_of_process()) {
                Some(console) => Surface::elsewhere(console, self.stdout_is_taken),
                None => Surface::process(self.stdout_is_taken),
            };
            match Screen::start(surface) {
                Ok(screen) => Some(screen),
                Err(error) => {
                    tracing::warn!("the run cannot be shown while it happens: {error}");
                    None
                }
            }
        });
        let (Some(screen), Some(event)) = (screen, Event::of(record)) else {
            return;
        };
        screen.show(event);
        if matches!(record.body, RecordBody::RunFinished(_)) {
            // What comes next is the summary, which must stand below everything.
            screen.settle();
        }
    }
}
