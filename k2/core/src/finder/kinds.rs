//! The finders that come with k2, one extension for each kind of source: each can be switched off or replaced.

use zaf_core::application::{ABORT, Abort};
use zaf_core::prelude::*;

use super::request::{FIND_TEST_CASES, FINDER, FindTestCases, FoundUnit, Unit};
use super::{FindOptions, Found, SourceKind, cases_of_file, linked};
use crate::supervisor::Cancellation;

/// Finds test functions that are linked into the program.
#[command_extension(
    name = "linkedcases",
    extends = ["find"],
    endpoints_and_messages = { FINDER: [FIND_TEST_CASES] },
)]
#[derive(Debug)]
pub struct LinkedCases;

impl Extension for LinkedCases {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl LinkedCases {
    #[callback_dispatcher(FIND_TEST_CASES)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        let units = message.data().of_kind(SourceKind::Linked);
        let found = units.filter_map(|(position, unit)| match unit {
            Unit::Linked(source) => Some(FoundUnit {
                position,
                found: linked::of_source(source),
            }),
            Unit::File(_) => None,
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
        Ok(Self(FileFinder::new(SourceKind::Executable)?))
    }
}

#[dispatchers]
impl Executables {
    #[callback_dispatcher(FIND_TEST_CASES, optional)]
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
        Ok(Self(FileFinder::new(SourceKind::Tap)?))
    }
}

#[dispatchers]
impl TapProducers {
    #[callback_dispatcher(FIND_TEST_CASES, optional)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }
}

/// Asks Rust test binaries for their tests; each is a case of its own.
#[command_extension(name = "libtestbinaries", extends = ["find"])]
#[derive(Debug)]
pub struct LibtestBinaries(FileFinder);

impl Extension for LibtestBinaries {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(FileFinder::new(SourceKind::Libtest)?))
    }
}

#[dispatchers]
impl LibtestBinaries {
    #[callback_dispatcher(FIND_TEST_CASES, optional)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }

    #[callback_dispatcher(ABORT)]
    fn on_abort(&self, _message: &Message<Abort>) {
        self.0.cancellation.kill();
    }
}

/// Asks `GoogleTest` binaries for their tests; each is a case of its own.
#[command_extension(name = "googletestbinaries", extends = ["find"])]
#[derive(Debug)]
pub struct GoogleTestBinaries(FileFinder);

impl Extension for GoogleTestBinaries {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(FileFinder::new(SourceKind::GoogleTest)?))
    }
}

#[dispatchers]
impl GoogleTestBinaries {
    #[callback_dispatcher(FIND_TEST_CASES, optional)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        self.0.find(message.data())
    }

    #[callback_dispatcher(ABORT)]
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
    fn new(kind: SourceKind) -> Result<Self> {
        Ok(Self {
            kind,
            options: FindOptions::default(),
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
                Unit::Linked(_) => FoundUnit {
                    position,
                    found: Found::default(),
                },
            });
        found.collect()
    }
}
