//! What a command runs with.

use std::marker::PhantomData;

/// What a command runs with.
#[derive(Debug)]
pub struct CommandContext<'a> {
    lifetime: PhantomData<&'a ()>,
}
