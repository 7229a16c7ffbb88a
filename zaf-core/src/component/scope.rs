//! Scopes: where instances live and die together.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::graph::{self, Choice, Failure, Level, Offer};
use super::slot::{Instance, Slot};
use super::{ComponentError, ComponentRegistry, Requirement};
use crate::thread::panic_text;

/// Where component instances live and die together. A cheap handle: clones are the same scope.
///
/// Scopes form a chain: `session` is the outermost; `extension` and `dispatcher` lie within it, `message` within a dispatcher;
/// a test framework adds its own (`runner`, `module`, `class`, `test`). A component is taken from the nearest scope that has the
/// name it asks for, and there is at most one instance of it in a scope, whichever thread asks first.
///
/// A scope ends by [`end`](Self::end), or when its last handle and its last child are gone. Its children end before it; its
/// instances are dropped last made first.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
    /// What is being made and led to this handle; none for handles that people hold.
    making: Vec<usize>,
}

struct Inner {
    name: Arc<str>,
    parent: Option<(Arc<Self>, u64)>,
    registry: ComponentRegistry,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ended: bool,
    provided: Vec<Provided>,
    slots: BTreeMap<usize, Arc<Slot>>,
    /// Everything that lives here, in the order in which it came.
    held: Vec<Held>,
    children: BTreeMap<u64, Weak<Inner>>,
    next_child: u64,
    absent: Vec<Absent>,
}

/// Something that would have put instances here, had it not been switched off.
struct Absent {
    krate: &'static str,
    what: String,
}

struct Provided {
    type_name: &'static str,
    offer: Offer,
    instance: Instance,
}

/// An instance that somebody made and put into a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvidedComponent {
    /// Its type.
    pub type_id: TypeId,
    /// Name of that type.
    pub type_name: &'static str,
    /// What it can.
    pub can: &'static [&'static str],
}

