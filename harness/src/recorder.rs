//! A recorder of messages: expectations pick from it, and failures say what came instead.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use zaf_core::message::{EndpointId, Entity, Message, MessageDescriptor, MessageId, MessageQueue};

use crate::HarnessError;
use crate::logs::lines;

/// How long an expectation waits unless it says otherwise: far more than any handler of a test needs.
const LIMIT: Duration = Duration::from_secs(10);

/// Records messages of one or several ids with the same payload, in the order in which they were sent.
///
/// An expectation takes the oldest message that fits and leaves the others for later ones. What nobody took is found by
/// [`expect_nothing_else`](Self::expect_nothing_else).
pub struct Recorder<P> {
    queue: MessageQueue<P>,
    messages: Mutex<Vec<Recorded<P>>>,
}

struct Recorded<P> {
    message: Arc<Message<P>>,
    is_taken: bool,
}

impl<P: fmt::Debug + Send + Sync + 'static> Recorder<P> {
    pub(crate) fn new(queue: MessageQueue<P>) -> Self {
        Self {
            queue,
            messages: Mutex::new(Vec::new()),
        }
    }

    /// Begins to say which message is expected.
    pub fn expect<M: MessageId<Payload = P>>(&self, id: M) -> Expectation<'_, P> {
        Expectation {
            recorder: self,
            id: id.descriptor(),
            endpoint: None,
            entity: None,
            data: None,
            limit: LIMIT,
        }
    }

    /// All messages that came so far, also those that were expected.
    pub fn messages(&self) -> Vec<Arc<Message<P>>> {
        let mut messages = self.messages.lock();
        self.collect(&mut messages);
        let all = messages.iter().map(|recorded| &recorded.message);
        all.cloned().collect()
    }

    /// Makes sure that every message that came so far was expected. Handlers on other threads may still send some: wait until
    /// the harness is idle first.
    ///
    /// # Errors
    /// [`HarnessError::Unexpected`] with those that were not.
    pub fn expect_nothing_else(&self) -> Result<(), HarnessError> {
        let mut messages = self.messages.lock();
        self.collect(&mut messages);
        let left = messages.iter().filter(|recorded| !recorded.is_taken);
        let got = lines(left.clone().map(|recorded| shown(&recorded.message)));
        match left.count() {
            0 => Ok(()),
            _ => Err(HarnessError::Unexpected { got }),
        }
    }

    /// Moves what has come from the queue.
    fn collect(&self, messages: &mut Vec<Recorded<P>>) {
        while let Some(message) = self.queue.try_recv() {
            messages.push(Recorded {
                message,
                is_taken: false,
            });
        }
    }
}

impl<P> fmt::Debug for Recorder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("messages", &self.messages.lock().len())
            .finish_non_exhaustive()
    }
}

/// Whether a payload is the expected one.
type Fits<'a, P> = Box<dyn Fn(&P) -> bool + 'a>;

/// One message that is expected. Ends with [`arrives`](Self::arrives).
#[must_use = "nothing is checked before `arrives`"]
pub struct Expectation<'a, P> {
    recorder: &'a Recorder<P>,
    id: MessageDescriptor,
    endpoint: Option<EndpointId>,
    entity: Option<Entity>,
    data: Option<Fits<'a, P>>,
    limit: Duration,
}

impl<'a, P: fmt::Debug + Send + Sync + 'static> Expectation<'a, P> {
    /// Sent by this endpoint; for a request: to it.
    pub fn from(mut self, endpoint: EndpointId) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// About this entity.
    pub fn for_entity(mut self, entity: impl Into<Entity>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// With a payload for which `fits` says so.
    pub fn with(mut self, fits: impl Fn(&P) -> bool + 'a) -> Self {
        self.data = Some(Box::new(fits));
        self
    }

    /// Waits at most this long instead of 10 s.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The oldest message that fits and was not taken by another expectation; waits for it.
    ///
    /// # Errors
    /// [`HarnessError::NoMessage`] with everything that came, oldest first, and how the nearest one differs.
    pub fn arrives(self) -> Result<Arc<Message<P>>, HarnessError> {
        let deadline = Instant::now().checked_add(self.limit);
        let mut messages = self.recorder.messages.lock();
        self.recorder.collect(&mut messages);
        let mut next = 0;
        loop {
            while let Some(recorded) = messages.get_mut(next) {
                if !recorded.is_taken && self.differences(&recorded.message).is_empty() {
                    recorded.is_taken = true;
                    return Ok(Arc::clone(&recorded.message));
                }
                next += 1;
            }
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            match self.recorder.queue.recv_timeout(left) {
                Ok(message) => messages.push(Recorded {
                    message,
                    is_taken: false,
                }),
                Err(_) => {
                    return Err(HarnessError::NoMessage {
                        expected: self.to_string(),
                        waited: self.limit,
                        got: self.list(&messages),
                    });
                }
            }
        }
    }

    /// In what the message is another one, the most important first.
    fn differences(&self, message: &Message<P>) -> Vec<&'static str> {
        let mut differences = Vec::new();
        if message.id() != self.id {
            differences.push("another message");
        }
        if self.endpoint.is_some() && message.endpoint() != self.endpoint {
            differences.push("another endpoint");
        }
        if self.entity.is_some() && message.entity() != self.entity.as_ref() {
            differences.push("another entity");
        }
        if self.data.as_ref().is_some_and(|fits| !fits(message.data())) {
            differences.push("other data");
        }
        differences
    }

    fn list(&self, messages: &[Recorded<P>]) -> String {
        let differences: Vec<_> = messages
            .iter()
            .map(|recorded| {
                let mut differences = self.differences(&recorded.message);
                if recorded.is_taken {
                    differences.push("expected before");
                }
                differences
            })
            .collect();
        // A message of that name is nearer than one that agrees in everything else.
        let distance = |index: &usize| {
            let differences = &differences[*index];
            (differences.contains(&"another message"), differences.len())
        };
        let nearest = (0..messages.len()).min_by_key(distance);
        lines(messages.iter().enumerate().map(|(index, recorded)| {
            let mut text = format!("{}. {}", index + 1, shown(&recorded.message));
            if Some(index) == nearest {
                text.extend([" <- nearest: ", &differences[index].join(", ")]);
            }
            text
        }))
    }
}

impl<P> fmt::Display for Expectation<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.name)?;
        if let Some(endpoint) = self.endpoint {
            write!(f, " from {}", endpoint.name())?;
        }
        if let Some(entity) = &self.entity {
            write!(f, " for `{}`", entity.name())?;
        }
        if self.data.is_some() {
            f.write_str(" with data that fits")?;
        }
        Ok(())
    }
}

impl<P> fmt::Debug for Expectation<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expectation({self})")
    }
}

fn shown<P: fmt::Debug>(message: &Message<P>) -> String {
    let from = message
        .endpoint()
        .map_or("everybody", |endpoint| endpoint.name());
    let entity = message
        .entity()
        .map_or_else(String::new, |entity| format!(" for `{}`", entity.name()));
    format!(
        "{} from {from}{entity}: {:?}",
        message.id().name,
        message.data()
    )
}
