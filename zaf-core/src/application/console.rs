//! Where an application writes: its standard output and standard error.
//!
//! One object for the process and for tests, so that nothing depends on process-wide streams. Results go to
//! [`Console::stdout`], everything else to [`Console::stderr`]. Colour sequences may always be written: they are removed
//! where the stream does not want them (no terminal, `NO_COLOR`, `TERM=dumb`; `CLICOLOR_FORCE` keeps them).
//!
//! A reader that has gone away (`… | head -1`) is not an error of the application: writes to it succeed and are lost, so
//! that the run goes on and its exit code stays true.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use parking_lot::{Mutex, MutexGuard};

use super::colour::{self, choice};
use crate::component::{Requirement, Scope};

/// Columns of help and tables where the width is not known.
pub(crate) const DEFAULT_WIDTH: usize = 80;

type Raw = Box<dyn Write + Send>;

/// The two output streams of an application. Cheap to clone; clones write to the same streams.
#[derive(Clone)]
pub struct Console {
    stdout: Arc<Mutex<Stream>>,
    stderr: Arc<Mutex<Stream>>,
    width: usize,
    is_of_process: bool,
}

/// One stream, locked: what is written while the guard lives stays together.
pub type ConsoleGuard<'a> = MutexGuard<'a, Stream>;

/// A stream of a [`Console`].
pub struct Stream {
    inner: AutoStream<Raw>,
    gone: bool,
}

/// One stream as a writer that can be kept and sent to other threads. Each call waits for whoever has the stream, and what several
/// write is mixed between their calls: who writes much buffers it.
#[derive(Clone)]
pub struct ConsoleWriter(Arc<Mutex<Stream>>);

impl Console {
    /// The streams of this process.
    pub fn process() -> Self {
        let width = [
            rustix::termios::tcgetwinsize(io::stdout()),
            rustix::termios::tcgetwinsize(io::stderr()),
        ]
        .into_iter()
        .flatten()
        .map(|size| usize::from(size.ws_col))
        .find(|&columns| columns > 0);
        Self {
            stdout: stream(Box::new(io::stdout()), choice(colour::on_stdout())),
            stderr: stream(Box::new(io::stderr()), choice(colour::on_stderr())),
            width: width.unwrap_or(DEFAULT_WIDTH),
            is_of_process: true,
        }
    }

    /// That of the application whose session this is, for extensions that write outside of a command; the streams of this process where
    /// there is no application, as in a test of one extension.
    pub fn of(session: &Scope) -> Self {
        let console = session.resolve::<Self>(&Requirement::of::<Self>("console"));
        console.map_or_else(|_| Self::process(), |console| (*console).clone())
    }

    /// Whether these are the streams of this process, which may be a terminal. If not, somebody else reads all that is written:
    /// who draws on a terminal has none.
    pub fn is_of_process(&self) -> bool {
        self.is_of_process
    }

    /// Streams without colour that go to the given writers, for tests and embedding.
    pub fn new(stdout: impl Write + Send + 'static, stderr: impl Write + Send + 'static) -> Self {
        Self {
            stdout: stream(Box::new(stdout), ColorChoice::Never),
            stderr: stream(Box::new(stderr), ColorChoice::Never),
            width: DEFAULT_WIDTH,
            is_of_process: false,
        }
    }

    /// Streams that are kept in memory, and the handle that reads what was written.
    pub fn captured() -> (Self, Captured) {
        let captured = Captured::default();
        let console = Self::new(captured.stdout.clone(), captured.stderr.clone());
        (console, captured)
    }

    /// With this many columns instead of those of the terminal.
    #[must_use]
    pub fn with_width(mut self, columns: usize) -> Self {
        self.width = columns;
        self
    }

    /// Standard output, for results. Blocks while another thread holds it.
    pub fn stdout(&self) -> ConsoleGuard<'_> {
        self.stdout.lock()
    }

    /// Standard error, for progress, problems and hints. Blocks while another thread holds it.
    pub fn stderr(&self) -> ConsoleGuard<'_> {
        self.stderr.lock()
    }

    /// Standard output as a writer that can be kept.
    pub fn stdout_writer(&self) -> ConsoleWriter {
        ConsoleWriter(Arc::clone(&self.stdout))
    }

    /// Standard error as a writer that can be kept.
    pub fn stderr_writer(&self) -> ConsoleWriter {
        ConsoleWriter(Arc::clone(&self.stderr))
    }

    /// Columns of the terminal, 80 where there is none.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Hands what is buffered to the operating system, without waiting for a stream that somebody holds.
    pub fn flush_free(&self) {
        for stream in [&self.stdout, &self.stderr] {
            if let Some(mut stream) = stream.try_lock() {
                // Nobody is left to tell about a stream that cannot be flushed.
                drop(stream.flush());
            }
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

fn stream(raw: Raw, choice: ColorChoice) -> Arc<Mutex<Stream>> {
    Arc::new(Mutex::new(Stream {
        inner: AutoStream::new(raw, choice),
        gone: false,
    }))
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        match self.inner.write(bytes) {
            Err(error) if is_gone(&error) => {
                self.gone = true;
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        match self.inner.flush() {
            Err(error) if is_gone(&error) => {
                self.gone = true;
                Ok(())
            }
            result => result,
        }
    }
}

impl Write for ConsoleWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().flush()
    }
}

impl fmt::Debug for ConsoleWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConsoleWriter").finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("gone", &self.gone)
            .finish_non_exhaustive()
    }
}

/// Whether the other end will never read again: a closed pipe, or a terminal that hung up.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// What was written to a console that [`Console::captured`] made. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    stdout: Buffer,
    stderr: Buffer,
}

impl Captured {
    /// Everything written to standard output so far; invalid UTF-8 is replaced.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Everything written to standard error so far; invalid UTF-8 is replaced.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }
}

#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn d9_a_reader_that_went_away_is_no_error() {
        let console = Console::new(Closed, Closed);
        writeln!(console.stdout(), "lost").expect("a closed pipe is silent");
        writeln!(console.stdout(), "lost again").expect("and stays so");
        console.stdout().flush().expect("flushing too");
    }

    #[test]
    fn m1_colour_is_removed_where_it_is_not_wanted() {
        let (console, captured) = Console::captured();
        writeln!(console.stderr(), "\u{1b}[31mred\u{1b}[0m").expect("memory");
        assert_eq!(captured.stderr(), "red\n");
        assert_eq!(captured.stdout(), "");
    }
}
