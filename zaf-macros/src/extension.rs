//! What the two sorts of extension have in common.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, Generics, Ident, Item};

use crate::arguments::{Arguments, literal_text};
use crate::documentation::description;
use crate::function::sort_of;
use crate::place::{Place, descriptors};
use crate::problems::Problems;

/// Emits the item and the descriptor of the extension. `kind` makes the descriptor's `kind` of what only one sort has.
pub(crate) fn expand(
    attribute: &str,
    arguments: Option<&Arguments>,
    item: &TokenStream,
    mut problems: Problems,
    kind: impl FnOnce(&Arguments, &mut Problems) -> TokenStream,
) -> TokenStream {
    let target = problems
        .take(syn::parse2::<Item>(item.clone()))
        .and_then(|item| target(attribute, item, &mut problems));
    let descriptor = arguments.map(|arguments| {
        let fields = fields(arguments, &mut problems);
        let kind = kind(arguments, &mut problems);
        quote!(#fields kind: #kind,)
    });
    let constant = problems.or(|| {
        let (Some((ident, attributes)), Some(fields)) = (target, descriptor) else {
            return TokenStream::new();
        };
        let description = description(&attributes);
        let construct = Place::of(&ident).instance(&quote!(::zaf_core::private::construct), &ident);
        quote! {
            const _: () = {
                #[::zaf_core::private::linkme::distributed_slice(::zaf_core::private::ZAF_EXTENSIONS)]
                #[linkme(crate = ::zaf_core::private::linkme)]
                static EXTENSION: ::zaf_core::private::ExtensionDescriptor =
                    ::zaf_core::private::ExtensionDescriptor {
                        #fields
                        description: #description,
                        type_id: ::core::any::TypeId::of::<#ident>,
                        construct: ::zaf_core::private::Constructor::linked(#construct),
                        krate: ::core::env!("CARGO_PKG_NAME"),
                        version: ::core::env!("CARGO_PKG_VERSION"),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
            };
        }
    });
    quote!(#item #constant)
}

fn target(attribute: &str, item: Item, problems: &mut Problems) -> Option<(Ident, Vec<Attribute>)> {
    let (ident, attributes, generics) = match item {
        Item::Struct(item) => (item.ident, item.attrs, item.generics),
        Item::Enum(item) => (item.ident, item.attrs, item.generics),
        other => {
            let (span, sort) = sort_of(&other);
            problems.at(
                span,
                format!("`#[{attribute}]` belongs on a struct, not on {sort}"),
            );
            return None;
        }
    };
    check_generics(&generics, problems);
    Some((ident, attributes))
}

fn check_generics(generics: &Generics, problems: &mut Problems) {
    if !generics.params.is_empty() {
        problems.on(
            generics,
            "an extension cannot be generic: it is registered once, as one type",
        );
    }
}

fn fields(arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let name = arguments.required_text("name", "myextension", problems);
    if let Some(name) = &name {
        check_name(name, problems);
    }
    let config_options = arguments.list("config_options", "MY_OPTION.required()", problems);
    let endpoints_and_messages = arguments
        .definitions("endpoints_and_messages", problems)
        .into_iter()
        .map(|(endpoint, messages)| {
            let messages = descriptors(&messages);
            quote!((#endpoint, &[#(#messages),*]))
        })
        .collect::<Vec<_>>();
    let groups = arguments.texts("groups", "mygroup", problems);
    let default_enabled = arguments.flag("default_enabled", true, problems);
    let activate_on = condition("activate_on", arguments, problems);
    let deactivate_on = condition("deactivate_on", arguments, problems);
    let replaces = arguments.texts("replaces", "otherextension", problems);
    quote! {
        name: #name,
        config_options: &[#(#config_options),*],
        endpoints_and_messages: &[#(#endpoints_and_messages),*],
        groups: &[#(#groups),*],
        default_enabled: #default_enabled,
        activate_on: #activate_on,
        deactivate_on: #deactivate_on,
        replaces: &[#(#replaces),*],
    }
}

/// The name becomes part of option keys and of the command line.
fn check_name(name: &Expr, problems: &mut Problems) {
    let Some(text) = literal_text(name) else {
        return;
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if text.is_empty() || !text.chars().all(is_plain) {
        problems.on(
            name,
            format!(
                "`{text}` cannot name an extension: a name consists of lower-case letters and digits, because `-`, `_` and `.` divide the parts of keys"
            ),
        );
    } else if matches!(text.as_str(), "all" | "default") {
        problems.on(
            name,
            format!("`{text}` cannot name an extension: in keys it stands for several of them"),
        );
    }
}

/// `[A, (B, C)]`: A, and B or C.
fn condition(key: &str, arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let groups = arguments
        .list(key, "MY_OPTION", problems)
        .into_iter()
        .map(|element| match element {
            Expr::Tuple(group) if group.elems.is_empty() => {
                problems.on(&group, "an empty group never holds; name options in it");
                TokenStream::new()
            }
            Expr::Tuple(group) => {
                let options = descriptors(&group.elems);
                quote!(&[#(#options),*])
            }
            Expr::Paren(single) => {
                let option = Place::of(&single.expr).descriptor(&single.expr);
                quote!(&[#option])
            }
            Expr::Lit(literal) => {
                problems.on(
                    &literal,
                    format!(
                        "`{key}` lists options by their constants, such as `{key} = [MY_OPTION]`"
                    ),
                );
                TokenStream::new()
            }
            option => {
                let option = Place::of(&option).descriptor(&option);
                quote!(&[#option])
            }
        })
        .collect::<Vec<_>>();
    quote!(&[#(#groups),*])
}
