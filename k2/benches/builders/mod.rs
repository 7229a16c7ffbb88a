//! What builders of products wait for: a new addon, and a test of an extension.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k2::messages::{RUNNER, TEST_CASE_FINISHED, TestCaseFinished};
use k2_abort::{ABORT_ON_FAIL, AbortOnFail};
use zaf_core::application::ABORT;
use zaf_harness::ExtensionTestHarness;

use crate::measure::{Result, Target, best, command, median, millis, time};

/// Addons, and harness tests, in a round.
const TIMES: usize = 15;

/// Times of each round.
pub(crate) struct Builders {
    zk2: &'static str,
    workspace: PathBuf,
    made: usize,
    create: Vec<Duration>,
    harness: Vec<Duration>,
}

impl Builders {
    /// A workspace with a product, so that everything is written that can be: package, member, dependency, list of extensions.
    pub(crate) fn new(zk2: &'static str, directory: &Path) -> Result<Self> {
        let workspace = directory.join("workspace");
        std::fs::create_dir(&workspace)?;
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = []\n\n[workspace.dependencies]\nk2 = \"0.1\"\nzaf-core = \"0.1\"\nzaf-harness = \"0.1\"\n";
        std::fs::write(workspace.join("Cargo.toml"), manifest)?;
        let mut builders = Self {
            zk2,
            workspace,
            made: 0,
            create: Vec::new(),
            harness: Vec::new(),
        };
        builders.create("product")?;
        Ok(builders)
    }

    /// `addon create --yes`, from start to end.
    fn create(&mut self, kind: &str) -> Result<Duration> {
        self.made += 1;
        let name = format!("addon{}", self.made);
        let line = ["addon", "create", "--yes", "--type", kind, "--name", &name];
        time(command(self.zk2, line).current_dir(&self.workspace))
    }

    pub(crate) fn round(&mut self) -> Result<()> {
        let (mut create, mut harness) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            create.push(self.create("command")?);
            let start = Instant::now();
            a_test().map_err(|error| error.to_string())?;
            harness.push(start.elapsed());
        }
        self.create.push(median(create));
        self.harness.push(median(harness));
        Ok(())
    }

    pub(crate) fn into_targets(self) -> [Target; 2] {
        [
            Target {
                name: "zk2 addon create --yes, start to end",
                measured: millis(best(&self.create)),
                limit: 50.0,
                unit: "ms",
            },
            Target {
                name: "a harness test, start to end",
                measured: millis(best(&self.harness)),
                limit: 1.0,
                unit: "ms",
            },
        ]
    }
}

/// A whole test of an extension that does next to nothing itself: start, a recorder, an event, what is expected, the end.
fn a_test() -> zaf_core::Result<()> {
    let harness = ExtensionTestHarness::<AbortOnFail>::builder()
        .config(ABORT_ON_FAIL, true)
        .define(RUNNER, [TEST_CASE_FINISHED])
        .start()?;
    let recorder = harness.record([ABORT])?;
    let failed = TestCaseFinished {
        verdict: k2::case::Verdict::Failed,
        ..TestCaseFinished::example()
    };
    harness.trigger_event(TEST_CASE_FINISHED, RUNNER, failed)?;
    recorder.expect(ABORT).arrives()?;
    harness.wait_until_idle()?;
    recorder.expect_nothing_else()?;
    harness.destroy()?;
    Ok(())
}
