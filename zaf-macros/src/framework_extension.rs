//! `#[framework_extension]`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::arguments::{Arguments, Grammar};
use crate::extension;
use crate::place::Place;
use crate::problems::Problems;

static GRAMMAR: Grammar = Grammar {
    attribute: "framework_extension",
    keys: &[
        "name",
        "load_order",
        "config_options",
        "commands",
        "endpoints_and_messages",
        "groups",
        "default_enabled",
        "activate_on",
        "deactivate_on",
        "replaces",
    ],
    refused: &[(
        "extends",
        "a framework extension extends no command: it is loaded for all of them; use `#[command_extension]`",
    )],
    positional: None,
};

/// Source: extension guide, "Load order"; 50 lies in the band of those that add configuration.
const DEFAULT_LOAD_ORDER: u16 = 50;

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let arguments = Arguments::read(arguments, &GRAMMAR, &mut problems);
    extension::expand(
        GRAMMAR.attribute,
        arguments.as_ref(),
        item,
        problems,
        |arguments, problems| {
            let load_order = arguments
                .integer(
                    "load_order",
                    1..=1000,
                    "a whole number from 1 to 1000",
                    problems,
                )
                .map_or_else(|| quote!(#DEFAULT_LOAD_ORDER), |order| quote!(#order));
            let commands = arguments.list("commands", "MY_COMMAND", problems);
            for command in &commands {
                if let Some(name) = crate::arguments::literal_text(command) {
                    problems.on(
                        command,
                        format!(
                            "a command is added by its constant, not by its name: `{}_COMMAND`",
                            name.to_uppercase().replace('-', "_")
                        ),
                    );
                }
            }
            let commands = commands
                .iter()
                .map(|command| Place::of(command).borrow(command));
            quote! {
                ::zaf_core::private::ExtensionKind::Framework {
                    load_order: #load_order,
                    commands: &[#(#commands),*],
                }
            }
        },
    )
}
