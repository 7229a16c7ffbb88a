//! A test command for a product line: an addon for its systems, cases that run on them, and what can go wrong with them.

mod addon;
mod faults;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use k2::prelude::*;
use k2::sut::{Sut, Suts};

use addon::Shell;

fn main() -> ExitCode {
    k2::application("testbench")
        .command_name("testbench")
        .version("1.0.0")
        .run()
}

/// Adds a line to the file `story` in the working directory, from which tests read what happened in which order.
fn note(line: &str) {
    let file = OpenOptions::new().append(true).create(true).open("story");
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.expect("invariant: the directory of the test can be written");
}

/// Needs none.
#[k2::test_case]
fn host_only() {
    note("host_only");
}

/// Runs on any.
#[k2::test_case]
fn any(sut: &Sut) {
    note(&format!("any {sut}"));
}

/// Runs on one of a sort.
#[k2::test_case]
#[requires(sut, can = ["arm"])]
fn on_arm(sut: &Sut) {
    assert!(sut.can("arm"));
}

/// Needs two.
#[k2::test_case]
#[requires(left, can = ["telnet"])]
fn link(left: &Sut, right: &Sut) {
    assert_ne!(left.name(), right.name());
    note(&format!("link {left} {right}"));
}

/// Boots each.
#[k2::test_case]
fn boots(#[foreach(["cold", "warm"])] how: &str, #[foreach] sut: &Sut, cx: &TestContext) {
    assert_eq!(cx.parameter("sut"), Some(sut.name()));
    note(&format!("boots {how} {sut}"));
}

/// The component lies on the SUT of the case, not on the first that fits.
#[k2::test_case]
#[requires(sut, can = ["arm"])]
fn component_and_case_share_a_sut(sut: &Sut, shell: &Shell) {
    assert!(
        shell.place.starts_with(&format!("{sut} at ")),
        "{}",
        shell.place
    );
    note(&format!("share {}", shell.place));
}

/// A component alone asks for a SUT.
#[k2::test_case]
fn by_component(shell: &Shell, suts: &Suts, cx: &TestContext) {
    assert_eq!(cx.suts().len(), 1);
    assert!(!suts.is_empty());
    note(&format!("by_component {}", shell.place));
}

/// A tool of this machine.
struct Tool(&'static str);

#[component(scope = "session", can = ["fast"])]
/// A tool.
fn hammer() -> Tool {
    Tool("hammer")
}

#[component(scope = "session", can = ["slow"])]
/// A tool.
fn file() -> Tool {
    Tool("file")
}

/// Runs with each tool.
#[k2::test_case]
fn with_each(#[foreach] tool: &Tool) {
    note(&format!("with_each {}", tool.0));
}

/// Runs with each tool that is quick.
#[k2::test_case]
#[requires(tool, can = ["fast"])]
fn with_each_fast(#[foreach] tool: &Tool) {
    assert_eq!(tool.0, "hammer");
}

/// Says which process it is in.
#[k2::test_case(isolation = "process")]
fn apart(sut: &Sut, shell: &Shell) {
    note(&format!("apart {sut} {}", shell.place));
}

/// Ends the program that it is a part of.
#[k2::test_case]
fn kills_the_runner(sut: &Sut) {
    note(&format!("kills {sut}"));
    // A pipe, where somebody wants to see what is shown until then.
    if std::path::Path::new("go").exists() {
        std::fs::read("go").expect("invariant: the test lets go of the pipe");
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "it is about runners that end without a teardown"
    )]
    std::process::abort();
}

mod exclusive {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Sut, note};

    static INSIDE: AtomicUsize = AtomicUsize::new(0);

    fn use_it(sut: &Sut) {
        let inside = INSIDE.fetch_add(1, Ordering::SeqCst);
        assert_eq!(inside, 0, "others use {sut}");
        note(&format!("used {sut}"));
        // Long enough for the other workers to come in, if they may.
        for _ in 0..50 {
            std::thread::yield_now();
        }
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }

    /// Uses it alone.
    #[k2::test_case]
    fn each_alone(#[foreach([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])] _round: u32, sut: &Sut) {
        use_it(sut);
    }
}

mod meeting {
    use std::time::Duration;

    use k2::waitfor::WaitFor;

    use super::{Result, Sut};

    /// Two that can only end together.
    fn meet(name: &str, other: &str, wait: &WaitFor) -> Result<()> {
        std::fs::write(name, "")?;
        wait.timeout(Duration::from_mins(1))
            .is_true("the other", || std::path::Path::new(other).exists())
    }

    /// Runs beside the other.
    #[k2::test_case]
    fn one(_sut: &Sut, wait: &WaitFor) -> Result<()> {
        meet("one", "other", wait)
    }

    /// Runs beside the one.
    #[k2::test_case]
    fn other(_sut: &Sut, wait: &WaitFor) -> Result<()> {
        meet("other", "one", wait)
    }
}

/// Takes as little as a case can.
#[k2::test_case]
fn nothing() {}

/// The same, in a process of its own.
#[k2::test_case(isolation = "process")]
fn nothing_apart() {}

/// What a case can leave in the process of the runner, which nobody takes away there.
mod leaking {
    use std::fs::File;
    use std::os::fd::IntoRawFd;

    use zaf_core::thread;

    #[k2::test_case]
    fn a_descriptor() -> std::io::Result<()> {
        let _number = File::open("/dev/null")?.into_raw_fd();
        Ok(())
    }

    #[k2::test_case]
    fn a_thread() -> std::io::Result<()> {
        drop(thread::spawn("left behind", || {
            loop {
                std::thread::park();
            }
        })?);
        Ok(())
    }

    #[k2::test_case]
    fn memory() {
        vec![1_u8; 256 * 1024].leak();
    }
}
