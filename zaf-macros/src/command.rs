//! `#[command]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Expr, Item, ReturnType};

use crate::arguments::{Arguments, Grammar, literal_text};
use crate::documentation::{conditions, description};
use crate::function;
use crate::manners;
use crate::place::Place;
use crate::problems::Problems;
use crate::requirement;

static GRAMMAR: Grammar = Grammar {
    attribute: "command",
    keys: &["name", "uses", "parent", "config_options", "hidden"],
    refused: &[(
        "description",
        "the documentation of the function (`/// …`) is the description",
    )],
    positional: None,
};

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let arguments = Arguments::read(arguments, &GRAMMAR, &mut problems);
    let Some(parsed) = problems.take(syn::parse2::<Item>(item.clone())) else {
        let error = problems.or(TokenStream::new);
        return quote!(#item #error);
    };
    let mut function = match function::free_function(GRAMMAR.attribute, parsed, &mut problems) {
        Ok(function) => function,
        Err(item) => {
            let error = problems.or(TokenStream::new);
            return quote!(#item #error);
        }
    };
    let refinements = requirement::take_refinements(&mut function.attrs, &mut problems);
    let signature = &function.sig;
    function::check("a command", signature, &mut problems);
    let parameters = function::parameters(&signature.inputs, &mut problems);
    let mut parameters = parameters.into_iter();
    let context = parameters.next().map(|first| Place::of(first.ty));
    if context.is_none() && signature.receiver().is_none() {
        problems.on(
            &signature.ident,
            "a command takes its context first: `cx: &CommandContext<'_>`; components may follow",
        );
    }
    let parameters: Vec<_> = parameters.collect();
    let requirements = requirement::requirements(
        &parameters,
        &refinements,
        &quote!(::zaf_core::private),
        &mut problems,
    );
    let fields = arguments.map(|arguments| fields(&arguments, &mut problems));
    let constant = problems.or(|| {
        let (Some(context), Some(fields)) = (context, fields) else {
            return TokenStream::new();
        };
        let visibility = &function.vis;
        let conditions = conditions(&function.attrs);
        let ident = &signature.ident;
        let name = signature.ident.unraw();
        let constant = format_ident!(
            "{}_COMMAND",
            name.to_string().to_uppercase(),
            span = ident.span()
        );
        let description = description(&function.attrs);
        let documentation = format!("The command that [`{name}`] runs.");
        let returned = match &signature.output {
            ReturnType::Default => Place::of(ident),
            ReturnType::Type(_, ty) => Place::of(ty),
        };
        let exit_code = returned.instance(
            &quote!(::zaf_core::private::exit_code),
            function::returned(&signature.output),
        );
        let cx = quote::quote_spanned!(context.last=> cx);
        let descriptors = requirements.iter().map(|need| &need.descriptor);
        let names: Vec<_> = (0..requirements.len())
            .map(|index| format_ident!("component_{index}"))
            .collect();
        let run = if requirements.is_empty() {
            quote!(|#cx| #exit_code(#ident(#cx)))
        } else {
            let descriptors = descriptors.clone();
            let get = requirements
                .iter()
                .zip(&names)
                .enumerate()
                .map(|(index, (need, name))| {
                    let ty = need.ty;
                    quote!(let #name = components.get::<#ty>(#index)?;)
                });
            quote! {
                |#cx| {
                    const REQUIREMENTS: &[::zaf_core::private::Requirement] = &[#(#descriptors),*];
                    let components =
                        ::zaf_core::private::FunctionComponents::new(#cx.scope(), REQUIREMENTS)?;
                    #(#get)*
                    #exit_code(#ident(#cx, #(&#names),*))
                }
            }
        };
        quote! {
            #(#conditions)*
            #[doc = #documentation]
            #visibility const #constant: ::zaf_core::private::CommandDescriptor =
                ::zaf_core::private::CommandDescriptor {
                    #fields
                    description: #description,
                    requirements: &[#(#descriptors),*],
                    run: #run,
                    krate: ::core::env!("CARGO_PKG_NAME"),
                    file: ::core::file!(),
                    line: ::core::line!(),
                };
        }
    });
    function.attrs.insert(0, manners::of_command());
    quote!(#function #constant)
}

fn fields(arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let name = arguments.required_text("name", "mycommand", problems);
    if let Some(name) = &name {
        check_name(name, problems);
    }
    let uses = arguments.texts("uses", "capability", problems);
    let config_options = arguments.list("config_options", "MY_OPTION.required()", problems);
    let hidden = arguments.flag("hidden", false, problems);
    let parent = match arguments.expression("parent", problems) {
        None => quote!(::core::option::Option::None),
        Some(parent @ Expr::Path(_)) => {
            let parent = Place::of(parent).borrow(parent);
            quote!(::core::option::Option::Some(#parent))
        }
        Some(other) => {
            problems.on(
                other,
                "a parent is named by its constant, such as `parent = OTHER_COMMAND`",
            );
            TokenStream::new()
        }
    };
    quote! {
        name: #name,
        parent: #parent,
        uses: &[#(#uses),*],
        config_options: &[#(#config_options),*],
        hidden: #hidden,
    }
}

/// The name is a word of the command line.
fn check_name(name: &Expr, problems: &mut Problems) {
    let Some(text) = literal_text(name) else {
        return;
    };
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !(starts && rest) {
        problems.on(
            name,
            format!(
                "`{text}` cannot name a command: a name starts with a lower-case letter and goes on with lower-case letters, digits and `-`"
            ),
        );
    }
}
