//! The guard: a second process in front of every run, so that nothing is left behind, whichever of the two dies.
//!
//! ```text
//!  shell ──► zk2 run …          the guard: one thread, runs nothing, waits
//!              └─► zk2 run …    the runner: everything that a run is
//!                    ├─► case   (a process group of its own)
//!                    └─► case
//! ```
//!
//! | What dies | What happens |
//! | --- | --- |
//! | the runner | the guard inherits all its descendants (it is their sub-reaper), kills them, tells which cases have no verdict, and ends as the runner did |
//! | the guard | the kernel sends SIGTERM to the runner, which ends what runs, reports, and kills what is left |
//! | both at once | cases are left behind; they can be recognised by `K2_EXECUTION` in their environment |
//!
//! Both are in one process group, so a terminal treats them as one: it stops, continues and interrupts both. What reaches the
//! guard alone (`kill PID`) it hands on; [`SignalRelay`] says why nothing counts twice.
//!
//! The runner is the same program with the same arguments, started before anything is loaded (see
//! [`zaf_core::application::BeforeStart`]); it learns from an environment variable that it is the runner. Nothing here needs
//! `unsafe`: all that happens between fork and exec is what the standard library does.

mod channel;
mod epitaph;
mod sweep;
mod watch;

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode};

use rustix::process::{
    DumpableBehavior, Pid, Signal, getpid, getppid, set_child_subreaper, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use zaf_core::application::{Front, SignalRelay, Start};
use zaf_core::command::ApplicationInfo;
use zaf_core::config::ConfigView;
use zaf_core::prelude::*;

use self::channel::{GuardEnd, RunnerEnd};
use self::watch::{Ended, Watch};

/// What commands use that run test cases: these are guarded.
const CAPABILITY: &str = "run-cases";

/// Environment variable that makes a process the runner. Not for people, and not handed on to cases.
pub(crate) const RUNNER_VARIABLE: &str = "K2_RUNNER_OF";

/// Whether a second process stands in front of the run, which ends what is left when the run dies.
///
/// CLI `--no-guard`, environment `K2_GUARD=false`, default true. In a file it would come too late: the guard is there before files
/// are read.
pub const GUARD: OptionId<bool> = OptionId::flag("guard")
    .describe("Whether a second process ends what is left when the run dies; not read from files")
    .default(true);

/// Decides whether this process is the guard of a run, its runner, or neither. See [`zaf_core::application::BeforeStart`].
pub(crate) fn stand_before(start: &Start<'_>) -> Front {
    let variable = start.application().invocation.environment.iter();
    let runner_end = variable
        .filter(|(name, _)| name == RUNNER_VARIABLE)
        .find_map(|(_, value)| RunnerEnd::open(value.to_str()?));
    if let Some(end) = runner_end {
        return become_runner(end);
    }
    if !start.may_select(CAPABILITY) || is_switched_off(start.application()) {
        return here(None);
    }
    match start_runner() {
        Ok((runner, end)) => Front::Elsewhere(guard(&runner, end)),
        Err(error) => here(Some(format!(
            "the run goes on without a guard, which could not be started: {error}"
        ))),
    }
}

fn here(warning: Option<String>) -> Front {
    Front::Here {
        relay: None,
        warning,
    }
}

/// What command line and environment say about [`GUARD`], read before there is a configuration: the last word counts.
fn is_switched_off(application: &ApplicationInfo) -> bool {
    let invocation = &application.invocation;
    let mut words = invocation
        .arguments
        .iter()
        .map_while(|word| (word != "--").then(|| word.to_str().unwrap_or_default()))
        .peekable();
    let mut on = None;
    while let Some(word) = words.next() {
        match word {
            "--no-guard" | "--guard=false" => on = Some(false),
            "--guard" => on = Some(words.peek() != Some(&"false")),
            "--guard=true" => on = Some(true),
            _ => {}
        }
    }
    let variable = format!("{}_GUARD", application.environment_prefix);
    let on = on.or_else(|| {
        let mut variables = invocation.environment.iter();
        let (_, value) = variables.rfind(|(name, _)| *name == *variable)?;
        Some(value != "false")
    });
    on == Some(false)
}

/// Says if a file switches the guard off, which has no effect.
pub(crate) fn check_option(config: &ConfigView) -> Result<()> {
    if !config.get(GUARD)? && channel::is_guarded() {
        tracing::warn!(
            "`guard: false` in a file comes too late: --no-guard or the environment can say it"
        );
    }
    Ok(())
}

/// Tells the guard, if there is one, where the run keeps its event log.
pub(crate) fn tell_directory(directory: &Path) {
    channel::tell_directory(directory);
}

/// Kills all descendants of this process if it is a runner whose guard is gone.
pub(crate) fn sweep_without_guard() {
    if channel::guard().is_some_and(|guard| getppid() != Some(guard)) {
        sweep::end_descendants();
    }
}

/// Starts this program again. From then on this process is the parent of all orphans among its descendants.
fn start_runner() -> io::Result<(Child, GuardEnd)> {
    let (mut end, theirs) = channel::open()?;
    set_child_subreaper(Some(getpid()))?;
    end.watch_children()?;
    let child = spawn(&std::env::current_exe()?, &theirs.variable()?);
    let child = match child {
        // Replaced or deleted since the start; the kernel still has it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            spawn(Path::new("/proc/self/exe"), &theirs.variable()?)
        }
        started => started,
    }?;
    Ok((child, end))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is what starts processes, and this is the one that supervises it"
)]
fn spawn(program: &Path, variable: &str) -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    command
        .arg0(arguments.next().unwrap_or_default())
        .args(arguments)
        .env(RUNNER_VARIABLE, variable)
        .spawn()
}

