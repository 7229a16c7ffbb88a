//! Environment variables that give secrets.

use std::ffi::{OsStr, OsString};

use super::catalog::Catalog;
use crate::config::ConfigStore;

impl Catalog {
    /// Those of the names that are variables of secrets, of whatever extension, loaded or not: programs that are started, and are no part
    /// of the application, should not inherit them. `prefix` is that of the application's variables, like `K2`.
    pub fn secret_variables<'a>(
        &self,
        prefix: &str,
        names: impl IntoIterator<Item = &'a OsStr>,
    ) -> Vec<OsString> {
        let mut secrets = ConfigStore::new();
        for entry in self.extensions() {
            let extension = &entry.descriptor;
            let of_commands = extension
                .commands()
                .iter()
                .flat_map(|command| command.config_options);
            for request in extension.config_options.iter().chain(of_commands) {
                if request.option.is_secret() {
                    // One that contradicts others is reported where it is loaded; it is hidden by its first declaration.
                    drop(secrets.define(&request.option, extension.name));
                }
            }
        }
        let is_secret = |name: &&OsStr| {
            let name = name.to_str();
            name.is_some_and(|name| secrets.is_secret_variable(prefix, name))
        };
        let found = names.into_iter().filter(is_secret);
        found.map(OsStr::to_owned).collect()
    }
}
