//! `#[requires]` where no other macro took it: it stood above that macro, or in the wrong place.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Item};

use crate::problems::Problems;

/// Attributes that take the `#[requires]` below them.
const TAKERS: [&str; 3] = ["component", "command", "test_case"];

pub(crate) fn expand(arguments: &TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    if let Ok(Item::Fn(mut function)) = syn::parse2::<Item>(item.clone())
        && function.attrs.iter().any(takes)
    {
        // The order of attributes is the author's choice; the taker has to see this one.
        function
            .attrs
            .push(syn::parse_quote!(#[requires(#arguments)]));
        return quote!(#function);
    }
    problems.at(
        proc_macro2::Span::call_site(),
        "`#[requires]` belongs on a function with `#[component]`, `#[command]` or `#[k2::test_case]`, or on a method with a dispatcher attribute",
    );
    let error = problems.or(TokenStream::new);
    quote!(#item #error)
}

fn takes(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| TAKERS.iter().any(|taker| segment.ident == taker))
}
