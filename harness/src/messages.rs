//! A queue of messages whose failure says what came instead.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use zaf_core::message::{Message, MessageQueue};

use crate::HarnessError;

/// Messages of one or several ids, from the moment the queue was opened, in the order in which they were sent.
#[derive(Debug)]
pub struct ExpectedMessages<P> {
    queue: MessageQueue<P>,
    expected: String,
    /// What was taken so far, for the message of a failure.
    taken: Mutex<Vec<String>>,
}

impl<P: Send + Sync + 'static> ExpectedMessages<P> {
    pub(crate) fn new(queue: MessageQueue<P>, expected: String) -> Self {
        Self {
            queue,
            expected,
            taken: Mutex::new(Vec::new()),
        }
    }

    /// The next message; waits for it.
    ///
    /// # Errors
    /// [`HarnessError::NoMessage`] after `timeout`, with the messages that were taken from this queue before.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Arc<Message<P>>, HarnessError> {
        match self.queue.recv_timeout(timeout) {
            Ok(message) => {
                self.note(&message);
                Ok(message)
            }
            Err(_) => Err(HarnessError::NoMessage {
                expected: self.expected.clone(),
                waited: timeout,
                got: self.taken(),
            }),
        }
    }

    /// The next message if there is one already.
    pub fn try_recv(&self) -> Option<Arc<Message<P>>> {
        let message = self.queue.try_recv()?;
        self.note(&message);
        Some(message)
    }

    /// Whether no message waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Number of messages that wait to be taken.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    fn note(&self, message: &Message<P>) {
        let from = message
            .endpoint()
            .map_or("everybody", |endpoint| endpoint.name());
        self.taken
            .lock()
            .push(format!("{} from {from}", message.id().name));
    }

    fn taken(&self) -> String {
        let taken = self.taken.lock();
        if taken.is_empty() {
            "nothing".to_owned()
        } else {
            taken.join(", ")
        }
    }
}

impl<P> fmt::Display for ExpectedMessages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue of {}", self.expected)
    }
}
