//! Plugins that are C libraries: one table of functions, called in this process.
//!
//! ```text
//!  file, opened once ─► note: abi, machine, search paths     nothing of it runs
//!                    ─► a child that may die opens it        its constructors run there first
//!                    ─► opened here, by its descriptor       never closed
//! ```
//!
//! A message costs little more than a call, and a library that crashes or hangs does so for the whole application: whoever does not
//! need the speed writes a program.

mod foreign;
mod note;
mod probe;

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
use super::gate::Gate;
use super::printable::printable;
use super::{
    CallError, Calls, Delivery, Launch, Link, LinkError, LinkProblem, LogLevel, Start, Step,
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
    instance: RwLock<Option<Instance>>,
    /// One message at a time; none if it takes several.
    gate: Option<Gate>,
    patience: Duration,
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
    /// # Errors
    /// [`LinkProblem::Library`] with what was found in the file, everything that can happen to the child,
    /// [`LinkProblem::Loader`], and [`LinkProblem::Description`].
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
        let table = Table::open(opened).map_err(|error| at_launch(problem_of(error)))?;
        let description = describe(&file, table)?;
        Ok(Self {
            name: description.name.as_str().into(),
            gate: (!description.concurrent).then(Gate::default),
            description,
            table,
            instance: RwLock::new(None),
            patience: launch.deadlines.deliver,
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

impl Calls for Shared {
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError> {
        self.0.trigger(event)
    }

    fn send(
        &self,
        request: &EncodedMessage,
        timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError> {
        self.0.send(request, timeout)
    }

    fn log(&self, level: LogLevel, text: &str) {
        self.0.log(level, text);
    }
}

impl Link for LibraryLink {
    fn description(&self) -> &Description {
        &self.description
    }

    fn start(&self, start: &Start, calls: Arc<dyn Calls>) -> Result<(), LinkError> {
        let json = serde_json::json!({ "config": start.config, "entity": start.entity });
        let mut instance = self.instance.write();
        match self
            .table
            .start(json.to_string().as_bytes(), Box::new(Shared(calls)))
        {
            Ok(started) => {
                *instance = Some(started);
                Ok(())
            }
            Err(answer) => Err(self.error(Step::Start, refused(&answer))),
        }
    }

    fn deliver(&self, delivery: &Delivery<'_>) -> Result<Option<EncodedPayload>, LinkError> {
        let step = || Step::Deliver {
            message: delivery.message.name().to_owned(),
        };
        let _inside = match &self.gate {
            None => None,
            Some(gate) => match gate.enter(Instant::now() + self.patience) {
                Some(inside) => Some(inside),
                None => return Err(self.error(step(), LinkProblem::Busy {})),
            },
        };
        // The plugin may call the host, which may give it the next message: by the same thread, while somebody waits to stop it.
        let instance = self.instance.read_recursive();
        let Some(instance) = &*instance else {
            return Err(self.error(step(), LinkProblem::Stopped {}));
        };
        let answer = instance.message(delivery.dispatcher, delivery.kind, delivery.message);
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
        let Some(instance) = self.instance.write().take() else {
            return Ok(());
        };
        let answer = instance.stop();
        match answer.code {
            OK => Ok(()),
            _ => Err(self.error(Step::Stop, refused(&answer))),
        }
    }
}

impl Drop for LibraryLink {
    /// Ends what was not stopped.
    fn drop(&mut self) {
        let _error = self.stop();
    }
}
