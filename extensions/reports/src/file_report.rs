//! What all reports that are one file have in common.

use std::io::{self, Write};

use k2::results::{Execution, ReplaceError, RunLog, RunLogError};
use thiserror::Error;

/// Why there is no report.
#[derive(Debug, Error)]
pub(crate) enum ReportError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ReplaceError),
    /// Nothing can be written.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
    /// A text is no JSON. There is none.
    #[error("cannot make a JSON document")]
    Json(#[from] serde_json::Error),
}

/// Writes the cases of `log` as elements of a JSON array, each on a line of its own, as `write` makes text of one.
pub(crate) fn write_elements(
    log: &RunLog,
    out: &mut dyn Write,
    write: impl Fn(&Execution, &mut Vec<u8>) -> serde_json::Result<()>,
) -> Result<(), ReportError> {
    let mut separator = "\n";
    let mut text = Vec::new();
    log.for_each(|execution| {
        text.clear();
        text.extend_from_slice(separator.as_bytes());
        separator = ",\n";
        write(execution, &mut text)?;
        Ok(out.write_all(&text)?)
    })
}

/// Declares the extension that writes one kind of report: `$write` makes the document of a [`RunLog`](k2::results::RunLog).
///
/// With `, field = OPTION` the value of an option is given to `$write` too. The extension answers `WRITE_REPORTS` on a thread of its own, beside the others; the report of an older run is removed when a run begins.
macro_rules! file_report {
    ($(#[$doc:meta])* $report:ident, $name:tt, $file:expr, $on:ident, $elsewhere:ident, $write:path
        $(, $field:ident = $option:ident)?
    ) => {
        $(#[$doc])*
        #[zaf_core::prelude::command_extension(
            name = $name,
            extends = ["report"],
            config_options = [$on.required(), $elsewhere.optional() $(, $option.required())?],
            activate_on = [$on],
        )]
        #[derive(Debug)]
        pub struct $report {
            file: k2::results::ReportFile,
            $($field: String,)?
        }

        impl zaf_core::prelude::Extension for $report {
            fn new(cx: &zaf_core::prelude::ExtensionContext<'_>) -> zaf_core::Result<Self> {
                let elsewhere = cx.config().get_optional($elsewhere)?;
                Ok(Self {
                    file: k2::results::ReportFile::new($name, $file, elsewhere),
                    $($field: cx.config().get($option)?,)?
                })
            }

            fn register_components(
                &self,
                session: &zaf_core::component::Scope,
            ) -> zaf_core::Result<()> {
                self.file.in_session(session);
                Ok(())
            }
        }

        #[zaf_core::prelude::dispatchers]
        impl $report {
            #[callback_dispatcher(k2::messages::RECORDED, endpoints = [k2::messages::RESULTS])]
            fn remove_old(
                &self,
                message: &zaf_core::prelude::Message<std::sync::Arc<k2::results::Record>>,
            ) -> zaf_core::Result<()> {
                Ok(self.file.remove_old(message.data())?)
            }

            #[concurrent_dispatcher(k2::messages::WRITE_REPORTS, endpoints = [k2::messages::RESULTS])]
            fn write(
                &self,
                message: &zaf_core::prelude::Message<k2::messages::WriteReports>,
                logs: &k2::results::RunLogs,
            ) -> zaf_core::Result<Vec<k2::messages::WrittenReport>> {
                let request = message.data();
                let log = logs.open(&request.log)?;
                Ok(self.file.write(request, |out| $write(&log, $(&self.$field,)? out))?)
            }
        }
    };
}

pub(crate) use file_report;
