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

use crate::application::ExitCode;
use crate::component::{Requirement, Scope};
use crate::error::{Error, Result};
use crate::message::{DispatcherBuilder, EventId, Message, MessageBus, MessageId, RequestId};

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
    F: Fn(&P, &MessageBus) -> Result<T> + Send + Sync + 'static,
{
    builder.on(
        id,
        move |message: &Message<M::Payload>, bus: &MessageBus| {
            handler(P::of(message), bus)?.answer()
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
/// looked up for each message, all in the same scope.
#[derive(Debug, Clone)]
pub struct HandlerComponents {
    dispatcher: Scope,
    any_per_message: bool,
}

impl HandlerComponents {
    /// Components from `scope`, which is the dispatcher's.
    pub fn new(scope: &Scope) -> Self {
        Self {
            dispatcher: scope.clone(),
            any_per_message: false,
        }
    }

    /// Looks one component up, or checks that it can be had for each message.
    ///
    /// # Errors
    /// [`ComponentError`](crate::component::ComponentError).
    pub fn find<T: Send + Sync + 'static>(
        &mut self,
        requirement: Requirement,
    ) -> Result<HandlerComponent<T>> {
        let message = self.dispatcher.child(MESSAGE_SCOPE);
        let scope = message.check(&requirement);
        drop(message);
        if scope? == MESSAGE_SCOPE {
            self.any_per_message = true;
            return Ok(HandlerComponent::PerMessage(requirement));
        }
        let component = self.dispatcher.resolve(&requirement)?;
        Ok(HandlerComponent::Shared(component))
    }

    /// Opens the scope of one message if anything lives there. It ends when the returned value is dropped.
    #[inline]
    pub fn enter(&self) -> MessageScope {
        MessageScope(
            self.any_per_message
                .then(|| self.dispatcher.child(MESSAGE_SCOPE)),
        )
    }
}

/// The scope of one message while its handler runs.
#[derive(Debug)]
pub struct MessageScope(Option<Scope>);

/// One component of a handler.
#[derive(Debug)]
pub enum HandlerComponent<T> {
    /// The same for all messages.
    Shared(Arc<T>),
    /// A new one for each message.
    PerMessage(Requirement),
}

impl<T: Send + Sync + 'static> HandlerComponent<T> {
    /// The component for the message whose scope is given.
    ///
    /// # Errors
    /// [`ComponentError`](crate::component::ComponentError).
    #[inline]
    pub fn get(&self, scope: &MessageScope) -> Result<MessageComponent<'_, T>> {
        match (self, &scope.0) {
            (Self::Shared(component), _) => Ok(MessageComponent::Shared(component)),
            (Self::PerMessage(requirement), Some(scope)) => {
                Ok(MessageComponent::Own(scope.resolve(requirement)?))
            }
            (Self::PerMessage(requirement), None) => Err(Error::msg(format_args!(
                "no message scope is open for `{}`",
                requirement.parameter
            ))),
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
            Self::PerMessage(requirement) => Self::PerMessage(*requirement),
        }
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
