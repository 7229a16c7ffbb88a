//! The first load of a library, in a process that may die of it.
//!
//! The child opens the library and then is a plugin as any other: it describes itself with the description of the library, and ends when
//! it is told to. So what happens to it is seen and told as of any other plugin.

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::process::getpid;

use super::super::process::ProcessLink;
use super::super::{Launch, Link, LinkError};
use super::foreign::Table;
use super::{describe, problem_of};
use crate::protocol::{FromPlugin, ToPlugin, json};

/// Lets a child open the library: `probe` with the path of the file behind it.
pub(super) fn run(
    launch: &Launch,
    opened: &Arc<OwnedFd>,
    probe: &[OsString],
) -> Result<(), LinkError> {
    let [program, arguments @ ..] = probe else {
        return Ok(());
    };
    let process = getpid().as_raw_nonzero();
    let path = format!("/proc/{process}/fd/{}", opened.as_raw_fd());
    let mut child = launch.clone();
    child.file = program.into();
    child.opened = None;
    child.arguments = arguments.to_vec();
    child.arguments.push(path.into());
    // Its own loader is that of this process: the name is the library's.
    let link = ProcessLink::launch_as(&child, &launch.file.display().to_string(), true)?;
    link.stop()
}

/// What the child does: opens the library at `path`, writes what it is, and waits until it is told to end. Returns what is wrong.
///
/// # Errors
/// Text of what is wrong; the process is to end with an exit code that is not 0.
pub fn serve_probe(path: &Path) -> Result<(), String> {
    let mut input = std::io::stdin().lock();
    let mut read = || {
        let mut line = Vec::new();
        input
            .read_until(b'\n', &mut line)
            .map_err(|error| error.to_string())?;
        json::read_to_plugin(&line).map_err(|error| error.to_string())
    };
    let ToPlugin::Describe { id, .. } = read()? else {
        return Err("the first frame is not `describe`".to_owned());
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| error.to_string())?;
    let table = Table::open(&opened).map_err(|error| problem_of(error).to_string());
    let described = table.and_then(|table| {
        let name: Arc<str> = path.display().to_string().into();
        describe(&name, table).map_err(|error| error.problem.to_string())
    });
    match described {
        Ok(description) => write(&FromPlugin::Description {
            id,
            plugin: Box::new(description),
        })?,
        Err(text) => {
            return write(&FromPlugin::Error {
                id: Some(id),
                text,
                causes: Vec::new(),
            });
        }
    }
    match read()? {
        ToPlugin::Stop { id } => write(&FromPlugin::Stopped { id }),
        _ => Err("the second frame is not `stop`".to_owned()),
    }
}

/// The child's standard output is the protocol, and nobody else writes to it.
fn write(frame: &FromPlugin) -> Result<(), String> {
    let mut line = Vec::new();
    json::write_from_plugin(frame, &mut line).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout().lock();
    out.write_all(&line)
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}
