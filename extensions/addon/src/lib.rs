//! Writes new addons, products and suites, and says what is wrong with those that exist.
//!
//! | Command | What it does |
//! |---|---|
//! | `addon create` | asks, or takes the answers from options and files, and writes a package that compiles and has a test |
//! | `addon list` | the addons of the workspace, and which products link them |
//! | `addon check` | what is wrong with them |
//! | `addon add-option` | adds an option to an extension, and what reads it |
//! | `addon add-message` | adds a message to an extension, and what handles it |
//!
//! A product has them by linking this crate:
//!
//! ```
//! use k2_addon as _;
//! use zaf_core::application::{Application, Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! let directory = tempfile::tempdir()?;
//! let place = directory.path().as_os_str();
//! let words = [
//!     "addon", "create", "--yes", "--dry-run", "--type", "suite", "--name", "my_suite",
//!     "--addon-origin", "git:https://example.org/k2", "--addon-parent",
//! ];
//! let line = words.map(Into::into).into_iter().chain([place.to_owned()]);
//! let (console, printed) = Console::captured();
//! let code = Application::new("acme").run_with(Invocation::new(line), &console);
//! assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//! assert!(printed.stdout().contains("my-suite/src/lib.rs ("), "{}", printed.stdout());
//! # Ok::<(), std::io::Error>(())
//! ```

mod add_message;
mod add_option;
mod addition;
mod answers;
mod ask;
mod change;
mod check;
mod create;
mod declared;
mod error;
mod insertion;
mod kind;
mod list;
mod name;
mod options;
mod origin;
mod paragraph;
mod plan;
mod replacement;
mod staging;
mod survey;
mod template;
mod terminal;
mod tokens;
mod workspace;

use zaf_core::prelude::*;

pub use add_message::{ADDON_ADD_MESSAGE_COMMAND, addon_add_message};
pub use add_option::{ADDON_ADD_OPTION_COMMAND, addon_add_option};
pub use check::{ADDON_CHECK_COMMAND, addon_check};
pub use create::{ADDON_CREATE_COMMAND, addon_create};
pub use error::AddonError;
pub use kind::Kind;
pub use list::{ADDON_LIST_COMMAND, addon_list};
pub use name::{AddonName, NameError};
pub use options::{
    ADDED, AUTHOR, DESCRIPTION, DRY_RUN, EXTENDS, EXTENSION, LOAD_ORDER, MESSAGE_KIND, NAME,
    OPTION_DEFAULT, OPTION_TYPE, ORIGIN, PACKAGE, PARENT, PAYLOAD, PRODUCT, REPLY, TEMPLATES, TYPE,
    YES,
};

/// Writes addons, and looks at those that exist.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "addon")]
pub fn addon(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Usage)
}

/// Adds the command `addon` and what belongs to it.
#[framework_extension(
    name = "addon",
    load_order = 110,
    commands = [
        ADDON_COMMAND, ADDON_CREATE_COMMAND, ADDON_LIST_COMMAND, ADDON_CHECK_COMMAND, ADDON_ADD_OPTION_COMMAND,
        ADDON_ADD_MESSAGE_COMMAND
    ],
)]
#[derive(Debug)]
pub struct Addon;

impl Extension for Addon {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
