//! Scopes: where instances live and die together.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::graph::{self, Asking, Failure, Level, Offer, Plan};
use super::instances::{Given, Held};
use super::slot::{Instance, Slot, SlotKey};
use super::unmet::{describe, draw};
use super::{ComponentError, ComponentRegistry, Requester, Requirement, circles};
use crate::message::Entity;

/// Where component instances live and die together. A cheap handle: clones are the same scope.
///
/// Scopes form a chain: `session` is the outermost; `extension` and `dispatcher` lie within it, `message` within a dispatcher;
/// a test framework adds its own (`runner`, `module`, `class`, `test`). A component is taken from the nearest scope that has the
/// name it asks for. There is one instance of it in a scope for each choice of what it is made of, which as a rule is one,
/// whichever thread asks first.
///
/// A scope ends by [`end`](Self::end), or when its last handle and its last child are gone. Its children end before it; its
/// instances are taken down and dropped last made first.
#[derive(Clone)]
pub struct Scope {
    pub(super) inner: Arc<Inner>,
    /// What is being made and led to this handle; none for handles that people hold.
    pub(super) making: Vec<usize>,
    /// What the function that this handle was made for gets; nothing for handles that people hold.
    pub(super) given: Option<Arc<Vec<Given>>>,
    pub(super) requester: Option<Arc<Requester>>,
}

pub(super) struct Inner {
    pub(super) name: Arc<str>,
    parent: Option<(Arc<Self>, u64)>,
    pub(super) registry: ComponentRegistry,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) ended: bool,
    pub(super) provided: Vec<Provided>,
    pub(super) fixated: Vec<Entity>,
    pub(super) slots: BTreeMap<SlotKey, Arc<Slot>>,
    /// Everything that lives here, in the order in which it came.
    pub(super) held: Vec<Held>,
    children: BTreeMap<u64, Weak<Inner>>,
    next_child: u64,
    pub(super) absent: Vec<Absent>,
}

/// Something that would have put instances here, had it not been switched off.
pub(super) struct Absent {
    pub(super) krate: &'static str,
    pub(super) what: String,
}

pub(super) struct Provided {
    pub(super) offer: Offer,
    pub(super) instance: Instance,
}

/// What answers the requirements of a function, as far as that is known before anything is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    /// Name of the scope that each answer lives in, one for each requirement.
    pub scopes: Vec<String>,
    /// Whether the answers can be others when another entity is fixated.
    pub depends_on_entity: bool,
}

impl Scope {
    /// An outermost scope.
    pub fn root(name: impl Into<Arc<str>>, registry: &ComponentRegistry) -> Self {
        Self::from_inner(Arc::new(Inner {
            name: name.into(),
            parent: None,
            registry: registry.clone(),
            state: Mutex::default(),
        }))
    }

    /// This scope, for somebody who says who they are: components can ask for the [`Requester`], and errors name it. Scopes
    /// within it that are made by the returned handle are for them too.
    #[must_use]
    pub fn on_behalf_of(&self, requester: Requester) -> Self {
        self.clone().with_requester(requester)
    }

    /// As [`on_behalf_of`](Self::on_behalf_of), by this handle.
    #[must_use]
    pub fn with_requester(mut self, requester: Requester) -> Self {
        self.requester = Some(Arc::new(requester));
        self
    }

    /// A scope within this one. A child of a scope that has ended has ended too.
    #[must_use]
    pub fn child(&self, name: impl Into<Arc<str>>) -> Self {
        let mut state = self.inner.state.lock();
        let number = state.next_child;
        state.next_child += 1;
        let child = Arc::new(Inner {
            name: name.into(),
            parent: Some((Arc::clone(&self.inner), number)),
            registry: self.inner.registry.clone(),
            state: Mutex::new(State {
                ended: state.ended,
                ..State::default()
            }),
        });
        if !state.ended {
            state.children.insert(number, Arc::downgrade(&child));
        }
        drop(state);
        Self {
            requester: self.requester.clone(),
            ..Self::from_inner(child)
        }
    }

