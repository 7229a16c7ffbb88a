//! Commands: what they are, which extensions match them, what they run with.
//!
//! A command is a function with `#[command]`, which makes a constant of it; a framework extension adds that. Extensions match a command by name or
//! by what it uses:
//!
//! ```
//! use zaf_core::prelude::*;
//!
//! /// Plays a song.
//! #[command(name = "play", uses = ["sound", "rhythm"])]
//! fn play(cx: &CommandContext<'_>) -> Result<ExitCode> {
//!     tracing::info!("plays");
//!     // Whoever takes long asks whether it is to end.
//!     Ok(if cx.abort().is_aborted() { ExitCode::Incomplete } else { ExitCode::Success })
//! }
//!
//! /// Adds it.
//! #[framework_extension(name = "player", commands = [PLAY_COMMAND])]
//! struct Player;
//!
//! impl Extension for Player {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! fn main() {
//!     use zaf_core::application::{Application, Console};
//!     assert_eq!(PLAY_COMMAND.description, "Plays a song.");
//!     let (console, printed) = Console::captured();
//!     let line = zaf_core::command::Invocation::new(["play"]);
//!     let code = Application::new("band").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//! }
//! ```

mod abort;
mod application_info;
mod context;
mod descriptor;
mod invocation;
mod matching;
mod tree;

pub use crate::config::ApplicationContext;
pub use abort::{AbortLevel, AbortState, ToldByCommand};
pub use application_info::ApplicationInfo;
pub use context::CommandContext;
pub use descriptor::{CommandDescriptor, INSPECTION, PREVIEW};
pub use invocation::Invocation;
pub use matching::is_extended_by;
pub use tree::{CommandEntry, CommandError, CommandTree};
