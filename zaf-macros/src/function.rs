//! Checks and parameters of the functions that macros register.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, Ident, Item, ItemFn, Pat, PathArguments,
    ReturnType, Safety, Signature, Token, Type, TypeReference,
};

use crate::problems::Problems;

/// The function that an attribute stands on; anything else is a problem.
pub(crate) fn free_function(
    attribute: &str,
    item: Item,
    problems: &mut Problems,
) -> Result<ItemFn, TokenStream> {
    match item {
        Item::Fn(function) => {
            if let Some(receiver) = function.sig.receiver() {
                problems.on(
                    receiver,
                    format!("`#[{attribute}]` takes a function outside of any `impl` block"),
                );
            }
            Ok(function)
        }
        other => {
            let (span, sort) = sort_of(&other);
            problems.at(
                span,
                format!("`#[{attribute}]` belongs on a function, not on {sort}"),
            );
            Err(other.into_token_stream())
        }
    }
}

/// The place to point at and the name of the sort of item.
pub(crate) fn sort_of(item: &Item) -> (proc_macro2::Span, &'static str) {
    match item {
        Item::Const(item) => (item.ident.span(), "a constant"),
        Item::Enum(item) => (item.ident.span(), "an enum"),
        Item::Fn(item) => (item.sig.ident.span(), "a function"),
        Item::Impl(item) => (item.impl_token.span, "an `impl` block"),
        Item::Mod(item) => (item.ident.span(), "a module"),
        Item::Static(item) => (item.ident.span(), "a static"),
        Item::Struct(item) => (item.ident.span(), "a struct"),
        Item::Trait(item) => (item.ident.span(), "a trait"),
        Item::Type(item) => (item.ident.span(), "a type alias"),
        Item::Union(item) => (item.ident.span(), "a union"),
        other => (other.span(), "this item"),
    }
}

/// Refuses what no registered function can be: async, generic, unsafe, of another calling convention.
pub(crate) fn check(what: &str, signature: &Signature, problems: &mut Problems) {
    if let Some(token) = signature.asyncness {
        problems.on(
            token,
            format!(
                "{what} cannot be `async`: it is called, not awaited; make it a plain function"
            ),
        );
    }
    if let Safety::Unsafe(token) = &signature.safety {
        problems.on(
            token,
            format!("{what} cannot be `unsafe`: safe code calls it"),
        );
    }
    if let Some(abi) = &signature.abi {
        problems.on(abi, format!("{what} cannot have an ABI of its own"));
    }
    let generic = signature
        .generics
        .params
        .iter()
        .find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        problems.on(
            generic,
            format!("{what} cannot be generic: it is registered once, for one set of types"),
        );
    }
}

/// One parameter, as far as the macros look at it.
pub(crate) struct Parameter<'a> {
    /// Name for requirements and messages; a leading underscore is kept.
    pub(crate) ident: Ident,
    /// The type as written.
    pub(crate) ty: &'a Type,
    /// Attributes of the parameter.
    pub(crate) attributes: &'a [Attribute],
}

impl Parameter<'_> {
    /// The type behind `&`; none if the parameter is taken by value.
    pub(crate) fn referent(&self) -> Option<&TypeReference> {
        match self.ty {
            Type::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// Whether the parameter is a reference to a type of that name, however it is qualified.
    pub(crate) fn refers_to(&self, name: &str) -> bool {
        self.referent()
            .and_then(|reference| last_segment(&reference.elem))
            .is_some_and(|segment| segment == name)
    }
}

/// Parameters after the receiver, in order.
pub(crate) fn parameters<'a>(
    inputs: &'a Punctuated<FnArg, Token![,]>,
    problems: &mut Problems,
) -> Vec<Parameter<'a>> {
    let mut parameters = Vec::new();
    for input in inputs {
        let FnArg::Typed(input) = input else {
            continue;
        };
        let ident = match &*input.pat {
            Pat::Ident(name) => name.ident.clone(),
            Pat::Wild(wild) => Ident::new("_unnamed", wild.underscore_token.span),
            other => {
                problems.on(
                    other,
                    "a parameter needs a plain name, which messages and requirements refer to",
                );
                continue;
            }
        };
        parameters.push(Parameter {
            ident,
            ty: &input.ty,
            attributes: &input.attrs,
        });
    }
    parameters
}

/// Name of the type without its path; none for references, tuples and the like.
pub(crate) fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// The return type as written, `()` if there is none.
pub(crate) fn returned(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

/// `T` of a return type `Result<T>` or `Result<T, E>`, under whatever path; none if it is no `Result`.
pub(crate) fn ok_type(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    if last.ident != "Result" {
        return None;
    }
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
