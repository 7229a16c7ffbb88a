//! What can go wrong on the bus: for senders ([`BusError`]) and in answers ([`ReplyError`]).

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::Entity;

/// A call of the bus was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// Nobody defined the endpoint.
    ///
    /// Endpoints are defined by [`define`](super::MessageBus::define); in an application that is done with what the attribute
    /// `endpoints_and_messages` of its extensions declares, for those that take part.
    #[error("endpoint `{endpoint}` is not defined{}", declare(*nearest))]
    NoSuchEndpoint {
        /// Name of the endpoint.
        endpoint: &'static str,
        /// Name of a defined endpoint that may have been meant.
        nearest: Option<&'static str>,
    },
    /// Nobody defined the message, at any endpoint. Messages are defined with their endpoints.
    #[error("message `{message}` is not defined{}", declare(*nearest))]
    NoSuchMessage {
        /// Name of the message.
        message: &'static str,
        /// Name of a defined message that may have been meant.
        nearest: Option<&'static str>,
    },
    /// Message and endpoint are defined, but not the one at the other.
    #[error(
        "message `{message}` is not defined at endpoint `{endpoint}`{}; it is at {}",
        did_you_mean(*nearest),
        join(defined_at)
    )]
    NotDefinedAt {
        /// Name of the message.
        message: &'static str,
        /// Name of the endpoint that was given.
        endpoint: &'static str,
        /// Names of the endpoints that have it, in order of definition; never empty.
        defined_at: Vec<&'static str>,
        /// Name of a message of that endpoint that may have been meant.
        nearest: Option<&'static str>,
    },
    /// [`define_endpoint`](super::MessageBus::define_endpoint) was called twice.
    #[error("endpoint `{endpoint}` is already defined")]
    EndpointAlreadyDefined {
        /// Name of the endpoint.
        endpoint: &'static str,
    },
    /// One name was used for two messages of different types.
    #[error("message `{message}` is defined as {defined}, but used as {used}")]
    TypeMismatch {
        /// Name of the message.
        message: &'static str,
        /// Kind, payload and reply of the definition.
        defined: String,
        /// Kind, payload and reply of the use.
        used: String,
    },
    /// A dispatcher was registered for no message.
    #[error("dispatcher `{dispatcher}` listens to nothing")]
    NothingToRegister {
        /// Name of the dispatcher.
        dispatcher: Arc<str>,
    },
    /// A dispatcher was registered twice for one message at one endpoint.
    #[error(
        "dispatcher `{dispatcher}` is already registered for `{message}` at endpoint `{endpoint}`"
    )]
    AlreadyRegistered {
        /// Name of the dispatcher.
        dispatcher: Arc<str>,
        /// Name of the message.
        message: &'static str,
        /// Name of the endpoint.
        endpoint: &'static str,
    },
    /// A dispatcher was to be removed from where it is not registered.
    #[error(
        "dispatcher `{dispatcher}` is not registered for `{message}` at the given endpoints and entities"
    )]
    NotRegistered {
        /// Name of the dispatcher.
        dispatcher: Arc<str>,
        /// Name of the message.
        message: &'static str,
    },
    /// Settings of a dispatcher contradict each other.
    #[error("dispatcher `{dispatcher}`: {reason}")]
    Contradiction {
        /// Name of the dispatcher.
        dispatcher: Arc<str>,
        /// Which ones, and why they do not go together.
        reason: &'static str,
    },
    /// A request reached nobody: no dispatcher is registered for it there, or only for other entities.
    ///
    /// A dispatcher without entities does not get a request for one, unless it is registered with
    /// [`any_entity`](super::DispatcherBuilder::any_entity).
    #[error(
        "nobody answers request `{message}` at {}{}: register a dispatcher for it{}, or send it with `send_request_optional` \
         if nobody need answer",
        place(*endpoint),
        of_entity(entity.as_ref()),
        with_entity(entity.as_ref())
    )]
    NoReceiver {
        /// Name of the message.
        message: &'static str,
        /// Name of the endpoint; none if it was sent to all.
        endpoint: Option<&'static str>,
        /// The entity that it was about.
        entity: Option<Entity>,
    },
    /// Handlers sent messages from within handlers too many times.
    #[error(
        "message `{message}`: {limit} messages are being handled one inside the other on this thread"
    )]
    RecursionLimit {
        /// Name of the message that was one too many.
        message: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A handler waits for something that cannot happen before it has returned.
    #[error("waiting for {what} inside a handler would never end")]
    WouldDeadlock {
        /// What was waited for.
        what: String,
    },
    /// The bus was shut down, or the dispatcher destroyed.
    #[error("{what} is closed")]
    Closed {
        /// What was closed: `the bus`, or a dispatcher.
        what: String,
    },
    /// The bus did not become idle in time.
    #[error("still busy after {after:?}: {}", join_busy(busy))]
    StillBusy {
        /// How long was waited.
        after: Duration,
        /// Name, queued and active count of each dispatcher with work, in order of registration.
        busy: Vec<(Arc<str>, usize, usize)>,
    },
    /// The queue of a dispatcher is full.
    #[error("the queue of dispatcher `{dispatcher}` is full ({bound} messages)")]
    QueueFull {
        /// Name of the dispatcher.
        dispatcher: Arc<str>,
        /// Its bound.
        bound: usize,
    },
    /// A message queue stayed empty for the whole wait.
    #[error("no message within {after:?}")]
    Empty {
        /// How long was waited.
        after: Duration,
    },
    /// Somebody called [`unblock`](super::MessageQueue::unblock).
    #[error("the wait for a message was ended by `unblock`")]
    Unblocked,
}

