//! Events to queued dispatchers, from the first one sent until all are handled.

use zaf_core::message::DispatcherKind;

use crate::actors::{Actix, Kameo, Mailboxes, Ractor, Xtra};
use crate::channels::Channel;
use crate::measure::bus::Sum;
use crate::measure::record::Row;
use crate::measure::report::{Report, row};
use crate::measure::rounds::{Work, by_turns};
use crate::measure::senders::end_to_end;
use crate::measure::yardsticks::Consumer;
use crate::ours::Zaf;
use crate::verdict::{Role, filled};

/// How to send one event, and how to wait until all that were sent are handled.
type Contestant<'a> = (Role, &'a str, Box<dyn Fn() + Sync + 'a>, Box<dyn Fn() + 'a>);

pub(crate) fn measure(report: &mut Report) {
    for (count, events, rounds) in [
        (1, 8_000, 31),
        (10, 2_000, 21),
        (100, 200, 21),
        (1_600, 20, 9),
    ] {
        for senders in [1, 2, 4] {
            let work = format!("queues-{count}x{senders}");
            if report.wants(&work) {
                let row = Row {
                    senders,
                    ..row(work, name(count, senders), count)
                };
                report.add(if count == 1 {
                    to_one(row, events, rounds)
                } else {
                    to_several(row, events, rounds)
                });
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
    format!("event to {count} sequential {dispatchers}{senders}")
}

fn to_one(row: Row, events: u32, rounds: usize) -> Row {
    let zaf = Zaf::start(1, DispatcherKind::Sequential);
    let consumer = Consumer::start(&Sum::default());
    let floor = (
        Role::Floor,
        "crossbeam of Arc<dyn Any>",
        Box::new(|| consumer.send()) as _,
        Box::new(|| consumer.finish()) as _,
    );
    let channels = [
        ("std mpsc", Channel::std()),
        ("crossbeam", Channel::crossbeam()),
        ("flume", Channel::flume()),
        ("kanal", Channel::kanal()),
        ("SegQueue and park", Channel::seg_queue()),
        ("tokio mpsc", Channel::tokio_mpsc()),
        ("tokio broadcast", Channel::tokio_broadcast(1, 16_384)),
    ];
    let actors = Actors::start(1);
    let mut contestants = vec![ours(&zaf), floor];
    contestants.extend(channels.iter().map(|(name, channel)| {
        let send = Box::new(|| channel.send()) as _;
        (Role::Floor, *name, send, Box::new(|| channel.finish()) as _)
    }));
    contestants.extend(actors.contestants());
    run(row, events, rounds, &contestants)
}

fn to_several(row: Row, events: u32, rounds: usize) -> Row {
    let zaf = Zaf::start(row.dispatchers, DispatcherKind::Sequential);
    let broadcast = Channel::tokio_broadcast(row.dispatchers, 16_384);
    let actors = Actors::start(row.dispatchers);
    let send = Box::new(|| broadcast.send()) as _;
    let finish = Box::new(|| broadcast.finish()) as _;
    let mut contestants = vec![ours(&zaf), (Role::Floor, "tokio broadcast", send, finish)];
    contestants.extend(actors.contestants());
    run(row, events, rounds, &contestants)
}

fn ours(zaf: &Zaf) -> Contestant<'_> {
    (
        Role::Ours,
        "zaf",
        Box::new(|| zaf.send()),
        Box::new(|| zaf.finish()),
    )
}

/// The actor crates, by their names.
pub(crate) struct Actors([(&'static str, Box<dyn Mailboxes>); 4]);

impl Actors {
    pub(crate) fn start(count: usize) -> Self {
        Self([
            ("actix", Box::new(Actix::start(count))),
            ("kameo", Box::new(Kameo::start(count))),
            ("ractor", Box::new(Ractor::start(count))),
            ("xtra", Box::new(Xtra::start(count))),
        ])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &dyn Mailboxes)> {
        self.0.iter().map(|(name, actors)| (*name, &**actors))
    }

    fn contestants(&self) -> impl Iterator<Item = Contestant<'_>> {
        self.iter().map(|(name, actors)| {
            let send: Box<dyn Fn() + Sync> = Box::new(move || actors.send());
            let finish: Box<dyn Fn()> = Box::new(move || actors.ask());
            (Role::Peer, name, send, finish)
        })
    }
}

fn run(row: Row, events: u32, rounds: usize, contestants: &[Contestant<'_>]) -> Row {
    let senders = row.senders;
    let mut rounds_of: Vec<_> = contestants
        .iter()
        .map(|(_, _, send, finish)| move || [end_to_end(senders, events, send, finish)])
        .collect();
    let mut works: Vec<Work<'_>> = rounds_of.iter_mut().map(|round| round as _).collect();
    let series = by_turns(rounds, &mut works);
    let results: Vec<_> = contestants
        .iter()
        .zip(&series)
        .map(|((role, name, ..), [series])| (*role, *name, series))
        .collect();
    filled(row, &results)
}
