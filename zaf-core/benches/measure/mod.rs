//! What the benchmarks share: rounds by turns, several senders, yardsticks, and the record of what was measured.

pub(crate) mod bus;
pub(crate) mod machine;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod rounds;
pub(crate) mod senders;
pub(crate) mod yardsticks;
