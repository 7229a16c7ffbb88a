//! Attribute macros of `zaf-core` and `k2`: they read a declaration, check its form and emit a constant that describes it.
//!
//! Authors get them through `zaf_core::prelude` and `k2::test_case`. Nothing clever lives here: each expansion is the item as
//! it was written and one anonymous constant that mentions only `::zaf_core::private` (or `::k2::private`). What is wrong is
//! said at the word that is wrong; what the compiler finds wrong later it finds in the author's own tokens.
//!
//! | To … | write |
//! | --- | --- |
//! | add behaviour that is there whatever the command is | [`framework_extension`](macro@framework_extension) on a type |
//! | add behaviour to some commands | [`command_extension`](macro@command_extension) on a type |
//! | listen to messages | [`dispatchers`](macro@dispatchers) on an `impl`, and one of the four dispatchers on each of its handlers |
//! | add a command | [`command`](macro@command) on a function |
//! | make something that others ask for by type | [`component`](macro@component) on a function; who asks says more with [`requires`](macro@requires) |
//! | write a test case, or say what those of a module have in common | [`test_case`](macro@test_case) on a function, [`test_module!`] |
//!
//! One module per macro; `arguments`, `function`, `requirement`, `manners` and `documentation` are what they share.
//!
//! All of them at once:
//!
//! ```
//! use k2::prelude::*;
//!
//! /// Where the shop speaks.
//! const SHOP: EndpointId = EndpointId::new("shop", "Where things are sold.");
//! /// What something costs.
//! const PRICE: RequestId<String, u64> = RequestId::new("PRICE", "What does it cost?");
//! /// What is sold how often.
//! const SOLD: EventId<String> = EventId::new("SOLD", "Something was sold.");
//! /// What is asked for.
//! const WHAT: OptionId<String> = OptionId::text("shop.what").default("bread");
//!
//! /// The price list.
//! struct Prices(u64);
//!
//! #[component(scope = "session", can = ["prices"])]
//! /// The price list of today.
//! fn prices() -> Prices {
//!     Prices(3)
//! }
//!
//! #[command(name = "buy", uses = ["trade"], config_options = [WHAT.required()])]
//! /// Buys something.
//! fn buy(cx: &CommandContext<'_>) -> Result<ExitCode> {
//!     let what = cx.config().get(WHAT)?;
//!     let replies = cx.bus().send_request(PRICE, SHOP, what.clone())?;
//!     assert_eq!(replies.values(std::time::Duration::from_secs(10))?, [15]);
//!     cx.bus().trigger_event(SOLD, SHOP, what)?;
//!     Ok(ExitCode::Success)
//! }
//!
//! /// Adds the command.
//! #[framework_extension(name = "shop", commands = [BUY_COMMAND], endpoints_and_messages = { SHOP: [PRICE, SOLD] })]
//! struct Shop;
//!
//! impl Extension for Shop {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! /// Knows what things cost, wherever there is trade.
//! #[command_extension(name = "till", extends = ["trade"])]
//! struct Till;
//!
//! impl Extension for Till {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! #[dispatchers]
//! impl Till {
//!     #[sequential_dispatcher(PRICE)]
//!     #[requires(prices, can = ["prices"])]
//!     fn price(&self, message: &Message<String>, prices: &Prices) -> u64 {
//!         prices.0 * message.data().len() as u64
//!     }
//!
//!     #[callback_dispatcher(SOLD, endpoints = [SHOP])]
//!     fn sold(&self, message: &Message<String>) {
//!         assert_eq!(message.data(), "bread");
//!     }
//! }
//!
//! #[k2::test_case(tags = ["smoke"], timeout = "5s")]
//! /// Bread has five letters.
//! fn bread(prices: &Prices, #[foreach(["bread", "toast"])] what: &str) {
//!     assert_eq!(prices.0 * what.len() as u64, 15);
//! }
//!
//! fn main() {
//!     use zaf_core::application::Console;
//!     use zaf_core::command::Invocation;
//!     let (console, printed) = Console::captured();
//!     let code = k2::application("market").run_with(Invocation::new(["buy"]), &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let (console, printed) = Console::captured();
//!     let code = k2::application("market").run_with(Invocation::new(["list"]), &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     assert_eq!(printed.stdout().matches("bread[what=").count(), 2, "{}", printed.stdout());
//! }
//! ```

