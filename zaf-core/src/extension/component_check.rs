//! What is wrong with components and with who asks for them, found when an application is loaded.

use super::error::LoadError;
use super::{Host, RunningExtension};
use crate::command::CommandDescriptor;
use crate::component::{Asker, Askers, Requirement, ScopeChain};

/// The scopes that handlers ask in.
const OF_HANDLERS: &[&str] = &["session", "extension", "dispatcher", "message"];

impl Host {
    /// Checks all components and who asks for them, before any of them is made: handlers of these instances, the command, and
    /// whom [`Askers`] find. All components have to be registered, and what is put into the session has to be there.
    ///
    /// Returns each circle of components once, and whether the command gets what it asks for. What handlers do not get is found
    /// when they are registered; what a test case does not get is the error of that case.
    pub fn check_components(
        &self,
        instances: &[RunningExtension],
        command: Option<&'static CommandDescriptor>,
    ) -> Vec<LoadError> {
        let mut errors = Vec::new();
        let registry = self.session().registry();
        // Nothing else can be in a circle.
        if registry.iter().any(|one| !one.requirements.is_empty()) {
            let chains = self.chains(instances, command);
            let circles = self.session().circles(&chains);
            errors.extend(circles.into_iter().map(LoadError::Circle));
        }
        if let Some(command) = command
            && errors.is_empty()
            && let Err(cause) = self.session().outlook(command.requirements)
        {
            errors.push(LoadError::CommandNeeds {
                command: command.path(),
                place: format!("{}:{}", command.file, command.line),
                cause: Box::new(cause),
            });
        }
        errors
    }

    fn chains(
        &self,
        instances: &[RunningExtension],
        command: Option<&'static CommandDescriptor>,
    ) -> Vec<ScopeChain> {
        let handlers = instances.iter().flat_map(RunningExtension::requirements);
        let mut chains = vec![ScopeChain::new(OF_HANDLERS, handlers.filter(is_moved))];
        if let Some(command) = command {
            let requirements = Some(command.requirements).filter(is_moved);
            chains.push(ScopeChain::new(&["session"], requirements));
        }
        let askers = Requirement::of::<Askers>("askers");
        // Without them nobody else asks.
        if let Ok(askers) = self.session().resolve::<Askers>(&askers) {
            let found = askers.find();
            let requirements = found.iter().map(Asker::requirements);
            chains.push(ScopeChain::new(
                askers.scopes(),
                requirements.filter(is_moved),
            ));
        }
        chains
    }
}

/// Whether somebody asks for a component in another scope than its own: all components are looked at in their own anyway.
fn is_moved(requirements: &&'static [Requirement]) -> bool {
    requirements.iter().any(|one| one.scope.is_some())
}
