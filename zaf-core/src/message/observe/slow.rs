//! Names handlers that take too long.
//!
//! Handlers announce themselves in the [records](super::super::presence) of their threads anyway. One thread of the bus looks
//! at these from time to time: a handling that is still there after the limit is slow. So a message pays nothing for it, and
//! what is named may have run a little longer than it says.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::super::bus::{Inner, MessageBus};
use super::super::current::RECORDS;
use super::super::error::BusError;
use super::super::handling::{Handling, Letter};
use super::super::report::{APPLICATION_ENDPOINT, SLOW_HANDLER, SlowHandler};
use super::super::{EndpointId, Entity};
use crate::sync::{Condvar, Mutex, deadline_after, wait_until};
use crate::thread::{self, JoinHandle};

/// Between two looks at most: a limit of hours is no reason to be an hour late, nor to look every millisecond.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// And at least.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl MessageBus {
    /// Names each handler that runs for longer than `limit`, once: a warning in the log and [`SLOW_HANDLER`]. Goes on until
    /// the bus ends; called again, the new limit counts from then on. [`Duration::MAX`] means that none is ever slow.
    ///
    /// Not named: handlers of dispatchers that are
    /// [long running](crate::message::DispatcherBuilder::long_running) and those that wait for one of them on the same thread.
    ///
    /// Starts a thread, which ends in [`shutdown`](Self::shutdown) or with the last handle of the bus. Handlers of messages pay
    /// nothing.
    ///
    /// # Errors
    /// [`BusError::Closed`] after the end of the bus.
    pub fn name_slow_handlers(&self, limit: Duration) -> Result<(), BusError> {
        if self.is_closed() {
            let what = "the bus".to_owned();
            return Err(BusError::Closed { what });
        }
        let watch = (limit != Duration::MAX).then(|| Watch::start(self, limit));
        let old = std::mem::replace(&mut *self.inner.watch.lock(), watch.flatten());
        if let Some(old) = old {
            old.stop();
        }
        Ok(())
    }
}

/// The thread that looks.
pub(crate) struct Watch {
    pace: Arc<Pace>,
    thread: JoinHandle<()>,
}

/// When to look, and when to end.
#[derive(Default)]
struct Pace {
    stopped: Mutex<bool>,
    change: Condvar,
}

impl Watch {
    /// None if there is no thread to be had.
    fn start(bus: &MessageBus, limit: Duration) -> Option<Self> {
        let pace = Arc::new(Pace::default());
        let mut watcher = Watcher {
            bus: bus.downgrade(),
            pace: Arc::clone(&pace),
            limit,
            seen: BTreeMap::new(),
        };
        match thread::spawn("bus-watch", move || watcher.work()) {
            Ok(thread) => Some(Self { pace, thread }),
            Err(error) => {
                tracing::warn!("slow handlers are not named, there is no thread: {error}");
                None
            }
        }
    }

    /// Tells the thread to end.
    pub(crate) fn stop(&self) {
        *self.pace.stopped.lock() = true;
        self.pace.change.notify_all();
    }

    /// Ends the thread. `no_handler_runs`: so it is not in one, and is waited for.
    pub(crate) fn end(self, no_handler_runs: bool) {
        self.stop();
        if no_handler_runs && !self.thread.is_current() {
            // A panic has been logged.
            drop(self.thread.join());
        }
    }
}

/// One handling, on the thread with this number.
type Key = (usize, Handling);

struct Seen {
    since: Instant,
    reported: bool,
    what: What,
}

/// What can be said of a handling while its dispatcher is registered.
struct What {
    handler: Arc<str>,
    message: &'static str,
    endpoint: Option<EndpointId>,
    entity: Option<Entity>,
    /// Name of the dispatcher whose handler sent it.
    sender: Option<Arc<str>>,
    is_long_running: bool,
}

struct Watcher {
    bus: Weak<Inner>,
    pace: Arc<Pace>,
    limit: Duration,
    seen: BTreeMap<Key, Seen>,
}

impl Watcher {
    fn work(&mut self) {
        // Four looks within the limit: what is named is at most a quarter later than it should be.
        let pause = (self.limit / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        loop {
            let deadline = deadline_after(pause);
            let mut stopped = self.pace.stopped.lock();
            while !*stopped {
                if wait_until(&self.pace.change, &mut stopped, deadline) {
                    break;
                }
            }
            if *stopped {
                return;
            }
            drop(stopped);
            let Some(bus) = self.bus.upgrade().map(MessageBus::from_inner) else {
                return;
            };
            self.look(&bus);
        }
    }

    fn look(&mut self, bus: &MessageBus) {
        let now = Instant::now();
        let threads = RECORDS.look();
        let mut before = std::mem::take(&mut self.seen);
        for doing in &threads {
            let mut letter = doing.letter.clone();
            for &handling in &doing.handlings {
                if handling.bus() == bus.number() && handling.dispatcher != 0 {
                    let key = (doing.record, handling);
                    let seen = before.remove(&key).unwrap_or_else(|| Seen {
                        since: now,
                        reported: false,
                        what: What::of(bus, handling, &letter),
                    });
                    self.seen.insert(key, seen);
                }
                // Further in there are callbacks only.
                letter = Letter {
                    sender: handling.dispatcher,
                    entity: None,
                };
            }
        }
        for doing in &threads {
            // The innermost first: those outside of it only wait for it.
            for &handling in doing.handlings.iter().rev() {
                let Some(seen) = self.seen.get_mut(&(doing.record, handling)) else {
                    continue;
                };
                let time = now.duration_since(seen.since);
                if time < self.limit {
                    continue;
                }
                if !seen.reported && !seen.what.is_long_running {
                    seen.reported = true;
                    seen.what.report(bus, &doing.thread, time, self.limit);
                }
                break;
            }
        }
    }
}

impl What {
    fn of(bus: &MessageBus, handling: Handling, letter: &Letter) -> Self {
        let name = |number| bus.name_of(number);
        let (message, endpoint) = bus.names_at(handling.message(), handling.endpoint());
        Self {
            handler: name(handling.dispatcher).unwrap_or_else(|| "a destroyed dispatcher".into()),
            message: message.unwrap_or("an unknown message"),
            endpoint,
            entity: letter.entity.clone(),
            sender: name(letter.sender),
            is_long_running: bus.is_long_running(handling.dispatcher),
        }
    }

    fn report(&self, bus: &MessageBus, thread: &str, time: Duration, limit: Duration) {
        let slow = SlowHandler {
            handler: Arc::clone(&self.handler),
            message: self.message,
            endpoint: self.endpoint,
            entity: self.entity.clone(),
            sender: self.sender.clone(),
            thread: thread.into(),
            running_for: time,
            limit,
        };
        tracing::warn!(
            handler = %slow.handler,
            message = slow.message,
            endpoint = slow.endpoint.map_or("", |endpoint| endpoint.name()),
            entity = slow.entity.as_ref().map_or("", Entity::name),
            sender = slow.sender.as_deref().unwrap_or(""),
            thread,
            "{slow}"
        );
        // One that is slow with this very message would be named without end.
        if slow.message != SLOW_HANDLER.name()
            && let Err(error) = bus.trigger_event(SLOW_HANDLER, APPLICATION_ENDPOINT, slow)
        {
            tracing::debug!("a slow handler could not be announced: {error}");
        }
    }
}