/// Why a request has no value from one of its receivers.
#[doc = include_str!("doc/reply_error.md")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The obligation to answer was dropped.
    #[error("`{handler}` never answered")]
    Abandoned {
        /// Name of the dispatcher.
        handler: Arc<str>,
    },
    /// The handler panicked.
    #[error("`{handler}` panicked: {message}")]
    Panicked {
        /// Name of the dispatcher.
        handler: Arc<str>,
        /// Text of the panic.
        message: String,
    },
    /// The handler returned an error.
    #[error("`{handler}` failed")]
    Failed {
        /// Name of the dispatcher.
        handler: Arc<str>,
        /// What it returned.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
        /// The hints of that error.
        hints: Vec<String>,
    },
    /// The dispatcher was destroyed before its handler began.
    #[error("`{handler}` was destroyed before it handled the request")]
    Cancelled {
        /// Name of the dispatcher.
        handler: Arc<str>,
    },
    /// The queue was full, or the request had to make room for a newer message.
    #[error("`{handler}` did not take the request: its queue of {bound} messages is full")]
    Rejected {
        /// Name of the dispatcher.
        handler: Arc<str>,
        /// Bound of its queue.
        bound: usize,
    },
    /// No answer in time. One that comes later is dropped and counted.
    #[error("`{handler}` did not answer within {after:?}")]
    TimedOut {
        /// Name of the dispatcher.
        handler: Arc<str>,
        /// How long was waited.
        after: Duration,
    },
    /// Handlers wait for each other's answers in a circle; this wait was ended because it would have given up first.
    #[error("waiting for `{handler}` would never end: {}", join_path(path))]
    Deadlock {
        /// Name of the dispatcher.
        handler: Arc<str>,
        /// Names of the dispatchers in the circle, each waiting for the next; begins and ends with the one whose handler
        /// waited.
        path: Vec<Arc<str>>,
    },
    /// The caller runs on the very worker that would have to answer.
    #[error("waiting for `{handler}` on its own worker would never end")]
    WouldDeadlock {
        /// Name of the dispatcher.
        handler: Arc<str>,
    },
}

impl ReplyError {
    /// Name of the dispatcher that owed the answer.
    pub fn handler(&self) -> &str {
        match self {
            Self::Abandoned { handler }
            | Self::Panicked { handler, .. }
            | Self::Failed { handler, .. }
            | Self::Cancelled { handler }
            | Self::Rejected { handler, .. }
            | Self::TimedOut { handler, .. }
            | Self::Deadlock { handler, .. }
            | Self::WouldDeadlock { handler } => handler,
        }
    }
}

fn join(names: &[&'static str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn join_path(path: &[Arc<str>]) -> String {
    let quoted: Vec<String> = path.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" waits for ")
}

fn join_busy(busy: &[(Arc<str>, usize, usize)]) -> String {
    let parts: Vec<String> = busy
        .iter()
        .map(|(name, queued, active)| format!("`{name}` ({queued} queued, {active} active)"))
        .collect();
    if parts.is_empty() {
        "a message that is being handed over".to_owned()
    } else {
        parts.join(", ")
    }
}

fn did_you_mean(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

fn declare(nearest: Option<&'static str>) -> String {
    format!(
        "{}: an extension that takes part declares endpoints and their messages with `endpoints_and_messages`",
        did_you_mean(nearest)
    )
}

fn with_entity(entity: Option<&Entity>) -> &'static str {
    if entity.is_some() {
        " with that entity or with `any_entity`"
    } else {
        ""
    }
}

fn place(endpoint: Option<&'static str>) -> String {
    endpoint.map_or_else(
        || "any endpoint".to_owned(),
        |name| format!("endpoint `{name}`"),
    )
}

fn of_entity(entity: Option<&Entity>) -> String {
    entity.map_or_else(String::new, |entity| format!(" for entity `{entity}`"))
}
