//! What is wrong with one use of a macro: collected, so that all of it is reported at once.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Errors found so far, each at the place that caused it.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// Adds an error that points at one span.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
    }

    /// Adds an error that points at all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of `result`, or nothing after its error was added.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Invocations of `compile_error!` if there was any problem; else what `expansion` returns.
    pub(crate) fn or(self, expansion: impl FnOnce() -> TokenStream) -> TokenStream {
        self.0
            .map_or_else(expansion, syn::Error::into_compile_error)
    }
}
