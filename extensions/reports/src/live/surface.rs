//! The streams that a display writes to, and what they can do.
//!
//! Problems in writing are ignored: a terminal that was closed or a reader that went away does not concern the run.

use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use rustix::fs::{FileType, fstat};
use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use zaf_core::application::{Console, colour};

/// Fewest columns for a progress line.
const FEWEST_COLUMNS: usize = 2;

/// A stream and what it shows.
struct Stream {
    to: Box<dyn Write + Send>,
    /// Whether colour sequences are written; if not, they are taken out.
    has_colour: bool,
}

impl Stream {
    /// Writes `text` with one call, however many colour sequences are taken out of it.
    fn put(&mut self, text: &str) {
        if self.has_colour {
            put(&mut self.to, text);
        } else {
            put(&mut self.to, &strip_str(text).to_string());
        }
    }
}

/// Asks a terminal for its columns; none if it does not say or there is no terminal.
type Width = fn() -> Option<usize>;

/// The streams of a display.
pub(crate) struct Surface {
    out: Stream,
    err: Stream,
    /// The same stream as `err`, past the filter that takes out colours: for what erases a line.
    control: Box<dyn Write + Send>,
    out_width: Width,
    err_width: Width,
    /// Whether a line can be drawn and erased on `err`.
    is_live: bool,
    /// Whether the terminal belongs to this process now, and not to the shell that it runs in the background of.
    is_in_front: fn() -> bool,
    line_is_drawn: bool,
}

impl Surface {
    /// Standard output and standard error of this process; standard error alone if the other is taken.
    pub(crate) fn process(stdout_is_taken: bool) -> Self {
        let err_width: Width = || width_of(io::stderr());
        let can_erase = io::stderr().is_terminal() && anstyle_query::term_supports_ansi_color();
        // Who reads the pipe may write to the same terminal, behind a line that is not theirs.
        let is_alone = stdout_is_taken || !is_pipe(io::stdout());
        let out_width: Width = if stdout_is_taken {
            err_width
        } else {
            || width_of(io::stdout())
        };
        Self {
            out: if stdout_is_taken {
                Stream {
                    has_colour: colour::on_stderr(),
                    to: Box::new(io::stderr()),
                }
            } else {
                Stream {
                    has_colour: colour::on_stdout(),
                    to: Box::new(io::stdout()),
                }
            },
            err: Stream {
                has_colour: colour::on_stderr(),
                to: Box::new(io::stderr()),
            },
            control: Box::new(io::stderr()),
            out_width,
            err_width,
            is_live: can_erase
                && is_alone
                && err_width().is_some_and(|width| width >= FEWEST_COLUMNS),
            is_in_front,
            line_is_drawn: false,
        }
    }

    /// The streams of an application that runs inside another program: lines, one after the other.
    pub(crate) fn elsewhere(console: &Console, stdout_is_taken: bool) -> Self {
        let plain = |to| Stream {
            to: Box::new(to),
            has_colour: false,
        };
        Self {
            out: plain(if stdout_is_taken {
                console.stderr_writer()
            } else {
                console.stdout_writer()
            }),
            err: plain(console.stderr_writer()),
            control: Box::new(console.stderr_writer()),
            out_width: || None,
            err_width: || None,
            is_live: false,
            is_in_front: || true,
            line_is_drawn: false,
        }
    }

    /// Streams of a test; terminals of 80 columns if `is_live`, otherwise none.
    #[cfg(test)]
    pub(crate) fn test<W: Write + Send + Clone + 'static>(out: W, err: W, is_live: bool) -> Self {
        let width: Width = if is_live { || Some(80) } else { || None };
        Self {
            out: Stream {
                to: Box::new(out),
                has_colour: true,
            },
            err: Stream {
                to: Box::new(err.clone()),
                has_colour: true,
            },
            control: Box::new(err),
            out_width: width,
            err_width: width,
            is_live,
            is_in_front: || true,
            line_is_drawn: false,
        }
    }

    /// Whether there is a progress line.
    pub(crate) fn is_live(&self) -> bool {
        self.is_live
    }

    /// Columns of the results; none if they do not go to a terminal.
    pub(crate) fn out_width(&self) -> Option<usize> {
        (self.out_width)()
    }

    /// Columns of the progress line. One column is left free, because a full line would make some terminals wrap, and two for the
    /// `^C` that the terminal shows behind it.
    pub(crate) fn progress_width(&self) -> usize {
        (self.err_width)().unwrap_or(80).saturating_sub(3)
    }

    /// Writes whole lines to the results. The progress line is erased before.
    pub(crate) fn print(&mut self, lines: &str) {
        self.erase();
        self.out.put(lines);
    }

    /// Writes whole lines beside the results. The progress line is erased before.
    pub(crate) fn note(&mut self, lines: &str) {
        self.erase();
        self.err.put(lines);
    }

    /// Draws the progress line in place of the one before. In the background nothing is drawn: somebody types there.
    pub(crate) fn draw(&mut self, line: &str) {
        if !(self.is_in_front)() {
            self.line_is_drawn = false;
            return;
        }
        self.erase();
        self.err.put(line);
        self.line_is_drawn = true;
    }

    /// Erases the progress line, if there is one.
    pub(crate) fn erase(&mut self) {
        if self.line_is_drawn {
            put(&mut self.control, "\r\u{1b}[2K");
            self.line_is_drawn = false;
        }
    }
}

fn put(stream: &mut Box<dyn Write + Send>, text: &str) {
    // See the module's documentation.
    drop(
        stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush()),
    );
}

/// Whether the terminal at standard error has this process in front; true if it is not the one that controls this process.
fn is_in_front() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |group| group == getpgrp())
}

/// Whether somebody reads what is written to `stream`; false where nobody knows.
fn is_pipe(stream: impl std::os::fd::AsFd) -> bool {
    fstat(stream).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

/// Columns of the terminal behind `stream`.
pub(crate) fn width_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let columns = usize::from(tcgetwinsize(stream).ok()?.ws_col);
    (columns > 0).then_some(columns)
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface")
            .field("is_live", &self.is_live)
            .finish_non_exhaustive()
    }
}
