//! Plugins that are programs: the protocol on standard input and output of a process.
//!
//! ```text
//!  deliver ──write──► stdin of the plugin          one write for a frame, with a deadline
//!     ▲  └──◄ stdout, while it waits               so nobody has to be woken but the two who talk
//!     └── its place ◄── reader ◄── stdout          one thread for a link: outputs when nobody waits, end of the process
//!                          └─────◄ stderr ──► log, and the last lines for reports
//! ```
//!
//! What a plugin asks for on behalf of a message is done by the thread that waits for that message: so the bus sees who causes what.
//! What it asks for on nobody's behalf is done by a thread of the link, one call after the other.
//!
//! A plugin that exits, crashes, hangs, writes garbage or does not read is ended with its whole process group, and everybody who
//! waits for it learns why.

mod ended;
mod input;
mod leftovers;
mod output;
mod reader;
mod running;
mod spawn;
mod sync;
mod tail;
mod turns;
mod waiting;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal};
use zaf_core::message::{EncodedPayload, MessageKind};
use zaf_core::thread::JoinHandle;

use self::ended::Ended;
use self::input::{Input, WriteError};
use self::output::Output;
use self::reader::Reader;
use self::running::Running;
use self::spawn::Started;
use self::waiting::{Arrival, NoArrival, Place};
use super::gate::Gate;
use super::{Calls, Deadlines, Delivery, Launch, Link, LinkError, LinkProblem, Start, Step};
use crate::protocol::{
    Codec, Description, ExtensionKind, FromPlugin, HostName, PROTOCOL, ToPlugin,
};

/// How long a process that was killed may take until it is gone: that is the system's time, not the plugin's.
const KILLED: Duration = Duration::from_secs(5);

/// One running program that speaks the protocol.
pub struct ProcessLink {
    description: Description,
    deadlines: Deadlines,
    running: Arc<Running>,
    /// One message at a time; none if it takes several.
    gate: Option<Gate>,
    reader: Mutex<Option<JoinHandle<()>>>,
    is_stopped: Mutex<bool>,
}

impl fmt::Debug for ProcessLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessLink")
            .field("plugin", &self.description.name)
            .finish_non_exhaustive()
    }
}

impl ProcessLink {
    /// Starts the program and asks it what it is.
    ///
    /// # Errors
    /// [`LinkProblem::Spawn`], [`LinkProblem::OtherProtocol`], [`LinkProblem::Description`] with all that is wrong with what it
    /// says, and all that can kill it. Nothing of it is left then.
    pub fn launch(launch: &Launch) -> Result<Self, LinkError> {
        Self::launch_as(launch, &launch.file.display().to_string(), false)
    }

    /// The same under another name until it has said its own; `payloads_are_raw` as in [`Description::problems`].
    pub(in crate::link) fn launch_as(
        launch: &Launch,
        file: &str,
        payloads_are_raw: bool,
    ) -> Result<Self, LinkError> {
        let at_launch = |problem| LinkError {
            plugin: file.into(),
            step: Step::Launch,
            problem: Arc::new(problem),
            stderr: Vec::new(),
        };
        let begun = Instant::now();
        let started = spawn::spawn(launch).map_err(|error| at_launch(LinkProblem::Spawn(error)))?;
        let (running, reader) = Self::begin(file, started, launch)
            .map_err(|error| at_launch(LinkProblem::Io(error)))?;
        let unknown = Description::new(
            file,
            ExtensionKind::Command {
                extends: Vec::new(),
            },
        );
        let mut link = Self {
            description: unknown,
            deadlines: launch.deadlines,
            running,
            gate: None,
            reader: Mutex::new(Some(reader)),
            is_stopped: Mutex::new(false),
        };
        link.description = link.describe(launch, begun, payloads_are_raw)?;
        *link.running.name.write() = link.description.name.as_str().into();
        link.gate = (!link.description.concurrent).then(Gate::default);
        Ok(link)
    }

    /// The thread that sees to a process that was just started; if there is none, the process is ended.
    fn begin(
        file: &str,
        started: Started,
        launch: &Launch,
    ) -> io::Result<(Arc<Running>, JoinHandle<()>)> {
        let Started {
            mut child,
            exit,
            stdin,
            stdout,
            stderr,
        } = started;
        let leader = Pid::from_child(&child);
        let Deadlines { deliver, stop, .. } = launch.deadlines;
        let output = match Output::new(stdout, exit) {
            Ok(output) => output,
            Err(error) => {
                drop(child.kill());
                drop(child.wait());
                return Err(error);
            }
        };
        let running = Running::new(file, Input::new(stdin), output, leader, deliver);
        let running = Arc::new(running);
        let thread = Reader::new(Arc::clone(&running), child, stderr, stop)
            .and_then(|reader| zaf_core::thread::spawn(format!("plugin {file}"), || reader.run()));
        match thread {
            Ok(thread) => Ok((running, thread)),
            Err(error) => {
                running.kill_group();
                Err(error)
            }
        }
    }

