//! Options, where their values come from, and the merged configuration.

mod kind;
mod option;

pub use kind::{DefaultValue, Kind};
pub use option::{ConfigOption, OptionDescriptor, OptionId, OptionType};
