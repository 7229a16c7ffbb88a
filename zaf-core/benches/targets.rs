//! What the bus costs, beside what the bare mechanism costs, in one run.
//!
//! `cargo bench -p zaf-core --bench targets` prints one line for each target, `name  measured  target  ok|short`, and ends with
//! exit code 1 if any falls short. Arguments select: `callbacks-1`, `callbacks-10`, `callbacks-1600`, `sequential`, `requests`.
//! Work and yardstick alternate round by round, and each figure is the median over the
//! rounds, so that other work on the machine meets both. Ratios are what counts; the times in brackets are for orientation.
//!
//! Yardsticks: an event to callbacks is compared with a loaded snapshot (`ArcSwap`) of a slice of
//! `Arc<dyn Fn(&dyn Any)>` that downcast; an event to a sequential dispatcher with a crossbeam channel of `Arc<dyn Any>` into
//! a thread of its own.

use std::any::Any;
use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, RequestId};

const HERE: EndpointId = EndpointId::new("here", "Where the benchmark is.");
const TICK: EventId<u64> = EventId::new("TICK", "Carries a number.");
const ASK: RequestId<u64, u64> = RequestId::new("ASK", "Wants a number.");

/// Rounds of each comparison; odd, for the median.
const ROUNDS: usize = 101;

/// Longest wait for something that must happen; only a broken bus waits that long.
const LONG: Duration = Duration::from_mins(1);

/// Nanoseconds for each call of `work`.
fn nanoseconds(repetitions: u32, mut work: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..repetitions {
        work();
    }
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(repetitions)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Medians of work, yardstick, and of the ratio of each round.
fn compare(mut work: impl FnMut() -> f64, mut yardstick: impl FnMut() -> f64) -> [f64; 3] {
    let mut figures: [Vec<f64>; 3] = Default::default();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let (own, other) = if round % 2 == 0 {
            let own = work();
            (own, yardstick())
        } else {
            let other = yardstick();
            (work(), other)
        };
        if round > 0 {
            for (list, figure) in figures.iter_mut().zip([own, other, own / other]) {
                list.push(figure);
            }
        }
    }
    figures.map(median)
}

/// Lines so far, and whether one fell short.
struct Targets {
    out: std::io::Stdout,
    short: bool,
}

impl Targets {
    fn ratio(&mut self, name: &str, [own, other, ratio]: [f64; 3], target: f64) {
        let measured = format!("{ratio:.2} x ({own:.0} ns against {other:.0} ns)");
        self.line(
            name,
            &measured,
            &format!("<= {target:.2} x"),
            ratio <= target,
        );
    }

    fn time(&mut self, name: &str, own: f64, target: f64) {
        let measured = format!("{own:.1} ns");
        self.line(
            name,
            &measured,
            &format!("<= {target:.0} ns"),
            own <= target,
        );
    }

    fn line(&mut self, name: &str, measured: &str, target: &str, ok: bool) {
        self.short |= !ok;
        let verdict = if ok { "ok" } else { "short" };
        // Nobody reads: the exit code still tells.
        let _unread = writeln!(
            self.out,
            "{name:<40}  {measured:<36}  {target:<12}  {verdict}"
        );
    }
}

type Plain = Arc<dyn Fn(&dyn Any) + Send + Sync>;

/// The yardstick of events to callbacks.
struct Floor {
    handlers: ArcSwap<Vec<Plain>>,
}

impl Floor {
    fn new(count: usize, sum: &Arc<AtomicU64>) -> Self {
        let handlers = (0..count).map(|_| {
            let sum = Arc::clone(sum);
            Arc::new(move |payload: &dyn Any| {
                if let Some(number) = payload.downcast_ref::<u64>() {
                    add(&sum, *number);
                }
            }) as Plain
        });
        Self {
            handlers: ArcSwap::from_pointee(handlers.collect()),
        }
    }

    fn trigger(&self, payload: u64) {
        let handlers = self.handlers.load();
        for handler in handlers.iter() {
            handler(black_box(&payload));
        }
    }
}

/// What each handler does: next to nothing, but something.
fn add(sum: &AtomicU64, number: u64) {
    sum.store(
        sum.load(Ordering::Relaxed).wrapping_add(number),
        Ordering::Relaxed,
    );
}

