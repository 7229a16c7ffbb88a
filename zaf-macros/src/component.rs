//! `#[component]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Item, ItemFn, ReturnType, Type};

use crate::arguments::{Arguments, Grammar};
use crate::documentation::description;
use crate::function::{self, ok_type};
use crate::manners;
use crate::place::Place;
use crate::problems::Problems;
use crate::requirement::{self, Requirement};

static GRAMMAR: Grammar = Grammar {
    attribute: "component",
    keys: &["name", "scope", "can", "priority", "entity", "teardown"],
    refused: &[],
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
    function::check("the function of a component", signature, &mut problems);
    let parameters = function::parameters(&signature.inputs, &mut problems);
    let requirements = requirement::requirements(
        &parameters,
        &refinements,
        &quote!(::zaf_core::private),
        &mut problems,
    );
    let result = made(&function, &mut problems);
    let fields = arguments
        .as_ref()
        .map(|arguments| fields(&function, arguments, &mut problems));
    let teardown = arguments
        .as_ref()
        .and_then(|arguments| teardown(arguments, &mut problems));
    let constant = problems.or(|| {
        let (Some(result), Some(fields)) = (result, fields) else {
            return TokenStream::new();
        };
        let descriptors = requirements.iter().map(|need| &need.descriptor);
        let function_make = make(&function, &requirements, &result);
        let description = description(&function.attrs);
        let ty = result.ty;
        let teardown = teardown.map_or_else(
            || quote!(::core::option::Option::None),
            |teardown| {
                let call = quote_spanned! {teardown.span()=>
                    ::zaf_core::private::take_down::<#ty, _>(instance, #teardown)
                };
                quote!(::core::option::Option::Some(|instance| #call))
            },
        );
        quote! {
            const _: () = {
                const REQUIREMENTS: &[::zaf_core::private::Requirement] = &[#(#descriptors),*];
                #function_make
                #[::zaf_core::private::linkme::distributed_slice(::zaf_core::private::ZAF_COMPONENTS)]
                #[linkme(crate = ::zaf_core::private::linkme)]
                static COMPONENT: ::zaf_core::private::ComponentDescriptor =
                    ::zaf_core::private::ComponentDescriptor {
                        #fields
                        description: #description,
                        type_id: ::core::any::TypeId::of::<#ty>,
                        type_name: ::core::any::type_name::<#ty>,
                        requirements: REQUIREMENTS,
                        make,
                        teardown: #teardown,
                        krate: ::core::env!("CARGO_PKG_NAME"),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
            };
        }
    });
    function.attrs.insert(0, manners::of_component());
    quote!(#function #constant)
}

fn fields(function: &ItemFn, arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let name = arguments.text("name", "shell", problems).map_or_else(
        || function.sig.ident.unraw().to_string().to_token_stream(),
        |name| name.to_token_stream(),
    );
    let scope = arguments
        .text("scope", "session", problems)
        .map_or_else(|| quote!("session"), |scope| quote!(#scope));
    let can = arguments.texts("can", "host", problems);
    let priority = arguments
        .integer(
            "priority",
            i32::MIN.into()..=i32::MAX.into(),
            "a whole number that fits into 32 bits; the highest wins",
            problems,
        )
        .map_or_else(|| quote!(0), |priority| quote!(#priority));
    let entity = arguments.text("entity", "left", problems).map_or_else(
        || quote!(::core::option::Option::None),
        |entity| quote!(::core::option::Option::Some(#entity)),
    );
    quote! {
        name: #name,
        scope: #scope,
        can: &[#(#can),*],
        priority: #priority,
        entity: #entity,
    }
}

/// The path of the function that takes an instance down.
fn teardown(arguments: &Arguments, problems: &mut Problems) -> Option<Expr> {
    match arguments.expression("teardown", problems)? {
        path @ Expr::Path(_) => Some(path.clone()),
        other => {
            problems.on(
                other,
                "`teardown` names a function that takes the component by `&`, such as `teardown = Shell::close`",
            );
            None
        }
    }
}

/// What the function makes.
struct Made<'a> {
    ty: &'a Type,
    fallible: bool,
}

fn made<'a>(function: &'a ItemFn, problems: &mut Problems) -> Option<Made<'a>> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        problems.on(
            &function.sig.ident,
            "the function of a component returns it: add `-> T` or `-> Result<T>`",
        );
        return None;
    };
    let (ty, fallible) = match ok_type(ty) {
        Some(ok) => (ok, true),
        None => (&**ty, false),
    };
    match ty {
        Type::Tuple(empty) if empty.elems.is_empty() => {
            problems.on(
                ty,
                "a component needs a type of its own, by which it is found; `()` is everybody's",
            );
            None
        }
        Type::ImplTrait(_) | Type::Reference(_) => {
            problems.on(
                ty,
                "a component is found by its type and outlives the call: return an owned, named type",
            );
            None
        }
        _ => Some(Made { ty, fallible }),
    }
}

/// The function that resolves what the component needs and makes it.
fn make(function: &ItemFn, requirements: &[Requirement<'_>], made: &Made<'_>) -> TokenStream {
    let ident = &function.sig.ident;
    let names: Vec<_> = (0..requirements.len())
        .map(|index| format_ident!("component_{index}"))
        .collect();
    let resolve = requirements
        .iter()
        .zip(&names)
        .enumerate()
        .map(|(index, (need, name))| {
            let ty = need.ty;
            quote!(let #name = scope.resolve::<#ty>(&REQUIREMENTS[#index])?;)
        });
    let call = quote!(#ident(#(&#names),*));
    let call = if made.fallible { quote!(#call?) } else { call };
    let shared = Place::of(made.ty).instance(&quote!(::zaf_core::private::shared), made.ty);
    quote! {
        fn make(
            scope: &::zaf_core::private::Scope,
        ) -> ::zaf_core::private::Result<
            ::std::sync::Arc<dyn ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>,
        > {
            let _ = scope;
            #(#resolve)*
            ::core::result::Result::Ok(#shared(#call))
        }
    }
}
