//! Who asks for components, and which of several gets the job.
//!
//! Looks at declarations only. In a running application the scopes decide too: see [`crate::component`].

use serde::Serialize;

use super::Inspection;
use super::listeners::dispatchers;
use super::participation::State;
use crate::component::{
    Asker, ComponentDescriptor, ComponentRegistry, ProvidedComponent, Requirement,
};

/// Somebody who asks for a component.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Need {
    /// `component`, `handler`, `command`, or what the framework calls who asks: `test case`.
    pub(super) by: &'static str,
    /// Name of the component, extension and handler with a dot between, path of the command, or name of whoever asks.
    pub(super) name: String,
    /// Name of the parameter that asks.
    pub(super) parameter: &'static str,
    /// Whether it is this one that it gets; else another one of its type comes first.
    pub(super) first_choice: bool,
    #[serde(skip)]
    requirement: Requirement,
}

/// All that components, handlers of active extensions, commands, and `askers` ask for: sorted as components are, then in the order
/// in which dispatchers are registered, then as commands and askers are.
pub(super) fn needs(
    inspection: &Inspection,
    registry: &ComponentRegistry,
    askers: &[Asker],
) -> Vec<Need> {
    let of_components = registry.iter().flat_map(|component| {
        let needs = component.requirements.iter();
        needs.map(|requirement| Need::of("component", component.name.to_owned(), requirement))
    });
    let of_handlers = dispatchers(inspection)
        .filter(|(entry, ..)| inspection.participation(entry).state == State::Active)
        .flat_map(|(entry, _, dispatcher, _)| {
            let name = format!("{}.{}", entry.descriptor.name, dispatcher.handler);
            let needs = dispatcher.requirements.iter();
            needs.map(move |requirement| Need::of("handler", name.clone(), requirement))
        });
    let of_commands = inspection
        .catalog
        .commands()
        .iter()
        .flat_map(|(path, entry)| {
            let needs = entry.command.requirements.iter();
            needs.map(move |requirement| Need::of("command", path.to_owned(), requirement))
        });
    let of_askers = askers.iter().flat_map(|asker| {
        let needs = asker.requirements().iter();
        needs.map(|requirement| Need::of(asker.by(), asker.name().to_owned(), requirement))
    });
    of_components
        .chain(of_handlers)
        .chain(of_commands)
        .chain(of_askers)
        .collect()
}

impl Need {
    fn of(by: &'static str, name: String, requirement: &Requirement) -> Self {
        Self {
            by,
            name,
            parameter: requirement.parameter,
            first_choice: false,
            requirement: *requirement,
        }
    }

    fn chosen(&self, first_choice: bool) -> Self {
        Self {
            first_choice,
            ..self.clone()
        }
    }
}

/// The needs that this component could meet. It is the first choice if nothing that was provided fits and no other component with
/// a higher priority, or the same and a smaller name.
pub(super) fn met_by(
    component: &ComponentDescriptor,
    needs: &[Need],
    registry: &ComponentRegistry,
    provided: &[ProvidedComponent],
) -> Vec<Need> {
    let fits = |other: &ComponentDescriptor, need: &Need| {
        need.requirement.accepts((other.type_id)(), other.can)
    };
    let mine = |need: &&Need| fits(component, need);
    needs
        .iter()
        .filter(mine)
        .map(|need| {
            let is_provided = provided
                .iter()
                .any(|one| need.requirement.accepts(one.type_id, one.can));
            let best = registry
                .iter()
                .filter(|other| fits(other, need))
                // Of equal ones the first, which has the smallest name.
                .min_by_key(|other| std::cmp::Reverse(other.priority));
            let is_best = best.is_some_and(|best| {
                (best.name, best.file, best.line)
                    == (component.name, component.file, component.line)
            });
            need.chosen(!is_provided && is_best)
        })
        .collect()
}

/// The needs that a provided instance meets; `later` are those that were provided after it and win over it.
pub(super) fn met_by_provided(
    one: &ProvidedComponent,
    later: &[ProvidedComponent],
    needs: &[Need],
) -> Vec<Need> {
    let fits =
        |one: &ProvidedComponent, need: &Need| need.requirement.accepts(one.type_id, one.can);
    needs
        .iter()
        .filter(|need| fits(one, need))
        .map(|need| need.chosen(!later.iter().any(|other| fits(other, need))))
        .collect()
}
