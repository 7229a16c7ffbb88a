//! The finders that come with k2, one extension for each kind of source: each can be switched off or replaced.

use std::sync::Arc;
use std::time::Duration;

use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT};
use zaf_core::component::{Askers, Scope};
use zaf_core::prelude::*;

use super::request::{FIND_TEST_CASES, FINDER, FindTestCases, FoundUnit, Unit};
use super::{FindOptions, Found, SourceKind, cases_of_file, linked};
use crate::case::TestCaseDescriptor;
use crate::private::K2_TEST_CASES;
use crate::supervisor::{Cancellation, ENV_ALLOW, ENV_INHERIT, SECRETS, withhold_by_options};

/// Longest time that a test binary may take to list its tests; a binary that takes longer is a case that ends in error.
///
/// CLI `--tests-list-timeout`, environment `K2_TESTS_LIST_TIMEOUT`, default 30 s.
pub const LIST_TIMEOUT: OptionId<Duration> = OptionId::duration("tests.list.timeout")
    .describe("Longest time that a test binary may take to list its tests")
    .default(FindOptions::LIST_TIMEOUT);

/// Defines where finders are asked, whichever of them are there.
#[framework_extension(
    name = "testfinder",
    load_order = 50,
    endpoints_and_messages = { FINDER: [FIND_TEST_CASES] },
)]
#[derive(Debug)]
pub struct TestFinder;

impl Extension for TestFinder {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        let askers = Askers::found_by(linked::askers).in_scopes(&crate::case::SCOPES);
        Ok(scope.provide(Arc::new(askers))?)
    }
}

/// Finds test functions that are linked into the program.
#[command_extension(name = "linkedcases", extends = ["find"])]
#[derive(Debug)]
pub struct LinkedCases {
    table: &'static [TestCaseDescriptor],
}

impl Extension for LinkedCases {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            table: &K2_TEST_CASES,
        })
    }
}

#[dispatchers]
impl LinkedCases {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        let units = message.data().of_kind(SourceKind::Linked);
        let found = units.filter_map(|(position, unit)| match unit {
            Unit::Linked(source) => Some(FoundUnit {
                position,
                found: linked::of_source(self.table, source),
            }),
            Unit::File(_) | Unit::Recipe(_) => None,
        });
        found.collect()
    }
}

/// Takes executables as cases whose exit code is the verdict.
#[command_extension(name = "executables", extends = ["find"])]
#[derive(Debug)]
pub struct Executables(FileFinder);

impl Extension for Executables {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(FileFinder::new(
            SourceKind::Executable,
            FindOptions::default(),
        )?))
    }
}

#[dispatchers]
impl Executables {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }
}

/// Takes producers of the Test Anything Protocol as cases whose points are its steps.
#[command_extension(name = "tapproducers", extends = ["find"])]
#[derive(Debug)]
pub struct TapProducers(FileFinder);

impl Extension for TapProducers {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(FileFinder::new(
            SourceKind::Tap,
            FindOptions::default(),
        )?))
    }
}

#[dispatchers]
impl TapProducers {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }
}

/// Asks Rust test binaries for their tests; each is a case of its own.
#[command_extension(
    name = "libtestbinaries",
    extends = ["find"],
    config_options = [
        LIST_TIMEOUT.required(),
        SECRETS.required(),
        ENV_INHERIT.required(),
        ENV_ALLOW.optional(),
    ],
)]
#[derive(Debug)]
pub struct LibtestBinaries(FileFinder);

impl Extension for LibtestBinaries {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        withhold_by_options(cx)?;
        let options = FindOptions::with_timeout(cx.config().get(LIST_TIMEOUT)?);
        Ok(Self(FileFinder::new(SourceKind::Libtest, options)?))
    }
}

#[dispatchers]
impl LibtestBinaries {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }

    #[callback_dispatcher([ABORT, CRITICAL_ABORT])]
    fn on_abort(&self, _message: &Message<Abort>) {
        self.0.cancellation.kill();
    }
}

/// Asks `GoogleTest` binaries for their tests; each is a case of its own.
#[command_extension(
    name = "googletestbinaries",
    extends = ["find"],
    config_options = [
        LIST_TIMEOUT.required(),
        SECRETS.required(),
        ENV_INHERIT.required(),
        ENV_ALLOW.optional(),
    ],
)]
#[derive(Debug)]
pub struct GoogleTestBinaries(FileFinder);

impl Extension for GoogleTestBinaries {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        withhold_by_options(cx)?;
        let options = FindOptions::with_timeout(cx.config().get(LIST_TIMEOUT)?);
        Ok(Self(FileFinder::new(SourceKind::GoogleTest, options)?))
    }
}

#[dispatchers]
impl GoogleTestBinaries {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }

    #[callback_dispatcher([ABORT, CRITICAL_ABORT])]
    fn on_abort(&self, _message: &Message<Abort>) {
        self.0.cancellation.kill();
    }
}

/// Finds the cases of files of one kind.
#[derive(Debug)]
struct FileFinder {
    kind: SourceKind,
    options: FindOptions,
    cancellation: Cancellation,
}

impl FileFinder {
    fn new(kind: SourceKind, options: FindOptions) -> Result<Self> {
        Ok(Self {
            kind,
            options,
            cancellation: Cancellation::new()?,
        })
    }

    fn find(&self, request: &FindTestCases) -> Vec<FoundUnit> {
        let found = request
            .of_kind(self.kind)
            .map(|(position, unit)| match unit {
                Unit::File(file) => {
                    let found = cases_of_file(file, &self.options, &self.cancellation);
                    FoundUnit { position, found }
                }
                Unit::Linked(_) | Unit::Recipe(_) => FoundUnit {
                    position,
                    found: Found::default(),
                },
            });
        found.collect()
    }
}
