//! What a lane and who calls it meet at: made of other primitives in the models.

pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicBool, Ordering};
pub(super) use std::thread_local;

pub(super) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(super) use zaf_core::thread::{JoinHandle, spawn};

pub(super) use super::super::patience::Patience;
