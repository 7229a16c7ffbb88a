//! Destroys extensions, last made first, whatever each of them does.
//!
//! The work is done on a thread of its own, so that what hangs can be left behind; those after it then get another thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::attribution;
use super::error::DestroyError;
use super::running::instance_name;
use super::worker::{Ended, Worker};
use super::{Host, RunningExtension};
use crate::patience::Patience;
use crate::thread::panic_text;

/// How long destroying may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TeardownLimits {
    /// For one extension: its dispatchers, `destroy`, its drop. 5 s by default, time enough to flush a file or to stop a
    /// process politely.
    pub each: Duration,
    /// For all together, 15 s by default: then somebody at the terminal has lost patience. What is left is still tried, with
    /// 100 ms for each.
    pub together: Duration,
}

/// What an extension gets when the time for all is over.
const LAST_CHANCE: Duration = Duration::from_millis(100);

impl Default for TeardownLimits {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(5),
            together: Duration::from_secs(15),
        }
    }
}

impl TeardownLimits {
    /// These limits.
    pub const fn new(each: Duration, together: Duration) -> Self {
        Self { each, together }
    }
}

impl RunningExtension {
    /// Destroys instances, the last one first, and then ends the session. For each instance: its dispatchers, last registered
    /// first; the components of its scopes; [`Extension::destroy`](super::Extension::destroy); its drop.
    ///
    /// Returns what went wrong, in the order in which it happened. Nothing keeps the others from being destroyed: not an error,
    /// a panic, nor an instance that takes longer than its limit, which is left behind.
    pub fn destroy_all(
        instances: Vec<Self>,
        host: &Host,
        limits: TeardownLimits,
    ) -> Vec<DestroyError> {
        let mut jobs: VecDeque<Job> = VecDeque::with_capacity(instances.len() + 1);
        for instance in instances.into_iter().rev() {
            jobs.push_back(Job {
                extension: instance.descriptor.name,
                instance: instance_name(instance.entity.as_ref()),
                run: Box::new(move |step| destroy_one(instance, step)),
            });
        }
        let session = host.session().clone();
        jobs.push_back(Job {
            extension: "session",
            instance: String::new(),
            run: Box::new(move |step| {
                step.set("components of the session");
                session.end().into_iter().map(DestroyError::from).collect()
            }),
        });
        destroy_in_order(jobs, limits)
    }
}

fn destroy_one(instance: RunningExtension, step: &Step) -> Vec<DestroyError> {
    let RunningExtension {
        descriptor,
        entity,
        object,
        mut dispatchers,
        scope,
        ..
    } = instance;
    let extension = descriptor.name;
    let _inside = crate::attribution::inside(Some(extension));
    let mut errors = Vec::new();
    let mut guarded = |name: &'static str, run: &mut dyn FnMut() -> Vec<DestroyError>| {
        step.set(name);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(found) => errors.extend(found),
            Err(panic) => errors.push(DestroyError::Panicked {
                extension,
                instance: instance_name(entity.as_ref()),
                step: name,
                message: panic_text(panic),
            }),
        }
    };
    while let Some(dispatcher) = dispatchers.pop() {
        guarded("dispatchers", &mut || {
            dispatcher.destroy();
            attribution::forget(&dispatcher);
            Vec::new()
        });
    }
    if let Some(scope) = scope {
        guarded("components", &mut || {
            scope.end().into_iter().map(DestroyError::from).collect()
        });
    }
    guarded("destroy", &mut || match object.destroy() {
        Ok(()) => Vec::new(),
        Err(error) => vec![DestroyError::Failed {
            extension,
            instance: instance_name(entity.as_ref()),
            cause: error.into_inner(),
        }],
    });
    let mut object = Some(object);
    guarded("drop", &mut || {
        drop(object.take());
        Vec::new()
    });
    errors
}

/// How far a job has come.
#[derive(Clone)]
struct Step(Arc<Mutex<Shared>>);

impl Step {
    fn set(&self, name: &'static str) {
        if let Some(current) = &mut self.0.lock().current {
            current.step = name;
        }
    }
}

/// Says what went wrong, and on the way how far it has come.
type Destroy = Box<dyn FnOnce(&Step) -> Vec<DestroyError> + Send>;

/// Destroys one instance, or what is left at the end.
struct Job {
    extension: &'static str,
    instance: String,
    run: Destroy,
}

/// What the thread that works and the one that watches it have in common.
struct Shared {
    jobs: VecDeque<Job>,
    current: Option<Current>,
    errors: Vec<DestroyError>,
    is_left_behind: bool,
    /// For how long this process was stopped meanwhile, or had no processor.
    lost: Duration,
}

/// The job that is being done.
struct Current {
    extension: &'static str,
    instance: String,
    step: &'static str,
    limit: Duration,
    patience: Patience,
    since: Instant,
}

/// Does the jobs in their order. One thread does all of them, unless one takes too long: it is left behind with its thread.
fn destroy_in_order(mut jobs: VecDeque<Job>, limits: TeardownLimits) -> Vec<DestroyError> {
    let mut end = Instant::now() + limits.together;
    let mut errors = Vec::new();
    while !jobs.is_empty() {
        let shared = Arc::new(Mutex::new(Shared {
            jobs,
            current: None,
            errors: Vec::new(),
            is_left_behind: false,
            lost: Duration::ZERO,
        }));
        let own = Step(Arc::clone(&shared));
        let hung = if let Some(worker) = Worker::start("extension-teardown") {
            let ended = worker.give(move || work(&own, limits, end));
            watch(&ended, &shared)
        } else {
            // Without a thread there is no time limit, but still an end.
            work(&own, limits, end);
            None
        };
        let mut shared = shared.lock();
        errors.append(&mut shared.errors);
        errors.extend(hung);
        jobs = std::mem::take(&mut shared.jobs);
        end += shared.lost;
    }
    errors
}

/// Does what is to do, until nothing is left or nobody waits any more.
fn work(step: &Step, limits: TeardownLimits, end: Instant) {
    loop {
        let job = {
            let mut shared = step.0.lock();
            if shared.is_left_behind {
                return;
            }
            let Some(job) = shared.jobs.pop_front() else {
                return;
            };
            let now = Instant::now();
            let remaining = (end + shared.lost).saturating_duration_since(now);
            let limit = limits.each.min(remaining.max(LAST_CHANCE));
            shared.current = Some(Current {
                extension: job.extension,
                instance: job.instance,
                step: "start",
                limit,
                patience: Patience::new(limit),
                since: now,
            });
            job.run
        };
        let errors = job(step);
        let mut shared = step.0.lock();
        if shared.is_left_behind {
            return;
        }
        shared.current = None;
        shared.errors.extend(errors);
    }
}

/// Waits until all is done, or a job takes too long: then its thread is left behind.
fn watch(ended: &Ended, shared: &Mutex<Shared>) -> Option<DestroyError> {
    let mut wait = LAST_CHANCE;
    loop {
        let began = Instant::now();
        if ended.wait(wait) {
            return None;
        }
        let took = began.elapsed();
        let mut shared = shared.lock();
        shared.lost += took.saturating_sub(wait);
        let Some(current) = &mut shared.current else {
            wait = LAST_CHANCE;
            continue;
        };
        // It may have begun while it was waited.
        current
            .patience
            .spend(wait, took.min(current.since.elapsed()));
        if current.patience.is_over() {
            let hung = DestroyError::Hung {
                extension: current.extension,
                instance: current.instance.clone(),
                step: current.step,
                limit: current.limit,
            };
            shared.is_left_behind = true;
            return Some(hung);
        }
        wait = current.patience.step();
    }
}
