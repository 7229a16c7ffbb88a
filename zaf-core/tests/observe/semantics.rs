//! The tests of the bus on a bus that is observed. The files are those of the bus; only `bus` is another one here.

#[path = "../bus/destruction.rs"]
mod destruction;
#[path = "../bus/end.rs"]
mod end;
#[path = "../bus/faults.rs"]
mod faults;
#[path = "../bus/idle.rs"]
mod idle;
#[path = "../bus/many_answers.rs"]
mod many_answers;
#[path = "../bus/many_queues.rs"]
mod many_queues;
#[path = "../bus/matrix.rs"]
mod matrix;
#[path = "../bus/message_queue.rs"]
mod message_queue;
#[path = "../bus/model.rs"]
mod model;
#[path = "../bus/queues.rs"]
mod queues;
#[path = "../bus/registration.rs"]
mod registration;
#[path = "../bus/replies.rs"]
mod replies;

use std::num::NonZeroUsize;

use parking_lot::Mutex;
use zaf_core::message::{MessageBus, Observation};

use crate::bus::{ASK, CELLAR, Gate, KINDS, KITCHEN, LONG, Log, PING, PONG, bus_threads};

/// Observations end when they are dropped.
static OBSERVATIONS: Mutex<Vec<Observation>> = Mutex::new(Vec::new());

/// The bus of the tests, observed as long as the process lives. What finds no room is lost, as it may be.
fn bus() -> MessageBus {
    let bus = crate::bus::bus();
    let observation = bus.observe(NonZeroUsize::new(64).unwrap()).unwrap();
    OBSERVATIONS.lock().push(observation);
    bus
}