mod arguments;
mod command;
mod command_extension;
mod component;
mod dispatcher;
mod dispatchers;
mod documentation;
mod duration;
mod exclusion;
mod extension;
mod framework_extension;
mod function;
mod manners;
mod nearest;
mod place;
mod problems;
mod requirement;
mod requires;
mod test_case;
mod test_module;
mod values;

use proc_macro::TokenStream;

/// Registers a struct as a framework extension: one that is loaded by its load order and may provide configuration and commands.
///
/// The struct implements `zaf_core::extension::Extension`. Its documentation describes the extension.
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `name` | text; several extensions may share one and are then switched together | required |
/// | `load_order` | whole number from 1 to 1000, lower first | `50` |
/// | `config_options` | `[OPTION.required(), OTHER.optional()]` | none |
/// | `commands` | constants that `#[command]` made: `[RUN_COMMAND]` | none |
/// | `endpoints_and_messages` | `{ ENDPOINT: [MESSAGE, …] }` | none |
/// | `groups` | texts | none |
/// | `default_enabled` | `true` or `false` | `true` |
/// | `activate_on` | options that must all hold; a tuple holds if one of it does: `[A, (B, C)]` | always |
/// | `deactivate_on` | as above; wins over `activate_on` | never |
/// | `replaces` | names of extensions that are not loaded when this one is | none |
#[proc_macro_attribute]
pub fn framework_extension(arguments: TokenStream, item: TokenStream) -> TokenStream {
    framework_extension::expand(arguments.into(), &item.into()).into()
}

/// Registers a struct as a command extension: one that is loaded for the commands it extends.
///
/// The struct implements `zaf_core::extension::Extension`. Its documentation describes the extension.
///
/// `extends` lists commands (`k2::RUN_COMMAND`), capabilities (`"capability"`) or both: the extension is loaded for a command
/// that is listed, and for one that uses all of the capabilities. The other keys are those of
/// [`framework_extension`](macro@framework_extension) without `load_order` and `commands`.
#[proc_macro_attribute]
pub fn command_extension(arguments: TokenStream, item: TokenStream) -> TokenStream {
    command_extension::expand(arguments.into(), &item.into()).into()
}

/// Registers the methods of an `impl` block that have a dispatcher attribute as handlers of messages.
///
/// The attributes are `callback_dispatcher` (on the sender's thread), `sequential_dispatcher` (one message at a time, in order),
/// `threadpool_dispatcher` (a fixed number of workers) and `concurrent_dispatcher` (all at once). Each takes the message, or
/// several in brackets, and then
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `endpoints` | endpoints to listen at | all that define the message |
/// | `entity` | the option that the extension is instantiated on: listens for this instance's entity only | every entity |
/// | `long_running` | its handlers may take as long as they like: no warning names them | `false` |
/// | `optional` | undefined messages are skipped instead of being an error | `false` |
/// | `priority` | whole number, higher is served first | `0` |
/// | `workers` | thread pools only: number of workers | that of the framework |
///
/// A handler takes `&self`, the message as `&Message<P>`, and then any number of components by reference: `&MessageBus` is the
/// bus, everything else is found by its type when the dispatcher is registered, or for each message if it lives in the scope
/// `message`. It returns the reply, or a `Result` of it. An extension may have several such blocks.
#[proc_macro_attribute]
pub fn dispatchers(arguments: TokenStream, item: TokenStream) -> TokenStream {
    dispatchers::expand(arguments.into(), &item.into()).into()
}

/// Handles messages on the sender's thread; see [`dispatchers`](macro@dispatchers), inside of which it belongs.
#[proc_macro_attribute]
pub fn callback_dispatcher(arguments: TokenStream, item: TokenStream) -> TokenStream {
    dispatcher::misplaced("callback_dispatcher", arguments.into(), item.into()).into()
}

/// Handles one message at a time, in order; see [`dispatchers`](macro@dispatchers), inside of which it belongs.
#[proc_macro_attribute]
pub fn sequential_dispatcher(arguments: TokenStream, item: TokenStream) -> TokenStream {
    dispatcher::misplaced("sequential_dispatcher", arguments.into(), item.into()).into()
}

