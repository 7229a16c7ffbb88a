//! Looking at a bus that works: every message with its sender, its receivers and their times; handlers that take too long;
//! handlers that wait for each other.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::time::Duration;
//! use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, Observed};
//!
//! const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
//! const SERVED: EventId<u32> = EventId::new("SERVED", "A table got its meal.");
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = MessageBus::new();
//! bus.define(KITCHEN, &[SERVED.descriptor()])?;
//! bus.dispatcher(DispatcherKind::Callback, "waiter").on(SERVED, |_, _| Ok(())).register()?;
//!
//! let observation = bus.observe(NonZeroUsize::MIN.saturating_add(999))?;
//! bus.trigger_event(SERVED, KITCHEN, 7)?;
//! let Some(Observed::Delivered(delivery)) = observation.try_next() else {
//!     panic!("a callback has handled it when `trigger_event` returns");
//! };
//! assert_eq!((delivery.message.id.name, &*delivery.receiver), ("SERVED", "waiter"));
//! # bus.shutdown(Duration::from_secs(1))?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it costs
//! Nothing as long as nobody looks. An observation makes all routes anew, so that none of them has the short way that events
//! take to callbacks; the long way, which queues take anyway, asks its route whether somebody looks. When the last
//! observation ends, the routes are made anew once more.
//!
//! Order, skipping of destroyed dispatchers, isolation of panics and counters are the same with and without: there is one code.

mod observation;
mod record;
mod refusal;
mod slow;
mod tap;
mod waits;

pub use observation::{Measurement, Observation};
pub use record::{Delivery, Observed, ObservedMessage, Outcome, ThreadLabel};

pub(super) use slow::Watch;
pub(super) use tap::{Sending, Tap, send_nowhere};
pub(super) use waits::{Awaited, Needs, Waiting};
