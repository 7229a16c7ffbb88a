//! Variables of this process that the processes of cases do not inherit.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use parking_lot::RwLock;
use zaf_core::Result;
use zaf_core::config::OptionId;
use zaf_core::extension::ExtensionContext;

use super::inherited::{ENV_ALLOW, ENV_INHERIT, Inherited};

/// Whether programs that cases are, or start, inherit the environment variables of options that are secrets.
///
/// CLI `--tests-secrets`, environment `K2_TESTS_SECRETS`, default false.
pub const SECRETS: OptionId<bool> = OptionId::flag("tests.secrets")
    .describe("Whether test programs inherit the environment variables of secret options")
    .default(false);

/// The names. The environment belongs to the process as a whole, and so does what is withheld of it.
static NAMES: RwLock<Option<Arc<[OsString]>>> = RwLock::new(None);

/// Keeps these variables of this process from all processes that are started from now on, unless their
/// [`inherits_secrets`](super::ProcessSpec::inherits_secrets) is set. A variable of the same name that is given to a process
/// explicitly is not touched. Replaces what was withheld before.
pub fn withhold(names: Vec<OsString>) {
    *NAMES.write() = (!names.is_empty()).then(|| names.into());
}

pub(super) fn names() -> Arc<[OsString]> {
    NAMES.read().clone().unwrap_or_default()
}

/// Withholds the variables of secrets, unless [`SECRETS`] says otherwise, and what nobody allowed, unless [`ENV_INHERIT`] does. For
/// extensions that start processes for cases.
///
/// # Errors
/// If the extension did not ask for the options.
pub(crate) fn withhold_by_options(cx: &ExtensionContext<'_>) -> Result<()> {
    let application = cx.application();
    let prefix = &application.environment_prefix;
    let variables = || {
        let variables = application.invocation.environment.iter();
        variables.map(|(name, _)| name.as_os_str())
    };
    let inherited = Inherited::read(cx.config(), prefix)?;
    let left_out = inherited.left_out(variables());
    let mut withheld = left_out.clone();
    if !cx.config().get(SECRETS)? {
        withheld.extend(cx.catalog().secret_variables(prefix, variables()));
    }
    // Not a warning: on every machine there are some, and who misses one asks for more words. Told once, by whoever comes first.
    if !left_out.is_empty() && *names() != *withheld {
        tracing::info!(
            "test programs do not inherit {}: `{}` allows some, `{}` all",
            left_out.join(OsStr::new(", ")).to_string_lossy(),
            ENV_ALLOW.key(),
            ENV_INHERIT.key()
        );
    }
    withhold(withheld);
    Ok(())
}
