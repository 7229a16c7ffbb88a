//! Requests of a caller that waits for all answers.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{mpsc, oneshot};
use tower::{Service, ServiceExt, service_fn};
use zaf_core::message::DispatcherKind;

use crate::actors::{Mailboxes, runtime};
use crate::measure::bus::{Sum, add};
use crate::measure::record::Row;
use crate::measure::report::{Report, row};
use crate::measure::rounds::{Work, by_turns};
use crate::measure::senders::end_to_end;
use crate::measure::yardsticks::Echo;
use crate::ours::Zaf;
use crate::queues::Actors;
use crate::verdict::{Role, filled};

type Contestant<'a> = (Role, &'a str, Box<dyn Fn() + Sync + 'a>);

pub(crate) fn measure(report: &mut Report) {
    for (count, requests, rounds) in [(1, 100, 31), (10, 40, 31), (100, 12, 31), (1_600, 1, 15)] {
        for senders in [1, 2, 4] {
            let work = format!("requests-{count}x{senders}");
            if report.wants(&work) {
                let row = Row {
                    senders,
                    ..row(work, name(count, senders), count)
                };
                let share = u32::try_from(senders).expect("a handful");
                report.add(compare(row, requests * share, rounds));
            }
        }
    }
}

fn name(count: usize, senders: usize) -> String {
    let dispatchers = if count == 1 {
        "dispatcher"
    } else {
        "dispatchers"
    };
    let senders = if senders == 1 {
        String::new()
    } else {
        format!(", {senders} senders")
    };
    format!("request to {count} sequential {dispatchers}{senders}")
}

fn compare(row: Row, requests: u32, rounds: usize) -> Row {
    let (count, senders) = (row.dispatchers, row.senders);
    let zaf = Zaf::start(count, DispatcherKind::Sequential);
    let actors = Actors::start(count);
    // Answers of bare channels are not told apart: with several callers each would get those of the others.
    let is_for_channels = senders == 1 && count < 1_000;
    let pairs = if is_for_channels { count } else { 0 };
    let echoes: Vec<Echo> = (0..pairs).map(|_| Echo::start(&Sum::default())).collect();
    let (tower, tokio) = (Buffered::start(), Oneshots::start());
    let mut contestants: Vec<Contestant<'_>> = vec![(Role::Ours, "zaf", Box::new(|| zaf.ask()))];
    contestants.extend(actors.iter().map(|(name, actors)| {
        let ask: Box<dyn Fn() + Sync> = Box::new(move || actors.ask());
        (Role::Peer, name, ask)
    }));
    if !echoes.is_empty() {
        let ask = || {
            echoes.iter().for_each(Echo::send);
            echoes.iter().for_each(Echo::take);
        };
        contestants.push((Role::Floor, "pairs of channels", Box::new(ask)));
    }
    if count == 1 {
        contestants.push((Role::Peer, "tower Buffer", Box::new(|| tower.ask())));
        contestants.push((
            Role::Floor,
            "tokio mpsc and oneshot",
            Box::new(|| tokio.ask()),
        ));
    }
    let mut rounds_of: Vec<_> = contestants
        .iter()
        .map(|(_, _, ask)| {
            // As one caller sees it: all of them wait at the same time.
            let share = f64::from(u32::try_from(senders).expect("a handful"));
            move || [end_to_end(senders, requests, ask, || ()) * share]
        })
        .collect();
    let mut works: Vec<Work<'_>> = rounds_of.iter_mut().map(|round| round as _).collect();
    let series = by_turns(rounds, &mut works);
    let results: Vec<_> = contestants
        .iter()
        .zip(&series)
        .map(|((role, name, _), [series])| (*role, *name, series))
        .collect();
    filled(row, &results)
}

type Adder = tower::buffer::Buffer<u64, std::future::Ready<Result<u64, tower::BoxError>>>;

/// A service behind a buffer.
struct Buffered {
    service: Adder,
    runtime: tokio::runtime::Runtime,
}

impl Buffered {
    fn start() -> Self {
        let runtime = runtime();
        let sum = AtomicU64::new(0);
        let inner = service_fn(move |number: u64| {
            add(&sum, number);
            std::future::ready(Ok::<u64, tower::BoxError>(number))
        });
        let entered = runtime.enter();
        let service = tower::buffer::Buffer::new(inner, 1_024);
        drop(entered);
        Self { service, runtime }
    }

    fn ask(&self) {
        let mut service = self.service.clone();
        let answer = self
            .runtime
            .block_on(async { service.ready().await?.call(black_box(1)).await });
        assert!(answer.is_ok());
    }
}

/// A task that answers each question through a channel of its own.
struct Oneshots {
    sender: mpsc::UnboundedSender<(u64, oneshot::Sender<u64>)>,
    _runtime: tokio::runtime::Runtime,
}

impl Oneshots {
    fn start() -> Self {
        let runtime = runtime();
        let (sender, mut receiver) = mpsc::unbounded_channel::<(u64, oneshot::Sender<u64>)>();
        let sum = Arc::new(AtomicU64::new(0));
        runtime.spawn(async move {
            while let Some((number, reply)) = receiver.recv().await {
                add(&sum, number);
                let _gone = reply.send(number);
            }
        });
        Self {
            sender,
            _runtime: runtime,
        }
    }

    fn ask(&self) {
        let (reply, answer) = oneshot::channel();
        assert!(self.sender.send((black_box(1), reply)).is_ok());
        assert!(answer.blocking_recv().is_ok());
    }
}
