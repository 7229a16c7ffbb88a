//! Who reads the output of a plugin: `turns.rs` and `waiting.rs` themselves, compiled with [`sync`].
//!
//! The pipe, what `epoll` tells the thread of the link, and the plugin are stand-ins. Three threads: two who ask, and that of the link.

mod sync;
#[path = "../../../src/link/process/turns.rs"]
mod turns;
#[path = "../../../src/link/process/waiting.rs"]
mod waiting;

/// What stands in for the rest of the link.
mod ended {
    #[derive(Debug)]
    pub(crate) struct Ended;
}

/// What stands in for the protocol: a frame is the id that it answers.
pub(crate) mod protocol {
    #[derive(Debug)]
    pub(crate) struct FromPlugin(pub(crate) u64);
}

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::{checker, explore_all};
use ended::Ended;
use protocol::FromPlugin;
use sync::{Arc, Condvar, Mutex};
use turns::{Got, Source, Turns};
use waiting::{Arrival, NoArrival, Waiting};

/// What a plugin does with two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    /// Answers each.
    Answers,
    /// Answers both when the second one comes, that first.
    AnswersLate,
    /// Answers the first, dies of the second.
    Dies,
}

/// The output of a plugin as the system has it.
#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<Written>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    answers: VecDeque<u64>,
    /// What a plugin that answers late has not answered, or one that dies has.
    first: Option<u64>,
    has_ended: bool,
    /// Whether the thread of the link is told of what comes.
    is_link_told: bool,
}

impl Pipe {
    fn request(&self, plugin: Plugin, id: u64) {
        let mut written = self.state.lock();
        let first = written.first.replace(id);
        match (plugin, first) {
            (Plugin::Answers, _) | (Plugin::Dies, None) => written.answers.push_back(id),
            (Plugin::AnswersLate, None) => {}
            (Plugin::AnswersLate, Some(first)) => written.answers.extend([id, first]),
            (Plugin::Dies, Some(_)) => written.has_ended = true,
        }
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state.lock().has_ended = true;
        self.changed.notify_all();
    }
}

/// The end of the pipe that is read.
#[derive(Debug)]
struct Stdout {
    pipe: Arc<Pipe>,
    is_open: bool,
    /// Not of loom: it decides nothing.
    is_read: Arc<AtomicBool>,
}

impl Stdout {
    /// What `poll` does.
    fn wait(&self) -> bool {
        let mut written = self.pipe.state.lock();
        while written.answers.is_empty() && !written.has_ended {
            self.pipe.changed.wait(&mut written);
        }
        true
    }
}

impl Source for Stdout {
    type Readers = Waiting;

    fn take_over(&mut self) -> bool {
        self.pipe.state.lock().is_link_told = false;
        self.is_open
    }

    fn give_back(&mut self) {
        self.pipe.state.lock().is_link_told = true;
        self.pipe.changed.notify_all();
    }

    fn read(&mut self, waiting: &Waiting) -> Got {
        assert!(!self.is_read.swap(true, Ordering::SeqCst), "two read");
        let (answers, has_ended) = {
            let mut written = self.pipe.state.lock();
            (std::mem::take(&mut written.answers), written.has_ended)
        };
        let count = answers.len();
        for id in answers {
            let arrival = Arrival::Answer(FromPlugin(id));
            assert!(
                waiting.arrive(id, arrival).is_none(),
                "nobody waits for {id}"
            );
        }
        self.is_read.store(false, Ordering::SeqCst);
        match count {
            0 if has_ended => Got::End,
            0 => Got::Nothing,
            count => Got::Bytes(count),
        }
    }

    fn close(&mut self) {
        self.is_open = false;
    }

    fn is_over(&self) -> bool {
        !self.is_open
    }
}

/// A link to a plugin.
#[derive(Debug)]
struct Link {
    plugin: Plugin,
    pipe: Arc<Pipe>,
    turns: Turns<Stdout>,
    waiting: Waiting,
}

impl Link {
    fn new(plugin: Plugin) -> Arc<Self> {
        let pipe = Arc::new(Pipe::default());
        pipe.state.lock().is_link_told = true;
        let stdout = Stdout {
            pipe: Arc::clone(&pipe),
            is_open: true,
            is_read: Arc::default(),
        };
        Arc::new(Self {
            plugin,
            pipe,
            turns: Turns::new(stdout),
            waiting: Waiting::default(),
        })
    }

    /// As a message is handed over. The id that was asked for, and whether it was answered.
    fn ask(&self) -> Option<(u64, bool)> {
        // None if it has ended already.
        let place = self.waiting.place().ok()?;
        self.pipe.request(self.plugin, place.id);
        let wait = |stdout: &mut Stdout| stdout.wait();
        let arrived = self
            .turns
            .read_until(&self.waiting, || place.arrived(), wait);
        let outcome = arrived.map_or_else(|| place.next(Instant::now()), Ok);
        match outcome {
            Ok(Arrival::Answer(FromPlugin(id))) => {
                assert_eq!(id, place.id, "an answer came to somebody else");
                Some((id, true))
            }
            Err(NoArrival::Ended(_)) => Some((place.id, false)),
            other => panic!("{other:?}"),
        }
    }

    /// What the thread of the link does.
    fn read(&self) {
        loop {
            {
                let mut written = self.pipe.state.lock();
                while !(written.has_ended || written.is_link_told && !written.answers.is_empty()) {
                    self.pipe.changed.wait(&mut written);
                }
                if written.has_ended {
                    break;
                }
            }
            if self.turns.read_once(&self.waiting, false) {
                // Somebody has the turn, or has just given it back.
                checker::thread::yield_now();
            }
        }
        while self.turns.read_once(&self.waiting, true) {}
        self.turns.close();
        self.waiting.end(Arc::new(Ended));
    }
}

/// Two ask, and the plugin ends behind the last answer if it has not before; what became of both.
fn explore(plugin: Plugin, check: impl Fn(&[Option<(u64, bool)>; 2]) + Send + Sync + 'static) {
    explore_all(move || {
        let link = Link::new(plugin);
        let reader = Arc::clone(&link);
        let reader = checker::thread::spawn(move || reader.read());
        let other = Arc::clone(&link);
        let other = checker::thread::spawn(move || other.ask());
        let own = link.ask();
        let both = [own, other.join().unwrap()];
        link.pipe.end();
        reader.join().unwrap();
        assert!(link.turns.is_over());
        assert!(link.waiting.ended().is_some());
        check(&both);
    });
}

fn all_are_answered(both: &[Option<(u64, bool)>; 2]) {
    let mut ids = both.map(|one| match one {
        Some((id, true)) => id,
        other => panic!("{other:?}"),
    });
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn who_asks_is_answered_whoever_reads() {
    explore(Plugin::Answers, all_are_answered);
}

#[test]
fn answers_that_come_with_those_of_others_are_not_lost() {
    explore(Plugin::AnswersLate, all_are_answered);
}

#[test]
fn what_was_answered_before_the_end_arrives_and_the_rest_learns_of_the_end() {
    explore(Plugin::Dies, |both| {
        let answered = both.iter().flatten().filter(|(_, answered)| *answered);
        assert_eq!(answered.count(), 1, "{both:?}");
    });
}
