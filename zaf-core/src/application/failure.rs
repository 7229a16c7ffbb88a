//! What a person is shown when a run cannot go on: the one place that turns errors into text and exit codes.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use super::{CodedError, Console, ExitCode, Log};
use crate::config::{ConfigError, Problem, Problems};
use crate::error::Error;
use crate::extension::{LoadError, LoadErrors};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// In which part of a run an error appeared; decides the exit code of errors that do not carry one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// While extensions were loaded and configured.
    Loading,
    /// In the command.
    Command,
    /// While everything was taken down.
    Teardown,
    /// In ourselves: a panic, an invariant that does not hold.
    Internal,
}

/// An error at the edge of the application, ready to be shown.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    error: Error,
    hints: Vec<String>,
    code: ExitCode,
}

impl Failure {
    /// An error that appeared in this part of a run.
    pub fn new(kind: FailureKind, error: impl Into<Error>) -> Self {
        let error = error.into();
        let code = code_of(&error).unwrap_or(match kind {
            FailureKind::Loading | FailureKind::Teardown => ExitCode::ExtensionFailed,
            FailureKind::Command => ExitCode::CasesFailed,
            FailureKind::Internal => ExitCode::InternalError,
        });
        let mut hints = error.hints().to_vec();
        if code == ExitCode::InternalError {
            hints.push(
                "this is a bug of ours: please report it with the command line and this text"
                    .to_owned(),
            );
        }
        Self {
            kind,
            error,
            hints,
            code,
        }
    }

