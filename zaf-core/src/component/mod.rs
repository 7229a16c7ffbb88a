//! What handlers, commands and test cases can ask for.

mod descriptor;

pub use descriptor::{ComponentDescriptor, Requirement};

/// Where component instances live and die together.
#[derive(Debug)]
pub struct Scope {}
