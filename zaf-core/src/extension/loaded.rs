//! What the loader hands out: framework extensions that are prepared, and everything once it is loaded.

use std::fmt;
use std::time::Duration;

use super::error::{DestroyError, LoadError, LoadErrors};
use super::loader::{LAST_OF_CONFIGURATION, make_instances};
use super::provided::Provided;
use super::start::Starter;
use super::{
    Catalog, Host, RegisteredExtension, RunningExtension, TeardownLimits, core_options, definitions,
};
use crate::command::{CommandDescriptor, CommandEntry};
use crate::component::Scope;
use crate::config::{ConfigStore, nearest};

/// Instances in the order made. Destroyed when dropped, if nobody did it before.
pub(super) struct Instances {
    pub(super) host: Host,
    pub(super) running: Vec<RunningExtension>,
    /// Kept as long as they are: what an extension started may end with the thread that it was started on.
    starter: Starter,
    limits: TeardownLimits,
    is_destroyed: bool,
}

/// What came of making the instances of an extension.
type Made = (Vec<RunningExtension>, Vec<LoadError>);

impl Instances {
    pub(super) fn new(host: Host, starter: Starter, limits: TeardownLimits) -> Self {
        Self {
            host,
            running: Vec::new(),
            starter,
            limits,
            is_destroyed: false,
        }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.host.catalog()
    }

    /// Makes the instances of extensions, one extension after the other, and keeps them.
    pub(super) fn make(
        &mut self,
        extensions: Vec<RegisteredExtension>,
        step: fn(&mut Host, RegisteredExtension) -> Made,
    ) -> Vec<LoadError> {
        let mut errors = Vec::new();
        for outcome in self.starter.each(&mut self.host, extensions, step) {
            match outcome {
                Ok((made, problems)) => {
                    self.running.extend(made);
                    errors.extend(problems);
                }
                Err(hung) => errors.push(hung),
            }
        }
        errors
    }

    /// Does a step with each instance, and keeps those that do not hang in it. First those from `first` on, then those before.
    fn step(
        &mut self,
        first: usize,
        step: fn(&mut Host, RunningExtension) -> (RunningExtension, Option<LoadError>),
    ) -> Vec<LoadError> {
        let mut items: Vec<(usize, RunningExtension)> = std::mem::take(&mut self.running)
            .into_iter()
            .enumerate()
            .collect();
        items.rotate_left(first);
        let (numbers, items): (Vec<usize>, Vec<RunningExtension>) = items.into_iter().unzip();
        let mut errors = Vec::new();
        let mut kept = Vec::new();
        let outcomes = self.starter.each(&mut self.host, items, step);
        for (number, outcome) in numbers.into_iter().zip(outcomes) {
            match outcome {
                Ok((instance, error)) => {
                    kept.push((number, instance));
                    errors.extend(error);
                }
                Err(hung) => errors.push(hung),
            }
        }
        kept.sort_by_key(|(number, _)| *number);
        self.running = kept.into_iter().map(|(_, instance)| instance).collect();
        errors
    }

    /// The extensions that instances provide, in the order of the instances.
    pub(super) fn provided(&mut self) -> Provided {
        let mut provided = Vec::new();
        let mut errors = Vec::new();
        let items: Vec<RunningExtension> = std::mem::take(&mut self.running);
        let step: fn(&mut Host, RunningExtension) -> (RunningExtension, Provided) =
            |host, instance| {
                let provided = instance.provided(host);
                host.note(&provided.1);
                (instance, provided)
            };
        for outcome in self.starter.each(&mut self.host, items, step) {
            match outcome {
                Ok((instance, (found, problems))) => {
                    self.running.push(instance);
                    provided.extend(found);
                    errors.extend(problems);
                }
                Err(hung) => errors.push(hung),
            }
        }
        (provided, errors)
    }

    fn destroy(&mut self) -> Vec<DestroyError> {
        if std::mem::replace(&mut self.is_destroyed, true) {
            return Vec::new();
        }
        let running = std::mem::take(&mut self.running);
        RunningExtension::destroy_all(running, &self.host, self.limits)
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        for error in self.destroy() {
            tracing::error!(%error, "an extension was not destroyed as it should have been");
        }
    }
}

