//! What lies in a queue: in a model a message is nothing but its payload.

pub(crate) struct Message<P>(pub(crate) P);

#[expect(clippy::unused_self, reason = "the bus's own has one to give")]
impl<P> Message<P> {
    pub(crate) fn entity(&self) -> Option<&super::Entity> {
        None
    }
}
