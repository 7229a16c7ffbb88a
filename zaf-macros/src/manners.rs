//! Which lints do not apply to the functions that macros register.
//!
//! Whether such a function takes `&self`, references and a `Result` is the framework's choice and not its author's, and its
//! documentation is what users of the program read. Nobody should have to say so beside each function. What an author says
//! about a lint stands after this and therefore wins.

use syn::{Attribute, parse_quote};

/// A method that handles messages.
pub(crate) fn of_handler() -> Attribute {
    parse_quote! {
        #[allow(
            clippy::unused_self,
            clippy::unnecessary_wraps,
            clippy::trivially_copy_pass_by_ref,
            reason = "the dispatcher decides how a handler is called"
        )]
    }
}

/// The function of a command.
pub(crate) fn of_command() -> Attribute {
    parse_quote! {
        #[allow(
            clippy::unnecessary_wraps,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            reason = "the application decides how a command is called, and its documentation is its help"
        )]
    }
}

/// The function of a component.
pub(crate) fn of_component() -> Attribute {
    parse_quote! {
        #[allow(
            clippy::unnecessary_wraps,
            clippy::trivially_copy_pass_by_ref,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            reason = "its scope decides how a component is made, and reports what goes wrong"
        )]
    }
}

/// The function of a test case.
pub(crate) fn of_test_case() -> Attribute {
    parse_quote! {
        #[allow(
            clippy::unnecessary_wraps,
            clippy::trivially_copy_pass_by_ref,
            clippy::needless_pass_by_value,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            reason = "the runner decides how a case is called, and failing is what a case is for"
        )]
    }
}
