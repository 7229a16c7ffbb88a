//! Plugins that are C libraries: one table of functions, called in this process.
//!
//! ```text
//!  file, opened once ─► note: abi, machine, search paths     nothing of it runs
//!                    ─► a child that may die opens it        its constructors run there first
//!                    ─► opened here, by its descriptor       never closed
//! ```
//!
//! A message costs little more than a call: its functions run on threads of their own (see [`lane`]), so that one that never returns
//! is left behind and reported. Nobody can end it, and a library that crashes does so for the whole application: whoever does not
//! need the speed writes a program.

mod foreign;
mod lane;
#[cfg(test)]
mod lane_tests;
mod lanes;
mod note;
mod opening;
mod probe;
mod sync;

use std::fmt;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rustix::fs::{Mode, OFlags};
use zaf_core::message::{EncodedMessage, EncodedPayload, EncodedReply, MessageKind};

use self::foreign::{Answer, Instance, OK, OpenError, PANICKED, Table};
use self::lane::by_who_waits;
use self::lanes::Lanes;
use self::opening::OpeningLimit;
use super::gate::Gate;
use super::printable::printable;
use super::{
    CallError, Calls, Deadlines, Delivery, Launch, Link, LinkError, LinkProblem, LogLevel, Start,
    Step,
};
use crate::protocol::json::read_description;
use crate::protocol::{Description, PROTOCOL, limits};

pub use self::note::{ABI, Refusal, check};
pub use self::probe::serve_probe;

/// One instance of a plugin in a C library.
pub struct LibraryLink {
    name: Arc<str>,
    description: Description,
    table: Table,
    /// None before its start and after its end. Held while a message is handled, so that it does not end meanwhile.
    instance: RwLock<Option<Arc<Instance>>>,
    lanes: Lanes,
    /// One message at a time; none if it takes several.
    gate: Option<Gate>,
    deadlines: Deadlines,
}

impl fmt::Debug for LibraryLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryLink")
            .field("plugin", &self.name)
            .finish_non_exhaustive()
    }
}

impl LibraryLink {
    /// Looks at the library without running it, lets a child open it if the launch says how, opens it, and asks it what it is.
    ///
    /// If its constructors do not return in time here, this ends the process.
    ///
    /// # Errors
    /// [`LinkProblem::Library`] with what was found in the file, everything that can happen to the child,
    /// [`LinkProblem::Loader`], [`LinkProblem::Stuck`], and [`LinkProblem::Description`].
    pub fn open(launch: &Launch) -> Result<Self, LinkError> {
        let file: Arc<str> = launch.file.display().to_string().into();
        let at_launch = |problem| failure(&file, Step::Launch, problem);
        let opened = if let Some(opened) = &launch.opened {
            Arc::clone(opened)
        } else {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let opened = rustix::fs::open(&launch.file, flags, Mode::empty());
            Arc::new(opened.map_err(|error| at_launch(LinkProblem::Io(error.into())))?)
        };
        let contents = contents(&opened).map_err(at_launch)?;
        check(&contents).map_err(|refusal| at_launch(LinkProblem::Library(refusal)))?;
        drop(contents);
        if let Some(probe) = &launch.probe {
            probe::run(launch, &opened, probe)?;
        }
        let limit = launch.deadlines.open.map(|limit| {
            OpeningLimit::begin(limit, opening::not_in_time(launch, limit))
                .map_err(|error| at_launch(LinkProblem::Io(error)))
        });
        let limit = limit.transpose()?;
        let table = Table::open(&opened).map_err(|error| at_launch(problem_of(error)))?;
        drop(limit);
        let lanes = Lanes::new(&file);
        let own = Arc::clone(&file);
        let description = lanes
            .run(launch.deadlines.describe, move || describe(&own, table))
            .map_err(|problem| failure(&file, Step::Describe, problem))
            .flatten()?;
        Ok(Self {
            name: description.name.as_str().into(),
            gate: (!description.concurrent).then(Gate::default),
            description,
            table,
            instance: RwLock::new(None),
            lanes,
            deadlines: launch.deadlines,
        })
    }

    fn error(&self, step: Step, problem: LinkProblem) -> LinkError {
        failure(&self.name, step, problem)
    }
}

fn failure(plugin: &Arc<str>, step: Step, problem: LinkProblem) -> LinkError {
    LinkError {
        plugin: Arc::clone(plugin),
        step,
        problem: Arc::new(problem),
        stderr: Vec::new(),
    }
}

fn problem_of(error: OpenError) -> LinkProblem {
    match error {
        OpenError::Symbol => LinkProblem::Loader {
            text: "it does not export `zaf_plugin_v1`".to_owned(),
        },
        OpenError::Loader(text) | OpenError::Table(text) => LinkProblem::Loader { text },
    }
}

/// The whole file: what is checked is what was opened.
fn contents(opened: &Arc<OwnedFd>) -> Result<Vec<u8>, LinkProblem> {
    let read = || {
        let file = File::from(opened.try_clone()?);
        let length = file.metadata()?.len();
        if length > note::LONGEST as u64 {
            return Ok(Err(length));
        }
        let mut contents = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut contents, 0)?;
        Ok(Ok(contents))
    };
    match read() {
        Ok(Ok(contents)) => Ok(contents),
        Ok(Err(actual)) => Err(LinkProblem::Library(Refusal::TooLong {
            actual,
            limit: note::LONGEST as u64,
        })),
        Err(error) => Err(LinkProblem::Io(error)),
    }
}

