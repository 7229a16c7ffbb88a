//! What all who have to do with one process share.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Mutex, RwLock};
use rustix::process::{Pid, Signal, kill_process_group};
use zaf_core::thread::{JoinHandle, panic_text};

use super::super::{Calls, LinkProblem};
use super::input::Input;
use super::output::Output;
use super::waiting::Waiting;
use crate::protocol::{CallError, FromPlugin, LogLevel, ReplyEntry, ToPlugin};

/// Calls of the plugin that belong to no message and wait to be carried out.
const CALLS_WAITING: usize = 1024;

/// Lines for the log that wait until somebody takes them.
const LINES_WAITING: usize = 100;

/// One process, as its link, its reader and its callers see it.
pub(super) struct Running {
    pub(super) name: RwLock<Arc<str>>,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) waiting: Waiting,
    /// How long a write may wait for the plugin to read.
    pub(super) patience: Duration,
    host: RwLock<Host>,
    state: Mutex<State>,
    caller: Mutex<Caller>,
}

/// Who does what the plugin asks for.
enum Host {
    /// Nobody yet; what is to be written to the log waits.
    NotYet(Mutex<Vec<(LogLevel, String)>>),
    Is(Arc<dyn Calls>),
}

#[derive(Default)]
struct State {
    /// The process, which leads its group; none when it has been waited for.
    leader: Option<Pid>,
    /// Why it was ended.
    problem: Option<LinkProblem>,
    /// It was asked to end.
    stopping: bool,
    /// It said that it does.
    stopped: bool,
}

/// The thread that carries out calls on nobody's behalf, made for the first.
#[derive(Default)]
struct Caller {
    queue: Option<Sender<FromPlugin>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn new(
        name: &str,
        input: Input,
        output: Output,
        leader: Pid,
        patience: Duration,
    ) -> Self {
        Self {
            name: RwLock::new(name.into()),
            input,
            output,
            waiting: Waiting::default(),
            patience,
            host: RwLock::new(Host::NotYet(Mutex::default())),
            state: Mutex::new(State {
                leader: Some(leader),
                ..State::default()
            }),
            caller: Mutex::default(),
        }
    }

    /// From here on the plugin may call.
    pub(super) fn set_host(&self, calls: &Arc<dyn Calls>) {
        let before = std::mem::replace(&mut *self.host.write(), Host::Is(Arc::clone(calls)));
        if let Host::NotYet(lines) = before {
            for (level, line) in lines.into_inner() {
                calls.log(level, &line);
            }
        }
    }

    fn host(&self) -> Option<Arc<dyn Calls>> {
        match &*self.host.read() {
            Host::Is(calls) => Some(Arc::clone(calls)),
            Host::NotYet(_) => None,
        }
    }

    /// Writes to the log in the plugin's name.
    pub(super) fn log(&self, level: LogLevel, line: &str) {
        let calls = match &*self.host.read() {
            Host::Is(calls) => Arc::clone(calls),
            Host::NotYet(lines) => {
                let mut lines = lines.lock();
                if lines.len() < LINES_WAITING {
                    lines.push((level, line.to_owned()));
                }
                return;
            }
        };
        calls.log(level, line);
    }

    /// Ends the process because of a problem; the first one counts.
    pub(super) fn fail(&self, problem: LinkProblem) {
        self.state.lock().problem.get_or_insert(problem);
        self.kill_group();
    }

