//! Instances: made as a plan says, and taken down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::graph::{Node, NodeId, Plan};
use super::scope::{Inner, Scope};
use super::slot::{Instance, SlotKey};
use super::unmet::{describe, place};
use super::{ComponentDescriptor, ComponentError, Requirement, Teardown, circles};
use crate::thread::panic_text;

/// An instance that lives in a scope.
pub(super) struct Held {
    pub(super) name: String,
    pub(super) instance: Instance,
    pub(super) teardown: Option<Teardown>,
}

/// What the function of a component gets for one of its requirements.
pub(super) struct Given {
    requirement: Requirement,
    instance: Instance,
}

/// A plan that is being carried out.
struct Carrying<'a> {
    plan: &'a Plan,
    brought: &'a [Option<Instance>],
    /// Of each node, once it is there.
    instances: Vec<Option<Instance>>,
}

impl Plan {
    /// The level that an answer lives at.
    pub(super) fn level(&self, node: NodeId) -> usize {
        match self.nodes[node] {
            Node::Provided { level, .. } | Node::Made { level, .. } => level,
            Node::Brought { .. } | Node::Requester => 0,
        }
    }
}

impl Scope {
    /// What was made for the function that this handle is for.
    pub(super) fn given(&self, requirement: &Requirement) -> Option<Instance> {
        let given = self.given.as_ref()?;
        let given = given.iter().find(|one| one.requirement.is(requirement))?;
        Some(Arc::clone(&given.instance))
    }

    /// The instances that answer these requirements; those that are not there yet are made, each behind what it needs.
    pub(super) fn carry_out(
        &self,
        plan: &Plan,
        requirements: &[Requirement],
        brought: &[Option<Instance>],
    ) -> Result<Vec<Instance>, ComponentError> {
        let mut carrying = Carrying {
            plan,
            brought,
            instances: vec![None; plan.nodes.len()],
        };
        let answers = plan.answers.iter().zip(requirements);
        answers
            .map(|(&node, requirement)| self.instance(&mut carrying, node, requirement))
            .collect()
    }

    fn instance(
        &self,
        carrying: &mut Carrying<'_>,
        node: NodeId,
        requirement: &Requirement,
    ) -> Result<Instance, ComponentError> {
        if let Some(instance) = &carrying.instances[node] {
            return Ok(Arc::clone(instance));
        }
        let plan = carrying.plan;
        let instance = match &plan.nodes[node] {
            Node::Provided { level, offer } => {
                let scope = self.inner.at(*level);
                let state = scope.state.lock();
                let provided = state.provided.get(*offer);
                Arc::clone(&provided.ok_or_else(|| scope.ended())?.instance)
            }
            Node::Requester => self.requester(),
            Node::Brought { index } => carrying
                .brought
                .get(*index)
                .and_then(|one| one.as_ref().map(Arc::clone))
                .expect("invariant: the plan knows what was brought"),
            Node::Made {
                component,
                level,
                needs,
            } => {
                let scope = Arc::clone(self.inner.at(*level));
                let descriptor = self.inner.registry.sorted()[*component];
                let mut given = Vec::with_capacity(needs.len());
                for (&need, requirement_of_need) in needs.iter().zip(descriptor.requirements) {
                    let instance = self
                        .instance(carrying, need, requirement_of_need)
                        .map_err(|error| not_made(&descriptor, requirement, Box::new(error)))?;
                    given.push(Given {
                        requirement: *requirement_of_need,
                        instance,
                    });
                }
                // Who asks makes no difference between instances.
                let made_of =
                    needs
                        .iter()
                        .zip(&given)
                        .map(|(&need, given)| match plan.nodes[need] {
                            Node::Requester => 0,
                            _ => Arc::as_ptr(&given.instance).cast::<()>().addr(),
                        });
                let key = (*component, made_of.collect());
                self.make(&scope, key, given, requirement)?
            }
        };
        carrying.instances[node] = Some(Arc::clone(&instance));
        Ok(instance)
    }

    fn make(
        &self,
        scope: &Arc<Inner>,
        key: SlotKey,
        given: Vec<Given>,
        requirement: &Requirement,
    ) -> Result<Instance, ComponentError> {
        let index = key.0;
        let component = self.inner.registry.sorted()[index];
        let slot = {
            let mut state = scope.state.lock();
            if state.ended {
                return Err(scope.ended());
            }
            Arc::clone(state.slots.entry(key).or_default())
        };
        let mut making = self.making.clone();
        making.push(index);
        let made = slot.get_or_make(|| {
            let handle = Self {
                inner: Arc::clone(scope),
                making,
                given: Some(Arc::new(given)),
                requester: self.requester.clone(),
            };
            let instance = called(&component, &handle, requirement)?;
            let held = Held {
                name: component.name.to_owned(),
                instance: Arc::clone(&instance),
                teardown: component.teardown,
            };
            let mut state = scope.state.lock();
            if state.ended {
                drop(state);
                // The scope ended meanwhile: nobody else would take the instance down.
                drop(instance);
                let mut errors = Vec::new();
                held.let_go(&scope.name, &mut errors);
                for error in errors {
                    tracing::error!(%error, "a component could not be taken down");
                }
                return Err(scope.ended());
            }
            state.held.push(held);
            Ok(instance)
        });
        match made {
            Ok(outcome) => outcome,
            Err(_) => Err(circles::error(&self.inner.registry, &[index, index])),
        }
    }
}

/// Calls the function of a component.
fn called(
    component: &ComponentDescriptor,
    handle: &Scope,
    requirement: &Requirement,
) -> Result<Instance, ComponentError> {
    let instance = catch_unwind(AssertUnwindSafe(|| (component.make)(handle)))
        .map_err(|panic| ComponentError::MakePanicked {
            component: component.name,
            place: place(component),
            wanted: describe(requirement),
            message: panic_text(panic),
        })?
        .map_err(|error| not_made(component, requirement, error.into_inner()))?;
    if (*instance).type_id() == (component.type_id)() {
        Ok(instance)
    } else {
        Err(ComponentError::WrongType {
            component: component.name.to_owned(),
            place: place(component),
            expected: (component.type_name)(),
        })
    }
}

fn not_made(
    component: &ComponentDescriptor,
    requirement: &Requirement,
    cause: Box<dyn std::error::Error + Send + Sync>,
) -> ComponentError {
    ComponentError::Make {
        component: component.name,
        place: place(component),
        wanted: describe(requirement),
        cause,
    }
}

impl Held {
    /// Takes the instance down and drops it. What goes wrong is added to `errors`.
    pub(super) fn let_go(self, scope: &str, errors: &mut Vec<ComponentError>) {
        let Self {
            name: component,
            instance,
            teardown,
        } = self;
        if let Some(teardown) = teardown {
            let outcome = catch_unwind(AssertUnwindSafe(|| teardown(&*instance)));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => errors.push(ComponentError::Teardown {
                    component: component.clone(),
                    scope: scope.to_owned(),
                    cause: error.into_inner(),
                }),
                Err(panic) => errors.push(ComponentError::TeardownPanicked {
                    component: component.clone(),
                    scope: scope.to_owned(),
                    message: panic_text(panic),
                }),
            }
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(instance))) {
            errors.push(ComponentError::DropPanicked {
                component,
                scope: scope.to_owned(),
                message: panic_text(panic),
            });
        }
    }
}
