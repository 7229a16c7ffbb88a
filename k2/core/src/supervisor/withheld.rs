//! Variables of this process that the processes of cases do not inherit.

use std::ffi::OsString;
use std::sync::Arc;

use parking_lot::RwLock;
use zaf_core::Result;
use zaf_core::config::OptionId;
use zaf_core::extension::ExtensionContext;

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

/// Withholds the variables of secrets, unless [`SECRETS`] says otherwise. For extensions that start processes for cases.
///
/// # Errors
/// If the extension did not ask for the option.
pub(crate) fn withhold_secrets(cx: &ExtensionContext<'_>) -> Result<()> {
    withhold(if cx.config().get(SECRETS)? {
        Vec::new()
    } else {
        let application = cx.application();
        let variables = application.invocation.environment.iter();
        cx.catalog().secret_variables(
            &application.environment_prefix,
            variables.map(|(name, _)| name.as_os_str()),
        )
    });
    Ok(())
}
