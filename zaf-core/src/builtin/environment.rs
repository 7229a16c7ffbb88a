//! Reads options from environment variables: `output.dir` from `<PREFIX>_OUTPUT_DIR`.
//!
//! Runs whenever more options have become known. A value is taken once; unknown variables with the application's prefix are
//! warned about at the end, when every option is known. Below the command line, above every file.

use super::declare::Declaration;
use crate::config::{ConfigLayer, Priority, Source, load};
use crate::error::Result;
use crate::extension::{Extension, ExtensionContext, ExtensionDescriptor};

/// Load order of the pass that knows all options.
const LAST: u16 = 90;

/// Reads the variables of the options that are known at load order `ORDER`.
#[derive(Debug)]
pub struct Environment<const ORDER: u16>;

const fn pass<const ORDER: u16>() -> ExtensionDescriptor {
    Declaration {
        name: "environment",
        description: "Reads options from environment variables.",
        load_order: ORDER,
        config_options: &[],
        commands: &[],
        file: file!(),
        line: line!(),
    }
    .of::<Environment<ORDER>>()
}

pub(super) const ENVIRONMENT: [ExtensionDescriptor; 4] =
    [pass::<1>(), pass::<11>(), pass::<21>(), pass::<LAST>()];

impl<const ORDER: u16> Extension for Environment<ORDER> {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let application = cx.application();
        let invocation = &application.invocation;
        let store = cx.catalog().store();
        let reserved: Vec<&str> = invocation
            .own_variables
            .iter()
            .map(String::as_str)
            .collect();
        let found = load::environment(
            &application.environment_prefix,
            invocation.environment.iter().cloned(),
            store,
            &reserved,
        )?;
        let source = Source::Environment {
            name: "the environment".into(),
        };
        let mut layer = ConfigLayer::new(Priority::ENVIRONMENT, source);
        for entry in found.entries() {
            let is_environment = |source: &Source| matches!(source, Source::Environment { .. });
            let is_known = store.has_value_from(&entry.key, is_environment);
            if !is_known {
                layer.push(
                    entry.key.as_str(),
                    entry.value.clone(),
                    entry.source.clone(),
                );
            }
        }
        if ORDER == LAST {
            for warning in found.warnings() {
                layer.warn(warning.clone());
            }
        }
        Ok(vec![layer])
    }
}
