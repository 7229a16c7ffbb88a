//! Cases that say more than how they end: checks, attachments, faults that are known, and parts that take too long.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k2::prelude::*;
use k2::{check, check_eq};

/// One pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82";

/// Is known to fail.
#[k2::test_case(xfail = "the board drops every second frame", tags = ["known"])]
fn fails_as_expected() {
    panic!("frame 2 is missing");
}

/// Was repaired.
#[k2::test_case(xfail = "the fan does not start", tags = ["known"])]
fn passes_unexpectedly() {}

/// Finds out while it runs.
#[k2::test_case]
fn fails_as_said_while_it_ran(cx: &TestContext) {
    cx.expect_failure("no rack in this room");
    panic!("no rack");
}

/// Is known to fail, and does not apply.
#[k2::test_case(xfail = "never looked at")]
fn known_and_skipped() -> TestResult {
    Err(skip("no board"))
}

/// Is known to fail, and used up its time.
#[k2::test_case(xfail = "hangs in the driver", timeout = "100ms")]
fn known_and_slow(cx: &TestContext) {
    cx.cancellation().wait(Duration::from_mins(10));
}

/// Two of its checks fail; it comes to its end.
#[k2::test_case]
fn checks(cx: &TestContext) -> TestResult {
    check_eq!(6 * 7, 41, "the answer");
    let evidence = cx.evidence().clone();
    std::thread::scope(|scope| {
        let text = String::from("a\u{1b}[31m<b>");
        scope.spawn(move || evidence.within(|| check!(text.is_empty(), "{text:?}")));
    });
    check!(true);
    cx.attach("end.txt", "", "came to its end")?;
    Ok(())
}

/// A check fails, then it panics.
#[k2::test_case]
fn checks_and_panics() {
    check!(1 > 2, "one is {}", 1);
    panic!("and then this");
}

/// A check fails, then it never ends.
#[k2::test_case(timeout = "300ms")]
fn checks_and_hangs(cx: &TestContext) -> TestResult {
    check!(2 > 3);
    cx.attach("before.txt", "", "before it hung")?;
    cx.cancellation().wait(Duration::from_mins(10));
    std::thread::park_timeout(Duration::from_mins(10));
    Ok(())
}

/// Fails at first.
#[k2::test_case]
fn flaky_with_checks(cx: &TestContext) -> TestResult {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    let first = TRIES.fetch_add(1, Ordering::SeqCst) == 0;
    check!(!first);
    cx.attach("try.txt", "", format!("first: {first}"))?;
    Ok(())
}

/// Attaches an image, a text, a copy of a file, and names that want to be elsewhere.
#[k2::test_case]
fn attaches(cx: &TestContext) -> TestResult {
    cx.attach("screen.png", "image/png", PNG)?;
    cx.attach("../../../escaped.txt", "", "still here")?;
    cx.attach("log.txt", "text/plain", "one")?;
    cx.attach("log.txt", "text/plain", "two")?;
    cx.attach_file("passwd", "", Path::new("/etc/passwd"))?;
    assert!(cx.attach_file("null", "", "/dev/null").is_err());
    Err(fail("look at what is attached"))
}

/// As above, in a process that is killed by itself before it comes to its end.
#[k2::test_case(isolation = "process")]
#[expect(clippy::disallowed_methods, reason = "it kills itself")]
fn attaches_and_aborts(cx: &TestContext) -> TestResult {
    cx.attach("odd name.bin", "application/x-core", [0; 100])?;
    check!(false, "before the end");
    std::process::abort();
}

/// What a case asks for that takes long to make.
#[derive(Debug)]
pub(crate) struct SlowToMake;

#[component(scope = "test")]
/// Never comes.
fn slow_to_make() -> SlowToMake {
    std::thread::park_timeout(Duration::from_mins(10));
    SlowToMake
}

/// What takes long to take down.
#[derive(Debug)]
pub(crate) struct SlowToEnd;

impl Drop for SlowToEnd {
    fn drop(&mut self) {
        std::thread::park_timeout(Duration::from_mins(10));
    }
}

#[component(scope = "test")]
/// Does not go.
fn slow_to_end() -> SlowToEnd {
    SlowToEnd
}

/// Waits for its set-up.
#[k2::test_case]
fn slow_set_up(_slow: &SlowToMake) {}

/// Is slow itself.
#[k2::test_case]
fn slow_body(cx: &TestContext) {
    cx.cancellation().wait(Duration::from_mins(10));
    std::thread::park_timeout(Duration::from_mins(10));
}

/// Waits for its teardown.
#[k2::test_case]
fn slow_teardown(_slow: &SlowToEnd) {}