fn describe(file: &Arc<str>, table: Table) -> Result<Description, LinkError> {
    let at_describe = |problem| failure(file, Step::Describe, problem);
    let answer = table.describe();
    if answer.code != OK {
        return Err(at_describe(refused(&answer)));
    }
    let text = String::from_utf8_lossy(&answer.bytes);
    let description = read_description(&text).map_err(|error| {
        at_describe(match error {
            crate::protocol::FrameError::OtherProtocol { found, .. } => {
                LinkProblem::OtherProtocol {
                    found,
                    expected: PROTOCOL,
                }
            }
            error => LinkProblem::Garbage {
                at: None,
                problem: error.to_string(),
                found: printable(text.as_bytes(), 200),
            },
        })
    })?;
    let problems = description.problems(true);
    if problems.is_empty() {
        Ok(description)
    } else {
        Err(at_describe(LinkProblem::Description { problems }))
    }
}

/// What a function says that did not do what it should.
fn refused(answer: &Answer) -> LinkProblem {
    let text = printable(&answer.bytes, limits::STRING);
    match answer.code {
        PANICKED => LinkProblem::Panicked { text },
        _ if text.is_empty() => LinkProblem::Refused {
            text: format!("it returned code {}", answer.code),
            causes: Vec::new(),
        },
        _ => LinkProblem::Refused {
            text,
            causes: Vec::new(),
        },
    }
}

/// The host of one instance; a library may call it for ever.
struct Shared(Arc<dyn Calls>);

impl Shared {
    /// Has the thread that waits for the library do something.
    fn ask<R: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Calls) -> Result<R, CallError> + Send + 'static,
    ) -> Result<R, CallError> {
        let calls = Arc::clone(&self.0);
        let nobody = || {
            let text = "the host does not wait any more: this has taken too long";
            Err(CallError::new("ended", text))
        };
        by_who_waits(move || work(&*calls)).unwrap_or_else(nobody)
    }
}

impl Calls for Shared {
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError> {
        let event = event.clone();
        self.ask(move |calls| calls.trigger(&event))
    }

    fn send(
        &self,
        request: &EncodedMessage,
        timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        let request = request.clone();
        self.ask(move |calls| calls.send(&request, timeout))
    }

    fn log(&self, level: LogLevel, text: &str) {
        let line = text.to_owned();
        let logged = self.ask(move |calls| {
            calls.log(level, &line);
            Ok(())
        });
        if logged.is_err() {
            self.0.log(level, text);
        }
    }
}

impl Link for LibraryLink {
    fn description(&self) -> &Description {
        &self.description
    }

    fn start(&self, start: &Start, calls: Arc<dyn Calls>) -> Result<(), LinkError> {
        let json = serde_json::json!({ "config": start.config, "entity": start.entity });
        let (table, host) = (self.table, Box::new(Shared(calls)));
        let mut instance = self.instance.write();
        let started = self.lanes.run(self.deadlines.start, move || {
            table.start(json.to_string().as_bytes(), host)
        });
        match started {
            Ok(Ok(started)) => {
                *instance = Some(Arc::new(started));
                Ok(())
            }
            Ok(Err(answer)) => Err(self.error(Step::Start, refused(&answer))),
            Err(problem) => Err(self.error(Step::Start, problem)),
        }
    }

    fn deliver(&self, delivery: &Delivery<'_>) -> Result<Option<EncodedPayload>, LinkError> {
        let step = || Step::Deliver {
            message: delivery.message.name().to_owned(),
        };
        let _inside = match &self.gate {
            None => None,
            Some(gate) => match gate.enter(Instant::now() + self.deadlines.deliver) {
                Some(inside) => Some(inside),
                None => return Err(self.error(step(), LinkProblem::Busy {})),
            },
        };
        // The plugin may call the host, which may give it the next message: by the same thread, while somebody waits to stop it.
        let instance = self.instance.read_recursive();
        let Some(instance) = &*instance else {
            let problem = self.lanes.check().err();
            return Err(self.error(step(), problem.unwrap_or(LinkProblem::Stopped {})));
        };
        let (instance, kind) = (Arc::clone(instance), delivery.kind);
        let (dispatcher, message) = (delivery.dispatcher.to_owned(), delivery.message.clone());
        let handled = self.lanes.run(self.deadlines.deliver, move || {
            instance.message(&dispatcher, kind, &message)
        });
        let answer = handled.map_err(|problem| self.error(step(), problem))?;
        if answer.code != OK {
            return Err(self.error(step(), refused(&answer)));
        }
        if delivery.kind != MessageKind::Request {
            return Ok(None);
        }
        let checked = limits::check_length(answer.bytes.len());
        if let Err(problem) = checked {
            return Err(self.error(step(), LinkProblem::Frame(problem)));
        }
        let format = delivery.message.payload().format();
        Ok(Some(EncodedPayload::new(format, answer.bytes)))
    }

    fn stop(&self) -> Result<(), LinkError> {
        let at_stop = |problem| self.error(Step::Stop, problem);
        self.lanes.check().map_err(at_stop)?;
        let limit = self.deadlines.stop;
        let Some(mut instance) = self.instance.try_write_for(limit) else {
            // Who waits for the message has as long as any message.
            return Err(at_stop(LinkProblem::Stuck { after: limit }));
        };
        let Some(instance) = instance.take() else {
            return Ok(());
        };
        let Some(instance) = Arc::into_inner(instance) else {
            // A function has not returned since this was looked at first, and has it.
            let stuck = self.lanes.check().err();
            return Err(at_stop(
                stuck.unwrap_or(LinkProblem::Stuck { after: limit }),
            ));
        };
        let answer = self.lanes.run(limit, move || instance.stop());
        let answer = answer.map_err(at_stop)?;
        match answer.code {
            OK => Ok(()),
            _ => Err(at_stop(refused(&answer))),
        }
    }
}

impl Drop for LibraryLink {
    /// Ends what was not stopped.
    fn drop(&mut self) {
        let _error = self.stop();
    }
}
