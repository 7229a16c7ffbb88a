//! The extension that loads plugins.
//!
//! ```text
//!  plugins.paths ─► who says so? ─► folders ─► safe? trusted? ─► what is it? ─► an extension
//!                   settings        package    package, trust    kept or asked   translate
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::command::{ApplicationInfo, CommandDescriptor};
use zaf_core::component::Scope;
use zaf_core::extension::{ProvidedExtension, ProvidedExtensions, SELECTED_COMMAND};
use zaf_core::prelude::*;

use super::instance::{Budget, Plugin};
use super::launch;
use super::object::{looks_only, selected};
use super::options::{ALLOW_INSECURE, PATHS, RESTARTS, TIMEOUT};
use super::settings::{self, Setting};
use super::translate::{self, Defined, Known, Origin, leak};
use super::words::Words;
use crate::package::{self, MANIFEST, Package};
use crate::protocol::Description;
use crate::trust::{PROBE_PLUGIN_COMMAND, TRUST_COMMAND, TrustStore, Trusted};

/// Loads plugins: extensions that are programs or libraries of their own, found in the directories of `plugins.paths`.
#[framework_extension(
    name = "plugins",
    load_order = 10,
    commands = [TRUST_COMMAND, PROBE_PLUGIN_COMMAND],
    config_options = [
        PATHS.optional(),
        ALLOW_INSECURE.required(),
        RESTARTS.required(),
        TIMEOUT.required(),
    ],
)]
#[derive(Debug)]
pub struct Plugins {
    open: Mutex<Open>,
}

/// What can be said only when the command is known.
#[derive(Debug, Default)]
struct Open {
    /// Folders of plugins that were never asked what they are, and may not be run as long as the command is not known.
    unknown: Vec<PathBuf>,
    /// Plugins that are not trusted. `trust` is the command that changes that.
    refused: Vec<(Refusal, PathBuf)>,
}

impl Extension for Plugins {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            open: Mutex::default(),
        })
    }

    fn provide_extensions(&self, cx: &ExtensionContext<'_>) -> Result<ProvidedExtensions> {
        if !cx.config().is_set(&PATHS.descriptor()) {
            return Ok(ProvidedExtensions::default());
        }
        let mut search = Search::new(cx)?;
        search.settings(cx)?;
        let provided = search.extensions(cx);
        *self.open.lock() = search.open;
        Ok(provided)
    }

    /// Now the command is known.
    fn register_components(&self, scope: &Scope) -> Result<()> {
        let Open { unknown, refused } = std::mem::take(&mut *self.open.lock());
        if unknown.is_empty() && refused.is_empty() {
            return Ok(());
        }
        let command = selected(scope)?;
        if command == Some(&TRUST_COMMAND) {
            return Ok(());
        }
        let texts: Vec<String> = refused.iter().map(|(why, _)| why.to_string()).collect();
        if !texts.is_empty() {
            let error = ExitCode::Usage.with_error(Error::msg(texts.join("\n")));
            return Err(refused.iter().fold(error, |error, (_, folder)| {
                error.hint(format_args!(
                    "look at it, and if you want to run it: `trust {}`",
                    folder.display()
                ))
            }));
        }
        let folders: Vec<String> = unknown
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let folders = folders.join("`, `");
        if looks_only(command) {
            tracing::warn!(
                "nothing is known of the plugin in `{folders}`, and this command runs none; `trust` asks what it is"
            );
            return Ok(());
        }
        let error = Error::msg(format_args!(
            "nothing is known of the plugin in `{folders}`, and it could not be run before the command was known"
        ));
        let error = unknown.iter().fold(error, |error, folder| {
            error.hint(format_args!(
                "`trust {}` asks it what it is",
                folder.display()
            ))
        });
        Err(ExitCode::ExtensionFailed.with_error(error))
    }
}

/// A plugin that may not be loaded.
#[derive(Debug, Error)]
enum Refusal {
    #[error("`plugins.paths` ({by}): {problem}")]
    Path {
        by: String,
        problem: package::FindError,
    },
    #[error("the plugin in `{}` cannot be loaded: it is a link that leads out of the directory (`plugins.paths`, {by})", folder.display())]
    Link { folder: PathBuf, by: String },
    #[error("the plugin in `{}` is not trusted, and `plugins.paths` is set by {by}", folder.display())]
    Untrusted { folder: PathBuf, by: String },
    #[error("the plugin in `{}` has changed since it was trusted, and `plugins.paths` is set by {by}", folder.display())]
    Changed { folder: PathBuf, by: String },
    #[error("plugin `{name}` is in `{}` and, different, in `{}`", folders[0].display(), folders[1].display())]
    Twice { name: String, folders: [PathBuf; 2] },
    #[error("plugin `{name}` in `{}` does not fit: {}", folder.display(), problems.join("; "))]
    Misfit {
        name: String,
        folder: PathBuf,
        problems: Vec<String>,
    },
}