/// Waits for the runner, kills what it leaves behind, and ends as it did.
fn guard(runner: &Child, end: GuardEnd) -> ExitCode {
    let mut watch = Watch::new(Pid::from_child(runner), end);
    let ended = watch.until_end();
    sweep::end_descendants();
    match ended {
        Ended::Code(code) => ExitCode::from(code),
        Ended::Signal(signal) => {
            if !watch.caused(signal) {
                epitaph::write(signal, watch.directory());
            }
            end_by(signal)
        }
    }
}

/// Ends this process by `signal`, as the runner did, but without a second dump of memory.
fn end_by(signal: i32) -> ExitCode {
    // The first process of a PID namespace is not ended by its own signals.
    if !getpid().is_init() {
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        drop(signal_hook::low_level::emulate_default_handler(signal));
    }
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
}

/// Makes this process the runner: it is asked to end when the guard dies, and listens to what the guard hands on.
fn become_runner(end: RunnerEnd) -> Front {
    let guard = end.guard();
    // Bound to the thread that started this process, which is the only one that the guard has.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    if getppid() != Some(guard) {
        // It has died before it could be watched, so nobody knows of this process any more.
        return Front::Elsewhere(end_by(Signal::TERM.as_raw()));
    }
    // What the guard left open for this process is not for its children.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let relay: Option<SignalRelay> = end.into_relay();
    Front::Here {
        relay,
        warning: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zaf_core::command::Invocation;

    fn off(arguments: &[&str], variables: &[(&str, &str)]) -> bool {
        let invocation = Invocation::new(arguments).environment(variables.iter().copied());
        is_switched_off(&ApplicationInfo::new("acme", "1").invocation(invocation))
    }

    #[test]
    fn the_guard_is_switched_off_by_the_last_word_about_it() {
        assert!(!off(&["run"], &[]));
        assert!(off(&["run", "--no-guard"], &[]));
        assert!(off(&["run", "--guard=false"], &[]));
        assert!(off(&["run", "--guard", "false", "suite"], &[]));
        assert!(!off(&["run", "--no-guard", "--guard"], &[]));
        assert!(!off(&["run", "--", "--no-guard"], &[]));
        assert!(off(&["run"], &[("ACME_GUARD", "false")]));
        assert!(!off(&["run", "--guard"], &[("ACME_GUARD", "false")]));
        assert!(!off(&["run"], &[("K2_GUARD", "false")]));
    }
}