/// Framework extensions are made and have provided their configuration; no message is defined, no dispatcher registered.
///
/// May be dropped, which destroys everything; [`destroy`](Self::destroy) says what went wrong with that.
pub struct Prepared {
    instances: Instances,
    enabled: Vec<RegisteredExtension>,
    errors: Vec<LoadError>,
}

impl Prepared {
    pub(super) fn new(
        instances: Instances,
        enabled: Vec<RegisteredExtension>,
        errors: Vec<LoadError>,
    ) -> Self {
        Self {
            instances,
            enabled,
            errors,
        }
    }

    /// What is wrong so far: first with declarations, then with instances, in load order. Help can be shown in spite of it; a
    /// command cannot be started.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// Everything that is known.
    pub fn catalog(&self) -> &Catalog {
        self.instances.catalog()
    }

    /// All values.
    pub fn store(&self) -> &ConfigStore {
        self.catalog().store()
    }

    /// The outermost scope of components, to provide more in it before the start.
    pub fn session(&self) -> &Scope {
        self.instances.host.session()
    }

    /// The command that [`SELECTED_COMMAND`](super::SELECTED_COMMAND) names.
    ///
    /// # Errors
    /// [`LoadError::NoCommand`] or [`LoadError::UnknownCommand`].
    pub fn command(&self) -> Result<&'static CommandDescriptor, LoadError> {
        let option = core_options::SELECTED_COMMAND;
        let Ok(path) = self.store().get(option) else {
            return Err(LoadError::NoCommand {
                without: self.without(),
            });
        };
        let commands = self.catalog().commands();
        match commands.find(&path) {
            Some(CommandEntry { command, .. }) => Ok(command),
            None => Err(LoadError::UnknownCommand {
                near: nearest(&path, commands.iter().map(|(path, _)| path)).map(str::to_owned),
                command: path,
            }),
        }
    }

    /// The framework extensions that may have selected a command but are not loaded, each with why.
    fn without(&self) -> Vec<String> {
        let mut without: Vec<String> = self
            .catalog()
            .extensions()
            .iter()
            .filter(|entry| entry.descriptor.load_order() <= LAST_OF_CONFIGURATION)
            .filter(|entry| !entry.state.is_enabled())
            .map(|entry| format!("`{}` ({})", entry.descriptor.name, entry.state))
            .collect();
        // One that reads in several passes is one.
        without.sort();
        without.dedup();
        without
    }

    /// Makes the extensions of the selected command, defines all endpoints and messages, and registers components and
    /// dispatchers: those of command extensions first, then those of framework extensions, each in load order.
    ///
    /// # Errors
    /// The errors so far if there are any, else all errors of defining, making, checking components or registering: the first of these steps that
    /// has errors is the last. What had been started is destroyed.
    pub fn start(self) -> Result<Loaded, LoadErrors> {
        self.start_or(OnError::Stop).map(|(loaded, _)| loaded)
    }

    /// As [`start`](Self::start), but what is wrong with extensions stops nothing except them: for commands that show what there
    /// is. With it come the errors, in the order of loading.
    ///
    /// # Errors
    /// If there is no such command, with all errors.
    pub fn start_in_spite_of_errors(self) -> Result<(Loaded, Vec<LoadError>), LoadErrors> {
        self.start_or(OnError::GoOn)
    }

    fn start_or(self, on_error: OnError) -> Result<(Loaded, Vec<LoadError>), LoadErrors> {
        let command = self.command();
        let Self {
            mut instances,
            enabled,
            mut errors,
        } = self;
        match command {
            Ok(command) if on_error.goes_on(&errors) => {
                errors.extend(start(&mut instances, &enabled, command, on_error));
                if on_error.goes_on(&errors) {
                    return Ok((Loaded { instances, command }, errors));
                }
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
        let teardown = instances.destroy();
        Err(LoadErrors::new(
            errors,
            teardown,
            instances.catalog().clone(),
        ))
    }

    /// Destroys the instances, last made first.
    pub fn destroy(mut self) -> Vec<DestroyError> {
        self.instances.destroy()
    }
}

/// What an error of an extension does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnError {
    /// Nobody starts.
    Stop,
    /// Nothing.
    GoOn,
}

