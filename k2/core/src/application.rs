//! The application that every test command made from k2 is.

use zaf_core::application::Application;

/// An application with all extensions that are linked in; call `.version(…)` on it and `.run()` it from `main`.
///
/// `name` names the configuration (`acme.yaml`, `~/.config/acme/`), and in upper case is the prefix of the environment
/// (`ACME_OUTPUT_DIR`); it is also the name of the command unless another is given.
pub fn application(name: &'static str) -> Application {
    Application::new(name).about("Runs tests.")
}
