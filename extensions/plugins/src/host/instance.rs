//! One instance of a plugin in an application: started late, started again when it died, and ended with the application.
//!
//! ```text
//!  made ─► starting ─► started ─► dies ─► starting again … ─► given up
//!                         └────────────────┴─► ended with the application
//! ```
//!
//! While it starts nobody waits for it who might be waited for by it: events are kept for it, and a request that comes while the host
//! carries out a call of it, which may be the reason for the request, is refused at once.
//!
//! Nothing of a plugin runs before the command is known, and nothing at all for commands that only look ([`looks_only`](super::object::looks_only)).
//! A message that a plugin died of has failed, as that of any handler that fails: it is not given to it again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};
use zaf_core::message::{
    Dispatcher, EncodedMessage, EncodedPayload, MessageBus, MessageDescriptor, MessageKind,
};
use zaf_core::thread::panic_text;
use zaf_core::{Error, Result};

use super::calls::HostCalls;
use super::gone::{Gone, is_quiet};
use crate::link::{Delivery, Link, LinkError, Start};
use crate::protocol::Description;

/// Makes another link to a plugin.
pub(super) type Open = Arc<dyn Fn() -> Result<Arc<dyn Link>, LinkError> + Send + Sync>;

/// What all instances of one plugin share.
pub(super) struct Plugin {
    pub(super) name: &'static str,
    /// What it said when it was looked at; what it says when it is started has to be the same.
    pub(super) description: Arc<Description>,
    pub(super) open: Open,
    /// How often it may be started again in this run, all instances together.
    pub(super) restarts: Budget,
}

/// How often something may still be done.
#[derive(Debug)]
pub(super) struct Budget {
    all: u64,
    used: AtomicU64,
}

impl Budget {
    pub(super) fn new(all: u64) -> Self {
        Self {
            all,
            used: AtomicU64::new(0),
        }
    }

    /// The number of this time, from 1; none if that is too often.
    fn take(&self) -> Option<u64> {
        let next = |used: u64| (used < self.all).then_some(used + 1);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
            .map(|used| used + 1)
    }
}

/// Events that are kept for a plugin that starts.
pub(super) const EVENTS_KEPT: usize = 1024;

enum State {
    /// Not started yet, or died and may be started again.
    Waiting,
    /// Somebody starts it. What is to be handed over when it has started, with the dispatcher.
    Starting(Vec<(String, EncodedMessage)>),
    Running(Arc<dyn Link>),
    GivenUp(Arc<Gone>),
    Ended,
}

/// One instance.
pub(super) struct Instance {
    plugin: Arc<Plugin>,
    values: Start,
    bus: MessageBus,
    /// Whether its handlers take part.
    is_active: bool,
    /// Whether the command only looks: then nothing of it is run.
    only_looks: AtomicBool,
    state: Mutex<State>,
    /// It is not starting any more.
    started: Condvar,
    /// How many of its calls the host carries out.
    calling: Arc<AtomicUsize>,
    /// Those of its handlers, to send messages elsewhere when it is given up.
    dispatchers: Mutex<Vec<Dispatcher>>,
}

impl Instance {
    pub(super) fn new(
        plugin: Arc<Plugin>,
        values: Start,
        is_active: bool,
        bus: MessageBus,
    ) -> Arc<Self> {
        Arc::new(Self {
            plugin,
            values,
            bus,
            is_active,
            // Until the command is known.
            only_looks: AtomicBool::new(true),
            state: Mutex::new(State::Waiting),
            started: Condvar::new(),
            calling: Arc::default(),
            dispatchers: Mutex::default(),
        })
    }

    /// Whether somebody defines a message.
    pub(super) fn is_defined(&self, message: &MessageDescriptor) -> bool {
        let known = self.bus.messages();
        let mut known = known.iter();
        known.any(|(one, endpoints)| one.name == message.name && !endpoints.is_empty())
    }

