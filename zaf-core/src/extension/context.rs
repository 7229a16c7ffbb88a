//! What an extension is made with.

use std::marker::PhantomData;

/// What an extension is made with.
#[derive(Debug)]
pub struct ExtensionContext<'a> {
    lifetime: PhantomData<&'a ()>,
}
