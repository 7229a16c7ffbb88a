//! What the functions call that macros emit: the step from a typed method to a dispatcher, and from what a function returns to
//! what the framework wants.
//!
//! The macros know no types, so every check of types happens here, as a trait bound with a message of its own. Values of
//! [`Parameter`] and [`Returned`] carry a type from a method's signature to such a bound: it is them that the compiler blames,
//! and their tokens have the spans of that signature.

use std::any::{Any, type_name};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::application::ExitCode;
use crate::component::{Requirement, Scope};
use crate::error::{Error, Result};
use crate::message::{
    DispatcherBuilder, Entity, EventId, Message, MessageBus, MessageId, RequestId,
};

/// Name of the scope that is opened around a handler for components which live as long as one message.
const MESSAGE_SCOPE: &str = "message";

/// The type that a handler takes behind its first `&`.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<T: ?Sized>(PhantomData<fn(&T)>);

/// The type that a handler returns.
#[derive(Debug, Clone, Copy)]
pub struct Returned<T>(PhantomData<fn() -> T>);

/// Names the type of a parameter.
pub const fn parameter<T: ?Sized>() -> Parameter<T> {
    Parameter(PhantomData)
}

/// Names the type of a return value.
pub const fn returned<T>() -> Returned<T> {
    Returned(PhantomData)
}

/// A type that a handler of the message `M` can take.
#[diagnostic::on_unimplemented(
    message = "a handler of `{M}` cannot take `&{Self}`",
    label = "is not `&Message<P>` with the type `P` that the message carries",
    note = "an `EventId<P>` or `RequestId<P, R>` is handled by `fn(&self, message: &Message<P>, …)`"
)]
pub trait Carries<M: MessageId> {
    /// The message as the handler wants it.
    fn of(message: &Message<M::Payload>) -> &Self;
}

// Two implementations instead of one with `Message<M::Payload>`, so that a wrong type is a missing implementation with the
// message above and not a mismatch of projections.
impl<P: Send + Sync + 'static> Carries<EventId<P>> for Message<P> {
    fn of(message: &Self) -> &Self {
        message
    }
}

impl<P: Send + Sync + 'static, R: Send + 'static> Carries<RequestId<P, R>> for Message<P> {
    fn of(message: &Self) -> &Self {
        message
    }
}

/// A type that a handler can return where `R` is the reply.
#[diagnostic::on_unimplemented(
    message = "a handler of this message cannot return `{Self}`: the reply is `{R}`",
    label = "expected `{R}` or `Result<{R}>`",
    note = "events have the reply `()`; the error of a `Result` has to convert into `zaf_core::Error`"
)]
pub trait Answers<R> {
    /// The reply, or the error that is reported instead.
    ///
    /// # Errors
    /// That of the handler.
    fn answer(self) -> Result<R>;
}

impl<R> Answers<R> for R {
    fn answer(self) -> Result<R> {
        Ok(self)
    }
}

impl<R, E: Into<Error>> Answers<R> for Result<R, E> {
    fn answer(self) -> Result<R> {
        self.map_err(Into::into)
    }
}

/// Adds a handler of one message to a dispatcher.
pub fn handle<M, P, T, F>(
    builder: DispatcherBuilder,
    id: M,
    _: Parameter<P>,
    _: Returned<T>,
    handler: F,
) -> DispatcherBuilder
where
    M: MessageId,
    P: Carries<M> + ?Sized,
    T: Answers<M::Reply>,
    F: Fn(&P, &MessageBus, Option<&Entity>) -> Result<T> + Send + Sync + 'static,
{
    builder.on(
        id,
        move |message: &Message<M::Payload>, bus: &MessageBus| {
            handler(P::of(message), bus, message.entity())?.answer()
        },
    )
}

/// The extension behind an instance whose type is not known.
///
/// # Errors
/// If it is of another type: the dispatchers of one extension were given the instance of another.
pub fn instance<E: Any + Send + Sync>(instance: Arc<dyn Any + Send + Sync>) -> Result<Arc<E>> {
    instance.downcast().map_err(|_| {
        Error::msg(format_args!(
            "the dispatchers of `{}` were given an instance of another type",
            type_name::<E>()
        ))
    })
}

/// Where the components of one handler come from.
///
/// Those of long-lived scopes are looked up once, when the dispatcher is registered. Those that live as long as one message are
/// looked up for each message, all in the same scope; so are those that depend on the entity of the message. If one of them
/// uses another, all are looked up together.
#[derive(Debug, Clone)]
pub struct HandlerComponents {
    dispatcher: Scope,
    requirements: &'static [Requirement],
    /// Of each requirement, if it is the same for all messages.
    shared: Vec<Option<Shared>>,
    /// Whether any is not: all that a message has to ask.
    any_per_message: bool,
}

