//! What is said about SUTs.
//!
//! ```text
//! GET_SUTS ─► DESCRIBE_SUT …            before cases are selected
//! PRE_JOB ─► PRE_TESTS ─► PRE_INITIALIZE_SUT … ─► INITIALIZE_SUT … ─► POST_INITIALIZE_SUT … ─► (cases) ─► UNINITIALIZE_SUT … ─► POST_TESTS
//! ```
//!
//! The extension `sut` defines all of them at [`SUT`]. An addon that sends one from an endpoint of its own defines it there, too.

use std::sync::Arc;

use zaf_core::message::{EndpointId, EventId, RequestId};

use super::{Sut, SutOffer, SutPart};

/// Where systems under test are spoken of.
pub const SUT: EndpointId = EndpointId::new("sut", "What happens to systems under test.");

/// Asks for the SUTs of this run, and how they are given to cases.
///
/// | | |
/// |---|---|
/// | kind | request, answered by the extension `sut` |
/// | sender | the commands `run` and `list`, on the main thread |
/// | endpoint | [`SUT`] |
/// | entity | none |
/// | order | after `FIND_TEST_CASES`, before `FILL_RUN_QUEUE` |
pub const GET_SUTS: RequestId<(), SutOffer> =
    RequestId::new("GET_SUTS", "Asks for the systems under test.");

/// Asks for what there is to know about a SUT. Each addon answers with what it adds: capabilities, attributes, values of its own types.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each addon that has to do with this SUT; an error ends the command |
/// | sender | the extension `sut`, on the main thread |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | once for each SUT, while [`GET_SUTS`] is answered the first time |
pub const DESCRIBE_SUT: RequestId<(), SutPart> = RequestId::new(
    "DESCRIBE_SUT",
    "Asks for capabilities and attributes of a system under test.",
);

/// A SUT is about to be initialised. Whoever prepares others for it listens to this.
///
/// | | |
/// |---|---|
/// | kind | event; a callback that fails aborts the run |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | after `PRE_TESTS`, once for each SUT in the order of `suts.ids`; again by a runner that goes on with the run of another |
pub const PRE_INITIALIZE_SUT: EventId<Arc<Sut>> = EventId::new(
    "PRE_INITIALIZE_SUT",
    "A system under test is about to be initialised.",
);

/// A SUT is to be initialised: power, images, connections.
///
/// | | |
/// |---|---|
/// | kind | event; a callback that fails aborts the run |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | after [`PRE_INITIALIZE_SUT`] of all SUTs |
pub const INITIALIZE_SUT: EventId<Arc<Sut>> =
    EventId::new("INITIALIZE_SUT", "Initialises a system under test.");

/// A SUT has been initialised: the place for checks.
///
/// | | |
/// |---|---|
/// | kind | event; a callback that fails aborts the run |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | after [`INITIALIZE_SUT`] of all SUTs |
pub const POST_INITIALIZE_SUT: EventId<Arc<Sut>> = EventId::new(
    "POST_INITIALIZE_SUT",
    "A system under test has been initialised.",
);

/// A SUT is not needed any more.
///
/// | | |
/// |---|---|
/// | kind | event; a callback that fails is reported, and the others still follow |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | once for each SUT for which [`PRE_INITIALIZE_SUT`] was sent, last one first, however the run ended; before `POST_TESTS` |
pub const UNINITIALIZE_SUT: EventId<Arc<Sut>> = EventId::new(
    "UNINITIALIZE_SUT",
    "A system under test is not needed any more.",
);

/// Asks for a SUT to be brought back to life. An error means that it was not.
///
/// | | |
/// |---|---|
/// | kind | request, answered by addons that can do it |
/// | sender | addons that have found it dead |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | any time |
pub const SUT_RECOVERY_PERFORM: RequestId<(), ()> = RequestId::new(
    "SUT_RECOVERY_PERFORM",
    "Asks for a system under test to be brought back.",
);

/// A recovery has begun.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | who answers [`SUT_RECOVERY_PERFORM`] |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | before [`SUT_RECOVERY_COMPLETED`] |
pub const SUT_RECOVERY_STARTED: EventId<()> = EventId::new(
    "SUT_RECOVERY_STARTED",
    "The recovery of a system under test has begun.",
);

/// A recovery is over.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | who answers [`SUT_RECOVERY_PERFORM`] |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | after [`SUT_RECOVERY_STARTED`] |
pub const SUT_RECOVERY_COMPLETED: EventId<()> = EventId::new(
    "SUT_RECOVERY_COMPLETED",
    "The recovery of a system under test is over.",
);

/// From now on a reset of the SUT is no surprise.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | who is going to reset it |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | before [`SUT_RESET_NOT_EXPECTED`] |
pub const SUT_RESET_EXPECTED: EventId<()> = EventId::new(
    "SUT_RESET_EXPECTED",
    "A reset of a system under test is expected from now on.",
);

/// From now on a reset of the SUT is a surprise again.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | who sent [`SUT_RESET_EXPECTED`] |
/// | endpoint | [`SUT`] |
/// | entity | the SUT |
/// | order | after [`SUT_RESET_EXPECTED`] |
pub const SUT_RESET_NOT_EXPECTED: EventId<()> = EventId::new(
    "SUT_RESET_NOT_EXPECTED",
    "A reset of a system under test is not expected any more.",
);

/// A reset of the SUT has begun: no case of it begins before it is over, however long that is announced before the run. Cases that run
/// go on. If it is not over within [`SUT_RESET_DONE_TIMEOUT`](super::SUT_RESET_DONE_TIMEOUT), the run is aborted.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | addons that detect resets |
/// | endpoint | [`SUT`], or one of the addon |
/// | entity | the SUT |
/// | order | before [`SUT_RESET_DONE`]; a second one without that in between begins nothing new |
pub const SUT_RESET_STARTED: EventId<SutReset> = EventId::new(
    "SUT_RESET_STARTED",
    "A reset of a system under test has begun.",
)
.portable_as_json();

/// A reset of the SUT is over. One that has not begun is nothing.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | addons that detect resets |
/// | endpoint | [`SUT`], or one of the addon |
/// | entity | the SUT |
/// | order | after [`SUT_RESET_STARTED`] |
pub const SUT_RESET_DONE: EventId<SutReset> =
    EventId::new("SUT_RESET_DONE", "A reset of a system under test is over.").portable_as_json();

/// Payload of [`SUT_RESET_STARTED`] and [`SUT_RESET_DONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SutReset {
    /// Whether somebody had announced it by [`SUT_RESET_EXPECTED`].
    pub expected: bool,
}

impl SutReset {
    /// One that was announced.
    pub const EXPECTED: Self = Self { expected: true };
    /// A surprise.
    pub const UNEXPECTED: Self = Self { expected: false };
}
