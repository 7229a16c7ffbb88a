//! What lies in a queue: in a model a message is nothing but its payload.

pub(crate) struct Message<P>(pub(crate) P);