    fn describe(
        &self,
        launch: &Launch,
        begun: Instant,
        payloads_are_raw: bool,
    ) -> Result<Description, LinkError> {
        let step = &Step::Describe;
        let frame = |id| ToPlugin::Describe {
            id,
            protocol: PROTOCOL,
            host: HostName {
                name: launch.host.0.clone(),
                version: launch.host.1.clone(),
            },
            codecs: vec![Codec::Json, Codec::Binary],
        };
        let limit = self.deadlines.describe;
        match self.ask(frame, step, begun + limit, limit)? {
            FromPlugin::Description { plugin, .. } => {
                let problems = plugin.problems(payloads_are_raw);
                if problems.is_empty() {
                    return Ok(*plugin);
                }
                Err(self.fail(LinkProblem::Description { problems }, step))
            }
            other => Err(self.unexpected(other, step, "a description")),
        }
    }

    /// Writes a frame and waits for its answer.
    fn ask<'f>(
        &self,
        frame: impl FnOnce(u64) -> ToPlugin<'f>,
        step: &Step,
        deadline: Instant,
        limit: Duration,
    ) -> Result<FromPlugin, LinkError> {
        let waiting = &self.running.waiting;
        let place = waiting.place().map_err(|ended| self.ended(&ended, step))?;
        self.write(&frame(place.id), step, deadline)?;
        self.answer(&place, step, deadline, limit)
    }

    fn write(&self, frame: &ToPlugin<'_>, step: &Step, deadline: Instant) -> Result<(), LinkError> {
        match self.running.input.write(frame, deadline) {
            Ok(()) => Ok(()),
            Err(WriteError::Frame(error)) => Err(self.error(LinkProblem::Frame(error), step)),
            Err(WriteError::TimedOut) => {
                let after = deadline.saturating_duration_since(Instant::now());
                Err(self.fail(LinkProblem::DoesNotRead { after }, step))
            }
            // It has ended or is about to; how, is known in a moment.
            Err(WriteError::Closed) => match self.running.waiting.wait_for_end(deadline) {
                Some(ended) => Err(self.ended(&ended, step)),
                None => Err(self.fail(LinkProblem::ClosedInput {}, step)),
            },
            Err(WriteError::Io(error)) => Err(self.fail(LinkProblem::Io(error), step)),
        }
    }

    fn answer(
        &self,
        place: &Place<'_>,
        step: &Step,
        deadline: Instant,
        limit: Duration,
    ) -> Result<FromPlugin, LinkError> {
        match self.wait(place, deadline) {
            Ok(answer) => Ok(answer),
            Err(NoArrival::Ended(ended)) => Err(self.ended(&ended, step)),
            Err(NoArrival::TimedOut) => {
                Err(self.fail(LinkProblem::TimedOut { after: limit }, step))
            }
        }
    }

    /// Waits for an answer, doing meanwhile what the plugin asks for on behalf of what it is to answer.
    fn wait(&self, place: &Place<'_>, mut deadline: Instant) -> Result<FromPlugin, NoArrival> {
        loop {
            match self.running.output.next(&self.running, place, deadline)? {
                Arrival::Answer(answer) => return Ok(answer),
                Arrival::Call(call) => {
                    // What the host takes for it is not the plugin's time.
                    let begun = Instant::now();
                    self.running.carry_out_here(call);
                    deadline += begun.elapsed();
                }
            }
        }
    }

    /// Ends the plugin because of a problem, and returns what there is to say.
    fn fail(&self, problem: LinkProblem, step: &Step) -> LinkError {
        self.running.fail(problem);
        // A process that was killed ends, unless the kernel holds it.
        match self
            .running
            .waiting
            .wait_for_end(Instant::now() + self.deadlines.stop.max(KILLED))
        {
            Some(ended) => self.ended(&ended, step),
            None => self.error(LinkProblem::Unkillable {}, step),
        }
    }

    fn unexpected(&self, found: FromPlugin, step: &Step, expected: &str) -> LinkError {
        if let FromPlugin::Error { text, causes, .. } = found {
            return self.error(LinkProblem::Refused { text, causes }, step);
        }
        let problem = format!("{} where {expected} was expected", found.article_and_type());
        self.fail(LinkProblem::OutOfOrder { problem }, step)
    }

    fn ended(&self, ended: &Ended, step: &Step) -> LinkError {
        LinkError {
            plugin: Arc::clone(&self.running.name.read()),
            step: step.clone(),
            problem: Arc::clone(&ended.problem),
            stderr: ended.stderr.clone(),
        }
    }

    fn error(&self, problem: LinkProblem, step: &Step) -> LinkError {
        LinkError {
            plugin: Arc::clone(&self.running.name.read()),
            step: step.clone(),
            problem: Arc::new(problem),
            stderr: Vec::new(),
        }
    }

    /// Asks it to end and gives it time; then tells it to, and gives it time; then ends it.
    fn stop_gently(&self) -> Option<Arc<Ended>> {
        let limit = self.deadlines.stop;
        let waiting = &self.running.waiting;
        let deadline = Instant::now() + limit;
        self.running.is_stopping();
        if let Ok(place) = waiting.place() {
            let frame = ToPlugin::Stop { id: place.id };
            // If it cannot be asked, or does not answer, there are other ways.
            if self.running.input.write(&frame, deadline).is_ok() {
                let _answer = self.wait(&place, deadline);
            }
        }
        self.running.input.close(deadline);
        if let Some(ended) = waiting.wait_for_end(deadline) {
            return Some(ended);
        }
        self.running.signal(Signal::TERM);
        if let Some(ended) = waiting.wait_for_end(Instant::now() + limit) {
            return Some(ended);
        }
        self.running
            .fail(LinkProblem::TimedOut { after: limit * 2 });
        waiting.wait_for_end(Instant::now() + limit.max(KILLED))
    }

    /// Writes bytes that are no frame. Whether the plugin takes them shows itself in what comes next.
    pub(in crate::link) fn write_raw(&self, bytes: &[u8]) {
        let deadline = Instant::now() + self.deadlines.deliver;
        let _problem = self.running.input.write_raw(bytes, deadline);
    }

    /// Whether the plugin has said that it ends.
    pub(in crate::link) fn said_stopped(&self) -> bool {
        self.running.said_stopped()
    }

    /// Ends the plugin's input, and waits until it has ended as it should then.
    pub(in crate::link) fn end_of_input(&self) -> Result<(), LinkError> {
        let after = self.deadlines.stop;
        let deadline = Instant::now() + after;
        self.running.input.close(deadline);
        match self.running.waiting.wait_for_end(deadline) {
            Some(ended) if matches!(*ended.problem, LinkProblem::Exited { code: 0 }) => Ok(()),
            Some(ended) => Err(self.ended(&ended, &Step::Stop)),
            None => Err(self.fail(LinkProblem::TimedOut { after }, &Step::Stop)),
        }
    }

    /// Waits for the threads of a plugin that is gone.
    fn join(&self) {
        self.running.end_caller();
        if self.running.waiting.ended().is_none() {
            return; // The kernel holds the process, and so the thread that waits for it.
        }
        if let Some(reader) = self
            .reader
            .lock()
            .take()
            .filter(|thread| !thread.is_current())
        {
            // A panic has been logged.
            let _panic = reader.join();
        }
    }
}

