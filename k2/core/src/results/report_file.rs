//! Where a report goes.

use std::io::{self, Write};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use zaf_core::application::Console;
use zaf_core::component::Scope;

use super::{Record, RecordBody, ReplaceError, WriteReports, WrittenReport, replace_file};

/// The path that stands for standard output.
const STDOUT: &str = "-";

/// The file of one kind of report: in the directory of the run, or where an option says. `-` is standard output.
#[derive(Debug, Clone)]
pub struct ReportFile {
    name: &'static str,
    file_name: &'static str,
    elsewhere: Option<Utf8PathBuf>,
    /// That of the application, for a report that goes to its standard output.
    console: OnceLock<Console>,
}

impl ReportFile {
    /// The report `name`, as `file_name` in the directory of the run, unless it is to be `elsewhere`.
    pub fn new(
        name: &'static str,
        file_name: &'static str,
        elsewhere: Option<Utf8PathBuf>,
    ) -> Self {
        Self {
            name,
            file_name,
            elsewhere,
            console: OnceLock::new(),
        }
    }

    /// Standard output is that of the application with this session from here on: an extension says so in `register_components`.
    /// Before, it is that of the process.
    pub fn in_session(&self, session: &Scope) {
        self.console.get_or_init(|| Console::of(session));
    }

    /// Whether the report with this option goes to standard output, where nothing else may be written then.
    pub fn is_stdout(elsewhere: Option<&Utf8Path>) -> bool {
        elsewhere.is_some_and(|path| path == STDOUT)
    }

    /// Where the report of the run that is kept in `directory` goes.
    pub fn path(&self, directory: &Utf8Path) -> Utf8PathBuf {
        self.elsewhere
            .clone()
            .unwrap_or_else(|| directory.join(self.file_name))
    }

    /// Removes the report of an older run when a new one begins, so that nobody takes it for that of a run that was killed.
    ///
    /// # Errors
    /// If there is one and it cannot be removed.
    pub fn remove_old(&self, record: &Record) -> io::Result<()> {
        let file = match &self.elsewhere {
            Some(file) if !Self::is_stdout(Some(file)) => file,
            _ => return Ok(()),
        };
        let begins = matches!(record.body, RecordBody::RunStarted(_));
        // Only what a report may be: not a directory, not a device.
        if begins && file.symlink_metadata().is_ok_and(|found| found.is_file()) {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    /// Puts what `write` writes into the file, in one step: see [`replace_file`]. Returns the answer to `request`.
    ///
    /// # Errors
    /// What `write` returns, or that the file cannot be written.
    pub fn write<E: From<ReplaceError> + From<io::Error>>(
        &self,
        request: &WriteReports,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Vec<WrittenReport>, E> {
        if Self::is_stdout(self.elsewhere.as_deref()) {
            let console = self.console.get().filter(|it| !it.is_of_process());
            let to: Box<dyn Write> = match console {
                Some(console) => Box::new(console.stdout_writer()),
                None => Box::new(io::stdout()),
            };
            let mut out = io::BufWriter::new(to);
            let written = write(&mut out);
            // Whoever stopped reading does not want to know; the buffer is not tried again either.
            return match written.and_then(|()| Ok(out.flush()?)) {
                Ok(()) => Ok(Vec::new()),
                Err(error) => {
                    let _unwritten = out.into_parts();
                    Err(error)
                }
            };
        }
        let path = self.path(&request.directory);
        replace_file(&path, write)?;
        Ok(vec![WrittenReport {
            name: self.name.into(),
            path,
        }])
    }
}