struct Held {
    name: String,
    instance: Instance,
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
        Self::from_inner(child)
    }

    /// Name of the scope.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The components that instances are made of.
    pub fn registry(&self) -> &ComponentRegistry {
        &self.inner.registry
    }

    /// Puts an instance here. It answers requirements for exactly the type `T` from this scope and all within it, before any
    /// component that would have to be made; the one provided last wins.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
    ) -> Result<(), ComponentError> {
        self.provide_as(instance, &[])
    }

    /// As [`provide`](Self::provide), with capabilities that requirements can ask for.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide_as<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
        can: &'static [&'static str],
    ) -> Result<(), ComponentError> {
        let mut state = self.inner.state.lock();
        if state.ended {
            return Err(self.inner.ended());
        }
        let instance: Instance = instance;
        state.provided.push(Provided {
            type_name: std::any::type_name::<T>(),
            offer: Offer {
                type_id: TypeId::of::<T>(),
                can,
            },
            instance: Arc::clone(&instance),
        });
        state.held.push(Held {
            name: std::any::type_name::<T>().to_owned(),
            instance,
        });
        Ok(())
    }

    /// Says what did not put its instances here, in words ("extension `x` (disabled by …)"): whoever asks here or further within
    /// for a type of the crate `krate` and gets none reads it in the error.
    pub fn tell_absent(&self, krate: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.inner.state.lock().absent.push(Absent { krate, what });
    }

    /// What was put into this scope, in that order: without what lies in the scopes around it.
    pub fn provided(&self) -> Vec<ProvidedComponent> {
        let state = self.inner.state.lock();
        let provided = state.provided.iter();
        provided
            .map(|one| ProvidedComponent {
                type_id: one.offer.type_id,
                type_name: one.type_name,
                can: one.offer.can,
            })
            .collect()
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
        match self.choose(requirement)? {
            Choice::Provided { level, offer } => {
                let scope = self.inner.at(level);
                let state = scope.state.lock();
                match state.provided.get(offer) {
                    Some(provided) => Ok(Arc::clone(&provided.instance)),
                    None => Err(scope.ended()),
                }
            }
            Choice::Made { component, level } => {
                let scope = Arc::clone(self.inner.at(level));
                self.make(&scope, component, requirement)
            }
        }
    }

    /// Checks that a requirement can be met from here, without making anything, and says in which scope the answer lives.
    ///
    /// # Errors
    /// Those of [`resolve`](Self::resolve) that do not depend on running a component's function.
    pub fn check(&self, requirement: &Requirement) -> Result<String, ComponentError> {
        let (Choice::Provided { level, .. } | Choice::Made { level, .. }) =
            self.choose(requirement)?;
        Ok(self.inner.at(level).name.to_string())
    }

    /// Ends the scope: first its children, the youngest first, then its instances, last made first. Does nothing the second
    /// time.
    ///
    /// An instance that somebody still holds is released here and dropped by the last holder.
    ///
    /// # Errors
    /// Does not stop at one: returns all panics of instances that were dropped, in that order.
    #[must_use = "the errors are not reported anywhere else"]
    pub fn end(&self) -> Vec<ComponentError> {
        self.inner.end()
    }

    fn from_inner(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            making: Vec::new(),
        }
    }

    fn choose(&self, requirement: &Requirement) -> Result<Choice, ComponentError> {
        let chain = self.inner.chain()?;
        let registry = &self.inner.registry;
        graph::choose(registry, &chain, requirement, &self.making).map_err(
            |failure| match failure {
                Failure::Cycle(path) => self.cycle(&path),
                Failure::Missing(unmet) => ComponentError::Unresolved {
                    wanted: graph::describe(requirement),
                    tree: graph::draw(registry, &chain, &unmet) + &self.absent(requirement),
                },
            },
        )
    }

    /// Lines about those that come from the crate of the type that is asked for, and are absent.
    fn absent(&self, requirement: &Requirement) -> String {
        let type_name = (requirement.type_name)();
        let krate = type_name.split("::").next().unwrap_or(type_name);
        let mut lines = String::new();
        let mut next = Some(&self.inner);
        while let Some(scope) = next {
            for absent in &scope.state.lock().absent {
                // Packages are written with dashes, paths of types with underscores.
                if absent.krate.replace('-', "_") == krate {
                    lines += &format!("\n  - it may be that of {}", absent.what);
                }
            }
            next = scope.parent.as_ref().map(|(parent, _)| parent);
        }
        lines
    }

    fn cycle(&self, path: &[usize]) -> ComponentError {
        let components = self.inner.registry.sorted();
        ComponentError::Cycle {
            path: path
                .iter()
                .map(|&index| {
                    let component = &components[index];
                    format!("`{}` ({})", component.name, graph::place(component))
                })
                .collect(),
        }
    }

    fn make(
        &self,
        scope: &Arc<Inner>,
        index: usize,
        requirement: &Requirement,
    ) -> Result<Instance, ComponentError> {
        let component = self.inner.registry.sorted()[index];
        let slot = {
            let mut state = scope.state.lock();
            if state.ended {
                return Err(scope.ended());
            }
            Arc::clone(state.slots.entry(index).or_default())
        };
        let mut making = self.making.clone();
        making.push(index);
        let made = slot.get_or_make(|| {
            let handle = Self {
                inner: Arc::clone(scope),
                making,
            };
            let instance = catch_unwind(AssertUnwindSafe(|| (component.make)(&handle)))
                .map_err(|panic| ComponentError::MakePanicked {
                    component: component.name,
                    place: graph::place(&component),
                    wanted: graph::describe(requirement),
                    message: panic_text(panic),
                })?
                .map_err(|error| ComponentError::Make {
                    component: component.name,
                    place: graph::place(&component),
                    wanted: graph::describe(requirement),
                    cause: error.into_inner(),
                })?;
            if (*instance).type_id() != (component.type_id)() {
                return Err(ComponentError::WrongType {
                    component: component.name.to_owned(),
                    place: graph::place(&component),
                    expected: (component.type_name)(),
                });
            }
            let mut state = scope.state.lock();
            if state.ended {
                // The scope ended meanwhile: nobody would drop the instance in its turn.
                return Err(scope.ended());
            }
            state.held.push(Held {
                name: component.name.to_owned(),
                instance: Arc::clone(&instance),
            });
            Ok(instance)
        });
        match made {
            Ok(outcome) => outcome,
            Err(_) => Err(self.cycle(&[index, index])),
        }
    }
}

impl Inner {
    fn ended(&self) -> ComponentError {
        ComponentError::Ended {
            scope: self.name.to_string(),
        }
    }

    /// The scope `level` steps outwards.
    fn at(self: &Arc<Self>, level: usize) -> &Arc<Self> {
        let mut scope = self;
        for _ in 0..level {
            if let Some((parent, _)) = &scope.parent {
                scope = parent;
            }
        }
        scope
    }

    fn chain(&self) -> Result<Vec<Level>, ComponentError> {
        let mut chain = Vec::new();
        let mut next = Some(self);
        while let Some(scope) = next {
            let state = scope.state.lock();
            if state.ended {
                return Err(scope.ended());
            }
            chain.push(Level {
                name: Arc::clone(&scope.name),
                provided: state
                    .provided
                    .iter()
                    .map(|provided| provided.offer)
                    .collect(),
            });
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
        for Held { name, instance } in held.into_iter().rev() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(instance))) {
                errors.push(ComponentError::DropPanicked {
                    component: name,
                    scope: self.name.to_string(),
                    message: panic_text(panic),
                });
            }
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
            tracing::error!(%error, "a component could not be dropped");
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