    /// Hands a message to one of the plugin's dispatchers.
    ///
    /// # Errors
    /// What the plugin says, or what happened to it; who died of the same as others before says so in short.
    pub(super) fn deliver(
        &self,
        dispatcher: &str,
        kind: MessageKind,
        message: &EncodedMessage,
    ) -> Result<Option<EncodedPayload>> {
        let link = match self.running(dispatcher, kind, message) {
            Ok(Some(link)) => link,
            Ok(None) => return Ok(None),
            // Nobody waits for what becomes of an event, and why it stays away was said.
            Err(error) if kind == MessageKind::Event && is_quiet(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.hand_over(&link, dispatcher, kind, message)
    }

    fn hand_over(
        &self,
        link: &Arc<dyn Link>,
        dispatcher: &str,
        kind: MessageKind,
        message: &EncodedMessage,
    ) -> Result<Option<EncodedPayload>> {
        let delivery = Delivery {
            dispatcher,
            kind,
            message,
        };
        match link.deliver(&delivery) {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_fatal() => Err(self.died(link, error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the command only looks: then nothing of it is run. So until the command is known.
    pub(super) fn only_looks(&self) -> bool {
        self.only_looks.load(Ordering::Relaxed)
    }

    pub(super) fn set_only_looks(&self, only_looks: bool) {
        self.only_looks.store(only_looks, Ordering::Relaxed);
    }

    /// Whether its handlers take part.
    pub(super) fn is_active(&self) -> bool {
        self.is_active
    }

    /// Those of its handlers.
    pub(super) fn set_dispatchers(&self, dispatchers: &[Dispatcher]) {
        *self.dispatchers.lock() = dispatchers.to_vec();
    }

    /// Ends it with the application.
    ///
    /// # Errors
    /// How it ended, and why it was given up.
    pub(super) fn end(&self) -> Result<()> {
        let state = std::mem::replace(&mut *self.state.lock(), State::Ended);
        self.started.notify_all();
        match state {
            State::Running(link) => Ok(link.stop()?),
            State::GivenUp(gone) => Err(gone.into()),
            // Whoever starts it sees that it has ended.
            State::Waiting | State::Starting(_) | State::Ended => Ok(()),
        }
    }

    /// Starts it with the application; what cannot be started now is not tried again.
    pub(super) fn start(&self) -> Result<()> {
        let state = self.state.lock();
        // A message may have come first.
        if !matches!(*state, State::Waiting) {
            return Ok(());
        }
        self.begin(state, |state, _| *state = State::Ended)
            .map(drop)
    }

    /// The running plugin; starts it if it is to run. None if it is starting and the message is an event: that is kept.
    fn running(
        &self,
        dispatcher: &str,
        kind: MessageKind,
        message: &EncodedMessage,
    ) -> Result<Option<Arc<dyn Link>>> {
        let plugin = self.plugin.name;
        if self.only_looks() {
            return Err(Gone::OnlyLooking { plugin }.into());
        }
        let mut state = self.state.lock();
        loop {
            match &mut *state {
                State::Running(link) => return Ok(Some(Arc::clone(link))),
                State::GivenUp(gone) => return Err(Arc::clone(gone).into()),
                State::Ended => return Err(Gone::Ended { plugin }.into()),
                State::Waiting => break,
                State::Starting(kept) if kind == MessageKind::Event => {
                    if kept.len() == EVENTS_KEPT {
                        return Err(Gone::TooManyKept { plugin }.into());
                    }
                    kept.push((dispatcher.to_owned(), message.clone()));
                    return Ok(None);
                }
                State::Starting(_) if self.calling.load(Ordering::Relaxed) > 0 => {
                    return Err(Gone::Starting { plugin }.into());
                }
                State::Starting(_) => self.started.wait(&mut state),
            }
        }
        self.begin(state, |state, error| {
            let is_stuck = error.downcast_ref().is_some_and(LinkError::is_stuck);
            self.after_death(state, error.to_string(), is_stuck);
        })
        .map(Some)
    }

    /// Starts it, without the lock, and hands over what came meanwhile; `failed` says what becomes of it if it cannot be started.
    fn begin(
        &self,
        mut state: MutexGuard<'_, State>,
        failed: impl FnOnce(&mut State, &Error),
    ) -> Result<Arc<dyn Link>> {
        *state = State::Starting(Vec::new());
        drop(state);
        // Others wait until it is started, or is known not to be.
        let started = catch_unwind(AssertUnwindSafe(|| self.started()));
        let started = started.unwrap_or_else(|panic| {
            let (plugin, text) = (self.plugin.name, panic_text(panic));
            Err(Gone::StartPanicked { plugin, text }.into())
        });
        let mut state = self.state.lock();
        let kept = match std::mem::replace(&mut *state, State::Ended) {
            State::Starting(kept) => kept,
            other => {
                // The application has ended meanwhile.
                *state = other;
                drop(state);
                let plugin = self.plugin.name;
                started?.stop()?;
                return Err(Gone::Ended { plugin }.into());
            }
        };
        match &started {
            Ok(link) => *state = State::Running(Arc::clone(link)),
            Err(error) => failed(&mut state, error),
        }
        self.started.notify_all();
        drop(state);
        let link = started?;
        for (dispatcher, event) in kept {
            let handed = self.hand_over(&link, &dispatcher, MessageKind::Event, &event);
            if let Err(error) = handed {
                // Whoever triggered it has gone on.
                tracing::error!("`{}`, which came while it started: {error}", event.name());
            }
        }
        Ok(link)
    }

    fn started(&self) -> Result<Arc<dyn Link>> {
        let link = (self.plugin.open)()?;
        let outcome = if says_the_same(link.description(), &self.plugin.description) {
            let calling = Arc::clone(&self.calling);
            let calls = HostCalls::new(self.plugin.name, self.bus.clone(), calling);
            link.start(&self.values, Arc::new(calls))
                .map_err(Error::from)
        } else {
            let plugin = self.plugin.name;
            Err(Gone::Changed { plugin }.into())
        };
        if let Err(error) = outcome {
            // Whatever it says now, it is gone.
            drop(link.stop());
            return Err(error);
        }
        Ok(link)
    }

    /// Notes that a plugin died of a message, and returns what is to be said about it.
    fn died(&self, link: &Arc<dyn Link>, error: LinkError) -> Error {
        let mut state = self.state.lock();
        let is_first = matches!(&*state, State::Running(running) if Arc::ptr_eq(running, link));
        if !is_first {
            let plugin = self.plugin.name;
            return Gone::Died { plugin }.into();
        }
        self.after_death(&mut state, error.to_string(), error.is_stuck());
        error.into()
    }

    /// Decides whether it is started again; with the next message it is. One that is stuck runs on, and another one of it beside
    /// that would wait for the same.
    fn after_death(&self, state: &mut State, last: String, is_stuck: bool) {
        let plugin = self.plugin.name;
        let restarts = &self.plugin.restarts;
        let next = if is_stuck { None } else { restarts.take() };
        let gone = match next {
            None if is_stuck => Gone::Stuck { plugin, last },
            Some(number) => {
                tracing::warn!(
                    "plugin `{plugin}` died; it is started again with the next message ({number} of {})",
                    restarts.all
                );
                *state = State::Waiting;
                return;
            }
            None => Gone::GivenUp {
                plugin,
                deaths: restarts.all + 1,
                last,
            },
        };
        tracing::error!("{gone}");
        // What is queued is still handed over, and so learns why.
        self.withdraw();
        *state = State::GivenUp(Arc::new(gone));
    }

    /// From here on messages pass it by.
    pub(super) fn withdraw(&self) {
        let plugin = self.plugin.name;
        for dispatcher in self.dispatchers.lock().drain(..) {
            if let Err(error) = dispatcher.deregister(&[], &[], &[]) {
                tracing::debug!(%error, "a dispatcher of plugin `{plugin}` was not there any more");
            }
        }
    }
}

/// Whether two descriptions are the same as they are written: one of them has been kept in a file.
fn says_the_same(one: &Description, other: &Description) -> bool {
    let written = |description: &Description| serde_json::to_value(description).ok();
    written(one).is_some_and(|one| written(other) == Some(one))
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