fn bus_with(count: usize, kind: DispatcherKind, sum: &Arc<AtomicU64>) -> MessageBus {
    let bus = MessageBus::new();
    bus.define(HERE, &[TICK.descriptor(), ASK.descriptor()])
        .expect("nothing is defined yet");
    for number in 0..count {
        let (events, requests) = (Arc::clone(sum), Arc::clone(sum));
        bus.dispatcher(kind, format!("handler {number}"))
            .on(TICK, move |message, _| {
                add(&events, *message.data());
                Ok(())
            })
            .on(ASK, move |message, _| {
                add(&requests, *message.data());
                Ok(*message.data())
            })
            .register()
            .expect("both messages are defined");
    }
    bus
}

fn trigger(bus: &MessageBus) {
    let report = bus.trigger_event(TICK, HERE, black_box(1));
    assert!(report.is_ok_and(|report| report.delivered > 0));
}

fn callbacks(targets: &mut Targets, count: usize, repetitions: u32, target: f64) {
    let sum = Arc::new(AtomicU64::new(0));
    let bus = bus_with(count, DispatcherKind::Callback, &sum);
    let floor = Floor::new(count, &sum);
    let figures = compare(
        || nanoseconds(repetitions, || trigger(&bus)),
        || nanoseconds(repetitions, || floor.trigger(black_box(1))),
    );
    targets.ratio(&format!("event to {count} callback(s)"), figures, target);
}

fn sequential(targets: &mut Targets) {
    const COUNT: u32 = 20_000;
    let sum = Arc::new(AtomicU64::new(0));
    let bus = bus_with(1, DispatcherKind::Sequential, &sum);
    let (sender, receiver) = crossbeam_channel::unbounded::<Arc<dyn Any + Send + Sync>>();
    let (done_sender, done) = crossbeam_channel::unbounded::<()>();
    let own = Arc::clone(&sum);
    let consumer = zaf_core::thread::spawn("yardstick", move || {
        for payload in receiver {
            match payload.downcast_ref::<u64>() {
                Some(number) => add(&own, *number),
                None => drop(done_sender.send(())),
            }
        }
    })
    .expect("a thread can be started");
    let figures = compare(
        || {
            let begin = Instant::now();
            for _ in 0..COUNT {
                trigger(&bus);
            }
            bus.wait_until_idle(LONG).expect("handlers end");
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
        },
        || {
            let begin = Instant::now();
            for _ in 0..COUNT {
                assert!(sender.send(Arc::new(black_box(1_u64))).is_ok());
            }
            assert!(sender.send(Arc::new(())).is_ok());
            done.recv().expect("the consumer answers");
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
        },
    );
    targets.ratio("event to a sequential one, end to end", figures, 1.0);
    drop(sender);
    drop(consumer.join());
    bus.shutdown(LONG).expect("handlers end");
}

fn requests(targets: &mut Targets) {
    const COUNT: u32 = 4_000;
    let sum = Arc::new(AtomicU64::new(0));
    let bus = bus_with(1, DispatcherKind::Callback, &sum);
    let figures = compare(
        || {
            nanoseconds(COUNT, || {
                let reply = bus
                    .send_request(ASK, HERE, black_box(1))
                    .ok()
                    .and_then(|mut replies| replies.next(LONG));
                assert!(black_box(reply).is_some_and(|reply| reply.result.is_ok()));
            })
        },
        || nanoseconds(COUNT, || trigger(&bus)),
    );
    targets.ratio("request to a callback, by the event", figures, 3.0);
    let idle = (0..ROUNDS).map(|_| {
        nanoseconds(COUNT, || {
            assert!(black_box(&bus).is_idle());
        })
    });
    targets.time("is_idle", median(idle.collect()), 50.0);
}

fn main() -> ExitCode {
    let mut targets = Targets {
        out: std::io::stdout(),
        short: false,
    };
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    for (count, repetitions, target) in [(1, 4_000, 1.4), (10, 1_000, 0.8), (1_600, 10, 0.8)] {
        if is_wanted(&format!("callbacks-{count}")) {
            callbacks(&mut targets, count, repetitions, target);
        }
    }
    if is_wanted("sequential") {
        sequential(&mut targets);
    }
    if is_wanted("requests") {
        requests(&mut targets);
    }
    ExitCode::from(u8::from(targets.short))
}
