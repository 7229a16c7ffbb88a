//! Framework extensions that every application has.
//!
//! Each could be written by a user, and replaced by one. What they do together: read the environment, the command line and
//! the configuration files while extensions are loaded, check the result, set the log level. They tell the application
//! what went wrong by errors; nothing here ends the process or keeps state.

mod cli;
mod config_files;
mod config_validator;
mod declare;
mod environment;
mod logging;
mod noop;
mod output;

use linkme::distributed_slice;

use crate::extension::ExtensionDescriptor;
use crate::private::ZAF_EXTENSIONS;

pub use cli::CommandLine;
pub use config_files::{
    ADDITIONAL_CONFIG_FILE_PATTERN, CONFIG_FILE_PATTERN, ConfigFiles, DISABLE_DEFAULT_CONFIG_FILES,
};
pub use config_validator::{ConfigValidator, UNKNOWN_KEYS};
pub use environment::Environment;
pub use logging::{LOG_LEVEL, Logging};
pub use noop::{NOOP_COMMAND, Noop};
pub use output::{OUTPUT_DIR, Output};

/// All built-in extensions, for applications that are made of a list of their own
/// ([`Application::extensions`](crate::application::Application::extensions)). Linked applications have them anyway.
pub const EXTENSIONS: &[ExtensionDescriptor] = &[
    CLI[0],
    CLI[1],
    CLI[2],
    CLI[3],
    CLI[4],
    ENVIRONMENT[0],
    ENVIRONMENT[1],
    ENVIRONMENT[2],
    ENVIRONMENT[3],
    CONFIG_FILES[0],
    CONFIG_FILES[1],
    CONFIG_FILES[2],
    config_validator::CONFIG_VALIDATOR,
    logging::LOGGING,
    output::OUTPUT,
    noop::NOOP,
];

use cli::CLI;
use config_files::CONFIG_FILES;
use environment::ENVIRONMENT;

macro_rules! link {
    ($($name:ident = $index:literal),* $(,)?) => {
        $(
            #[distributed_slice(ZAF_EXTENSIONS)]
            static $name: ExtensionDescriptor = EXTENSIONS[$index];
        )*
        /// One link for each extension.
        const _: () = assert!(EXTENSIONS.len() == [$($index),*].len());
    };
}

link! {
    LINK_0 = 0,
    LINK_1 = 1,
    LINK_2 = 2,
    LINK_3 = 3,
    LINK_4 = 4,
    LINK_5 = 5,
    LINK_6 = 6,
    LINK_7 = 7,
    LINK_8 = 8,
    LINK_9 = 9,
    LINK_10 = 10,
    LINK_11 = 11,
    LINK_12 = 12,
    LINK_13 = 13,
    LINK_14 = 14,
    LINK_15 = 15,
}
