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
//! | the runner, by a function that ran in it | the guard inherits all its descendants (it is their sub-reaper), kills them, and starts another runner, which goes on with the run |
//! | the runner, by anything else | the same, but the guard gives the cases that have no verdict one, and ends as the runner did |
//! | the guard | the kernel sends SIGTERM to the runner, which ends what runs, reports, and kills what is left |
//! | both at once | cases are left behind; they can be recognised by `K2_EXECUTION` in their environment |
//!
//! Both are in one process group, so a terminal treats them as one: it stops, continues and interrupts both. What reaches the
//! guard alone (`kill PID`) it hands on; [`SignalRelay`] says why nothing counts twice.
//!
//! The runner is the same program with the same arguments, started before anything is loaded (see
//! [`zaf_core::application::BeforeStart`]); it learns from what it inherits that it is the runner. Nothing here needs
//! `unsafe`: all that happens between fork and exec is what the standard library does.

mod aftermath;
mod channel;
mod continuation;
mod ended;
mod epitaph;
mod pause_orders;
mod stop_signal;
mod sweep;
mod terminal;
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

use camino::{Utf8Path, Utf8PathBuf};

use self::channel::{GuardEnd, RunnerEnd};
use self::continuation::after;
pub(crate) use self::continuation::{BrokenOff, Continuation, Part};
use self::ended::{Ended, name};
pub(crate) use self::pause_orders::{PauseOrder, PauseOrders};
use self::terminal::TerminalSettings;
use self::watch::Watch;
use super::cookie::{COOKIE_VARIABLE, Owner};
use super::{apart, shim};
use crate::results::{EVENT_LOG_FILE, Progress};

/// What commands use that run test cases: these are guarded.
const CAPABILITY: &str = "run-cases";

/// Whether a second process stands in front of the run, which ends what is left when the run dies.
///
/// CLI `--no-guard`, environment `K2_GUARD=false`, default true. In a file it would come too late: the guard is there before files
/// are read.
pub const GUARD: OptionId<bool> = OptionId::flag("guard")
    .describe("Whether a second process ends what is left when the run dies; not read from files")
    .default(true);

/// Decides whether this process is the guard of a run, its runner, or neither. See [`zaf_core::application::BeforeStart`].
pub(crate) fn stand_before(start: &Start<'_>) -> Front {
    if !start.may_select(CAPABILITY) {
        return here(None);
    }
    if let Some(code) = shim::become_program() {
        return Front::Elsewhere(ExitCode::from(code));
    }
    if apart::become_case() {
        return here(None);
    }
    match RunnerEnd::open() {
        Ok(Some(end)) => return become_runner(end),
        // Not another guard: that would start a runner like this one.
        Err(warning) => return here(Some(warning)),
        Ok(None) => {}
    }
    if is_switched_off(start.application()) {
        return here(None);
    }
    match start_runner() {
        Ok((runner, end)) => Front::Elsewhere(guard(Watch::new(Pid::from_child(&runner), end))),
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

/// A run that goes on in this process, for the guard if there is one: as long as this value lives, an end of the process is not the end
/// of the run.
#[derive(Debug)]
pub(crate) struct UnderWay(());

impl UnderWay {
    /// Tells where the run keeps its event log.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        channel::tell_directory(directory);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        channel::tell_over();
    }
}

/// Says that this process ends without its run: no other runner goes on with it. Ends what it has started, if no guard is there to do so.
pub(crate) fn give_up_run() {
    sweep_without_guard();
    channel::tell_over();
}

/// What a runner before this one has left to do.
pub(crate) fn continuation() -> Option<&'static Continuation> {
    channel::continuation()
}

/// The mark of this run: that of its guard, or of this process if it has none.
pub(crate) fn owner() -> Option<String> {
    channel::owner().or_else(|| Owner::this().map(ToString::to_string))
}

/// Whether `pid` is the runner of some run.
pub(crate) fn is_runner(pid: i32) -> bool {
    channel::has_note(pid)
}

/// The guard of this process.
pub(crate) fn of_this_process() -> Option<Pid> {
    channel::guard()
}

/// What the guard of this process orders about pauses of the cases, for whoever asks first; none without a guard.
pub(crate) fn pause_orders() -> Option<PauseOrders> {
    channel::pause_orders()
}

/// Says that this process does from now on what is ordered about pauses. Until then the guard stops it without asking.
pub(crate) fn tell_that_pauses_are_possible() {
    channel::tell_that_pauses_are_possible();
}

/// Says that the cases pause, once for each order.
pub(crate) fn tell_pause() {
    channel::tell_pause();
}