impl OnError {
    fn goes_on(self, errors: &[LoadError]) -> bool {
        self == Self::GoOn || errors.is_empty()
    }
}

/// Starts the extensions of a command, step by step, and returns what is wrong; with [`OnError::Stop`] the step with errors is
/// the last.
fn start(
    instances: &mut Instances,
    enabled: &[RegisteredExtension],
    command: &'static CommandDescriptor,
    on_error: OnError,
) -> Vec<LoadError> {
    let of_command = |extension: &&RegisteredExtension| extension.descriptor.extends(command);
    let taking_part: Vec<&RegisteredExtension> = enabled
        .iter()
        .filter(|extension| extension.descriptor.is_framework() || of_command(extension))
        .collect();
    let mut errors = define(&instances.host, &taking_part);
    if !on_error.goes_on(&errors) {
        return errors;
    }
    errors.extend(instances.host.provide_catalog().err());
    if !on_error.goes_on(&errors) {
        return errors;
    }

    let first_of_command = instances.running.len();
    let of_command = enabled.iter().filter(of_command).cloned().collect();
    errors.extend(instances.make(of_command, |host, extension| {
        make_instances(host, &extension)
    }));
    if !on_error.goes_on(&errors) {
        return errors;
    }
    errors.extend(instances.step(first_of_command, |host, instance| {
        let outcome = instance.register_components(host);
        (instance, outcome.err())
    }));
    if !on_error.goes_on(&errors) {
        return errors;
    }
    errors.extend(
        instances
            .host
            .check_components(&instances.running, Some(command)),
    );
    if !on_error.goes_on(&errors) {
        return errors;
    }
    // Somebody may be left behind.
    let first_of_command = instances
        .running
        .partition_point(|instance| instance.descriptor().is_framework());
    errors.extend(instances.step(first_of_command, |host, mut instance| {
        let outcome = instance.register_dispatchers(host);
        (instance, outcome.err())
    }));
    errors
}

/// Defines all endpoints and messages, after finding what contradicts itself. Of two that do, the first is defined.
fn define(host: &Host, extensions: &[&RegisteredExtension]) -> Vec<LoadError> {
    let errors = definitions::conflicts(extensions.iter().map(|extension| &extension.descriptor));
    let refused: Vec<LoadError> = extensions
        .iter()
        .filter_map(|extension| extension.define(host.bus()).err())
        .collect();
    // What the bus refuses because of a conflict has been said, with both sides.
    if errors.is_empty() { refused } else { errors }
}

/// Everything that the selected command needs is running.
///
/// May be dropped, which destroys everything; [`destroy`](Self::destroy) says what went wrong with that.
pub struct Loaded {
    instances: Instances,
    command: &'static CommandDescriptor,
}

impl Loaded {
    /// The command to run.
    pub fn command(&self) -> &'static CommandDescriptor {
        self.command
    }

    /// Everything that is known.
    pub fn catalog(&self) -> &Catalog {
        self.instances.catalog()
    }

    /// All values.
    pub fn store(&self) -> &ConfigStore {
        self.catalog().store()
    }

    /// What the extensions live in.
    pub fn host(&self) -> &Host {
        &self.instances.host
    }

    /// The outermost scope of components. Ends when the extensions are destroyed.
    pub fn session(&self) -> &Scope {
        self.instances.host.session()
    }

    /// All instances, in the order made: framework extensions by load order, then command extensions.
    pub fn instances(&self) -> &[RunningExtension] {
        &self.instances.running
    }

    /// Destroys the instances, last made first, and ends the session. Always completes; returns what went wrong. Each takes `longest` at
    /// most, if that is less than its own limit.
    pub(crate) fn destroy_within(mut self, longest: Duration) -> Vec<DestroyError> {
        let limits = &mut self.instances.limits;
        limits.each = limits.each.min(longest);
        self.instances.destroy()
    }

    /// Destroys the instances, last made first, and ends the session. Always completes; returns what went wrong.
    pub fn destroy(mut self) -> Vec<DestroyError> {
        self.instances.destroy()
    }
}

impl fmt::Debug for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.running).finish()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("instances", &self.instances)
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("instances", &self.instances)
            .field("command", &self.command.path())
            .finish_non_exhaustive()
    }
}