/// One plugin of which is known what it is.
struct Described {
    package: Package,
    description: Arc<Description>,
}

struct Search {
    application: ApplicationInfo,
    trust: TrustStore,
    trusted: Vec<Trusted>,
    insecure: bool,
    /// Whether plugins that were never asked what they are may be run now.
    may_run: bool,
    /// Whether the command line selects the command.
    has_commands: bool,
    timeout: Duration,
    /// How long the constructors of a library may take.
    open_limit: Option<Duration>,
    restarts: u64,
    settings: Vec<Setting>,
    open: Open,
}

impl Search {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let application = cx.application().clone();
        let trust = TrustStore::of(&application);
        let store = cx.catalog().store();
        let insecure = settings::allows_insecure(store, cx.config().get(ALLOW_INSECURE)?)
            .map_err(|error| ExitCode::Usage.with_error(error))?;
        Ok(Self {
            may_run: may_run(cx),
            has_commands: cx.catalog().store().get(SELECTED_COMMAND).is_err(),
            trusted: trust.trusted()?,
            application,
            trust,
            insecure,
            timeout: cx.config().get(TIMEOUT)?,
            open_limit: launch::open_limit(store),
            restarts: cx.config().get(RESTARTS)?,
            settings: Vec::new(),
            open: Open::default(),
        })
    }

    /// Reads where plugins are looked for.
    fn settings(&mut self, cx: &ExtensionContext<'_>) -> Result<()> {
        let directory = &cx.application().invocation.directory;
        let effective = cx.config().get(PATHS)?;
        let (settings, errors) = settings::paths(cx.catalog().store(), &effective, directory);
        self.settings = settings;
        if errors.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Err(ExitCode::Usage.with_error(Error::msg(texts.join("\n"))))
    }

    /// The extensions that plugins are, and what is wrong with others.
    fn extensions(&mut self, cx: &ExtensionContext<'_>) -> ProvidedExtensions {
        let mut provided = ProvidedExtensions::default();
        let packages = self.packages(&mut provided);
        let mut by_name: BTreeMap<String, Described> = BTreeMap::new();
        for package in packages {
            let known = match self.known(package) {
                Ok(Some(known)) => known,
                Ok(None) => continue,
                Err(error) => {
                    provided.problem(error);
                    continue;
                }
            };
            let name = known.description.name.clone();
            match by_name.get(&name) {
                None => {
                    by_name.insert(name, known);
                }
                Some(first) => {
                    let folders = [first, &known].map(|one| one.package.directory.clone());
                    if first.package.digest == known.package.digest {
                        tracing::warn!(
                            "plugin `{name}` is in `{}` and, the same, in `{}`; it is loaded once",
                            folders[0].display(),
                            folders[1].display()
                        );
                    } else {
                        let error = Refusal::Twice { name, folders };
                        provided.problem(ExitCode::ExtensionFailed.with_error(error));
                    }
                }
            }
        }
        let mut known = Known::linked(cx.catalog(), cx.bus());
        // A plugin may listen to what another one defines, whatever their names are.
        let with_messages: Vec<(Described, Defined)> = by_name
            .into_values()
            .map(|one| {
                let defined = Defined::of(&one.description);
                known.add(&defined);
                (one, defined)
            })
            .collect();
        for (one, defined) in with_messages {
            match self.extension(one, defined, &mut known) {
                Ok(extension) => provided.add(extension),
                Err(error) => provided.problem(ExitCode::ExtensionFailed.with_error(error)),
            }
        }
        provided
    }

    fn extension(
        &self,
        one: Described,
        defined: Defined,
        known: &mut Known,
    ) -> Result<ProvidedExtension, Refusal> {
        let Described {
            package,
            description,
        } = one;
        let folder = package.directory.clone();
        let origin = Origin {
            file: folder.join(MANIFEST).to_string_lossy().into_owned(),
        };
        let mut launch = launch::launch(&package, &self.application, self.open_limit);
        launch.deadlines.deliver = self.timeout;
        launch.name = Some(description.name.clone());
        let plugin = Plugin {
            name: leak(&description.name),
            description,
            open: Arc::new(move || launch::open(&package, &launch)),
            restarts: Budget::new(self.restarts),
        };
        let name = plugin.name;
        translate::extension(Arc::new(plugin), &origin, defined, known).map_err(|problems| {
            Refusal::Misfit {
                name: name.to_owned(),
                folder,
                problems,
            }
        })
    }

    /// The plugins in all directories that may be loaded.
    fn packages(&mut self, provided: &mut ProvidedExtensions) -> Vec<Package> {
        let mut packages: Vec<Package> = Vec::new();
        for setting in std::mem::take(&mut self.settings) {
            let by = setting.source.to_string();
            let found = match package::find(&setting.path) {
                Ok(found) => found,
                Err(problem) => {
                    let error = Refusal::Path { by, problem };
                    provided.problem(ExitCode::Usage.with_error(error));
                    continue;
                }
            };
            for folder in found.links {
                if !self.insecure {
                    let error = Refusal::Link {
                        folder,
                        by: by.clone(),
                    };
                    provided.problem(ExitCode::ExtensionFailed.with_error(error));
                }
            }
            for folder in found.folders {
                // Both `plugins` and `plugins/one` may be named.
                if packages.iter().any(|package| package.directory == folder) {
                    continue;
                }
                match self.package(&folder, &setting) {
                    Ok(Ok(package)) => packages.push(package),
                    Ok(Err(refusal)) => self.open.refused.push((refusal, folder)),
                    Err(error) => provided.problem(error),
                }
            }
        }
        packages
    }

    /// Reads and checks a plugin, if it is trusted or need not be.
    fn package(
        &self,
        folder: &Path,
        setting: &Setting,
    ) -> Result<std::result::Result<Package, Refusal>> {
        // What is not trusted is not even read: it may be anybody's.
        let trusted = self.trusted.iter().find(|one| one.path == folder);
        let by = || setting.source.to_string();
        if setting.needs_trust && trusted.is_none() {
            return Ok(Err(Refusal::Untrusted {
                folder: folder.to_owned(),
                by: by(),
            }));
        }
        let package = Package::read(folder, self.insecure).map_err(|error| {
            let is_insecure = error.is_insecure();
            let error = ExitCode::ExtensionFailed.with_error(error);
            if is_insecure {
                error.hint("`--allow-insecure-plugins` loads it nevertheless")
            } else {
                error
            }
        })?;
        if setting.needs_trust && trusted.is_none_or(|one| one.digest != package.digest) {
            return Ok(Err(Refusal::Changed {
                folder: folder.to_owned(),
                by: by(),
            }));
        }
        Ok(Ok(package))
    }

    /// What a plugin is: what it said before, or says now if it may be run. None if neither.
    fn known(&mut self, package: Package) -> Result<Option<Described>> {
        let description = match self.trust.description(&package.digest) {
            Some(description) => description,
            None if self.may_run => {
                let description = launch::describe(
                    &package,
                    &self.application,
                    self.open_limit,
                    self.has_commands,
                )
                .map_err(|error| ExitCode::ExtensionFailed.with_error(error))?;
                if let Err(error) = self.trust.keep(&package, &description) {
                    tracing::warn!("{error}; the plugin is asked again the next time");
                }
                description
            }
            None => {
                self.open.unknown.push(package.directory);
                return Ok(None);
            }
        };
        Ok(Some(Described {
            package,
            description: Arc::new(description),
        }))
    }
}

/// Whether it is certain that the command does more than look.
fn may_run(cx: &ExtensionContext<'_>) -> bool {
    let extensions = cx.catalog().extensions();
    let commands: Vec<&'static CommandDescriptor> = extensions
        .iter()
        .flat_map(|entry| entry.descriptor.commands())
        .copied()
        .collect();
    // A program with one command has chosen it.
    if let Ok(path) = cx.catalog().store().get(SELECTED_COMMAND) {
        let chosen = commands.iter().find(|command| command.path() == path);
        return chosen.is_some_and(|command| !looks_only(Some(command)));
    }
    let of_extensions = extensions
        .iter()
        .flat_map(|entry| entry.descriptor.config_options);
    let of_commands = commands.iter().flat_map(|command| command.config_options);
    let options = of_extensions.chain(of_commands).map(|asked| &asked.option);
    Words::new(&commands, options).surely_run(&cx.application().invocation.arguments)
}