/// Whether this process ignores `signal`.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    watch::is_ignored(signal)
}

/// Whether another process sees how this one ends.
pub(crate) fn is_guarded() -> bool {
    channel::is_guarded()
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
    let child = match spawn(&std::env::current_exe()?) {
        // Replaced or deleted since the start; the kernel still has it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => spawn(Path::new(SAME_PROGRAM)),
        started => started,
    }?;
    drop(theirs);
    Ok((child, end))
}

/// This program, also if it was replaced since it was started.
const SAME_PROGRAM: &str = "/proc/self/exe";

#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is what starts processes, and this is the one that supervises it"
)]
fn spawn(program: &Path) -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    command
        .arg0(arguments.next().unwrap_or_default())
        .args(arguments);
    if let Some(owner) = Owner::this() {
        command.env(COOKIE_VARIABLE, owner.to_string());
    }
    command.spawn()
}

/// Waits for the runner, kills what it leaves behind, and ends as it did, unless a case killed it: then another one goes on.
fn guard(mut watch: Watch) -> ExitCode {
    let mut told: Option<Continuation> = None;
    let terminal = TerminalSettings::take();
    loop {
        let ended = watch.until_end();
        sweep::end_descendants();
        if let Some(terminal) = &terminal {
            terminal.restore();
        }
        let asked = watch.asked_to_end();
        let is_wanted = watch.caused(ended);
        let Some(left) = Left::of(&watch) else {
            let is_death = matches!(ended, Ended::Signal(_)) && !is_wanted;
            if is_death {
                epitaph::write(&epitaph::of_run(ended, None));
            }
            return watch.end_as(ended);
        };
        let mut next = None;
        if ended.may_be_a_case() {
            next = after(
                ended,
                &left.directory,
                &left.progress,
                watch.spent(),
                told.as_ref(),
            );
        }
        if let Some(next) = next.as_ref().filter(|_| asked.is_none() && !is_wanted) {
            epitaph::write(&epitaph::of_runner(ended, &left.progress, next));
            match start_next(&mut watch, next) {
                Ok(()) => {
                    told = Some(next.clone());
                    continue;
                }
                Err(error) => {
                    let line = format!("error: no new runner can be started: {error}\n");
                    epitaph::write(&line);
                }
            }
        }
        let by = ended.request().or_else(|| watch.handed_on(ended));
        let wanted = by.or(asked);
        let next = next.as_ref().or(told.as_ref());
        let verdicts = aftermath::verdicts(ended, wanted, &left.progress, next);
        if !is_wanted {
            let of_run = (left.directory.as_path(), &left.progress, &verdicts);
            epitaph::write(&epitaph::of_run(ended, Some(of_run)));
        }
        let spent = watch.spent();
        let closed = aftermath::close(ended, &left.directory, &left.progress, &verdicts, spent);
        if let Err(error) = closed {
            epitaph::write(&format!("error: the event log cannot be ended: {error}\n"));
        }
        // A runner that dies while it is asked to end does end.
        let ended = match (by, asked) {
            (None, Some(asked)) => Ended::Signal(asked),
            _ => ended,
        };
        return watch.end_as(ended);
    }
}

/// A run that was not over when its runner ended.
struct Left {
    directory: Utf8PathBuf,
    progress: Progress,
}

impl Left {
    /// None if it was over, had not begun, or its log cannot be read.
    fn of(watch: &Watch) -> Option<Self> {
        let directory = Utf8Path::from_path(watch.run_under_way()?)?;
        let progress = Progress::read(&directory.join(EVENT_LOG_FILE)).ok()?;
        (!progress.is_over()).then(|| Self {
            directory: directory.to_owned(),
            progress,
        })
    }
}

/// Starts the runner that goes on with the run.
fn start_next(watch: &mut Watch, next: &Continuation) -> io::Result<()> {
    let inherited = watch.end.reopen(next.clone())?;
    let runner = spawn(Path::new(SAME_PROGRAM))?;
    drop(inherited);
    watch.begin_again(Pid::from_child(&runner));
    Ok(())
}

impl Watch {
    /// Ends this process as the runner ended.
    fn end_as(&self, ended: Ended) -> ExitCode {
        let is_cut_short = self.has_begun() && self.run_under_way().is_some();
        match ended {
            // Whoever ended the process, and with whatever code: the run is not complete.
            Ended::Code(_) if is_cut_short && ended.request().is_none() => {
                ExitCode::from(zaf_core::application::ExitCode::Incomplete.code())
            }
            Ended::Code(code) => ExitCode::from(code),
            Ended::Signal(signal) => end_by(signal),
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
