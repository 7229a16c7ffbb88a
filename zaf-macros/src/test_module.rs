//! `k2::test_module!`.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::arguments::{Arguments, Grammar};
use crate::problems::Problems;
use crate::test_case::optional;

static GRAMMAR: Grammar = Grammar {
    attribute: "test_module",
    keys: &["owner", "tags"],
    refused: &[],
    positional: None,
};

pub(crate) fn expand(arguments: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let arguments = Arguments::read(arguments, &GRAMMAR, &mut problems);
    let fields = arguments.map(|arguments| {
        if !arguments.has_any() {
            problems.at(
                Span::call_site(),
                "nothing is said about the module: `k2::test_module!(owner = \"network team\")`",
            );
        }
        let owner = optional(arguments.text("owner", "network team", &mut problems));
        let tags = arguments.texts("tags", "smoke", &mut problems);
        quote!(owner: #owner, tags: &[#(#tags),*],)
    });
    problems.or(|| {
        quote! {
            const _: () = {
                #[::k2::private::linkme::distributed_slice(::k2::private::K2_TEST_MODULES)]
                #[linkme(crate = ::k2::private::linkme)]
                static TEST_MODULE: ::k2::private::TestModuleDescriptor =
                    ::k2::private::TestModuleDescriptor {
                        module_path: ::core::module_path!(),
                        #fields
                    };
            };
        }
    })
}
