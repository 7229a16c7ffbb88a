//! Time that tests move by hand.

use parking_lot::Mutex;
use zaf_core::clock::{Clock, Timer};
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const PLACE: EndpointId = EndpointId::new("clock-place", "Where the reminder speaks.");
const START: EventId<()> = EventId::new("CLOCK_START", "Begins.");
const REMINDED: EventId<u64> = EventId::new("CLOCK_REMINDED", "So many seconds have gone.");
const ASKED: RequestId<(), u64> = RequestId::new("CLOCK_ASKED", "How many seconds?");

/// Reminds every hour, and once more in the end.
#[framework_extension(
    name = "reminder",
    load_order = 101,
    endpoints_and_messages = { PLACE: [REMINDED] },
)]
#[derive(Debug)]
struct Reminder {
    clock: Clock,
    timers: Mutex<Vec<Timer>>,
}

impl Extension for Reminder {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            clock: cx.clock().clone(),
            timers: Mutex::default(),
        })
    }

    fn destroy(&self) -> Result<()> {
        self.timers.lock().clear();
        Ok(())
    }
}

#[dispatchers]
impl Reminder {
    #[callback_dispatcher(START)]
    fn on_start(&self, _message: &Message<()>, bus: &MessageBus) -> Result<()> {
        let begin = self.clock.now();
        let remind = {
            let (clock, bus) = (self.clock.clone(), bus.clone());
            move || {
                tracing::info!("an hour is over");
                let seconds = clock.now().duration_since(begin).as_secs();
                drop(bus.trigger_event(REMINDED, PLACE, seconds));
            }
        };
        let hour = Duration::from_hours(1);
        let last = remind.clone();
        let mut timers = self.timers.lock();
        timers.push(self.clock.every("hourly", hour, remind)?);
        timers.push(self.clock.once("last", hour * 3, last)?);
        Ok(())
    }

    #[callback_dispatcher(ASKED, optional = true)]
    fn on_asked(&self, _message: &Message<()>, clock: &Clock) -> u64 {
        u64::from(clock.now() == self.clock.now())
    }
}

#[test]
fn hours_are_over_at_once_and_each_timer_comes_at_its_moment() -> TestResult {
    let clock = FakeClock::new();
    let harness = ExtensionTestHarness::<Reminder>::builder()
        .define(MOCK_ENDPOINT, [START])
        .define(PLACE, [ASKED])
        .clock(&clock)
        .start()?;
    let recorder = harness.record([REMINDED])?;
    harness.trigger_event(START, MOCK_ENDPOINT, ())?;
    let hour = Duration::from_hours(1);
    let names: Vec<_> = clock.timers();
    assert_eq!(
        names,
        [("hourly".to_owned(), hour), ("last".to_owned(), hour * 3)]
    );

    clock.advance(hour.saturating_sub(Duration::from_nanos(1)));
    recorder.expect_nothing_else()?;
    clock.advance(Duration::from_nanos(1));
    recorder
        .expect(REMINDED)
        .from(PLACE)
        .with(|seconds| *seconds == 3600)
        .arrives()?;
    recorder.expect_nothing_else()?;
    clock.advance(hour * 3);
    let seconds: Vec<u64> = recorder
        .messages()
        .iter()
        .map(|message| *message.data())
        .collect();
    assert_eq!(seconds, [3600, 7200, 10_800, 10_800, 14_400]);
    assert_eq!(clock.elapsed(), hour * 4);
    assert_eq!(clock.timers(), [("hourly".to_owned(), hour)]);
    assert_eq!(harness.logs().records().len(), 5);

    // The component is the same clock.
    let replies = harness.send_request(ASKED, PLACE, ())?;
    assert_eq!(replies.values(Duration::from_secs(10))?, [1]);

    let before_the_end = recorder.messages().len();
    harness.destroy()?;
    assert_eq!(clock.timers(), []);
    clock.advance(hour * 100);
    assert_eq!(recorder.messages().len(), before_the_end);
    Ok(())
}

#[test]
fn a_timer_that_ends_itself_or_another_is_called_no_more() -> TestResult {
    let clock = FakeClock::new();
    let called = std::sync::Arc::new(Mutex::new(Vec::new()));
    let timers = std::sync::Arc::new(Mutex::new(Vec::new()));
    for name in ["first", "second"] {
        let (called, held) = (called.clone(), timers.clone());
        let timer = clock.clock().every(name, Duration::from_secs(1), move || {
            called.lock().push(name);
            let all = std::mem::take(&mut *held.lock());
            drop(all);
        })?;
        timers.lock().push(timer);
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(*called.lock(), ["first"]);
    assert_eq!(clock.timers(), []);
    Ok(())
}

#[test]
fn without_a_fake_the_clock_is_that_of_the_machine() -> TestResult {
    let harness = ExtensionTestHarness::<Reminder>::builder()
        .define(MOCK_ENDPOINT, [START])
        .start()?;
    let before = std::time::Instant::now();
    let now = harness.extension().clock.now();
    assert!(before <= now && now <= std::time::Instant::now());
    Ok(())
}