    /// Name of the scope.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The components that instances are made of.
    pub fn registry(&self) -> &ComponentRegistry {
        &self.inner.registry
    }

    /// The instance that answers a requirement for a `T`, made now if there is none.
    ///
    /// Blocks while another thread makes the same instance.
    ///
    /// # Errors
    /// [`ComponentError`]: nothing fits, a cycle, the component's function failed or panicked, the scope has ended. A failure is
    /// not kept: the next call tries again.
    pub fn resolve<T: Send + Sync + 'static>(
        &self,
        requirement: &Requirement,
    ) -> Result<Arc<T>, ComponentError> {
        self.resolve_any(requirement)?
            .downcast()
            .map_err(|_| ComponentError::WrongType {
                component: requirement.parameter.to_owned(),
                place: "see its declaration".to_owned(),
                expected: std::any::type_name::<T>(),
            })
    }

    /// As [`resolve`](Self::resolve), without the type.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_any(
        &self,
        requirement: &Requirement,
    ) -> Result<Arc<dyn Any + Send + Sync>, ComponentError> {
        if let Some(instance) = self.given(requirement) {
            return Ok(instance);
        }
        let requirements = std::slice::from_ref(requirement);
        let plan = self.plan(requirements, &[])?;
        let mut instances = self.carry_out(&plan, requirements, &[])?;
        instances.pop().ok_or_else(|| self.inner.ended())
    }

    /// The instances that answer the requirements of one function, in their order: what
    /// [`uses`](Requirement::uses) says about them counts. Where `brought` has an instance for a requirement, that is the answer.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); about all requirements that nothing fits.
    pub fn resolve_all(
        &self,
        requirements: &[Requirement],
        brought: &[Option<Arc<dyn Any + Send + Sync>>],
    ) -> Result<Vec<Arc<dyn Any + Send + Sync>>, ComponentError> {
        if requirements.is_empty() {
            return Ok(Vec::new());
        }
        let is_brought: Vec<bool> = brought.iter().map(Option::is_some).collect();
        let plan = self.plan(requirements, &is_brought)?;
        self.carry_out(&plan, requirements, brought)
    }

    /// Checks that the requirements of one function can be met from here, without making anything, and says where the answers
    /// live.
    ///
    /// # Errors
    /// Those of [`resolve`](Self::resolve) that do not depend on running a component's function.
    pub fn outlook(&self, requirements: &[Requirement]) -> Result<Outlook, ComponentError> {
        let plan = self.plan(requirements, &[])?;
        let scopes = plan.answers.iter().map(|&answer| {
            let level = plan.level(answer);
            self.inner.at(level).name.to_string()
        });
        Ok(Outlook {
            scopes: scopes.collect(),
            depends_on_entity: plan.depends_on_entity,
        })
    }

    /// Checks that a requirement can be met from here, without making anything, and says in which scope the answer lives.
    ///
    /// # Errors
    /// As [`outlook`](Self::outlook).
    pub fn check(&self, requirement: &Requirement) -> Result<String, ComponentError> {
        let mut outlook = self.outlook(std::slice::from_ref(requirement))?;
        Ok(outlook.scopes.pop().unwrap_or_default())
    }

    /// Ends the scope: first its children, the youngest first, then its instances, last made first; each is taken down if its
    /// component says how, and dropped. Does nothing the second time.
    ///
    /// An instance that somebody still holds is released here and dropped by the last holder.
    ///
    /// # Errors
    /// Does not stop at one: returns what failed or panicked while instances were taken down and dropped, in that order.
    #[must_use = "the errors are not reported anywhere else"]
    pub fn end(&self) -> Vec<ComponentError> {
        self.inner.end()
    }

    /// Whether [`end`](Self::end) would find nothing to take down or drop, neither here nor in its children.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    fn from_inner(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            making: Vec::new(),
            given: None,
            requester: None,
        }
    }

    /// Who asks by this handle.
    pub(super) fn requester(&self) -> Arc<Requester> {
        let asking = self.requester.as_ref().map(Arc::clone);
        asking.unwrap_or_else(|| Arc::new(Requester::new("scope", &*self.inner.name)))
    }

    pub(super) fn level(&self) -> Level {
        self.inner.level(&self.inner.state.lock())
    }

    fn plan(&self, requirements: &[Requirement], brought: &[bool]) -> Result<Plan, ComponentError> {
        let chain = self.inner.chain()?;
        let asking = Asking {
            registry: &self.inner.registry,
            chain: &chain,
            making: &self.making,
        };
        graph::plan(asking, requirements, brought).map_err(|failure| match failure {
            Failure::Cycle(path) => circles::error(asking.registry, &path),
            Failure::Missing(unmet) => {
                let said: Vec<(String, String)> = unmet
                    .iter()
                    .map(|unmet| {
                        let tree = draw(asking, unmet) + &self.absent(&unmet.requirement);
                        (describe(&unmet.requirement), tree)
                    })
                    .collect();
                let asked = self.requester.as_ref();
                ComponentError::unresolved(&said, asked.map(ToString::to_string))
            }
        })
    }

    /// Lines about those that come from the crate of the type that is asked for, and are absent.
    fn absent(&self, requirement: &Requirement) -> String {
        let type_name = (requirement.type_name)();
        let krate = type_name.split("::").next().unwrap_or(type_name);
        let mut lines = Vec::new();
        let mut next = Some(&self.inner);
        while let Some(scope) = next {
            for absent in &scope.state.lock().absent {
                // Packages are written with dashes, paths of types with underscores.
                if absent.krate.replace('-', "_") == krate {
                    lines.push(format!("\n  - it may be that of {}", absent.what));
                }
            }
            next = scope.parent.as_ref().map(|(parent, _)| parent);
        }
        lines.concat()
    }
}

