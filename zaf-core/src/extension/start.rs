//! Calls extensions while they are loaded, each for a limited time.
//!
//! What extensions do then they do on one thread. Whoever loads them waits, and sees for how long each step lasts; an extension
//! that exceeds its limit is left behind with that thread, and the others go on on a new one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::error::LoadError;
use super::worker::{Ended, Worker};
use super::{Host, INIT_TIMEOUT};
use crate::config::flag_name;
use crate::patience::Patience;

/// How often it is looked whether something is being done when nothing is: between two steps of an extension.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);

/// Calls extensions, one after the other.
pub(super) enum Starter {
    /// On the calling thread, however long it takes.
    Here,
    /// On a thread of its own, each step within its limit; without one if there are no threads left.
    Limited(Option<Worker>),
}

/// A step of an extension that is being made or started.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    pub(super) extension: &'static str,
    pub(super) instance: String,
    pub(super) place: String,
    pub(super) step: &'static str,
    pub(super) since: Instant,
    pub(super) limit: Duration,
}

/// What is being done, for whoever watches.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Option<Arc<Mutex<Option<Doing>>>>);

impl Progress {
    /// One that somebody watches.
    pub(super) fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    /// Notes what is being done until the result is dropped.
    pub(super) fn during(&self, doing: impl FnOnce() -> Option<Doing>) -> Done {
        if let Some(slot) = &self.0 {
            *slot.lock() = doing();
        }
        Done(self.0.clone())
    }

    fn current(&self) -> Option<Doing> {
        self.0.as_ref().and_then(|slot| slot.lock().clone())
    }
}

/// That something is being done, until it is dropped.
pub(super) struct Done(Option<Arc<Mutex<Option<Doing>>>>);

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(slot) = &self.0 {
            *slot.lock() = None;
        }
    }
}

impl Doing {
    fn hung(self) -> LoadError {
        let flag = flag_name(&INIT_TIMEOUT.descriptor(), None);
        LoadError::Hung {
            extension: self.extension,
            instance: self.instance,
            place: self.place,
            step: self.step,
            limit: self.limit,
            hints: vec![format!("it is left behind; --{flag} gives it more time")],
        }
    }
}

/// What a thread and whoever waits for it have in common.
struct Shared<I, R> {
    to_do: VecDeque<I>,
    results: Vec<Result<R, LoadError>>,
    /// As the last item that was done left it.
    host: Host,
    is_left_behind: bool,
}

impl Starter {
    /// On a thread of its own.
    pub(super) fn limited() -> Self {
        Self::Limited(Worker::start("extension-start"))
    }

    /// Does a step with each item, in their order, and returns what came out in the same order. What one item makes of the host,
    /// the next one has; an item that hangs makes nothing of it.
    pub(super) fn each<I: Send + 'static, R: Send + 'static>(
        &mut self,
        host: &mut Host,
        items: Vec<I>,
        step: fn(&mut Host, I) -> R,
    ) -> Vec<Result<R, LoadError>> {
        let mut results = Vec::new();
        let mut to_do = VecDeque::from(items);
        while !to_do.is_empty() {
            let worker = match self {
                Self::Limited(Some(worker)) => worker,
                Self::Here | Self::Limited(None) => {
                    results.extend(to_do.drain(..).map(|item| Ok(step(host, item))));
                    break;
                }
            };
            let shared = Arc::new(Mutex::new(Shared {
                to_do: std::mem::take(&mut to_do),
                results: Vec::new(),
                host: host.clone(),
                is_left_behind: false,
            }));
            let own = Arc::clone(&shared);
            let logs = tracing::dispatcher::get_default(Clone::clone);
            let ended = worker.give(move || {
                tracing::dispatcher::with_default(&logs, || work(&own, step));
            });
            let hung = watch(&ended, &shared);
            let mut shared = shared.lock();
            results.append(&mut shared.results);
            *host = shared.host.clone();
            to_do = std::mem::take(&mut shared.to_do);
            if let Some(hung) = hung {
                results.push(Err(hung));
                *host = host.clone().with_new_progress();
                *self = Self::limited();
            }
        }
        results
    }
}

/// Does what is to do, until nothing is left or nobody waits any more.
fn work<I, R>(shared: &Mutex<Shared<I, R>>, step: fn(&mut Host, I) -> R) {
    loop {
        let next = {
            let mut shared = shared.lock();
            let item = if shared.is_left_behind {
                None
            } else {
                shared.to_do.pop_front()
            };
            item.map(|item| (item, shared.host.clone()))
        };
        let Some((item, mut host)) = next else {
            return;
        };
        let result = step(&mut host, item);
        let mut shared = shared.lock();
        if shared.is_left_behind {
            return;
        }
        shared.results.push(Ok(result));
        shared.host = host;
    }
}

/// Waits until all is done, or a step takes too long: then the thread is left behind.
fn watch<I, R>(ended: &Ended, shared: &Mutex<Shared<I, R>>) -> Option<LoadError> {
    let progress = shared.lock().host.progress().clone();
    let mut watched: Option<(Doing, Patience)> = None;
    loop {
        let doing = progress.current();
        watched = doing.map(|doing| match watched.take() {
            Some((same, patience)) if same.since == doing.since => (same, patience),
            _ => {
                let patience = Patience::new(doing.limit);
                (doing, patience)
            }
        });
        let wait = watched
            .as_ref()
            .map_or(BETWEEN_STEPS, |(_, patience)| patience.step());
        let began = Instant::now();
        // Perhaps by a panic of ours; those of extensions are caught. What was done counts.
        if ended.wait(wait) {
            return None;
        }
        let Some((doing, patience)) = &mut watched else {
            continue;
        };
        patience.spend(wait, began.elapsed());
        let mut shared = shared.lock();
        // The step may have ended by now; whoever does it needs the lock to say so.
        let is_same = |now: Doing| now.since == doing.since;
        if patience.is_over() && progress.current().is_some_and(is_same) {
            shared.is_left_behind = true;
            return Some(doing.clone().hung());
        }
    }
}
