//! Writes what happens on the bus into a file that Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing` show.
//!
//! `--trace FILE` observes the bus from the moment at which the command line is known until the extensions are destroyed. A
//! thread of its own writes the file as things happen, so that memory stays bounded and the trace of a run that was killed can
//! be read too: the format allows that the end is missing.

mod event;
mod writer;

use std::fs::File;
use std::num::NonZeroUsize;
use std::time::Duration;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender, bounded, select};
use parking_lot::Mutex;

use self::writer::TraceWriter;
use super::declare::Declaration;
use crate::application::ExitCode;
use crate::config::OptionId;
use crate::error::{Error, Result};
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};
use crate::message::Observation;
use crate::thread::{self, JoinHandle};

/// File into which the messages of the run are written, for <https://ui.perfetto.dev>. `--trace`, `<PREFIX>_TRACE`; none by
/// default.
pub const TRACE: OptionId<Utf8PathBuf> = OptionId::path("trace").describe(
    "Write all messages of the run, with times and threads, to this file for ui.perfetto.dev.",
);

/// How many entries may wait for the disk; some megabytes. What does not fit is counted and said at the end.
const BOUND: NonZeroUsize = NonZeroUsize::new(16_384).expect("invariant: more than none");

/// How old what a reader of the file does not see may become.
const FLUSH_AFTER: Duration = Duration::from_millis(200);

/// Records the run if [`TRACE`] has a value.
#[derive(Debug)]
pub struct Trace {
    running: Mutex<Option<Running>>,
}

pub(super) const TRACE_EXTENSION: ExtensionDescriptor = Declaration {
    name: "trace",
    description: "Records the messages of a run for a trace viewer.",
    load_order: 102,
    config_options: &[TRACE.optional()],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<Trace>();

/// The thread that writes.
#[derive(Debug)]
struct Running {
    end: Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Extension for Trace {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let running = match cx.config().get_optional(TRACE)? {
            None => None,
            Some(path) => {
                let directory = &cx.application().invocation.directory;
                Some(start(cx, directory.join(path))?)
            }
        };
        Ok(Self {
            running: Mutex::new(running),
        })
    }

    fn destroy(&self) -> Result<()> {
        let Some(Running { end, thread }) = self.running.lock().take() else {
            return Ok(());
        };
        // One that has failed does not listen any more.
        let _sent = end.send(());
        thread.join()?
    }
}

/// Creates the file and begins to record.
fn start(cx: &ExtensionContext<'_>, path: Utf8PathBuf) -> Result<Running> {
    let file = File::create(&path).map_err(|error| {
        let text = format!("the trace cannot be written to `{path}`: {error}");
        let error =
            Error::msg(text).hint("--trace takes the name of a file in a directory that exists");
        ExitCode::Usage.with_error(error)
    })?;
    let program = cx.application().program.to_string();
    let (end, ending) = bounded(1);
    let writer = TraceWriter::new(file, std::process::id(), &program);
    let observation = cx.bus().observe(BOUND)?;
    let thread = thread::spawn("trace-writer", move || {
        let written = writer.and_then(|writer| write(writer, observation, &ending));
        written.map_err(|error| {
            tracing::error!("the trace `{path}` is incomplete: {error}");
            let text = format!("the trace could not be written to `{path}`: {error}");
            ExitCode::ReportFailed.with_error(Error::msg(text))
        })
    })?;
    Ok(Running { end, thread })
}

/// The body of the thread. Ends when it is told to, or with the first error: then nothing is observed any more.
fn write(
    mut writer: TraceWriter<File>,
    observation: Observation,
    ending: &Receiver<()>,
) -> std::io::Result<()> {
    let entries = observation.entries();
    loop {
        select! {
            recv(entries) -> entry => match entry {
                Ok(entry) => writer.write(&entry)?,
                Err(_) => break,
            },
            recv(ending) -> _ => break,
            default(FLUSH_AFTER) => writer.flush()?,
        }
    }
    for entry in observation.take() {
        writer.write(&entry)?;
    }
    let lost = observation.lost();
    drop(observation);
    if lost > 0 {
        tracing::warn!("{lost} entries are missing in the trace: the disk was slower than the bus");
    }
    writer.finish(lost)
}
