//! What a look at the [record](super::presence::Record) of a thread tells of the handlers that it runs.

use super::Entity;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// A handler that is announced in a frame. Two that are equal are the same: no frame is opened twice at the same count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handling {
    pub(super) place: u64,
    pub(super) opened: u64,
    /// 0 for none.
    pub(crate) dispatcher: u64,
}

impl Handling {
    /// As in [`Place`](super::presence::Place).
    pub(crate) fn bus(self) -> u32 {
        (self.place >> 32) as u32
    }

    /// As in [`Place`](super::presence::Place).
    pub(crate) fn endpoint(self) -> u32 {
        (self.place & 0xFFFF_FFFF) as u32
    }

    /// As in [`Place`](super::presence::Place).
    pub(crate) fn message(self) -> u32 {
        (self.opened & 0xFFFF_FFFF) as u32
    }
}

/// What a thread is doing at one moment; what changes meanwhile may be missing.
#[derive(Debug)]
pub(crate) struct Doing {
    /// Where its record is: tells threads apart.
    pub(crate) record: usize,
    /// Name of the thread.
    pub(crate) thread: String,
    /// Outermost first.
    pub(crate) handlings: Vec<Handling>,
    /// Of the outermost, if its message was queued.
    pub(crate) letter: Letter,
}

/// What a queued message brings along for who looks at its handler: its sender has gone on, and its frame has neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Number of the dispatcher whose handler sent it; 0 for none.
    pub(crate) sender: u64,
    pub(crate) entity: Option<Entity>,
}

/// The [`Letter`] of the message that a worker handles. Each part says for which frame it was written: what is left of an earlier
/// one counts for nothing, so nothing has to be taken back.
#[derive(Debug)]
pub(super) struct Letterbox {
    opened: AtomicU64,
    sender: AtomicU64,
    /// Written only for messages that have one, so the others pay nothing.
    entity: Mutex<Option<(u64, Entity)>>,
}

impl Letterbox {
    pub(super) fn new() -> Self {
        Self {
            opened: AtomicU64::new(u64::MAX),
            sender: AtomicU64::new(0),
            entity: Mutex::new(None),
        }
    }

    /// Written before the frame is opened: who sees the frame sees this.
    #[inline]
    pub(super) fn put(&self, opened: u64, sender: u64, entity: Option<&Entity>) {
        self.sender.store(sender, Ordering::Relaxed);
        self.opened.store(opened, Ordering::Release);
        if let Some(entity) = entity {
            self.put_entity(opened, entity);
        }
    }

    #[inline(never)]
    fn put_entity(&self, opened: u64, entity: &Entity) {
        match &mut *self.entity.lock() {
            // Nearly always the one of the message before.
            Some((at, known)) if known == entity => *at = opened,
            other => *other = Some((opened, entity.clone())),
        }
    }

    /// What belongs to the frame that was opened at this count. Right for frames that last.
    pub(super) fn of(&self, opened: u64) -> Letter {
        if self.opened.load(Ordering::Acquire) != opened {
            return Letter::default();
        }
        let entity = self.entity.lock().clone();
        Letter {
            sender: self.sender.load(Ordering::Relaxed),
            entity: entity.and_then(|(at, entity)| (at == opened).then_some(entity)),
        }
    }
}
