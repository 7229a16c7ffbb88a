//! What the threads of a link meet at: made of other primitives in the models.

pub(super) use std::sync::Arc;

pub(super) use parking_lot::{Condvar, Mutex, MutexGuard};