    /// What is to be shown of failed loading: all errors, but only the text if help or the version was asked for.
    pub(super) fn of_loading(errors: LoadErrors) -> Vec<Self> {
        let (errors, teardown) = errors.into_parts();
        let has_more = errors.len() > 1;
        let is_said = |error| chain_has::<Problems>(error) || chain_has::<EarlyEnd>(error);
        let is_said = errors.iter().any(is_said);
        // All that is wrong with the configuration is one list, whoever found it; a variable is read several times.
        let mut problems: Vec<Problem> = Vec::new();
        let mut others = Vec::new();
        for error in errors {
            let found = causes(&error).find_map(find::<Problems>).cloned();
            match found {
                Some(found) => {
                    for problem in found.into_list() {
                        if !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
                // That nothing selected a command follows from what is wrong with the command line.
                None if has_more && matches!(error, LoadError::NoCommand { .. }) => {}
                // An extension that stumbles over a value says again what the validation shows with its line; with a wrong
                // command line, as soon as that is right.
                None if is_said && stumbles_over_value(&error) => {}
                None => others.push(error),
            }
        }
        // One thing that several refuse is wrong once.
        let mut refused: Vec<String> = Vec::new();
        others.retain(|error| {
            let LoadError::Failed { cause, .. } = error else {
                return true;
            };
            let is_new = carried_code(error) != Some(ExitCode::Usage)
                || !refused.contains(&cause.to_string());
            refused.push(cause.to_string());
            is_new
        });
        let of_configuration =
            Problems::from_list(problems).map(|problems| Self::new(FailureKind::Loading, problems));
        let mut failures: Vec<Self> = others
            .into_iter()
            .map(Self::of_load_error)
            .chain(of_configuration)
            .collect();
        if let Some(asked_for) = failures
            .iter()
            .position(|failure| failure.code == ExitCode::Success)
        {
            failures = vec![failures.swap_remove(asked_for)];
        }
        failures.extend(
            teardown
                .into_iter()
                .map(|error| Self::new(FailureKind::Teardown, error)),
        );
        failures
    }

    /// One error of loading, with its hints.
    pub(super) fn of_load_error(error: LoadError) -> Self {
        let hints = error.hints().to_vec();
        let error = hints.into_iter().fold(Error::from(error), Error::hint);
        Self::new(FailureKind::Loading, error)
    }

    /// A panic with this text.
    pub fn panic(of: &str, message: &str) -> Self {
        Self::new(
            FailureKind::Internal,
            Error::msg(format_args!("{of} panicked: {message}")),
        )
    }

    /// In which part of the run it appeared.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The code that it ends the application with.
    pub fn code(&self) -> ExitCode {
        self.code
    }

    /// What to do about it, in the order shown.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The text, with colour sequences, ending in a line break. First the error, then its causes one a line, the hints, and
    /// for problems in the configuration the source lines.
    pub fn render(&self) -> String {
        if let Some(early) = self.error.chain().find_map(find::<EarlyEnd>) {
            return early.text.clone();
        }
        // Pictures of what a person wrote say everything; which extension looked at it is of no interest then.
        let has_pictures = self
            .error
            .chain()
            .any(|cause| find::<Problems>(cause).is_some());
        let mut text = String::new();
        let mut pictures = Vec::new();
        let mut last = String::new();
        let refuses = self.refuses();
        let skipped = usize::from(refuses.is_some());
        for (depth, cause) in self.error.chain().skip(skipped).enumerate() {
            if let Some(problems) = find::<Problems>(cause) {
                pictures.push(problems.draw(true));
                continue;
            }
            if has_pictures && self.kind == FailureKind::Loading {
                continue;
            }
            let message = cause.to_string();
            // A transparent wrapper says what its source says; once is enough.
            if depth > 0 && message == last {
                continue;
            }
            let lead = if depth == 0 {
                format!("{ERROR}error{ERROR:#}: ")
            } else {
                "  caused by: ".to_owned()
            };
            push_lines(&mut text, &lead, &message);
            last = message;
        }
        if let Some(extension) = refuses.filter(|_| !text.is_empty()) {
            push_lines(
                &mut text,
                "  said by: ",
                &format!("extension `{extension}`"),
            );
        }
        for picture in &pictures {
            text.push_str(picture.trim_end());
            if self.kind == FailureKind::Loading {
                let code = self.code.code();
                push(&mut text, format_args!("; nothing was run (exit {code})"));
            }
            text.push('\n');
        }
        for hint in &self.hints {
            push_lines(&mut text, &format!("  {HINT}hint{HINT:#}: "), hint);
        }
        text
    }

    /// The extension that is right to refuse what was asked of it: then what was wrong comes first, and no words about its code.
    fn refuses(&self) -> Option<&'static str> {
        let load = find::<LoadError>(self.error.chain().next()?)?;
        match load {
            LoadError::Failed { extension, .. } if carried_code(load) == Some(ExitCode::Usage) => {
                Some(extension)
            }
            _ => None,
        }
    }

    /// Writes the text: to standard error, without the secrets that the log hides; but what was asked for (help, version) to standard
    /// output.
    ///
    /// # Errors
    /// What the stream says; a reader that went away is none.
    pub fn show(&self, console: &Console) -> std::io::Result<()> {
        let text = self.render();
        let log = Log::of_process();
        let text = log.without_secrets(&text);
        let mut stream = if self.code == ExitCode::Success {
            console.stdout()
        } else {
            console.stderr()
        };
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

/// Ends a run before its command: the command line asked for help or the version, or cannot be read.
///
/// With [`ExitCode::Success`] the text goes to standard output.
#[derive(Debug, thiserror::Error)]
#[error("{}", text.trim_end())]
pub struct EarlyEnd {
    text: String,
    code: ExitCode,
}

impl EarlyEnd {
    /// Ends the run with `code` after `text` was shown as it is. A line break at its end is added if there is none.
    pub fn new(code: ExitCode, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self { text, code }
    }

    /// The code to end with.
    pub fn code(&self) -> ExitCode {
        self.code
    }
}

/// The code that an error or one of its causes carries. What an extension says about itself counts more than that it is an
/// extension.
fn code_of(error: &Error) -> Option<ExitCode> {
    let carried = error.chain().find_map(code_in);
    carried.or_else(|| {
        let load = error.chain().find_map(find::<LoadError>)?;
        Some(load.exit_code())
    })
}

/// The code that one of the causes of an error of loading carries.
pub(super) fn carried_code(error: &LoadError) -> Option<ExitCode> {
    causes(error).find_map(code_in)
}

/// Whether it is no error at all: help, the version or a completion was asked for, and here it is.
pub(super) fn is_answer(error: &LoadError) -> bool {
    carried_code(error) == Some(ExitCode::Success)
}

fn code_in(cause: &(dyn StdError + 'static)) -> Option<ExitCode> {
    if let Some(coded) = find::<CodedError>(cause) {
        Some(coded.code())
    } else if let Some(early) = find::<EarlyEnd>(cause) {
        Some(early.code())
    } else if find::<Problems>(cause).is_some()
        || find::<ConfigError>(cause).is_some_and(is_of_the_user)
    {
        Some(ExitCode::Usage)
    } else {
        None
    }
}

/// Whether the configuration is wrong, and not the extension that reads it.
fn is_of_the_user(error: &ConfigError) -> bool {
    !matches!(error, ConfigError::NotRequested { .. })
}

/// Whether a value that the validation refuses as well is the reason why an extension failed.
fn stumbles_over_value(error: &LoadError) -> bool {
    let is_about_value = |cause: &(dyn StdError + 'static)| {
        matches!(
            find::<ConfigError>(cause),
            Some(ConfigError::Wrong { .. } | ConfigError::Reference { .. })
        )
    };
    matches!(error, LoadError::Failed { .. }) && causes(error).any(is_about_value)
}

fn chain_has<E: StdError + 'static>(error: &LoadError) -> bool {
    causes(error).any(|cause| find::<E>(cause).is_some())
}

/// The error itself and what caused it.
fn causes(error: &LoadError) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&cause| cause.source())
}

/// `cause` as an `E`, also if it stands inside a [`CodedError`].
fn find<'a, E: StdError + 'static>(cause: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| {
        cause
            .downcast_ref::<CodedError>()
            .and_then(|coded| coded.error().downcast_ref::<E>())
    })
}