impl Inner {
    fn is_empty(&self) -> bool {
        // What is upgraded here may be the last handle, and is dropped when nothing is locked any more.
        let children: Vec<Arc<Self>> = {
            let state = self.state.lock();
            if !state.held.is_empty() {
                return false;
            }
            state.children.values().filter_map(Weak::upgrade).collect()
        };
        children.iter().all(|child| child.is_empty())
    }

    pub(super) fn ended(&self) -> ComponentError {
        ComponentError::Ended {
            scope: self.name.to_string(),
        }
    }

    /// The scope `level` steps outwards.
    pub(super) fn at(self: &Arc<Self>, level: usize) -> &Arc<Self> {
        let mut scope = self;
        for _ in 0..level {
            if let Some((parent, _)) = &scope.parent {
                scope = parent;
            }
        }
        scope
    }

    fn level(&self, state: &State) -> Level {
        let offers = state.provided.iter();
        Level {
            name: Arc::clone(&self.name),
            provided: offers.map(|one| one.offer.clone()).collect(),
            fixated: state.fixated.clone(),
        }
    }

    pub(super) fn chain(&self) -> Result<Vec<Level>, ComponentError> {
        let mut chain = Vec::new();
        let mut next = Some(self);
        while let Some(scope) = next {
            let state = scope.state.lock();
            if state.ended {
                return Err(scope.ended());
            }
            chain.push(scope.level(&state));
            next = scope.parent.as_ref().map(|(parent, _)| &**parent);
        }
        Ok(chain)
    }

    fn end(&self) -> Vec<ComponentError> {
        let (children, held) = {
            let mut state = self.state.lock();
            state.ended = true;
            state.provided.clear();
            state.slots.clear();
            (
                std::mem::take(&mut state.children),
                std::mem::take(&mut state.held),
            )
        };
        let mut errors = Vec::new();
        for child in children.into_values().rev() {
            if let Some(child) = child.upgrade() {
                errors.extend(child.end());
            }
        }
        for held in held.into_iter().rev() {
            held.let_go(&self.name, &mut errors);
        }
        if let Some((parent, number)) = &self.parent {
            parent.state.lock().children.remove(number);
        }
        errors
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for error in self.end() {
            tracing::error!(%error, "a component could not be taken down");
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("name", &self.inner.name)
            .field("held", &self.inner.state.lock().held.len())
            .finish_non_exhaustive()
    }
}
