//! How a plugin is started: what it is given of the environment, and where.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use zaf_core::command::ApplicationInfo;
use zaf_core::config::ConfigStore;
use zaf_core::extension::INIT_TIMEOUT;

use crate::link::{Deadlines, Launch, LibraryLink, Link, LinkError, ProcessLink};
use crate::package::{Package, Program};
use crate::protocol::Description;
use crate::trust::PROBE_PLUGIN_COMMAND;

/// Variables with which somebody makes a program load other code than its own.
const LOADERS: &[&str] = &[
    "BASH_ENV",
    "ENV",
    "IFS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
];

/// How long the constructors of a library may take, as each step of an extension that is loaded; none: for ever.
pub(crate) fn open_limit(store: &ConfigStore) -> Option<Duration> {
    // A wrong value is a problem that the validation finds.
    let limit = store.get(INIT_TIMEOUT).ok();
    let limit = limit.or(Deadlines::default().open);
    limit.filter(|&limit| limit > Duration::ZERO)
}

/// What a plugin is started from. Its working directory is its folder.
///
/// It gets the environment of the application without the variables that make the system's loader or an interpreter load other
/// code, and without the options of the application: those that it asks for it gets when it starts.
pub(crate) fn launch(
    package: &Package,
    application: &ApplicationInfo,
    open: Option<Duration>,
) -> Launch {
    let mut launch = Launch::new(&package.file);
    launch.opened = Some(Arc::clone(&package.opened));
    launch.arguments = package.arguments();
    launch.directory = Some(package.directory.clone());
    launch.environment = environment(application);
    launch.host = (
        application.name.to_string(),
        application.version.to_string(),
    );
    launch.deadlines.open = open;
    launch
}

fn environment(application: &ApplicationInfo) -> Vec<(OsString, OsString)> {
    let invocation = &application.invocation;
    let prefix = format!("{}_", application.environment_prefix);
    let is_option = |name: &OsStr| {
        let own = &invocation.own_variables;
        name.as_bytes().starts_with(prefix.as_bytes())
            && !own.iter().any(|own| OsStr::new(own) == name)
    };
    let is_loader = |name: &OsStr| {
        name.as_bytes().starts_with(b"LD_") || LOADERS.iter().any(|one| OsStr::new(one) == name)
    };
    let kept = invocation
        .environment
        .iter()
        .filter(|(name, _)| !is_option(name) && !is_loader(name))
        .cloned();
    // Its folder is what was trusted: nothing is to appear in it because it ran.
    let quiet = ("PYTHONDONTWRITEBYTECODE".into(), "1".into());
    kept.chain([quiet]).collect()
}

/// Starts the plugin of a package, or loads it.
///
/// # Errors
/// Why it could not be started, or what is wrong with what it says about itself.
pub(crate) fn open(package: &Package, launch: &Launch) -> Result<Arc<dyn Link>, LinkError> {
    match package.manifest.program {
        Program::Run(_) => Ok(Arc::new(ProcessLink::launch(launch)?)),
        Program::Library(_) => Ok(Arc::new(LibraryLink::open(launch)?)),
    }
}

/// Asks a plugin what it is, and ends it. A library is opened by a child first, which may die of it; not in an application that has
/// chosen its command, whose command line cannot say that it is to be such a child.
///
/// # Errors
/// As [`open`], and how it ended.
pub(crate) fn describe(
    package: &Package,
    application: &ApplicationInfo,
    open_limit: Option<Duration>,
    application_has_commands: bool,
) -> Result<Description, LinkError> {
    let mut launch = launch(package, application, open_limit);
    if application_has_commands {
        launch.probe = probe();
    }
    let link = open(package, &launch)?;
    let description = link.description().clone();
    link.stop()?;
    Ok(description)
}

/// This program as one that opens a library and ends. It reads no configuration: its directory is that of the plugin.
pub(crate) fn probe() -> Option<Vec<OsString>> {
    let program = std::env::current_exe().ok()?;
    let quiet = "--disable-default-config-files";
    Some(vec![
        program.into(),
        quiet.into(),
        PROBE_PLUGIN_COMMAND.name.into(),
    ])
}

#[cfg(test)]
mod tests {
    use zaf_core::command::Invocation;

    use super::*;

    #[test]
    fn s3_what_makes_programs_load_other_code_is_kept_from_them() {
        let mut invocation = Invocation::default().environment([
            ("PATH", "/usr/bin"),
            ("LD_PRELOAD", "/tmp/evil.so"),
            ("LD_LIBRARY_PATH", "."),
            ("PYTHONPATH", "/tmp"),
            ("BASH_ENV", "/tmp/rc"),
            ("DEMO_SECRET", "x"),
            ("DEMO_COOKIE", "y"),
            ("DEMONSTRATION", "z"),
        ]);
        invocation.own_variables = vec!["DEMO_COOKIE".to_owned()];
        let application = ApplicationInfo::new("demo", "1").invocation(invocation);
        let names: Vec<String> = environment(&application)
            .into_iter()
            .map(|(name, _)| name.into_string().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "PATH",
                "DEMO_COOKIE",
                "DEMONSTRATION",
                "PYTHONDONTWRITEBYTECODE"
            ]
        );
    }
}
