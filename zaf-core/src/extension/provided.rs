//! Extensions that are not linked: described at run time by an extension that is.
//!
//! A framework extension with a load order up to 10 returns them from
//! [`Extension::provide_extensions`](super::Extension::provide_extensions). From load order 11 on they are extensions like all
//! others: for bands and their order, options, enablement, replacement, activation, commands, messages, lists and destruction.
//!
//! Whoever provides them makes the same descriptors that the macros emit for linked ones, with a [`Constructor::provided`] and a
//! [`Binder::provided`](super::Binder::provided) for each dispatcher. What must be `'static` in them is leaked, once per process:
//! descriptors are copied everywhere and asked everywhere, and they are as few as there are extensions.
//! A program without such an extension pays one call of an empty function per extension of the first band.

#[cfg(doc)]
use super::Constructor;
use super::registry::{FIRST_BAND_END, check};
use super::{
    DispatcherSet, ExtensionDescriptor, LoadError, RaisedPriorities, RegisteredExtension,
    RunningExtension,
};
use crate::error::Error;

/// An extension that is described at run time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProvidedExtension {
    /// The extension. Its `krate`, `file` and `line` say in lists and errors where it is from; its load order is above 10.
    pub descriptor: ExtensionDescriptor,
    /// Its dispatchers, in the order of their registration.
    pub dispatchers: &'static [super::DispatcherDescriptor],
}

impl ProvidedExtension {
    /// An extension with these dispatchers.
    pub const fn new(
        descriptor: ExtensionDescriptor,
        dispatchers: &'static [super::DispatcherDescriptor],
    ) -> Self {
        Self {
            descriptor,
            dispatchers,
        }
    }

    /// As the registry keeps it, and what is wrong with it; it is left out then.
    fn registered(self) -> Result<RegisteredExtension, Vec<LoadError>> {
        let Self {
            descriptor,
            dispatchers,
        } = self;
        let sets = vec![DispatcherSet {
            type_id: descriptor.type_id,
            dispatchers,
            file: descriptor.file,
            line: descriptor.line,
        }];
        let mut problems = check(&descriptor, &sets);
        if descriptor.load_order() <= FIRST_BAND_END && problems.is_empty() {
            problems.push(LoadError::ProvidedTooLate {
                extension: descriptor.name,
                place: descriptor.place().to_string(),
                load_order: descriptor.load_order(),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(RegisteredExtension {
            descriptor,
            dispatchers: sets,
            priorities: RaisedPriorities::default(),
        })
    }
}

/// What an extension provides, and what it could not.
#[derive(Debug, Default)]
pub struct ProvidedExtensions {
    extensions: Vec<ProvidedExtension>,
    problems: Vec<Error>,
}

impl ProvidedExtensions {
    /// Adds an extension.
    pub fn add(&mut self, extension: ProvidedExtension) {
        self.extensions.push(extension);
    }

    /// Adds a reason why another one is missing. It is reported as an error of the extension that provides; lists show the
    /// others in spite of it.
    pub fn problem(&mut self, error: impl Into<Error>) {
        self.problems.push(error.into());
    }

    pub(super) fn into_parts(self) -> (Vec<ProvidedExtension>, Vec<Error>) {
        (self.extensions, self.problems)
    }
}

impl FromIterator<ProvidedExtension> for ProvidedExtensions {
    fn from_iter<I: IntoIterator<Item = ProvidedExtension>>(extensions: I) -> Self {
        Self {
            extensions: extensions.into_iter().collect(),
            problems: Vec::new(),
        }
    }
}

/// Adds what was provided to the extensions that are known, at their places in the order; returns what is wrong with it. One that
/// has the name and the kind of another provided one is left out: who is there first stays.
pub(super) fn add(
    provided: Vec<ProvidedExtension>,
    extensions: &mut Vec<RegisteredExtension>,
) -> Vec<LoadError> {
    let mut problems = Vec::new();
    let mut added: Vec<RegisteredExtension> = Vec::with_capacity(provided.len());
    for one in provided {
        match one.registered() {
            Err(found) => problems.extend(found),
            Ok(one) => {
                let is_same = |other: &&RegisteredExtension| {
                    other.descriptor.name == one.descriptor.name
                        && other.descriptor.is_framework() == one.descriptor.is_framework()
                };
                if let Some(first) = added.iter().find(is_same) {
                    problems.push(LoadError::Duplicate {
                        extension: one.descriptor.name,
                        places: [first, &one].map(|one| one.descriptor.place().to_string()),
                    });
                } else {
                    added.push(one);
                }
            }
        }
    }
    extensions.extend(added);
    extensions.sort_by_key(|one| {
        let descriptor = &one.descriptor;
        (descriptor.load_order(), descriptor.name, descriptor.place())
    });
    problems
}

/// What the instances of the first band provide.
pub(super) type Provided = (Vec<ProvidedExtension>, Vec<LoadError>);

impl RunningExtension {
    /// The extensions that the instance provides.
    pub(super) fn provided(&self, host: &super::Host) -> Provided {
        match self.provide_extensions(host) {
            Ok(provided) => provided,
            Err(error) => (Vec::new(), vec![error]),
        }
    }
}