impl Link for ProcessLink {
    fn description(&self) -> &Description {
        &self.description
    }

    fn start(&self, start: &Start, calls: Arc<dyn Calls>) -> Result<(), LinkError> {
        self.running.set_host(&calls);
        let frame = |id| ToPlugin::Start {
            id,
            config: Cow::Borrowed(&start.config),
            entity: start.entity.as_deref().map(Cow::Borrowed),
        };
        let limit = self.deadlines.start;
        match self.ask(frame, &Step::Start, Instant::now() + limit, limit)? {
            FromPlugin::Done { .. } => Ok(()),
            other => Err(self.unexpected(other, &Step::Start, "done")),
        }
    }

    fn deliver(&self, delivery: &Delivery<'_>) -> Result<Option<EncodedPayload>, LinkError> {
        let limit = self.deadlines.deliver;
        let deadline = Instant::now() + limit;
        let step = || Step::Deliver {
            message: delivery.message.name().to_owned(),
        };
        let _inside = match &self.gate {
            None => None,
            Some(gate) => match gate.enter(deadline) {
                Some(inside) => Some(inside),
                None => return Err(self.error(LinkProblem::Busy {}, &step())),
            },
        };
        let frame = |id| ToPlugin::Message {
            id,
            kind: delivery.kind,
            dispatcher: Cow::Borrowed(delivery.dispatcher),
            message: Cow::Borrowed(delivery.message),
        };
        let answer = self.ask(frame, &step(), deadline, limit)?;
        match (delivery.kind, answer) {
            (MessageKind::Request, FromPlugin::Reply { payload, .. }) => Ok(Some(payload)),
            (MessageKind::Event, FromPlugin::Done { .. }) => Ok(None),
            (MessageKind::Request, other) => Err(self.unexpected(other, &step(), "a reply")),
            (_, other) => Err(self.unexpected(other, &step(), "done")),
        }
    }

    fn stop(&self) -> Result<(), LinkError> {
        let mut is_stopped = self.is_stopped.lock();
        if std::mem::replace(&mut *is_stopped, true) {
            return Ok(());
        }
        let ended = match self.running.waiting.ended() {
            Some(ended) => Some(ended),
            None => self.stop_gently(),
        };
        self.join();
        match ended {
            Some(ended) if ended.as_asked => Ok(()),
            Some(ended) => Err(self.ended(&ended, &Step::Stop)),
            None => Err(self.error(LinkProblem::Unkillable {}, &Step::Stop)),
        }
    }
}

impl Drop for ProcessLink {
    /// Ends what was not stopped.
    fn drop(&mut self) {
        if self.running.waiting.ended().is_none() {
            let _error = self.fail(LinkProblem::Stopped {}, &Step::Stop);
        }
        self.join();
    }
}
