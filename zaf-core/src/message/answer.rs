//! An answer between its handler and the one who asked.

use std::sync::Arc;

use super::error::ReplyError;
use super::reply::Reply;

/// An answer on its way. An error is rare and as large as ten answers: it is kept elsewhere.
pub(crate) type Answer<R> = Result<R, Box<ReplyError>>;

/// A [`Reply`] on its way.
pub(crate) struct Given<R> {
    pub(crate) handler: Arc<str>,
    pub(crate) answer: Answer<R>,
}

impl<R> From<Given<R>> for Reply<R> {
    #[inline]
    fn from(given: Given<R>) -> Self {
        let result = given.answer.map_err(|error| *error);
        let handler = given.handler;
        Self { handler, result }
    }
}