    /// Does something for the plugin. A panic ends the plugin instead of the thread, which others wait for or which is there for other
    /// things as well; none then.
    pub(super) fn contained<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => Some(done),
            Err(panic) => {
                let text = panic_text(panic);
                self.fail(LinkProblem::HostPanicked { text });
                None
            }
        }
    }

    /// Kills what is left of the process and its group.
    pub(super) fn kill_group(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends a signal to the group, if its process has not been waited for.
    pub(super) fn signal(&self, signal: Signal) {
        let state = self.state.lock();
        if let Some(leader) = state.leader {
            // It may have ended by itself.
            let _gone = kill_process_group(leader, signal);
        }
    }

    /// Waits for a process that has ended or is about to.
    pub(super) fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        // Killed and not gone yet: nobody may wait with the lock held.
        let exited = rustix::process::waitid(
            rustix::process::WaitId::Pid(Pid::from_child(child)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        );
        let mut state = self.state.lock();
        state.leader = None;
        exited?;
        child.wait()
    }

    /// It has been asked to end.
    pub(super) fn is_stopping(&self) {
        self.state.lock().stopping = true;
    }

    /// It said that it ends.
    pub(super) fn has_stopped(&self) {
        self.state.lock().stopped = true;
    }

    /// Whether it said that it ends.
    pub(super) fn said_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    /// Why it was ended, if it was, and whether it ended as it was asked to.
    pub(super) fn verdict(&self, is_success: bool) -> (Option<LinkProblem>, bool) {
        let mut state = self.state.lock();
        let as_asked = state.stopping && is_success && state.problem.is_none();
        (state.problem.take(), as_asked)
    }

    /// Carries out a call on the thread for calls that belong to no message.
    pub(super) fn call_unasked(self: &Arc<Self>, call: FromPlugin) -> Result<(), LinkProblem> {
        let Some(calls) = self.host() else {
            return Err(LinkProblem::OutOfOrder {
                problem: "it calls the host before it was started".to_owned(),
            });
        };
        let mut caller = self.caller.lock();
        if caller.queue.is_none() {
            let (queue, waiting) = bounded(CALLS_WAITING);
            let running = Arc::downgrade(self);
            let name = format!("plugin {} calls", self.name.read());
            let body = move || {
                carry_out_all(&waiting, |call| {
                    if let Some(running) = running.upgrade() {
                        running.carry_out(&*calls, call);
                    }
                });
            };
            let thread = zaf_core::thread::spawn(name, body).map_err(LinkProblem::Io)?;
            *caller = Caller {
                queue: Some(queue),
                thread: Some(thread),
            };
        }
        let queue = caller.queue.as_ref().expect("invariant: made above");
        match queue.try_send(call) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                Err(LinkProblem::OutOfOrder {
                    problem: format!(
                        "more than {CALLS_WAITING} of its calls wait to be carried out; wait for the answer of one before the next"
                    ),
                })
            }
        }
    }

    /// Lets the thread for calls end, and waits for it if this is not it.
    pub(super) fn end_caller(&self) {
        let Caller { queue, thread } = std::mem::take(&mut *self.caller.lock());
        drop(queue);
        if let Some(thread) = thread.filter(|thread| !thread.is_current()) {
            // A panic has been logged.
            let _panic = thread.join();
        }
    }

    /// Does what the plugin asks for, and answers. If that is not possible the plugin ends: it would wait for the answer for ever.
    fn carry_out(&self, calls: &dyn Calls, call: FromPlugin) {
        self.contained(|| self.carried_out(calls, call));
    }

    fn carried_out(&self, calls: &dyn Calls, call: FromPlugin) {
        let answer = match call {
            FromPlugin::Trigger { id, message, .. } => match (id, calls.trigger(&message)) {
                (Some(id), Ok(())) => ToPlugin::Done { id },
                (Some(id), Err(error)) => ToPlugin::Error { id, error },
                (None, Ok(())) => return,
                (None, Err(error)) => {
                    let text = format!("`{}` could not be triggered: {error}", message.name());
                    self.log(LogLevel::Error, &text);
                    return;
                }
            },
            FromPlugin::Send {
                id,
                message,
                timeout,
                ..
            } => match calls.send(&message, timeout) {
                Ok(replies) => ToPlugin::Replies {
                    id,
                    replies: replies.into_iter().map(ReplyEntry::from).collect(),
                },
                Err(error) => ToPlugin::Error { id, error },
            },
            _ => return,
        };
        self.answer(&answer);
    }

    /// Carries out a call on behalf of a message, by the thread that waits for it.
    pub(super) fn carry_out_here(&self, call: FromPlugin) {
        if let Some(calls) = self.host() {
            self.carry_out(&*calls, call);
        }
    }

    fn answer(&self, answer: &ToPlugin<'_>) {
        use super::input::WriteError;
        let deadline = Instant::now() + self.patience;
        match (self.input.write(answer, deadline), answer) {
            (Err(WriteError::Frame(error)), ToPlugin::Replies { id, .. }) => {
                let error = CallError::new("too-large", error.to_string());
                self.answer(&ToPlugin::Error { id: *id, error });
            }
            (Err(WriteError::TimedOut), _) => {
                let after = self.patience;
                self.fail(LinkProblem::DoesNotRead { after });
            }
            // It is gone, and whoever waits for it hears of it.
            _ => {}
        }
    }
}

fn carry_out_all(waiting: &Receiver<FromPlugin>, mut carry_out: impl FnMut(FromPlugin)) {
    for call in waiting {
        carry_out(call);
    }
}
