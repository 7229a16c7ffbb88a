//! Built-in extensions that no command shows: those that read the environment and that name slow handlers.

use std::io::Write;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use zaf_core::application::Console;
use zaf_core::message::SLOW_HANDLER;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const SHOP: EndpointId = EndpointId::new("built-in-shop", "Where something is made.");
const MADE: EventId<()> = EventId::new("BUILT_IN_MADE", "Something is to be made.");

/// What is made.
const WARES: OptionId<String> = OptionId::text("shop.wares")
    .describe("What.")
    .default("bread");

/// Holds a handler until it has been named; provided by tests.
#[derive(Debug, Default)]
struct Slow {
    /// Whether the command makes something at all.
    wanted: bool,
    told: Mutex<bool>,
    change: Condvar,
}

/// Says what is made, makes it, and waits until the handler that makes it has been named as slow.
#[command(name = "make", config_options = [WARES.required()])]
fn make(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    writeln!(console.stdout(), "{}", cx.config().get(WARES)?)?;
    let handler = cx.component::<Slow>()?;
    if handler.wanted {
        let queue = cx.bus().message_queue_of([SLOW_HANDLER]).open()?;
        cx.bus().trigger_event(MADE, SHOP, ())?;
        let slow = queue.recv_timeout(Duration::from_mins(1))?;
        *handler.told.lock() = true;
        handler.change.notify_all();
        writeln!(console.stdout(), "slow with {}", slow.data().message)?;
    }
    Ok(ExitCode::Success)
}

#[framework_extension(
    name = "shop",
    load_order = 101,
    commands = [MAKE_COMMAND],
    endpoints_and_messages = { SHOP: [MADE] },
)]
#[derive(Debug)]
struct Shop;

impl Extension for Shop {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Shop {
    #[sequential_dispatcher(MADE)]
    fn on_made(&self, _: &Message<()>, slow: &Slow) {
        let mut told = slow.told.lock();
        slow.change
            .wait_while_for(&mut told, |told| !*told, Duration::from_mins(1));
    }
}

fn shop(wanted: bool) -> zaf_harness::HarnessBuilder<Shop> {
    let slow = Slow {
        wanted,
        ..Slow::default()
    };
    ExtensionTestHarness::builder().component(Arc::new(slow))
}

#[test]
fn options_are_read_from_the_environment_that_a_test_gives_and_from_no_other() -> TestResult {
    let made = |builder: zaf_harness::HarnessBuilder<Shop>, rest: &[&str]| -> Result<String> {
        let run = builder.run_command([&["make"], rest].concat())?;
        Ok(run.expect_success()?.stdout)
    };
    let rolls = || shop(false).variable("HARNESS_SHOP_WARES", "rolls");
    assert_eq!(made(shop(false), &[])?, "bread\n");
    assert_eq!(made(rolls(), &[])?, "rolls\n");
    // More than what the program was made with, less than what was typed.
    let configured = rolls().config(WARES, "pie".to_owned());
    assert_eq!(made(configured, &[])?, "rolls\n");
    assert_eq!(made(rolls(), &["--shop-wares", "tart"])?, "tart\n");
    // Of another application.
    assert_eq!(
        made(shop(false).variable("K2_SHOP_WARES", "x"), &[])?,
        "bread\n"
    );
    Ok(())
}

#[test]
fn a_variable_that_is_no_option_is_told_with_the_nearest_one() -> TestResult {
    let run = shop(false)
        .variable("HARNESS_SHOP_WARSE", "rolls")
        .run_command(["make"])?
        .expect_success()?;
    assert_eq!(run.stdout, "bread\n");
    let warning = run.logs.expect(Level::WARN, "HARNESS_SHOP_WARSE")?;
    assert!(
        warning.to_string().contains("HARNESS_SHOP_WARES"),
        "{warning}"
    );
    Ok(())
}

#[test]
fn a_handler_that_takes_longer_than_allowed_is_named_while_it_runs() -> TestResult {
    let run = shop(true)
        .run_command(["make", "--handler-warn", "1ms"])?
        .expect_success()?;
    assert_eq!(run.stdout, "bread\nslow with BUILT_IN_MADE\n");
    let warning = run.logs.expect(Level::WARN, "BUILT_IN_MADE")?;
    assert!(warning.to_string().contains("on_made"), "{warning}");
    shop(false)
        .run_command(["make", "--handler-warn", "soon"])?
        .expect_code(ExitCode::Usage)?;
    Ok(())
}