impl HandlerComponents {
    /// Components from `scope`, which is the dispatcher's: looks up what is the same for all messages, and checks that the rest
    /// can be had for each.
    ///
    /// # Errors
    /// [`ComponentError`](crate::component::ComponentError).
    pub fn new(scope: &Scope, requirements: &'static [Requirement]) -> Result<Self> {
        let message = scope.child(MESSAGE_SCOPE);
        let mut shared = Vec::with_capacity(requirements.len());
        if requirements.iter().any(|one| !one.uses.is_empty()) {
            if changes(&message, requirements)? {
                shared.resize(requirements.len(), None);
            } else {
                let found = scope.resolve_all(requirements, &[])?;
                shared.extend(found.into_iter().map(Some));
            }
        } else {
            for requirement in requirements {
                let changes = changes(&message, std::slice::from_ref(requirement))?;
                let found = (!changes).then(|| scope.resolve_any(requirement));
                shared.push(found.transpose()?);
            }
        }
        Ok(Self {
            dispatcher: scope.clone(),
            requirements,
            any_per_message: shared.iter().any(Option::is_none),
            shared,
        })
    }

    /// The component that answers the requirement with this index, or how it is found for each message.
    ///
    /// # Errors
    /// If it is of another type than that of the requirement.
    pub fn find<T: Send + Sync + 'static>(&self, index: usize) -> Result<HandlerComponent<T>> {
        let Some(Some(shared)) = self.shared.get(index) else {
            return Ok(HandlerComponent::PerMessage(index));
        };
        Ok(HandlerComponent::Shared(typed(Arc::clone(shared))?))
    }

    /// Opens the scope of one message if anything is looked up for it. It ends when the returned value is dropped. What cannot be had
    /// is told by [`HandlerComponent::get`], so that a message that needs nothing has no error to ask for.
    #[inline]
    pub fn enter(&self, entity: Option<&Entity>) -> MessageScope {
        if !self.any_per_message {
            return MessageScope(None);
        }
        self.open(entity)
    }

    /// Apart, so that handlers without such components carry nothing of it.
    #[inline(never)]
    fn open(&self, entity: Option<&Entity>) -> MessageScope {
        let scope = self.dispatcher.child(MESSAGE_SCOPE);
        let fixated = entity.map_or(Ok(()), |entity| scope.fixate(std::slice::from_ref(entity)));
        let found = fixated.and_then(|()| scope.resolve_all(self.requirements, &self.shared));
        let (components, problem) = match found {
            Ok(components) => (components, None),
            Err(error) => (Vec::new(), Some(Error::from(error))),
        };
        MessageScope(Some(Box::new(Opened {
            components,
            problem: Mutex::new(problem),
            _scope: scope,
        })))
    }
}

/// A component of a handler without its type.
type Shared = Arc<dyn Any + Send + Sync>;

/// Whether the answers can be others for another message.
fn changes(message: &Scope, requirements: &[Requirement]) -> Result<bool> {
    let outlook = message.outlook(requirements)?;
    Ok(outlook.depends_on_entity || outlook.scopes.iter().any(|scope| scope == MESSAGE_SCOPE))
}

fn typed<T: Any + Send + Sync>(component: Shared) -> Result<Arc<T>> {
    component.downcast().map_err(|_| {
        Error::msg(format_args!(
            "what answers a requirement for `{}` is of another type",
            type_name::<T>()
        ))
    })
}

/// The components of a command or of any other function that is called once.
#[derive(Debug)]
pub struct FunctionComponents(Vec<Shared>);

impl FunctionComponents {
    /// Looks all of them up.
    ///
    /// # Errors
    /// [`ComponentError`](crate::component::ComponentError).
    pub fn new(scope: &Scope, requirements: &'static [Requirement]) -> Result<Self> {
        Ok(Self(scope.resolve_all(requirements, &[])?))
    }

    /// The one with this index.
    ///
    /// # Errors
    /// If it is of another type than that of its requirement.
    pub fn get<T: Send + Sync + 'static>(&self, index: usize) -> Result<Arc<T>> {
        match self.0.get(index) {
            Some(component) => typed(Arc::clone(component)),
            None => Err(Error::msg(format_args!(
                "there is no requirement {index} of this function"
            ))),
        }
    }
}

/// The scope of one message while its handler runs, if anything is looked up for it.
#[derive(Debug)]
pub struct MessageScope(Option<Box<Opened>>);

