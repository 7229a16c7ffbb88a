//! Framework extensions that every application has.
//!
//! Each could be written by a user, and replaced by one. What they do together: read the environment, the command line and
//! the configuration files while extensions are loaded, check the result, set the log level, record the run, and show it all. They tell the application
//! what went wrong by errors; nothing here ends the process or keeps state.
//!
//! An application of which nothing is its own has them all:
//!
//! ```
//! use zaf_core::application::{Application, Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! let run = |line: &[&str]| {
//!     let (console, printed) = Console::captured();
//!     let code = Application::new("bare").run_with(Invocation::new(line.to_vec()), &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     printed.stdout()
//! };
//! assert!(run(&["--help"]).contains("Usage: bare [OPTIONS] COMMAND"));
//! assert_eq!(run(&["noop"]), "");
//! // Where a value comes from.
//! let explained = run(&["config", "--explain", "log.level", "--log-level", "debug"]);
//! assert!(explained.contains("command line") && explained.contains("◀ wins"), "{explained}");
//! // What there is.
//! assert!(run(&["extensions"]).contains("configvalidator"));
//! ```

mod cli;
mod config_files;
mod config_validator;
mod declare;
mod disabled_options;
mod environment;
mod inspection;
mod logging;
mod noop;
mod output;
mod slow_handlers;
mod table;
mod trace;

use self::cli::CLI;
use self::config_files::CONFIG_FILES;
use self::environment::ENVIRONMENT;
use crate::extension::ExtensionDescriptor;

pub use cli::{
    COMPLETION_COMMAND, COMPLETION_SHELL, CommandLine, Completion, MAN_COMMAND,
    MAN_COMMAND_COMMAND, MAN_DIR, Man,
};
pub use config_files::{
    ADDITIONAL_CONFIG_FILE_PATTERN, CONFIG_FILE_PATTERN, ConfigFiles, DISABLE_DEFAULT_CONFIG_FILES,
};
pub use config_validator::{ConfigValidator, UNKNOWN_KEYS};
pub use environment::Environment;
pub use inspection::{
    COMMANDS_COMMAND, COMPONENTS_COMMAND, CONFIG_COMMAND, DOCS_CHECK, DOCS_COMMAND, DOCS_DIR,
    ENDPOINTS_COMMAND, EXPLAIN, EXTENSIONS_COMMAND, HELP_TOPIC, HELP_TOPIC_COMMAND,
    InspectionCommand, LIST_FORMAT, MESSAGES_COMMAND, ORDERED, PLUGINS_COMMAND, TARGET_COMMAND,
    TARGET_LINE, WHY_COMMAND, WHY_EXTENSION,
};
pub use logging::{
    EXTENSION_LOG_LEVEL, LOG_DIR, LOG_FILE_FORMAT, LOG_FILE_KEEP, LOG_FILE_LEVEL, LOG_FILE_SIZE,
    LOG_FOR, LOG_FORMAT, LOG_LEVEL, Logging, QUIET, VERBOSE,
};
pub use noop::{NOOP_COMMAND, Noop};
pub use output::{OUTPUT_DIR, Output};
pub use slow_handlers::{HANDLER_WARN, SlowHandlers};
pub use trace::{TRACE, Trace};

/// All built-in extensions, for applications that are made of a list of their own
/// ([`Application::made_of`](crate::application::Application::made_of)). Others have them anyway.
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
    CONFIG_FILES[3],
    CONFIG_FILES[4],
    config_validator::CONFIG_VALIDATOR,
    logging::LOGGING,
    trace::TRACE_EXTENSION,
    slow_handlers::SLOW_HANDLERS,
    output::OUTPUT,
    inspection::EXTENSIONS[0],
    inspection::EXTENSIONS[1],
    inspection::EXTENSIONS[2],
    inspection::EXTENSIONS[3],
    inspection::EXTENSIONS[4],
    inspection::EXTENSIONS[5],
    inspection::EXTENSIONS[6],
    inspection::EXTENSIONS[7],
    inspection::EXTENSIONS[8],
    inspection::EXTENSIONS[9],
    noop::NOOP,
    cli::COMPLETION,
    cli::MAN,
];
