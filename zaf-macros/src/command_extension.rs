//! `#[command_extension]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

use crate::arguments::{Arguments, Grammar, literal_text};
use crate::extension;
use crate::place::Place;
use crate::problems::Problems;

static GRAMMAR: Grammar = Grammar {
    attribute: "command_extension",
    keys: &[
        "name",
        "extends",
        "config_options",
        "endpoints_and_messages",
        "groups",
        "default_enabled",
        "activate_on",
        "deactivate_on",
        "replaces",
    ],
    refused: &[
        (
            "load_order",
            "a command extension has no load order: it is loaded after all framework extensions, for the command that it extends; remove the key or use `#[framework_extension]`",
        ),
        (
            "commands",
            "a command extension adds no commands: it is loaded for a command that is there; use `#[framework_extension]`",
        ),
    ],
    positional: None,
};

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let arguments = Arguments::read(arguments, &GRAMMAR, &mut problems);
    extension::expand(
        GRAMMAR.attribute,
        arguments.as_ref(),
        item,
        problems,
        |arguments, problems| {
            let extends = extends(arguments, problems);
            quote!(::zaf_core::private::ExtensionKind::Command { extends: &[#(#extends),*] })
        },
    )
}

fn extends(arguments: &Arguments, problems: &mut Problems) -> Vec<TokenStream> {
    let example = "MY_COMMAND, \"capability\"";
    let list = arguments.list("extends", example, problems);
    if list.is_empty() && problems.is_empty() {
        problems.at(
            arguments.span("extends"),
            format!("a command extension extends at least one command or capability: `extends = [{example}]`"),
        );
    }
    list.into_iter()
        .map(|element| match literal_text(&element) {
            Some(text) if text.is_empty() => {
                problems.on(&element, "an empty capability matches nothing");
                TokenStream::new()
            }
            Some(_) => quote!(::zaf_core::private::Extends::Capability(#element)),
            None if matches!(element, Expr::Path(_)) => {
                let command = Place::of(&element).borrow(&element);
                quote!(::zaf_core::private::Extends::Command(#command))
            }
            None => {
                problems.on(
                    &element,
                    format!("`extends` lists commands by their constants and capabilities as texts: `extends = [{example}]`"),
                );
                TokenStream::new()
            }
        })
        .collect()
}
