//! The application that every test command made from k2 is.

use zaf_core::application::Application;

use crate::parameter::VARIABLES_OF_PARAMETERS;
use crate::supervisor::{COOKIE_VARIABLE, VARIABLES_OF_A_CASE, guard};

/// An application with all extensions that are linked in; call `.version(…)` on it and `.run()` it from `main`.
///
/// `name` names the configuration (`acme.yaml`, `~/.config/acme/`), and in upper case is the prefix of the environment
/// (`ACME_OUTPUT_DIR`); it is also the name of the command unless another is given.
/// Commands that run test cases (they use the capability `run-cases`) have a guard: `run` starts the program a second time, before
/// anything is loaded, and the first one only waits, to end what is left if the second one dies. So what `main` does before it
/// calls `run` is done twice then; `--no-guard` and `ACME_GUARD=false` do without.
/// A case may itself run such an application: the variables that every case has are no options of it.
pub fn application(name: &'static str) -> Application {
    Application::new(name)
        .about("Runs tests.")
        .own_variables(VARIABLES_OF_A_CASE)
        .own_variables([COOKIE_VARIABLE, VARIABLES_OF_PARAMETERS])
        .own_variables(crate::hooks::variable_names())
        .before_start(guard::stand_before)
}
