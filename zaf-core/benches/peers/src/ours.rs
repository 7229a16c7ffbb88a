//! The bus in the role of the others.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

use zaf_core::message::{DispatcherKind, MessageBus};

use crate::actors::Mailboxes;
use crate::measure::bus::{ASK, HERE, LONG, TICK, add, empty_bus, trigger};

/// A bus with dispatchers that each have a sum of their own, as actors do.
pub(crate) struct Zaf {
    bus: MessageBus,
    count: usize,
}

impl Zaf {
    pub(crate) fn start(count: usize, kind: DispatcherKind) -> Self {
        let bus = empty_bus();
        for number in 0..count {
            let sum = std::sync::Arc::new(AtomicU64::new(0));
            let other = sum.clone();
            bus.dispatcher(kind, format!("handler {number}"))
                .on(TICK, move |message, _| {
                    add(&sum, *message.data());
                    Ok(())
                })
                .on(ASK, move |message, _| {
                    add(&other, *message.data());
                    Ok(*message.data())
                })
                .register()
                .expect("both messages are defined");
        }
        Self { bus, count }
    }

    /// Waits until everything that was sent is handled.
    pub(crate) fn finish(&self) {
        self.bus.wait_until_idle(LONG).expect("handlers end");
    }
}

impl Mailboxes for Zaf {
    fn send(&self) {
        trigger(&self.bus);
    }

    fn ask(&self) {
        let replies = self
            .bus
            .send_request(ASK, HERE, black_box(1))
            .expect("somebody answers");
        let replies = replies.all(LONG);
        assert_eq!(replies.len(), self.count);
        assert!(replies.iter().all(|reply| reply.result.is_ok()));
    }
}

impl Drop for Zaf {
    fn drop(&mut self) {
        self.bus.shutdown(LONG).expect("handlers end");
    }
}
