//! Cases of a file, asking test binaries for their list.

use std::path::Path;
use std::time::Duration;

use super::executable::{self, file_id};
use super::libtest::ListedTest;
use super::{Found, SourceFile, SourceKind, googletest, libtest};
use crate::case::{CaseAction, CaseId, Location, Protocol, TestCase};
use crate::supervisor::{Cancellation, EndedBy, ExitStatus, OutputFiles, ProcessSpec, run};

/// How files are searched for cases.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FindOptions {
    /// Longest time that a test binary may take to list its tests.
    pub list_timeout: Duration,
    /// Start of the cookie that the listing processes get, so that what they leave behind is found; see
    /// [`ProcessSpec::execution`].
    pub execution: String,
}

impl Default for FindOptions {
    fn default() -> Self {
        Self {
            list_timeout: Self::LIST_TIMEOUT,
            execution: format!("list-{}", std::process::id()),
        }
    }
}

impl FindOptions {
    /// Time for a list unless another is set.
    pub const LIST_TIMEOUT: Duration = Duration::from_secs(30);

    /// Options with another time for a list.
    pub fn with_timeout(list_timeout: Duration) -> Self {
        Self {
            list_timeout,
            ..Self::default()
        }
    }
}

/// The cases of one file. A test binary is run to list its tests; if that fails, the result is one case that ends in error
/// with the reason, so that the tests that could not be listed are not forgotten.
pub fn cases_of_file(
    file: &SourceFile,
    options: &FindOptions,
    cancellation: &Cancellation,
) -> Found {
    let cases = match file.kind {
        SourceKind::Auto | SourceKind::Executable => {
            vec![executable::case(file, Protocol::ExitCode)]
        }
        SourceKind::Tap => vec![executable::case(file, Protocol::Tap)],
        SourceKind::Libtest => libtest_cases(file, options, cancellation),
        SourceKind::GoogleTest => googletest_cases(file, options, cancellation),
        SourceKind::Linked => Vec::new(),
    };
    Found {
        cases,
        problems: Vec::new(),
    }
}

fn libtest_cases(
    file: &SourceFile,
    options: &FindOptions,
    cancellation: &Cancellation,
) -> Vec<TestCase> {
    let listed = list(file, &libtest::LIST, options, cancellation).and_then(|all| {
        let ignored = list(file, &libtest::LIST_IGNORED, options, cancellation)?;
        libtest::parse_lists(&all, &ignored)
    });
    cases(file, Protocol::Libtest, listed, libtest::arguments)
}

fn googletest_cases(
    file: &SourceFile,
    options: &FindOptions,
    cancellation: &Cancellation,
) -> Vec<TestCase> {
    let listed = list(file, &googletest::LIST, options, cancellation)
        .and_then(|text| googletest::parse_list(&text));
    cases(file, Protocol::GoogleTest, listed, googletest::arguments)
}

fn cases(
    file: &SourceFile,
    protocol: Protocol,
    listed: Result<Vec<ListedTest>, String>,
    arguments: impl Fn(&str) -> Vec<String>,
) -> Vec<TestCase> {
    let binary = file_id(&without_hash(&file.path));
    let location = Location::file(file.path.to_string_lossy());
    let tests = match listed {
        Ok(tests) => tests,
        Err(reason) => {
            let reason = format!(
                "cannot list the tests of `{}`: {reason}",
                file.path.display()
            );
            let mut case = TestCase::new(CaseId::new(binary), CaseAction::LoadFailure(reason));
            case.location = Some(location);
            return vec![case];
        }
    };
    tests
        .into_iter()
        .map(|test| {
            let mut process = executable::process(&file.path, protocol);
            process.arguments = arguments(&test.name).into_iter().map(Into::into).collect();
            let mut case = TestCase::new(
                CaseId::new(format!("{binary}::{}", test.name)),
                CaseAction::Process(Box::new(process)),
            );
            case.description = test.description;
            case.disabled = test.disabled;
            case.location = Some(location.clone());
            case
        })
        .collect()
}

/// Cargo adds 16 hexadecimal digits to the names of test binaries, which change with the compiler: an id without them
/// stays the same from build to build.
fn without_hash(path: &Path) -> std::path::PathBuf {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| {
        let (stem, hash) = name.rsplit_once('-')?;
        let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        (is_hash && !stem.is_empty()).then_some(stem)
    });
    match stem {
        Some(stem) => path.with_file_name(stem),
        None => path.to_owned(),
    }
}

/// Runs the binary and returns its standard output.
fn list(
    file: &SourceFile,
    arguments: &[&str],
    options: &FindOptions,
    cancellation: &Cancellation,
) -> Result<String, String> {
    let io = |error: std::io::Error| error.to_string();
    let directory = tempfile::tempdir().map_err(io)?;
    let spec = ProcessSpec::new(executable::process(&file.path, Protocol::ExitCode).program)
        .arguments(arguments.iter().copied())
        .timeout(options.list_timeout)
        .grace(Duration::from_secs(1))
        .execution(format!(
            "{}-{}",
            options.execution,
            file_id(&file.path).replace('\0', "")
        ))
        .files(OutputFiles::new(
            directory.path().join("stdout"),
            directory.path().join("stderr"),
        ));
    let end = run(&spec, cancellation).map_err(|error| error.to_string())?;
    match (end.ended_by, end.exit) {
        (EndedBy::Itself, Some(ExitStatus::Code(0))) => {}
        (EndedBy::Timeout(limit) | EndedBy::PhaseTimeout { limit, .. }, _) => {
            return Err(format!(
                "`{}` took longer than {limit:?}",
                arguments.join(" ")
            ));
        }
        (EndedBy::Cancellation, _) => return Err("the search was cancelled".to_owned()),
        (EndedBy::Itself, exit) => {
            let exit = exit.map_or_else(String::new, |exit| exit.to_string());
            let said =
                last_line(&end.stderr.text()).map_or_else(String::new, |line| format!(": {line}"));
            return Err(format!("`{}` ended with {exit}{said}", arguments.join(" ")));
        }
    }
    let text = end.stdout.complete().map_err(io)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn last_line(text: &str) -> Option<&str> {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
}
