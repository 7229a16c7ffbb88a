//! Framework for applications made of extensions.
//!
//! An application built with this crate is a list of extensions. Each is a Rust type with an attribute; which ones there are is
//! known as soon as their crates are linked. They are loaded in an order that is the same every time, configured from files, the
//! environment, the command line and each other, matched to the command that was selected, and they talk to each other only
//! through messages: an extension can be switched off, replaced or written by somebody else without the others noticing.
//!
//! # The types to know
//!
//! | To … | use |
//! | --- | --- |
//! | write an extension | [`Extension`](extension::Extension) with `#[framework_extension]` or `#[command_extension]` |
//! | listen to messages | `#[dispatchers]` and the four dispatcher attributes; by hand [`MessageBus::dispatcher`](message::MessageBus::dispatcher) |
//! | declare messages | [`EventId`](message::EventId), [`RequestId`](message::RequestId), [`EndpointId`](message::EndpointId) |
//! | declare and read options | [`OptionId`](config::OptionId), [`ConfigView`](config::ConfigView) |
//! | add a command | `#[command]`, which is given a [`CommandContext`](command::CommandContext) |
//! | share an object | `#[component]`; who needs it takes a `&T`, see [`component`] |
//! | build the program | [`Application`](application::Application) |
//!
//! The macros come with the [`prelude`].
//!
//! # How a run goes
//!
//! ```text
//!  argv, env, files ─► config store ◄─ extensions that provide configuration      load orders 1 to 100
//!                           │
//!        descriptors ─► loader ─► extensions ─► dispatchers ─► message bus ◄─ signals
//!        (link time)        │                                     ▲  │
//!                           ▼                                     │  ▼
//!                       the command ───────── messages ───────────┘  handlers
//! ```
//!
//! 1. [`ExtensionRegistry`](extension::ExtensionRegistry) sorts and checks what was linked.
//! 2. [`Loader`](extension::Loader) makes the framework extensions, lowest load order first, and merges the configuration that
//!    each provides before it makes the next. What is wrong is collected, not fatal, so that help can always be shown.
//! 3. When the command is known, the command extensions that extend it are made, all messages are defined and all dispatchers
//!    registered.
//! 4. The command runs.
//! 5. Everything is destroyed, last made first, whatever any of it does.
//!
//! One direction: [`message`] ← [`component`] ← [`config`] ← [`command`] ← [`extension`] ← [`application`] ← [`builtin`]. A module
//! imports from those left of it only.
//!
//! # What holds everywhere
//!
//! - Nothing is global. Two applications in one process share only constants.
//! - Nothing depends on the order in which a linker or a hash map returned things.
//! - A panic of one handler, component or extension is an error of that one.
//! - No asynchronous runtime, and no thread without a name and an owner.
//! - Errors name what, where (crate, file and line, also of configuration files) and what to do.
//!
//! # A complete application
//!
//! A command that asks for greetings, and an extension that knows one:
//!
//! ```
//! use std::io::Write;
//! use std::time::Duration;
//!
//! use zaf_core::application::{Application, Console};
//! use zaf_core::command::Invocation;
//! use zaf_core::prelude::*;
//!
//! const GREETINGS: EndpointId = EndpointId::new("greetings", "Where greetings are asked for.");
//!
//! /// Asks for a greeting of the person in the payload.
//! const GREET: RequestId<String, String> = RequestId::new("GREET", "Asks for a greeting.");
//!
//! const NAME: OptionId<String> = OptionId::text("greet.name")
//!     .describe("Whom to greet")
//!     .default("world");
//!
//! /// Greets somebody.
//! #[command(name = "greet", config_options = [NAME.required()])]
//! fn greet(cx: &CommandContext<'_>) -> Result<ExitCode> {
//!     let console = cx.component::<Console>()?;
//!     let replies = cx.bus().send_request(GREET, GREETINGS, cx.config().get(NAME)?)?;
//!     for reply in replies.all(Duration::from_secs(1)) {
//!         writeln!(console.stdout(), "{}", reply.result?)?;
//!     }
//!     Ok(ExitCode::Success)
//! }
//!
//! /// Adds the command.
//! #[framework_extension(
//!     name = "greeter",
//!     commands = [GREET_COMMAND],
//!     endpoints_and_messages = { GREETINGS: [GREET] },
//! )]
//! struct Greeter;
//!
//! impl Extension for Greeter {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! /// Knows the English greeting.
//! #[command_extension(name = "english", extends = [GREET_COMMAND])]
//! struct English;
//!
//! impl Extension for English {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! #[dispatchers]
//! impl English {
//!     #[callback_dispatcher(GREET, endpoints = [GREETINGS])]
//!     fn on_greet(&self, message: &Message<String>) -> String {
//!         format!("Hello, {}!", message.data())
//!     }
//! }
//!
//! fn main() {
//!     // A real `main` returns `Application::new("hello").run()`.
//!     let (console, output) = Console::captured();
//!     let arguments = Invocation::new(["greet", "--greet-name", "reader"]);
//!     let code = Application::new("hello").run_with(arguments, &console);
//!     assert_eq!(output.stdout(), "Hello, reader!\n", "{}", output.stderr());
//!     assert_eq!(code, ExitCode::Success);
//! }
//! ```
//!
//! # Features and versions
//!
//! No feature flags. The oldest compiler that works is in the `rust-version` of the workspace. The profile must not set
//! `panic = "abort"`.

pub mod application;
pub mod attribution;
pub mod builtin;
pub mod clock;
pub mod command;
pub mod component;
pub mod config;
mod error;
pub mod extension;
mod glue;
pub mod message;
mod nearest;
mod patience;
pub mod prelude;
#[doc(hidden)]
pub mod private;
mod sync;
pub mod thread;

pub use error::{Error, Result, TestResult};

#[cfg(panic = "abort")]
compile_error!(
    "zaf-core needs `panic = \"unwind\"`: a panic of one handler must not end the others. Remove `panic = \"abort\"` from the profile."
);
