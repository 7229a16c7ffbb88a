//! The threads of one library: as many as run functions of it at the same time, and none for one that never returned.

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::LinkProblem;
use super::foreign;
use super::lane::Lane;

/// What runs functions of a library.
#[derive(Debug)]
pub(super) struct Lanes {
    /// What its threads are called.
    name: String,
    idle: Mutex<Vec<Lane>>,
    /// How long was waited for a function that did not return.
    stuck: OnceLock<Duration>,
}

impl Lanes {
    /// Of the library in this file.
    pub(super) fn new(file: &str) -> Self {
        Self {
            name: format!("plugin {file}"),
            idle: Mutex::default(),
            stuck: OnceLock::new(),
        }
    }

    /// Runs a function of the library and waits for it, at most `limit`.
    ///
    /// # Errors
    /// [`LinkProblem::Stuck`] if it has not returned by then or another one had not before, and [`LinkProblem::Io`] without a thread.
    pub(super) fn run<R: Send + 'static>(
        &self,
        limit: Duration,
        function: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, LinkProblem> {
        self.check()?;
        let idle = self.idle.lock().pop();
        let lane = match idle {
            Some(lane) => lane,
            None => self.another().map_err(LinkProblem::Io)?,
        };
        let Ok(returned) = lane.run(Instant::now() + limit, function) else {
            // What it holds, destructors of its library and the system's loader would wait for.
            foreign::end_without_libraries();
            // The first one counts.
            let after = *self.stuck.get_or_init(|| limit);
            return Err(LinkProblem::Stuck { after });
        };
        self.idle.lock().push(lane);
        Ok(returned.result())
    }

    /// # Errors
    /// [`LinkProblem::Stuck`] if a function has not returned in time: no other may be called.
    pub(super) fn check(&self) -> Result<(), LinkProblem> {
        match self.stuck.get() {
            Some(&after) => Err(LinkProblem::Stuck { after }),
            None => Ok(()),
        }
    }

    fn another(&self) -> io::Result<Lane> {
        Lane::start(self.name.clone())
    }
}

impl Drop for Lanes {
    /// Waits for all threads but one that is stuck.
    fn drop(&mut self) {
        for lane in self.idle.get_mut().drain(..) {
            lane.end();
        }
    }
}
