//! A test command with a secret that its extension and its cases log, and whose cases start processes.

use std::process::ExitCode;

use k2::exec::{Command, Exec};
use k2::messages::{RunStarted, TEST_RUN_STARTED};
use k2::prelude::*;
use zaf_core::config::Secret;
use zaf_core::message::Message;

/// Opens the vault.
const TOKEN: OptionId<Secret> = OptionId::secret("vault.token").describe("Opens the vault.");

/// Makes the extension fail with the token in the error.
const BROKEN: OptionId<bool> = OptionId::flag("vault.broken").default(false);

fn main() -> ExitCode {
    k2::application("secretive").version("1.0.0").run()
}

/// Looks for the variable of the secret in the environment of a process that it starts.
#[k2::test_case]
fn starts_a_process(exec: &Exec) -> TestResult {
    let ended = exec.run(&Command::shell(
        "echo \"token: ${SECRETIVE_VAULT_TOKEN-unset}\"",
    ))?;
    assert_eq!(ended.stdout, "token: unset\n");
    Ok(())
}

/// Writes down what a process that it starts inherits.
#[k2::test_case]
fn writes_what_is_inherited(exec: &Exec) -> TestResult {
    let names =
        "$PYTHONPATH $AWS_REGION $AWS_TOKEN $DATABASE_URL $BUILD_SECRET $LC_NAME $K2_TESTS_GRACE";
    exec.run(&Command::shell(format!("echo {names} > inherited")))?;
    Ok(())
}

/// Takes part if there is a token, and logs it in every form.
#[command_extension(
    name = "vault",
    extends = ["run"],
    config_options = [TOKEN.optional(), BROKEN.required()],
    activate_on = [TOKEN],
)]
#[derive(Debug)]
struct Vault(Option<Secret>);

impl Extension for Vault {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let token = cx.config().get_optional(TOKEN)?;
        if let Some(token) = token
            .as_ref()
            .filter(|_| cx.config().get(BROKEN).is_ok_and(|yes| yes))
        {
            let text = token.reveal();
            return Err(Error::msg(format_args!("nobody opens a vault with {text}")));
        }
        Ok(Self(token))
    }
}

#[dispatchers]
impl Vault {
    #[callback_dispatcher(TEST_RUN_STARTED)]
    fn started(&self, _: &Message<RunStarted>) {
        if let Some(token) = &self.0 {
            let text = token.reveal();
            tracing::warn!(text, list = ?[text], "the vault opens with {text}, {token}, {token:?}");
        }
    }
}
