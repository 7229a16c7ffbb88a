//! Tokens that the compiler blames on a whole stretch of the user's code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// First and last place of a stretch of code.
///
/// The two cannot be joined to one span on a stable compiler; but an expression whose first token has the one and whose
/// last token has the other is underlined from end to end.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Span of the first token.
    pub(crate) first: Span,
    /// Span of the last token.
    pub(crate) last: Span,
}

impl Place {
    /// Where `tokens` stand.
    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut tokens = tokens.into_token_stream().into_iter();
        let first = tokens
            .next()
            .map_or_else(Span::call_site, |token| token.span());
        let last = tokens.last().map_or(first, |token| token.span());
        Self { first, last }
    }

    /// `expression.descriptor()`, blamed on this place.
    pub(crate) fn descriptor(self, expression: impl ToTokens) -> TokenStream {
        let call = quote_spanned!(self.last=> .descriptor());
        quote::quote!(#expression #call)
    }

    /// `&expression`, blamed on this place.
    pub(crate) fn borrow(self, expression: impl ToTokens) -> TokenStream {
        let borrow = quote_spanned!(self.first=> &);
        quote::quote!(#borrow #expression)
    }

    /// `path::<ty>()`, blamed on this place. `path` is one of the framework's.
    pub(crate) fn call(self, path: &TokenStream, ty: impl ToTokens) -> TokenStream {
        let path = respan(path.clone(), self.first);
        let open = quote_spanned!(self.first=> ::<);
        let close = quote_spanned!(self.last=> >());
        quote::quote!(#path #open #ty #close)
    }

    /// `path::<ty>`, blamed on this place. `path` is one of the framework's.
    pub(crate) fn instance(self, path: &TokenStream, ty: impl ToTokens) -> TokenStream {
        let path = respan(path.clone(), self.first);
        let open = quote_spanned!(self.first=> ::<);
        let close = quote_spanned!(self.last=> >);
        quote::quote!(#path #open #ty #close)
    }
}

/// `expression.descriptor()` for each of several constants.
pub(crate) fn descriptors<'a>(
    expressions: impl IntoIterator<Item = &'a syn::Expr>,
) -> impl Iterator<Item = TokenStream> {
    expressions
        .into_iter()
        .map(|expression| Place::of(expression).descriptor(expression))
}

fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
