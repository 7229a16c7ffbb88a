//! A thread that does jobs one after the other and can be left behind in one that does not end.

use crossbeam_channel::{Receiver, Sender, bounded};

type Job = Box<dyn FnOnce() + Send>;

/// Does jobs until it is dropped. A job that still runs then goes on; nobody waits for it.
pub(super) struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    /// A thread of this name; none, with a warning, if the system has no threads left.
    pub(super) fn start(name: &'static str) -> Option<Self> {
        let (jobs, to_do) = bounded::<Job>(1);
        let body = move || {
            for job in to_do {
                job();
            }
        };
        match crate::thread::spawn(name, body) {
            Ok(_detached) => Some(Self { jobs }),
            Err(error) => {
                tracing::warn!(%error, "{name}: extensions have no time limits");
                None
            }
        }
    }

    /// Hands a job over. What it returns comes through the channel, which is disconnected if it panics.
    pub(super) fn give<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Receiver<T> {
        let (done, outcome) = bounded(1);
        let job = move || {
            // Nobody listens any more if it took too long.
            drop(done.send(job()));
        };
        // The thread takes jobs as long as this exists, unless one panicked; then the channel says so.
        drop(self.jobs.send(Box::new(job)));
        outcome
    }
}
