//! The one subscriber for log events of a process.
//!
//! Installed by [`Application::run`](super::Application::run) before anything else, at the level `warn`; the extension
//! `logging` sets the level that the configuration wants. An application that is run inside another program (tests,
//! embedding) installs nothing: the program around it decides.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, reload};

use super::colour;

/// Level until the configuration is known.
const INITIAL: LevelFilter = LevelFilter::WARN;

/// A process has one subscriber, so the way to change its level is one too.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// Installs the subscriber; does nothing if the process has one.
pub(super) fn install() {
    let (level, handle) = reload::Layer::new(INITIAL);
    let ansi = colour::on_stderr();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(ansi)
        .log_internal_errors(false)
        .event_format(Line {
            erases: io::stderr().is_terminal() && anstyle_query::term_supports_ansi_color(),
        });
    let subscriber = tracing_subscriber::registry().with(level).with(lines);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        drop(LEVEL.set(handle));
    }
}

/// Changes the level; does nothing if another subscriber was installed.
pub(crate) fn set_level(level: LevelFilter) {
    if let Some(handle) = LEVEL.get() {
        // Fails only if the subscriber is gone, which a global one never is.
        drop(handle.modify(|current| *current = level));
    }
}

/// `warning: text key=value`; from debug on with the module in front.
#[derive(Debug)]
struct Line {
    /// Whether what stands in the line of a terminal already is erased: the progress of a run, and the `^C` that the terminal
    /// shows behind it.
    erases: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        if self.erases {
            write!(writer, "\r\u{1b}[2K")?;
        }
        let (word, style) = word(*metadata.level());
        if writer.has_ansi_escapes() {
            write!(writer, "{style}{word}{style:#}: ")?;
        } else {
            write!(writer, "{word}: ")?;
        }
        if *metadata.level() >= Level::DEBUG {
            write!(writer, "{}: ", metadata.target())?;
        }
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

fn word(level: Level) -> (&'static str, Style) {
    let colour = |colour: AnsiColor| colour.on_default().bold();
    match level {
        Level::ERROR => ("error", colour(AnsiColor::Red)),
        Level::WARN => ("warning", colour(AnsiColor::Yellow)),
        Level::INFO => ("info", colour(AnsiColor::Green)),
        Level::DEBUG => ("debug", colour(AnsiColor::Blue)),
        _ => ("trace", colour(AnsiColor::Magenta)),
    }
}
