//! Systems under test: what they are, which case runs on which, and what is said about them.
//!
//! ```text
//! options ─► extension `sut` ─► DESCRIBE_SUT, answered by addons ─► SutOffer (GET_SUTS)
//!                                                                     │
//! cases of the finder ─► bind: variants, SUTs, resources ◄────────────┘ ─► scheduler ─► runner
//! ```
//!
//! A [`Sut`] is an entity with capabilities: its own name, what the configuration adds, and what addons add. A test function asks for
//! one by a parameter `&Sut`; the binding decides before the run which one it gets, so that a SUT's name can be a part of an id, and the
//! scheduler can keep two cases from using one SUT at the same time.
//!
//! Around the cases of a run stand the sequence points [`PRE_INITIALIZE_SUT`], [`INITIALIZE_SUT`], [`POST_INITIALIZE_SUT`] and
//! [`UNINITIALIZE_SUT`]: each for all SUTs before the next.

mod bind;
mod binding;
mod candidates;
mod executables;
mod given;
mod messages;
mod offer;
mod options;
mod order;
mod part;
mod sequence;
mod target;

pub(crate) use self::bind::bind;
pub use self::binding::{Binding, Chosen, Each};
pub(crate) use self::given::unknown_names;
pub use self::messages::*;
pub(crate) use self::offer::ask_for_suts;
pub use self::offer::{Missing, SutOffer, SutRule, SutRuleError, Suts};
pub use self::options::*;
pub use self::part::SutPart;
pub(crate) use self::sequence::Sequence;
pub use self::target::{Sut, SutError};
