//! What the bus expects of what is around it: the profile it is built with, the clock it waits by, the threads it is called
//! from.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use zaf_core::Result;
use zaf_core::message::{BusError, DispatcherKind, QueuePolicy, ReplyError};

use super::{ASK, Gate, KITCHEN, LONG, Log, PING, PONG, bus};

#[expect(
    clippy::disallowed_methods,
    reason = "the compiler and the tracer are tools of the test, and end by themselves"
)]
fn run(program: impl AsRef<Path>, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(program.as_ref())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
}

#[test]
fn a7_a_build_in_which_panics_abort_is_refused_with_a_reason() {
    // The compiler that built this test. The rest of the crate cannot be found here: what counts is what is said of panics.
    let compiler = PathBuf::from(env!("CARGO")).with_file_name("rustc");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    let said = |strategy: &str| {
        let mut arguments = vec!["--edition", "2024", "--crate-type", "lib", "--emit"];
        arguments.extend(["metadata", "-o", "/dev/null", source, "-C", strategy]);
        let output = run(&compiler, &arguments).unwrap();
        assert!(!output.status.success(), "the dependencies are not there");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let reason = "a panic of one handler must not end the others. Remove `panic = \"abort\"` from the profile";
    // The compiler escapes nothing but its own quotes.
    let is_refused = |text: &str| text.replace('\\', "").contains(reason);
    assert!(is_refused(&said("panic=abort")), "{}", said("panic=abort"));
    assert!(!is_refused(&said("panic=unwind")));
}

#[test]
fn a30_a_handler_that_blocks_does_not_block_the_thread_of_an_async_runtime() -> Result<()> {
    for kind in [
        DispatcherKind::Sequential,
        DispatcherKind::ThreadPool,
        DispatcherKind::Concurrent,
    ] {
        let bus = bus();
        let gate = Gate::new();
        let entry = gate.clone();
        bus.dispatcher(kind, "blocks")
            .on(PING, |_, _| Ok(()))
            .on(ASK, move |message, _| {
                entry.pass();
                Ok(*message.data())
            })
            .register()?;
        // One thread for everything that is asynchronous.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let answers = runtime.block_on(async {
            let sender = bus.clone();
            let asks = tokio::spawn(async move {
                let replies = sender.send_request(ASK, KITCHEN, 7).unwrap();
                // Waiting blocks, so it is done where blocking is allowed.
                let waits = tokio::task::spawn_blocking(move || replies.values(LONG));
                waits.await.unwrap()
            });
            // Runs while the handler stands at the gate, and lets it through.
            let opens = tokio::spawn(async move {
                tokio::task::yield_now().await;
                gate.let_through(1);
            });
            opens.await.unwrap();
            asks.await.unwrap()
        });
        assert_eq!(answers?, [7], "{kind:?}");
        bus.shutdown(LONG)?;
    }
    Ok(())
}

/// Every wait of the bus that has a deadline, with one that passes.
#[test]
fn b6_all_waits_end_at_their_deadlines() -> Result<()> {
    let short = Duration::from_millis(1);
    let bus = bus();
    let gate = Gate::new();
    let entry = gate.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .queue(
            QueuePolicy::Block { deadline: short },
            std::num::NonZeroUsize::MIN,
        )
        .on(PING, move |_, _| {
            entry.pass();
            Ok(())
        })
        .on(ASK, |_, _| Ok(1))
        .register()?;
    bus.trigger_event(PING, KITCHEN, 1)?;
    gate.wait_for_arrival();
    let mut replies = bus.send_request(ASK, KITCHEN, 1)?;
    assert_eq!(bus.trigger_event(PING, KITCHEN, 2)?.refused().len(), 1);
    let reply = replies.next(short).unwrap();
    assert!(matches!(reply.result, Err(ReplyError::TimedOut { .. })));
    let queue = bus.message_queue(PONG, KITCHEN)?;
    let empty = queue.recv_timeout(short);
    assert!(matches!(empty, Err(BusError::Empty { .. })));
    assert!(bus.wait_until_idle(short).is_err());
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| one.destroy_draining(short));
        while one.counters().cancelled == 0 {
            std::thread::yield_now();
        }
        assert!(bus.shutdown(short).is_err());
        gate.let_through(1);
        assert!(!drained.join().unwrap());
    });
    bus.shutdown(LONG)?;
    Ok(())
}