/// Handles messages on a fixed number of workers; see [`dispatchers`](macro@dispatchers), inside of which it belongs.
#[proc_macro_attribute]
pub fn threadpool_dispatcher(arguments: TokenStream, item: TokenStream) -> TokenStream {
    dispatcher::misplaced("threadpool_dispatcher", arguments.into(), item.into()).into()
}

/// Handles all messages at once; see [`dispatchers`](macro@dispatchers), inside of which it belongs.
#[proc_macro_attribute]
pub fn concurrent_dispatcher(arguments: TokenStream, item: TokenStream) -> TokenStream {
    dispatcher::misplaced("concurrent_dispatcher", arguments.into(), item.into()).into()
}

/// Makes a command of a function: a constant `<FUNCTION>_COMMAND` as visible as the function.
///
/// The function takes `&CommandContext<'_>` and returns an `ExitCode`, `()`, or a `Result` of one of them. Its documentation is
/// the command's help. A framework extension adds the command by listing the constant in `commands`.
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `name` | the word on the command line: lower-case letters, digits and dashes | required |
/// | `uses` | capabilities, by which command extensions find the command | none but its own name |
/// | `parent` | constant of the command that this is a sub-command of | none |
/// | `config_options` | `[OPTION.required(), OTHER.optional()]` | none |
/// | `hidden` | only the full help lists it | `false` |
#[proc_macro_attribute]
pub fn command(arguments: TokenStream, item: TokenStream) -> TokenStream {
    command::expand(arguments.into(), &item.into()).into()
}

/// Registers a function that makes a component: something that handlers, other components and test cases can ask for by type.
///
/// The function's parameters are components that it needs itself, by reference; it returns the component or a `Result` of it.
/// The instance is dropped when its scope ends, last made first.
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `name` | text | the function's |
/// | `scope` | where an instance lives: `session`, `dispatcher`, `message`, `runner`, `module`, `class`, `test` or an application's own | `session` |
/// | `can` | capabilities that requirements can ask for | none |
/// | `priority` | whole number; the highest wins where several fit | `0` |
#[proc_macro_attribute]
pub fn component(arguments: TokenStream, item: TokenStream) -> TokenStream {
    component::expand(arguments.into(), &item.into()).into()
}

/// Refines what one parameter of a handler, a component or a test case asks for: `#[requires(shell, can = ["host"])]`.
///
/// `can` lists capabilities that the component must have, `scope` names the scope to take it from instead of its own.
#[proc_macro_attribute]
pub fn requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    requires::expand(&arguments.into(), &item.into()).into()
}

/// Registers a function as a test case of k2. The function stays callable.
///
/// Its parameters are components by reference, `&TestContext`, and values: a parameter with `#[foreach([a, b])]` makes a case for
/// each value, several make one for each combination, the first changing slowest. It returns `()` or a `Result<(), E>`. Its
/// documentation describes the case.
///
/// The function is called on a thread of the test command. A panic is the case's verdict; a panic on a thread that it starts is
/// only its verdict if it joins that thread. When its time is up, the case is told as timed out and its thread is given up: ask
/// `TestContext::cancellation` to end in time. A case that ends or crashes the process (`std::process::exit`, an abort, a stack
/// overflow) is an error, and the run goes on in a new process; with `isolation = "process"` it has a process of its own from the
/// start, which can also be ended when its time is up.
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `name` | text | the function's |
/// | `class` | text: a group within the module, a part of the id; its cases share components of the scope `class` | none |
/// | `owner` | text: who looks after the case | that of the module |
/// | `tags` | texts | none |
/// | `timeout` | length of time: `"5s"`, `"2m 30s"` | the run's |
/// | `isolation` | `"process"` or `"in-process"` | the run's |
/// | `disabled` | text: why the case is not run | enabled |
/// | `exclude` | combinations of values that are left out: `[(flag = "-s", count = 2)]` | none |
#[proc_macro_attribute]
pub fn test_case(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test_case::expand(arguments.into(), &item.into()).into()
}

/// Says something about all test cases of the module that it stands in, and of those within: `k2::test_module!(owner = "network
/// team", tags = ["net"]);`.
///
/// | Key | Value | Default |
/// | --- | --- | --- |
/// | `owner` | text: who looks after cases that name nobody themselves; the nearest module wins | none |
/// | `tags` | texts: in addition to those of the cases | none |
#[proc_macro]
pub fn test_module(arguments: TokenStream) -> TokenStream {
    test_module::expand(arguments.into()).into()
}
