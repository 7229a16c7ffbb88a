//! Handlers of one type that follow each other: one jump for all of them.
//!
//! A call through a pointer is most of what a short handler costs, and who registers many handlers nearly always registers
//! one function with different data. So the loop over them is made for their type, where the handler can be inlined; what
//! happens around each of them is what happens around any other.

use std::any::Any;
use std::hint::cold_path;
use std::sync::Arc;

use super::super::MessageBus;
use super::super::handler::Look;
use super::super::message::Message;
use super::callback::Calling;
use crate::error::{Error, Result};

/// Handlers of one type, in order of hand-over.
pub(crate) trait Row<P, R>: Send + Sync {
    /// At least 1.
    fn len(&self) -> usize;

    /// Calls them until one fails. Those whose dispatcher was destroyed are taken off `delivered`. For where light fences are no
    /// instructions.
    fn call(&self, calling: &Calling<'_, P>, delivered: &mut usize) -> Option<Error>;
}

/// A handler and the number of its dispatcher.
pub(crate) type Numbered<H> = (u64, Arc<H>);

struct RowOf<F> {
    /// Place of the first one among the receivers.
    first: usize,
    handlers: Box<[Numbered<F>]>,
}

/// As many of the first handlers as are an `F`; `first` is the place of the first one among the receivers.
pub(crate) fn row_of<P, R, F>(
    first: usize,
    handlers: &[Numbered<dyn Look<P, R>>],
) -> Box<dyn Row<P, R>>
where
    F: Fn(&Message<P>, &MessageBus) -> Result<R> + Send + Sync + 'static,
{
    let own = handlers.iter().map_while(|(number, handler)| {
        let handler: Arc<dyn Any + Send + Sync> = Arc::clone(handler).into_any();
        Some((*number, handler.downcast::<F>().ok()?))
    });
    let handlers = own.collect();
    Box::new(RowOf { first, handlers })
}

impl<P, R, F> Row<P, R> for RowOf<F>
where
    F: Fn(&Message<P>, &MessageBus) -> Result<R> + Send + Sync,
{
    fn len(&self) -> usize {
        self.handlers.len()
    }

    fn call(&self, calling: &Calling<'_, P>, delivered: &mut usize) -> Option<Error> {
        let &Calling { message, bus, .. } = calling;
        let succession = calling.succession();
        for (at, (number, handler)) in self.handlers.iter().enumerate() {
            if !succession.announce::<true>(*number) {
                cold_path();
                if !calling.is_called(self.first + at) {
                    *delivered -= 1;
                    continue;
                }
            }
            if let Err(error) = handler(message, bus) {
                cold_path();
                return Some(error);
            }
        }
        None
    }
}