#[test]
fn b6_no_wait_asks_a_clock_that_can_be_set() {
    // The test above, and what it asks of the system. A wait for a moment of the clock on the wall says so.
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let name = "bus::surroundings::b6_all_waits_end_at_their_deadlines";
    let arguments = [
        "-f",
        "-qq",
        "-e",
        "trace=futex,clock_nanosleep",
        own,
        "--exact",
        name,
    ];
    let output = match run("strace", &arguments) {
        Ok(output) if output.status.success() => output,
        refused => {
            #[expect(clippy::print_stderr, reason = "what is not tested is said")]
            {
                eprintln!(
                    "NOTICE: strace cannot be used here, the clock of waits is not tested: {refused:?}"
                );
            }
            return;
        }
    };
    let trace = String::from_utf8_lossy(&output.stderr).into_owned();
    let waits: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("FUTEX_WAIT") && line.contains("tv_sec"))
        .collect();
    assert!(waits.len() >= 4, "the trace shows the waits:\n{trace}");
    for line in waits {
        assert!(!line.contains("CLOCK_REALTIME"), "{line}");
    }
}

#[test]
fn b7_no_time_and_all_time_are_good_time_outs() -> Result<()> {
    let bus = bus();
    let log = Log::new();
    let entries = log.clone();
    let one = bus
        .dispatcher(DispatcherKind::Sequential, "one")
        .queue(
            QueuePolicy::Block {
                deadline: Duration::MAX,
            },
            std::num::NonZeroUsize::MIN,
        )
        .on(PING, move |message, _| {
            entries.add(*message.data());
            Ok(())
        })
        .on(ASK, |message, _| Ok(*message.data()))
        .register()?;
    let ask = || bus.send_request(ASK, KITCHEN, 4);
    // For ever, and as good as for ever: neither overflows.
    for long in [Duration::MAX, Duration::from_secs(u64::MAX / 4)] {
        assert!(ask()?.next(long).is_some_and(|reply| reply.result.is_ok()));
        assert_eq!(ask()?.values(long)?, [4]);
        assert_eq!(ask()?.all(long).len(), 1);
        assert_eq!(ask()?.as_completed(long).count(), 1);
        let queue = bus.message_queue(PONG, KITCHEN)?;
        bus.trigger_event(PONG, KITCHEN, 1)?;
        assert!(queue.recv_timeout(long).is_ok());
        for number in 0..10 {
            assert_eq!(bus.trigger_event(PING, KITCHEN, number)?.delivered, 1);
        }
        bus.wait_until_idle(long)?;
        bus.wait_until_idle_at(KITCHEN, long)?;
        assert_eq!(log.take().len(), 10);
    }
    // No time: what is there is there, and what is not is late.
    let queue = bus.message_queue(PONG, KITCHEN)?;
    assert!(queue.recv_timeout(Duration::ZERO).is_err());
    bus.trigger_event(PONG, KITCHEN, 1)?;
    assert!(queue.recv_timeout(Duration::ZERO).is_ok());
    bus.wait_until_idle(Duration::ZERO)?;
    for replies in [ask()?.all(Duration::ZERO), ask()?.all(Duration::MAX)] {
        assert_eq!(replies.len(), 1);
    }
    assert!(one.destroy_draining(Duration::MAX));
    bus.shutdown(Duration::MAX)?;
    // Nothing is left: no time is enough.
    bus.shutdown(Duration::ZERO)?;
    Ok(())
}

/// Names of the threads that entered a span.
#[derive(Clone, Default)]
struct Entered(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Entered {
    fn on_enter(&self, _: &tracing::span::Id, _: Context<'_, S>) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        self.0.lock().push(name);
    }
}

#[test]
fn what_a_handler_of_a_queued_message_logs_belongs_to_the_span_of_its_sender() -> Result<()> {
    let entered = Entered::default();
    let subscriber = tracing_subscriber::registry().with(entered.clone());
    tracing::subscriber::with_default(subscriber, || -> Result<()> {
        let bus = bus();
        bus.dispatcher(DispatcherKind::Sequential, "one")
            .on(PING, |_, _| Ok(()))
            .register()?;
        bus.trigger_event(PING, KITCHEN, 1)?;
        bus.wait_until_idle(LONG)?;
        assert!(entered.0.lock().is_empty());
        tracing::info_span!("dinner").in_scope(|| bus.trigger_event(PING, KITCHEN, 2))?;
        bus.wait_until_idle(LONG)?;
        let threads = std::mem::take(&mut *entered.0.lock());
        assert_eq!(threads.len(), 2, "{threads:?}");
        assert!(threads[1].starts_with("bus-worker"), "{threads:?}");
        bus.shutdown(LONG)?;
        Ok(())
    })
}
