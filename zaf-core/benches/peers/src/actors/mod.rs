//! Actors of other crates: `count` of them that each get what is sent and answer what is asked.

mod actix;
mod kameo;
mod ractor;
mod xtra;

use tokio::runtime::Runtime;

pub(crate) use self::actix::Actix;
pub(crate) use self::kameo::Kameo;
pub(crate) use self::ractor::Ractor;
pub(crate) use self::xtra::Xtra;

/// Somebody with a mailbox, or several with one each.
pub(crate) trait Mailboxes: Sync {
    /// Sends a number to all, without waiting.
    fn send(&self);

    /// Asks all and waits for their answers, which come after everything that was sent before.
    fn ask(&self);
}

/// A runtime as programs have it: a worker for each processor.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("threads can be started")
}
