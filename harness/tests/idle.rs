//! Waiting until nothing is queued and nothing runs: not a moment shorter, whichever dispatcher works and however long the chain is.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const HALL: EndpointId = EndpointId::new("idle-hall", "Where things are carried through.");
const CALLED: EventId<()> = EventId::new("IDLE_CALLED", "Somebody is to come at once.");
const QUEUED: EventId<()> = EventId::new("IDLE_QUEUED", "Somebody is to come in turn.");
const POOLED: EventId<()> = EventId::new("IDLE_POOLED", "Anybody is to come.");
const SPREAD: EventId<()> = EventId::new("IDLE_SPREAD", "All are to come at once.");
const CARRIED: EventId<()> = EventId::new("IDLE_CARRIED", "Was carried through the door.");

/// How long it is watched that nobody returns who has to wait. It passes in a test that succeeds, whatever the machine does.
const WATCHED: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
struct State {
    has_come: bool,
    is_open: bool,
    has_returned: bool,
    carried: usize,
}

/// A door in front of which handlers stand until somebody opens it, and what was seen there; provided by the tests.
#[derive(Debug, Default)]
struct Door {
    state: Mutex<State>,
    change: Condvar,
}

impl Door {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.change.notify_all();
    }

    /// Waits for this, for at most that long; whether it has become so.
    fn wait_for(&self, limit: Duration, mut holds: impl FnMut(&State) -> bool) -> bool {
        let mut state = self.state.lock();
        self.change
            .wait_while_for(&mut state, |state| !holds(state), limit);
        holds(&state)
    }

    /// What a handler does: comes, and stays until the door is open.
    fn pass(&self) {
        self.change(|state| state.has_come = true);
        assert!(self.wait_for(LONG, |state| state.is_open), "nobody opens");
    }
}

/// Carries what it hears of through the door, and says so to itself.
#[framework_extension(
    name = "carrying",
    load_order = 101,
    endpoints_and_messages = { HALL: [CALLED, QUEUED, POOLED, SPREAD, CARRIED] },
)]
#[derive(Debug)]
struct Carrying;

impl Extension for Carrying {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Carrying {
    #[callback_dispatcher(CALLED)]
    fn called(&self, _: &Message<()>, bus: &MessageBus, door: &Door) -> Result<()> {
        carry(bus, door)
    }

    #[sequential_dispatcher(QUEUED)]
    fn queued(&self, _: &Message<()>, bus: &MessageBus, door: &Door) -> Result<()> {
        carry(bus, door)
    }

    #[threadpool_dispatcher(POOLED)]
    fn pooled(&self, _: &Message<()>, bus: &MessageBus, door: &Door) -> Result<()> {
        carry(bus, door)
    }

    #[concurrent_dispatcher(SPREAD)]
    fn spread(&self, _: &Message<()>, bus: &MessageBus, door: &Door) -> Result<()> {
        carry(bus, door)
    }

    /// Is queued only when the first handler ends: who waits has to wait for it, too.
    #[sequential_dispatcher(CARRIED)]
    fn carried(&self, _: &Message<()>, door: &Door) {
        door.change(|state| state.carried += 1);
    }
}

fn carry(bus: &MessageBus, door: &Door) -> Result<()> {
    door.pass();
    bus.trigger_event(CARRIED, HALL, ())?;
    Ok(())
}

/// Triggers the message on a thread of its own and waits, while another thread opens the door after it has watched for a while that
/// nobody came back.
fn wait_for_who_carries(message: EventId<()>) -> TestResult {
    let door = Arc::new(Door::default());
    let harness = ExtensionTestHarness::<Carrying>::builder()
        .component(Arc::clone(&door))
        .start()?;
    let bus = harness.bus().clone();
    let sender = zaf_core::thread::spawn("sender", move || bus.trigger_event(message, HALL, ()))?;
    assert!(door.wait_for(LONG, |state| state.has_come));
    let outside = Arc::clone(&door);
    let porter = zaf_core::thread::spawn("porter", move || {
        let has_returned = outside.wait_for(WATCHED, |state| state.has_returned);
        outside.change(|state| state.is_open = true);
        has_returned
    })?;
    harness.wait_until_idle()?;
    door.change(|state| state.has_returned = true);
    let carried = door.state.lock().carried;
    assert!(
        !porter.join()?,
        "it did not wait for a handler that is held"
    );
    sender.join()??;
    assert_eq!(carried, 1, "it did not wait for what followed");
    harness.destroy()?;
    Ok(())
}

#[test]
fn waiting_until_idle_lasts_until_held_handlers_and_what_follows_from_them_have_ended() -> TestResult
{
    for message in [CALLED, QUEUED, POOLED, SPREAD] {
        wait_for_who_carries(message)?;
    }
    Ok(())
}

#[test]
fn waiting_until_idle_lasts_until_queues_are_empty() -> TestResult {
    const MESSAGES: usize = 20;
    let door = Arc::new(Door::default());
    let harness = ExtensionTestHarness::<Carrying>::builder()
        .component(Arc::clone(&door))
        .start()?;
    for _ in 0..MESSAGES {
        harness.trigger_event(QUEUED, HALL, ())?;
    }
    assert!(door.wait_for(LONG, |state| state.has_come));
    assert!(!harness.bus().is_idle());
    assert_eq!(door.state.lock().carried, 0);
    door.change(|state| state.is_open = true);
    harness.wait_until_idle()?;
    assert_eq!(door.state.lock().carried, MESSAGES);
    harness.destroy()?;
    Ok(())
}
