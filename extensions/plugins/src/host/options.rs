//! The options about plugins.

use std::time::Duration;

use camino::Utf8PathBuf;
use zaf_core::config::OptionId;

/// Directories in which plugins are looked for: each folder in them with a `plugin.toml`.
///
/// CLI `--plugins-paths DIR`, in the user's configuration `plugins: {paths: [DIR]}`; no default.
pub const PATHS: OptionId<Vec<Utf8PathBuf>> = OptionId::path("plugins.paths")
    .multiple()
    .describe("Load the plugins in these directories.");

/// Whether plugins are loaded that others may change.
///
/// CLI `--allow-insecure-plugins`, default false; only the command line and the user's own configuration may say so.
pub const ALLOW_INSECURE: OptionId<bool> = OptionId::flag("allow.insecure.plugins")
    .describe("Load plugins although other users may change them.")
    .default(false)
    .hidden();

/// How often a plugin is started again in one run after it died.
///
/// CLI `--plugins-restarts N`, default 3: enough for a slip, too little for a loop.
pub const RESTARTS: OptionId<u64> = OptionId::count("plugins.restarts")
    .describe("How often a plugin that died is started again.")
    .default(3);

/// Longest time that a plugin may take for one message before it is ended.
///
/// CLI `--plugins-timeout TIME`, default 1 min.
pub const TIMEOUT: OptionId<Duration> = OptionId::duration("plugins.timeout")
    .describe("Longest time that a plugin may take for one message.")
    .default(Duration::from_mins(1));
