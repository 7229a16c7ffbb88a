//! Destroys extensions, last made first, whatever each of them does.
//!
//! The work is done on a thread of its own, so that what hangs can be left behind; the next one then gets another thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;

use super::attribution;
use super::error::DestroyError;
use super::running::instance_name;
use super::worker::Worker;
use super::{Host, RunningExtension};
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
        let mut teardown = Teardown {
            limits,
            end: Instant::now() + limits.together,
            worker: None,
        };
        let mut errors = Vec::new();
        for instance in instances.into_iter().rev() {
            let extension = instance.descriptor.name;
            let name = instance_name(instance.entity.as_ref());
            let outcome = teardown.run(move |step| destroy_one(instance, step));
            errors.extend(outcome.unwrap_or_else(|hung| vec![hung.named(extension, name)]));
        }
        let session = host.session().clone();
        let outcome = teardown.run(move |step| {
            step.set("components of the session");
            session.end().into_iter().map(DestroyError::from).collect()
        });
        errors.extend(outcome.unwrap_or_else(|hung| vec![hung.named("session", String::new())]));
        errors
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
struct Step(Arc<Mutex<&'static str>>);

impl Step {
    fn set(&self, name: &'static str) {
        *self.0.lock() = name;
    }
}

/// A job did not end within this time, and how far it had come.
struct Hung {
    step: &'static str,
    limit: Duration,
}

impl Hung {
    fn named(self, extension: &'static str, instance: String) -> DestroyError {
        DestroyError::Hung {
            extension,
            instance,
            step: self.step,
            limit: self.limit,
        }
    }
}

struct Teardown {
    limits: TeardownLimits,
    end: Instant,
    /// The thread that works, unless it hangs.
    worker: Option<Worker>,
}

impl Teardown {
    fn run(
        &mut self,
        job: impl FnOnce(&Step) -> Vec<DestroyError> + Send + 'static,
    ) -> Result<Vec<DestroyError>, Hung> {
        let remaining = self.end.saturating_duration_since(Instant::now());
        let limit = self.limits.each.min(remaining.max(LAST_CHANCE));
        let step = Step(Arc::new(Mutex::new("start")));
        let Some(worker) = self
            .worker
            .take()
            .or_else(|| Worker::start("extension-teardown"))
        else {
            // Without a thread there is no time limit, but still an end.
            return Ok(job(&step));
        };
        let own = step.clone();
        match worker.give(move || job(&own)).recv_timeout(limit) {
            Ok(errors) => {
                self.worker = Some(worker);
                Ok(errors)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(Hung {
                step: *step.0.lock(),
                limit,
            }),
        }
    }
}
