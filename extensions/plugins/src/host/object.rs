//! A plugin as the loader holds it.

use std::any::Any;
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::application::ExitCode;
use zaf_core::command::{CommandDescriptor, INSPECTION, PREVIEW};
use zaf_core::component::{Requirement, Scope};
use zaf_core::config::ConfigLayer;
use zaf_core::extension::{Catalog, ExtensionContext, ExtensionObject, SELECTED_COMMAND};
use zaf_core::message::{Dispatcher, MessageBus};

use super::instance::Instance;

/// The instance as the loader holds it.
pub(super) struct Object(pub(super) Arc<Instance>);

impl ExtensionObject for Object {
    fn shared(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>
    }

    fn get_config(&self, _: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        Ok(Vec::new())
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        self.0.set_only_looks(looks_only(selected(scope)?));
        Ok(())
    }

    fn registered(&self, dispatchers: &[Dispatcher]) {
        self.0.set_dispatchers(dispatchers);
    }

    /// Its declared dispatchers are there by now; those registered first may have started it.
    fn register_dispatchers(&self, _: &MessageBus) -> Result<Vec<Dispatcher>> {
        let instance = &self.0;
        if instance.only_looks() {
            // Others can do without it: a finder of test cases is not the only one.
            instance.withdraw();
        } else if instance.is_active() {
            instance
                .start()
                .map_err(|error| ExitCode::ExtensionFailed.with_error(error))?;
        }
        Ok(Vec::new())
    }

    fn destroy(&self) -> Result<()> {
        self.0.end()
    }
}

/// The command that runs.
///
/// # Errors
/// If the session has no catalog, which no application is without.
pub(super) fn selected(scope: &Scope) -> Result<Option<&'static CommandDescriptor>> {
    let catalog = scope.resolve::<Catalog>(&Requirement::of::<Catalog>("catalog"))?;
    let Ok(path) = catalog.store().get(SELECTED_COMMAND) else {
        return Ok(None);
    };
    let command = catalog.commands().find(&path);
    Ok(command.map(|entry| entry.command))
}

/// Whether a command shows what there is, or what another one would do: no plugin is run for it.
pub(super) fn looks_only(command: Option<&CommandDescriptor>) -> bool {
    command.is_none_or(|command| {
        let mut uses = command.uses.iter();
        uses.any(|word| [INSPECTION, PREVIEW].contains(word))
    })
}
