//! Whether extensions take part in a command, and why.

use anstyle::{AnsiColor, Style};
use serde::{Serialize, Serializer};

use super::super::table::Cell;
use super::Inspection;
use crate::command::CommandDescriptor;
use crate::config::{ConfigView, Kind, OptionDescriptor};
use crate::extension::{
    Catalog, Extends, ExtensionDescriptor, ExtensionEntry, ExtensionKind, ExtensionState, is_active,
};
use crate::message::Entity;

/// In how far an extension takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It does what it is for.
    Active,
    /// It is enabled, but has nothing to do here.
    Inactive,
    /// It is not loaded, because somebody says so.
    Disabled,
    /// Another one is loaded in its place.
    Replaced,
    /// It is not decided yet.
    Undecided,
    /// It is broken.
    Failed,
}

/// State and reason of one extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Participation {
    pub(super) state: State,
    /// Why it does not take part; none if it does.
    pub(super) reason: Option<String>,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Disabled => "disabled",
            Self::Replaced => "replaced",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }

    pub(super) fn cell(self) -> Cell {
        let style = match self {
            Self::Active => AnsiColor::Green.on_default(),
            Self::Failed => AnsiColor::Red.on_default().bold(),
            Self::Disabled | Self::Replaced => AnsiColor::Yellow.on_default(),
            Self::Inactive | Self::Undecided => Style::new().dimmed(),
        };
        Cell::styled(self.word(), style)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Inspection {
    /// Whether an extension takes part in the target.
    pub(super) fn participation(&self, entry: &ExtensionEntry) -> Participation {
        self.participation_in(entry, self.target)
    }

    /// Whether an extension takes part in a command, or at all.
    pub(super) fn participation_in(
        &self,
        entry: &ExtensionEntry,
        target: Option<&CommandDescriptor>,
    ) -> Participation {
        let extension = &entry.descriptor;
        let failures: Vec<&str> = self
            .problems
            .of_extension(extension.name)
            .map(|problem| problem.text.as_str())
            .collect();
        let (state, reason) = match &entry.state {
            ExtensionState::Disabled { .. } => (State::Disabled, Some(entry.state.to_string())),
            ExtensionState::Replaced { .. } => (State::Replaced, Some(entry.state.to_string())),
            ExtensionState::Undecided => (State::Undecided, None),
            ExtensionState::AlwaysLoaded | ExtensionState::Enabled if !failures.is_empty() => {
                (State::Failed, Some(failures.join("\n")))
            }
            ExtensionState::AlwaysLoaded | ExtensionState::Enabled => {
                match why_not(extension, target, &self.catalog) {
                    Some(reason) => (State::Inactive, Some(reason)),
                    None => (State::Active, None),
                }
            }
        };
        Participation { state, reason }
    }
}

/// Why a command extension extends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Because {
    /// It names the command.
    Command,
    /// The command uses all these capabilities.
    Capabilities(Vec<&'static str>),
}

/// What a command extension names under `extends`: paths of commands, and capabilities.
pub(super) fn extended(extension: &ExtensionDescriptor) -> (Vec<String>, Vec<&'static str>) {
    let ExtensionKind::Command { extends } = extension.kind else {
        return (Vec::new(), Vec::new());
    };
    let mut commands = Vec::new();
    let mut capabilities = Vec::new();
    for entry in extends {
        match entry {
            Extends::Command(command) => commands.push(command.path()),
            Extends::Capability(word) => capabilities.push(*word),
        }
    }
    (commands, capabilities)
}

/// Why the extension extends the command, if it does.
pub(super) fn because(
    extension: &ExtensionDescriptor,
    command: &CommandDescriptor,
) -> Option<Because> {
    if !extension.extends(command) {
        return None;
    }
    let (commands, capabilities) = extended(extension);
    Some(if commands.contains(&command.path()) {
        Because::Command
    } else {
        Because::Capabilities(capabilities)
    })
}

impl Because {
    /// As an end of "extended by … because of …".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Command => "the command itself".to_owned(),
            Self::Capabilities(words) if words.len() == 1 => format!("capability {}", words[0]),
            Self::Capabilities(words) => format!("capabilities {}", words.join(" and ")),
        }
    }
}

/// Why an extension that is enabled does nothing.
fn why_not(
    extension: &ExtensionDescriptor,
    target: Option<&CommandDescriptor>,
    catalog: &Catalog,
) -> Option<String> {
    if let Some((word, near)) = catalog.unknown_capabilities(extension).first() {
        let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        return Some(format!("no command has the capability `{word}`{near}"));
    }
    if let Some(target) = target
        && !extension.is_framework()
        && !extension.extends(target)
    {
        return Some(format!("does not extend {}", target.path()));
    }
    let instances = instances(extension, catalog);
    if let (Some(option), []) = (extension.instance_option(), &*instances) {
        return Some(format!("{} names nothing", option.option.key));
    }
    // It takes part if one of its instances does.
    let mut first = None;
    for entity in &instances {
        let reason = why_instance_not(extension, entity.as_ref(), catalog)?;
        first.get_or_insert(match entity {
            Some(entity) => format!("for {entity}, {reason}"),
            None => reason,
        });
    }
    first
}

/// The entities that there are instances for; one without if it has no instances per entity.
pub(super) fn instances(extension: &ExtensionDescriptor, catalog: &Catalog) -> Vec<Option<Entity>> {
    let Some(option) = extension.instance_option() else {
        return vec![None];
    };
    // What names them wrongly is a problem that is told elsewhere.
    let entities = catalog.store().entities(&option.option).unwrap_or_default();
    entities.into_iter().map(Some).collect()
}

/// What one instance sees.
pub(super) fn view_of(
    extension: &ExtensionDescriptor,
    entity: Option<&Entity>,
    catalog: &Catalog,
) -> ConfigView {
    let options = extension.config_options.iter().map(|option| &option.option);
    let bound = extension.instance_option().map(|option| &option.option);
    catalog.store().view(options, bound.zip(entity))
}

fn why_instance_not(
    extension: &ExtensionDescriptor,
    entity: Option<&Entity>,
    catalog: &Catalog,
) -> Option<String> {
    let view = view_of(extension, entity, catalog);
    let (on, off) = (extension.activate_on, extension.deactivate_on);
    if is_active(on, off, |option| view.is_set(option)) {
        return None;
    }
    let lacking = on
        .iter()
        .find(|group| !group.iter().any(|option| view.is_set(option)));
    Some(match lacking {
        Some([option]) => format!("{} is {}", option.key, without_value(option, &view)),
        Some(group) => format!("none of {} is set", keys(group)),
        None => format!(
            "{} is set",
            off.iter()
                .map(|group| keys(group))
                .collect::<Vec<_>>()
                .join(" and ")
        ),
    })
}

fn without_value(option: &OptionDescriptor, view: &ConfigView) -> &'static str {
    match view.value(option) {
        Ok(Some(_)) if option.kind == Kind::Flag => "false",
        _ => "not set",
    }
}

fn keys(group: &[OptionDescriptor]) -> String {
    let keys: Vec<&str> = group.iter().map(|option| option.key).collect();
    keys.join(", ")
}
