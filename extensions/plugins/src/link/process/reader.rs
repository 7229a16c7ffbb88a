//! Sees that a plugin ends, and reads what it writes while nobody waits for it: the thread of a link.
//!
//! It waits for the standard error, the end of the process, and the standard output if nobody else reads that (see
//! [`output`](super::output)). When the process has ended it ends what is left of its group and tells everybody who waits. It writes
//! nothing and calls nothing that could wait for the plugin.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::process::Pid;

use super::super::LinkProblem;
use super::ended::{Ended, problem_of};
use super::input::timespec;
use super::leftovers;
use super::output::{CHUNK, EXIT, STDERR, read};
use super::running::Running;
use super::tail::Tail;
use super::turns::Got;
use crate::protocol::LogLevel;

/// The process of a plugin, and its standard error.
pub(super) struct Reader {
    running: Arc<Running>,
    child: Child,
    stderr: Option<File>,
    tail: Tail,
    chunk: Box<[u8]>,
    /// How long it may live without an output.
    patience: Duration,
}

impl Reader {
    /// Of a process that was just started.
    pub(super) fn new(
        running: Arc<Running>,
        child: Child,
        stderr: File,
        patience: Duration,
    ) -> io::Result<Self> {
        let number = EventData::new_u64(STDERR);
        epoll::add(running.output.epoll(), &stderr, number, EventFlags::IN)?;
        Ok(Self {
            running,
            child,
            stderr: Some(stderr),
            tail: Tail::default(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            patience,
        })
    }

    /// Until the process has ended; whatever happens here, whoever waits for the plugin is told.
    pub(super) fn run(mut self) {
        let running = Arc::clone(&self.running);
        running.contained(|| self.read());
        let ended = running.contained(|| self.take_leave());
        running
            .waiting
            .end(Arc::new(ended.unwrap_or_else(|| self.ended(None))));
    }

    fn read(&mut self) {
        let mut silent_until = None;
        while !self.wait(silent_until) {
            self.running.output.read_once(&self.running, false);
            self.read_stderr();
            if silent_until.is_none() && self.running.output.is_over() {
                silent_until = Some(Instant::now() + self.patience);
            }
        }
        // What it wrote before it ended.
        while self.running.output.read_once(&self.running, true) {}
        while self.read_stderr() {}
    }

    /// Waits for something to read, at most until `deadline`, after which the process is ended; returns whether it has ended.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let time = left.map(timespec);
        let mut events = Vec::with_capacity(3);
        let epoll = self.running.output.epoll();
        match epoll::wait(epoll, spare_capacity(&mut events), time.as_ref()) {
            Ok(0) => {
                self.running.fail(LinkProblem::ClosedOutput {});
                false
            }
            Ok(_) => events.iter().all(|event| event.data.u64() == EXIT),
            Err(Errno::INTR) => false,
            Err(error) => {
                self.running.fail(LinkProblem::Io(error.into()));
                // Its end is all that is left to wait for.
                true
            }
        }
    }

    /// Reads once; returns whether there may be more.
    fn read_stderr(&mut self) -> bool {
        match read(&mut self.stderr, &mut self.chunk) {
            Got::Bytes(length) => {
                let running = &self.running;
                self.tail.push(&self.chunk[..length], |line| {
                    running.log(LogLevel::Info, line);
                });
                true
            }
            Got::Nothing => false,
            Got::End => {
                if let Some(stderr) = self.stderr.take() {
                    // See `Output::close`.
                    let _gone = epoll::delete(self.running.output.epoll(), stderr.as_fd());
                }
                false
            }
        }
    }

    /// Takes leave of the process: it is dead, or as good as dead.
    fn take_leave(&mut self) -> Ended {
        let running = Arc::clone(&self.running);
        let log = |line: &str| running.log(LogLevel::Info, line);
        running.contained(|| self.tail.finish(log));
        // As long as the process is not waited for, its number and that of its group are nobody else's.
        running.kill_group();
        running.output.close();
        let group = Pid::from_child(&self.child);
        let status = running.reap(&mut self.child);
        running.contained(|| leftovers::wait(group, Instant::now() + self.patience));
        self.ended(Some(status))
    }

    /// How it ended, with its exit status if that is known.
    fn ended(&self, status: Option<io::Result<ExitStatus>>) -> Ended {
        let is_success = matches!(&status, Some(Ok(status)) if status.success());
        let (given, as_asked) = self.running.verdict(is_success);
        let problem = match (given, status) {
            (Some(problem), _) => problem,
            (None, _) if as_asked => LinkProblem::Stopped {},
            (None, Some(Ok(status))) => problem_of(status),
            (None, Some(Err(error))) => LinkProblem::Io(error),
            (None, None) => LinkProblem::Unkillable {},
        };
        Ended {
            problem: Arc::new(problem),
            stderr: self.tail.lines(),
            as_asked,
        }
    }
}