/// Appends `message` after `lead`, further lines indented below it.
fn push_lines(text: &mut String, lead: &str, message: &str) {
    let mut lines = message.lines();
    push(
        text,
        format_args!("{lead}{}\n", lines.next().unwrap_or_default()),
    );
    for line in lines {
        push(text, format_args!("    {line}\n"));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("report `x.xml` cannot be written")]
    struct Outer(#[source] std::io::Error);

    fn shown(failure: &Failure) -> (String, String) {
        let (console, captured) = Console::captured();
        failure.show(&console).expect("memory");
        (captured.stdout(), captured.stderr())
    }

    #[test]
    fn causes_and_hints_have_lines_of_their_own() {
        let error = Error::from(Outer(std::io::Error::other("disk full"))).hint("free some space");
        let failure = Failure::new(FailureKind::Command, error);
        assert_eq!(failure.code(), ExitCode::CasesFailed);
        assert_eq!(
            shown(&failure),
            (
                String::new(),
                "error: report `x.xml` cannot be written\n  caused by: disk full\n  hint: free some space\n"
                    .to_owned()
            )
        );
    }

    #[test]
    fn an_error_ends_with_the_code_it_carries() {
        let error = ExitCode::ReportFailed.with_error(std::io::Error::other("disk full"));
        let failure = Failure::new(FailureKind::Command, error);
        assert_eq!(failure.code(), ExitCode::ReportFailed);
        assert_eq!(shown(&failure).1, "error: disk full\n");
    }

    #[test]
    fn an_option_that_an_extension_did_not_ask_for_is_no_fault_of_the_user() {
        let not_requested = ConfigError::NotRequested {
            key: "my.option".to_owned(),
        };
        let failure = Failure::new(FailureKind::Loading, not_requested);
        assert_eq!(failure.code(), ExitCode::ExtensionFailed);
    }

    #[test]
    fn what_an_extension_is_right_to_refuse_is_told_without_words_about_its_code() {
        let failed = |code: ExitCode| {
            let cause = code.with_error(std::io::Error::other("`(` is no pattern"));
            Failure::of_load_error(LoadError::Failed {
                extension: "sorter",
                instance: String::new(),
                place: "crate `own`, src/lib.rs:7".to_owned(),
                step: "new",
                cause: cause.into_inner(),
                hints: vec!["close it".to_owned()],
            })
        };
        assert_eq!(
            shown(&failed(ExitCode::Usage)).1,
            "error: `(` is no pattern\n  said by: extension `sorter`\n  hint: close it\n"
        );
        assert_eq!(
            shown(&failed(ExitCode::ExtensionFailed)).1,
            "error: extension `sorter` (crate `own`, src/lib.rs:7) failed in `new`\n  caused by: `(` is no pattern\n  hint: close it\n"
        );
    }

    #[test]
    fn a_panic_asks_for_a_report() {
        let failure = Failure::panic("command `run`", "index out of bounds");
        assert_eq!(failure.code(), ExitCode::InternalError);
        let text = shown(&failure).1;
        assert!(text.starts_with("error: command `run` panicked: index out of bounds\n"));
        assert!(text.contains("please report it"), "{text}");
    }

    #[test]
    fn what_was_asked_for_goes_to_standard_output() {
        let help = EarlyEnd::new(ExitCode::Success, "Usage: demo");
        let failure = Failure::new(FailureKind::Loading, help);
        assert_eq!(failure.code(), ExitCode::Success);
        assert_eq!(shown(&failure), ("Usage: demo\n".to_owned(), String::new()));
    }
}
