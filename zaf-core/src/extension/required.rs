//! Finds required options that have no value, before an instance is made.

use super::ExtensionDescriptor;
use super::error::LoadError;
use super::running::instance_name;
use crate::config::{ConfigView, Key, OptionDescriptor, TypedValue, flag_name};
use crate::message::Entity;

/// Required options without a value. An option that hangs at an entity option is looked at for the instance's entity, else for
/// all entities.
pub(super) fn missing_options(
    descriptor: &ExtensionDescriptor,
    view: &ConfigView,
    instance: Option<&Entity>,
) -> Vec<LoadError> {
    let bound = descriptor.instance_option().map(|option| option.option);
    let mut problems = Vec::new();
    for request in descriptor
        .config_options
        .iter()
        .filter(|option| option.required)
    {
        let option = &request.option;
        if request.instantiate_on {
            // Without a value there is no instance to miss it.
            continue;
        }
        let entities: Vec<Option<Entity>> = match (option.at, &bound) {
            (None, _) => vec![None],
            (Some(at), Some(bound)) if *at == *bound => vec![instance.cloned()],
            (Some(at), _) => match view.store().entities(at) {
                Ok(entities) => entities.into_iter().map(Some).collect(),
                Err(error) => {
                    problems.push(LoadError::Config {
                        cause: error.into(),
                    });
                    continue;
                }
            },
        };
        for entity in entities {
            let error = match has_value(view, option, entity.as_ref()) {
                Ok(true) => continue,
                Ok(false) => LoadError::OptionMissing {
                    extension: descriptor.name,
                    instance: instance_name(instance),
                    place: descriptor.place().to_string(),
                    key: Key::of(option, entity.as_ref()).to_string(),
                    flag: flag_name(option, entity.as_ref()),
                },
                Err(error) => error,
            };
            problems.push(error);
        }
    }
    problems
}

/// Whether an option has a value or a default; of several values at least one.
fn has_value(
    view: &ConfigView,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
) -> Result<bool, LoadError> {
    let value = view
        .store()
        .read(option, entity)
        .map_err(|error| LoadError::Config {
            cause: error.into(),
        })?;
    Ok(match value {
        None => false,
        Some(TypedValue::List(items)) => !items.is_empty(),
        Some(_) => true,
    })
}