impl Drop for MessageScope {
    #[inline]
    fn drop(&mut self) {
        if let Some(opened) = self.0.take() {
            end(opened);
        }
    }
}

#[derive(Debug)]
struct Opened {
    /// In the order of the requirements; empty if there is a problem. Let go of before the scope ends, so that they are dropped with it.
    components: Vec<Shared>,
    problem: Mutex<Option<Error>>,
    _scope: Scope,
}

/// Apart, as [`HandlerComponents::open`].
#[inline(never)]
fn end(opened: Box<Opened>) {
    drop(opened);
}

impl MessageScope {
    /// Apart, as [`HandlerComponents::open`].
    #[inline(never)]
    fn component<T: Send + Sync + 'static>(&self, index: usize) -> Result<Arc<T>> {
        let none = || Error::msg("no scope is open for this message");
        let opened = self.0.as_ref().ok_or_else(none)?;
        match opened.components.get(index) {
            Some(component) => typed(Arc::clone(component)),
            None => Err(opened.problem.lock().take().unwrap_or_else(none)),
        }
    }
}

/// One component of a handler.
#[derive(Debug)]
pub enum HandlerComponent<T> {
    /// The same for all messages.
    Shared(Arc<T>),
    /// Looked up for each message: the one with this index.
    PerMessage(usize),
}

impl<T: Send + Sync + 'static> HandlerComponent<T> {
    /// The component for the message whose scope is given.
    ///
    /// # Errors
    /// If it could not be had, or if the scope is not that of a message of the same handler.
    #[inline]
    pub fn get(&self, scope: &MessageScope) -> Result<MessageComponent<'_, T>> {
        match self {
            Self::Shared(component) => Ok(MessageComponent::Shared(component)),
            Self::PerMessage(index) => Ok(MessageComponent::Own(scope.component(*index)?)),
        }
    }
}

/// A component while a handler runs. One that lives longer is lent: counting who has it would cost as much as a handler does.
#[derive(Debug)]
pub enum MessageComponent<'a, T> {
    /// The same for all messages.
    Shared(&'a T),
    /// Of this message.
    Own(Arc<T>),
}

impl<T> Deref for MessageComponent<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Shared(component) => component,
            Self::Own(component) => component,
        }
    }
}

impl<T> Clone for HandlerComponent<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Shared(component) => Self::Shared(Arc::clone(component)),
            Self::PerMessage(index) => Self::PerMessage(*index),
        }
    }
}

/// What a teardown may return.
#[diagnostic::on_unimplemented(
    message = "a teardown cannot return `{Self}`",
    label = "expected `()` or `Result<()>`"
)]
pub trait TornDown {
    /// Whether it worked.
    ///
    /// # Errors
    /// That of the teardown.
    fn outcome(self) -> Result<()>;
}

impl TornDown for () {
    fn outcome(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> TornDown for Result<(), E> {
    fn outcome(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

/// Takes an instance without its type down.
///
/// # Errors
/// That of the teardown; if the instance is of another type.
pub fn take_down<T: Any, R: TornDown>(
    instance: &(dyn Any + Send + Sync),
    teardown: impl FnOnce(&T) -> R,
) -> Result<()> {
    match instance.downcast_ref() {
        Some(instance) => teardown(instance).outcome(),
        None => Err(Error::msg(format_args!(
            "what is taken down as `{}` is of another type",
            type_name::<T>()
        ))),
    }
}

/// A component as a scope keeps it.
pub fn shared<T: Send + Sync + 'static>(component: T) -> Arc<dyn Any + Send + Sync> {
    Arc::new(component)
}

/// A type that a command's function can return.
#[diagnostic::on_unimplemented(
    message = "a command cannot return `{Self}`",
    label = "expected `ExitCode`, `()`, or a `Result` of one of them"
)]
pub trait IntoExitCode {
    /// The exit code, or the error that the application ends with.
    ///
    /// # Errors
    /// That of the command.
    fn into_exit_code(self) -> Result<ExitCode>;
}

impl IntoExitCode for ExitCode {
    fn into_exit_code(self) -> Result<ExitCode> {
        Ok(self)
    }
}

impl IntoExitCode for () {
    fn into_exit_code(self) -> Result<ExitCode> {
        Ok(ExitCode::Success)
    }
}

impl<T: IntoExitCode, E: Into<Error>> IntoExitCode for Result<T, E> {
    fn into_exit_code(self) -> Result<ExitCode> {
        self.map_err(Into::into)?.into_exit_code()
    }
}

/// What the application makes of what a command returned.
///
/// # Errors
/// That of the command.
pub fn exit_code<T: IntoExitCode>(returned: T) -> Result<ExitCode> {
    returned.into_exit_code()
}
