//! What the targets check, one function each. A target is one line in `fuzz_targets/`, a `[[bin]]` in `Cargo.toml` and a few
//! small inputs in `corpus/<target>/`.
//!
//! Run one with `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none <target> -- -max_total_time=60 -timeout=5 -rss_limit_mb=512` from the
//! folder above this package (stable toolchain, no sanitizer). New inputs go to the first corpus folder that is named; name
//! `target/fuzz-corpus/<target>` before `fuzz/corpus/<target>` to leave the seeds as they are.

mod config;
mod line;
mod messages;
mod parsers;
mod plugins;

pub use config::{json_to_store, option_names, references, toml_to_store, yaml_to_store};
pub use line::argv;
pub use messages::encoded_message;
pub use parsers::{event_log, parameters, tag_expression, tap, test_lists};
pub use plugins::{plugin_description, plugin_frame_binary, plugin_frame_json, plugin_library};
