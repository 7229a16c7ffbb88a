//! What kind of plugin an extension is, in the words of test frameworks that sort their plugins by type.
//!
//! | Type | Extensions |
//! | --- | --- |
//! | `framework` | framework extensions |
//! | `command` | framework extensions that add commands |
//! | a capability, several with dots between | command extensions of commands that use them |
//! | the path of a command, with dots between | command extensions of this command |
//!
//! Type, dot and name are the fully qualified name: `find.executables`. `plugins.disable` and `plugins.<type>.order` take the
//! same words as the command `plugins` shows.

use std::fmt;

use super::{Extends, ExtensionDescriptor, ExtensionKind};

/// A type of plugins. Sorted as they are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PluginType {
    /// Loaded for every command, adds none.
    Framework,
    /// Adds commands.
    Command,
    /// Extends commands: named by what it extends.
    Extending(String),
}

impl PluginType {
    /// The types of an extension, sorted: one, or several if it extends several commands, or a command and capabilities.
    pub fn of(extension: &ExtensionDescriptor) -> Vec<Self> {
        let extends = match extension.kind {
            ExtensionKind::Framework { commands: [], .. } => return vec![Self::Framework],
            ExtensionKind::Framework { .. } => return vec![Self::Command],
            ExtensionKind::Command { extends } => extends,
        };
        let mut types = Vec::new();
        let mut capabilities = Vec::new();
        for entry in extends {
            match entry {
                Extends::Command(command) => {
                    types.push(Self::Extending(command.path().replace(' ', ".")));
                }
                Extends::Capability(word) => capabilities.push(*word),
            }
        }
        if !capabilities.is_empty() {
            // A set: whoever names the same ones is of the same type.
            capabilities.sort_unstable();
            types.push(Self::Extending(capabilities.join(".")));
        }
        types.sort();
        types.dedup();
        types
    }

    /// Its name: `framework`, `command`, `run`, `addon.create`, `heat.serve`.
    pub fn name(&self) -> &str {
        match self {
            Self::Framework => "framework",
            Self::Command => "command",
            Self::Extending(what) => what,
        }
    }

    /// The fully qualified name of an extension of this type.
    pub fn qualified(&self, extension: &str) -> String {
        format!("{}.{extension}", self.name())
    }
}

impl fmt::Display for PluginType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RUN, adding, extending, framework};
    use super::*;

    #[test]
    fn a_type_is_what_an_extension_is_loaded_for() {
        let types = |extension: &ExtensionDescriptor| -> Vec<String> {
            let types = PluginType::of(extension);
            types
                .iter()
                .map(|one| one.qualified(extension.name))
                .collect()
        };
        assert_eq!(types(&framework("a", 30)), ["framework.a"]);
        assert_eq!(types(&adding("a", 30, &[&RUN])), ["command.a"]);
        let several = [
            Extends::Capability("serve"),
            Extends::Command(&RUN),
            Extends::Capability("heat"),
        ];
        assert_eq!(types(&extending("a", &several)), ["heat.serve.a", "run.a"]);
        let twice = [Extends::Capability("run"), Extends::Command(&RUN)];
        assert_eq!(types(&extending("a", &twice)), ["run.a"]);
    }
}
