//! Scripts before and after a run.
//!
//! Two directories: what can be executed in the first runs before the tests, what can be executed in the second when the reports are
//! written. One after the other, by name; each has a time limit, and its output is kept in the directory of the run.
//!
//! A product has it by linking this crate:
//!
//! ```
//! use k2_jobscripts as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("works", "/bin/true")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = {
//!         use std::os::unix::fs::PermissionsExt;
//!         let before = directory.path().join("before");
//!         std::fs::create_dir(&before)?;
//!         let script = before.join("10-power-on");
//!         std::fs::write(&script, "#!/bin/sh\necho the power is on")?;
//!         std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
//!         ["--job-scripts-pre".into(), before.into_os_string()]
//!     };
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let kept = output.join("latest/job-scripts/pre-job/10-power-on.stdout");
//!     assert_eq!(std::fs::read_to_string(kept)?, "the power is on\n");
//!     Ok(())
//! }
//! ```

mod directory;
mod script;

use std::time::Duration;

use camino::Utf8PathBuf;
use k2::hooks::{HOOKS, HookCall, POST_JOB, PRE_JOB};
use zaf_core::prelude::*;

use self::directory::Directory;
pub use self::directory::DirectoryError;
pub use self::script::ScriptError;
use self::script::Scripts;

/// Directory with what runs before the tests.
///
/// CLI `--job-scripts-pre DIR`, environment `K2_JOB_SCRIPTS_PRE`, default `job/pre.d` beside the user's configuration file.
pub const PRE: OptionId<Utf8PathBuf> = OptionId::path("job.scripts.pre").describe(
    "Directory with scripts that run before the tests; without it `job/pre.d` of the user's configuration directory",
);

/// Directory with what runs when the reports are written.
///
/// CLI `--job-scripts-post DIR`, environment `K2_JOB_SCRIPTS_POST`, default `job/post.d` beside the user's configuration file.
pub const POST: OptionId<Utf8PathBuf> = OptionId::path("job.scripts.post").describe(
    "Directory with scripts that run after the reports; without it `job/post.d` of the user's configuration directory",
);

/// Whether a directory that is not there is worth a warning.
///
/// CLI `--job-scripts-warn-no-dir`, environment `K2_JOB_SCRIPTS_WARN_NO_DIR`, default false.
pub const WARN_NO_DIR: OptionId<bool> = OptionId::flag("job.scripts.warn.no.dir")
    .describe("Warn of a directory of scripts that does not exist")
    .default(false);

/// Whether a script that ends with another exit code than 0 is worth a warning.
///
/// CLI `--no-job-scripts-warn-nonzero-status`, environment `K2_JOB_SCRIPTS_WARN_NONZERO_STATUS`, default true.
pub const WARN_NONZERO_STATUS: OptionId<bool> = OptionId::flag("job.scripts.warn.nonzero.status")
    .describe("Warn of a script that ends with another exit code than 0")
    .default(true);

/// Longest time that one script may take.
///
/// CLI `--job-scripts-timeout 10s`, environment `K2_JOB_SCRIPTS_TIMEOUT`, default 1 min. The time of the phase ends it earlier.
pub const TIMEOUT: OptionId<Duration> = OptionId::duration("job.scripts.timeout")
    .describe("Longest time that one script before or after a run may take")
    .default(Duration::from_mins(1));

/// Runs scripts before the tests of a run and when its reports are written.
#[command_extension(
    name = "jobscripts",
    extends = [k2::RUN_COMMAND],
    config_options = [
        PRE.optional(),
        POST.optional(),
        WARN_NO_DIR.required(),
        WARN_NONZERO_STATUS.required(),
        TIMEOUT.required(),
    ],
)]
#[derive(Debug)]
pub struct JobScripts {
    pre: Directory,
    post: Directory,
    scripts: Scripts,
}

impl Extension for JobScripts {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let config = cx.config();
        let warns = config.get(WARN_NO_DIR)?;
        let environment = &cx.application().invocation.environment;
        let name = &cx.application().name;
        let of = |told, default| Directory::new(told, default, name, environment, warns);
        Ok(Self {
            pre: of(config.get_optional(PRE)?, "pre.d"),
            post: of(config.get_optional(POST)?, "post.d"),
            scripts: Scripts {
                timeout: config.get(TIMEOUT)?,
                warns: config.get(WARN_NONZERO_STATUS)?,
            },
        })
    }
}

#[dispatchers]
impl JobScripts {
    #[concurrent_dispatcher(PRE_JOB, endpoints = [HOOKS])]
    fn before(&self, message: &Message<HookCall>) -> Result<()> {
        Ok(self.scripts.run(&self.pre.scripts()?, message.data())?)
    }

    #[concurrent_dispatcher(POST_JOB, endpoints = [HOOKS])]
    fn after(&self, message: &Message<HookCall>) -> Result<()> {
        Ok(self.scripts.run(&self.post.scripts()?, message.data())?)
    }
}
