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
//!
//! What several addons say about one:
//!
//! ```
//! # use k2_core as k2;
//! use k2::sut::{Sut, SutPart};
//!
//! struct Telnet(u16);
//!
//! let mut board = Sut::new("board");
//! board.add("telnet", SutPart::new().can("telnet").attribute("telnet.port", 23).with(Telnet(23)))?;
//! board.add("power", SutPart::new().can("power"))?;
//! assert!(board.can("board") && board.can("telnet") && board.can("power") && !board.can("fly"));
//! assert_eq!(board.attribute("telnet.port"), Some("23"));
//! assert_eq!(board.part::<Telnet>().map(|telnet| telnet.0), Some(23));
//! // Two that contradict each other are named.
//! let error = board.add("serial", SutPart::new().attribute("telnet.port", 2323)).expect_err("it has one");
//! let text = error.to_string();
//! assert!(text.contains("telnet") && text.contains("serial"), "{text}");
//! # Ok::<(), k2::sut::SutError>(())
//! ```

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
