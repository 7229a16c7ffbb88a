//! What can go wrong with components.

use thiserror::Error;

use super::ComponentDescriptor;

/// A component could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// No component fits the requirement.
    #[error("no component for {wanted}\n{tree}")]
    Unresolved {
        /// Parameter, type, capabilities and scope that were asked for, and who asked if that is known.
        wanted: String,
        /// One line for each candidate and why it does not fit, indented below what asked for it.
        tree: String,
    },
    /// A component needs itself, directly or through others.
    #[error("component needs itself: {}", path.join(" -> "))]
    Cycle {
        /// Names with their source lines; the first and the last are the same.
        path: Vec<String>,
    },
    /// The component's function returned an error.
    #[error("component `{component}` ({place}) for {wanted} could not be made")]
    Make {
        /// Name of the component.
        component: &'static str,
        /// File and line of its declaration.
        place: String,
        /// What asked for it.
        wanted: String,
        /// What its function returned.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The component's function panicked.
    #[error("component `{component}` ({place}) for {wanted} panicked: {message}")]
    MakePanicked {
        /// Name of the component.
        component: &'static str,
        /// File and line of its declaration.
        place: String,
        /// What asked for it.
        wanted: String,
        /// Text of the panic.
        message: String,
    },
    /// The component's function made something else than its descriptor says.
    #[error("component `{component}` ({place}) did not make a `{expected}`")]
    WrongType {
        /// Name of the component.
        component: String,
        /// File and line of its declaration.
        place: String,
        /// Type that was asked for.
        expected: &'static str,
    },
    /// Taking an instance down at the end of its scope failed; it was dropped, and the others were taken down.
    #[error("component `{component}` could not be taken down at the end of scope `{scope}`")]
    Teardown {
        /// Name of the component.
        component: String,
        /// Name of the scope.
        scope: String,
        /// What its teardown returned.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Taking an instance down at the end of its scope panicked; it was dropped, and the others were taken down.
    #[error(
        "taking component `{component}` down at the end of scope `{scope}` panicked: {message}"
    )]
    TeardownPanicked {
        /// Name of the component.
        component: String,
        /// Name of the scope.
        scope: String,
        /// Text of the panic.
        message: String,
    },
    /// Dropping an instance at the end of its scope panicked; the others were dropped.
    #[error("dropping component `{component}` at the end of scope `{scope}` panicked: {message}")]
    DropPanicked {
        /// Name of the component.
        component: String,
        /// Name of the scope.
        scope: String,
        /// Text of the panic.
        message: String,
    },
    /// Two entities were fixated, and a type has something about both.
    #[error(
        "entities `{}` and `{}` cannot be fixated together: there is a `{type_name}` about each",
        entities[0],
        entities[1]
    )]
    FixatedTwice {
        /// Name of the type.
        type_name: &'static str,
        /// Names of the entities.
        entities: [String; 2],
    },
    /// The scope has ended.
    #[error("scope `{scope}` has ended: nothing can be taken from it")]
    Ended {
        /// Name of the scope.
        scope: String,
    },
}

impl ComponentError {
    /// The error about requirements that nothing fits: what each wants, with its tree. There is at least one.
    pub(super) fn unresolved(said: &[(String, String)], asked_by: Option<String>) -> Self {
        let by = asked_by.map_or_else(String::new, |asker| format!(", asked for by {asker}"));
        let mut wanted = String::new();
        let mut tree = String::new();
        for (number, (what, why)) in said.iter().enumerate() {
            if number == 0 {
                wanted = format!("{what}{by}");
                tree.push_str(why);
            } else {
                tree.extend(["\nno component for ", what, &by, "\n", why]);
            }
        }
        Self::Unresolved { wanted, tree }
    }
}

/// Two components make the same type under the same name.
#[derive(Debug, Error)]
#[error(
    "component `{name}` is declared twice for `{type_name}`: in {} and in {}; rename one of them",
    places[0],
    places[1]
)]
pub struct ComponentConflict {
    name: &'static str,
    type_name: &'static str,
    places: [String; 2],
}

impl ComponentConflict {
    pub(super) fn new(first: &ComponentDescriptor, second: &ComponentDescriptor) -> Self {
        let place = |component: &ComponentDescriptor| {
            format!(
                "crate `{}` ({}:{})",
                component.krate, component.file, component.line
            )
        };
        Self {
            name: first.name,
            type_name: (first.type_name)(),
            places: [place(first), place(second)],
        }
    }

    /// Name that both have.
    pub fn name(&self) -> &'static str {
        self.name
    }
}
