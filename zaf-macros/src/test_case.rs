//! `#[k2::test_case]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, FnArg, Ident, Item, ItemFn, Meta, ReturnType};

use crate::arguments::{Arguments, Grammar, literal_text};
use crate::documentation::description;
use crate::duration;
use crate::function::{self, Parameter};
use crate::manners;
use crate::place::Place;
use crate::problems::Problems;
use crate::requirement;

static GRAMMAR: Grammar = Grammar {
    attribute: "test_case",
    keys: &[
        "name",
        "tags",
        "resources",
        "timeout",
        "isolation",
        "disabled",
        "xfail",
    ],
    refused: &[
        (
            "description",
            "the documentation of the function (`/// …`) is the description",
        ),
        (
            "foreach",
            "`#[foreach([…])]` belongs on the parameter that takes the values",
        ),
    ],
    positional: None,
};

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let arguments = Arguments::read(arguments, &GRAMMAR, &mut problems);
    let Some(parsed) = problems.take(syn::parse2::<Item>(item.clone())) else {
        let error = problems.or(TokenStream::new);
        return quote!(#item #error);
    };
    let mut function = match function::free_function("k2::test_case", parsed, &mut problems) {
        Ok(function) => function,
        Err(item) => {
            let error = problems.or(TokenStream::new);
            return quote!(#item #error);
        }
    };
    let refinements = requirement::take_refinements(&mut function.attrs, &mut problems);
    let written = function.clone();
    // What only this macro understands must not reach the compiler.
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(input) = input {
            input.attrs.retain(|attribute| !is_foreach(attribute));
        }
    }
    function::check("a test case", &written.sig, &mut problems);
    let parameters = function::parameters(&written.sig.inputs, &mut problems);
    let case = Case::read(&written, parameters, &refinements, &mut problems);
    let fields = arguments.map(|arguments| fields(&written, &arguments, &mut problems));
    let constant = problems.or(|| {
        let Some(fields) = fields else {
            return TokenStream::new();
        };
        let description = description(&written.attrs);
        let rows = case.rows();
        let run = case.run();
        let requirements = case.requirements();
        let each = case.each();
        quote! {
            const _: () = {
                #run
                #[::k2::private::linkme::distributed_slice(::k2::private::K2_TEST_CASES)]
                #[linkme(crate = ::k2::private::linkme)]
                static TEST_CASE: ::k2::private::TestCaseDescriptor =
                    ::k2::private::TestCaseDescriptor {
                        #fields
                        module_path: ::core::module_path!(),
                        description: #description,
                        parameters: || #rows,
                        requirements: &[#(#requirements),*],
                        each: &[#(#each),*],
                        run,
                        krate: ::core::env!("CARGO_PKG_NAME"),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
            };
        }
    });
    function.attrs.insert(0, manners::of_test_case());
    quote!(#function #constant)
}

fn fields(function: &ItemFn, arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let name = arguments.text("name", "my_case", problems).map_or_else(
        || function.sig.ident.unraw().to_string().to_token_stream(),
        |name| name.to_token_stream(),
    );
    let tags = arguments.texts("tags", "smoke", problems);
    let resources = arguments.texts("resources", "database", problems);
    let disabled = arguments
        .text("disabled", "waits for the new board", problems)
        .map_or_else(
            || quote!(::core::option::Option::None),
            |reason| quote!(::core::option::Option::Some(#reason)),
        );
    let xfail = arguments
        .text("xfail", "the board drops every second frame", problems)
        .map_or_else(
            || quote!(::core::option::Option::None),
            |reason| quote!(::core::option::Option::Some(#reason)),
        );
    let timeout = timeout(arguments, problems);
    let isolation = isolation(arguments, problems);
    quote! {
        name: #name,
        tags: &[#(#tags),*],
        resources: &[#(#resources),*],
        timeout: #timeout,
        isolation: #isolation,
        disabled: #disabled,
        xfail: #xfail,
    }
}

fn timeout(arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let none = quote!(::core::option::Option::None);
    let Some(value) = arguments.expression("timeout", problems) else {
        return none;
    };
    let Some(text) = literal_text(value) else {
        problems.on(
            value,
            "`timeout` takes a text with a unit, such as `timeout = \"5s\"`",
        );
        return none;
    };
    match duration::parse(&text) {
        Ok(duration) => {
            let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
            quote!(::core::option::Option::Some(::core::time::Duration::new(#seconds, #nanoseconds)))
        }
        Err(why) => {
            problems.on(value, why);
            none
        }
    }
}

/// Where the function is called: as the run says, unless the case says it itself.
fn isolation(arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let none = quote!(::core::option::Option::None);
    let Some(value) = arguments.expression("isolation", problems) else {
        return none;
    };
    let variant = match literal_text(value).as_deref() {
        Some("process") => quote!(Process),
        Some("in-process") => quote!(InProcess),
        _ => {
            problems.on(
                value,
                "`isolation` is `\"process\"` (a process of its own) or `\"in-process\"`",
            );
            return none;
        }
    };
    quote!(::core::option::Option::Some(::k2::private::Isolation::#variant))
}

/// Where one argument of the function comes from.
enum Argument {
    Context,
    Component {
        ty: TokenStream,
        requirement: TokenStream,
        /// Whether there is a variant of the case for each that fits.
        each: bool,
    },
    Values {
        ident: Ident,
        values: Vec<Expr>,
    },
}

/// The function with its arguments.
struct Case<'a> {
    function: &'a ItemFn,
    arguments: Vec<Argument>,
}

impl<'a> Case<'a> {
    fn read(
        function: &'a ItemFn,
        parameters: Vec<Parameter<'_>>,
        refinements: &[requirement::Refinement],
        problems: &mut Problems,
    ) -> Self {
        let mut arguments = Vec::new();
        let mut components = Vec::new();
        for parameter in parameters {
            let foreach = parameter.attributes.iter().find(|a| is_foreach(a));
            let each = foreach.is_some_and(is_each) && parameter.referent().is_some();
            if each {
                arguments.push(None);
                components.push(parameter);
            } else if let Some(foreach) = foreach {
                arguments.push(Some(Argument::Values {
                    ident: parameter.ident.clone(),
                    values: foreach_values(foreach, problems),
                }));
            } else if parameter.refers_to("TestContext") {
                arguments.push(Some(Argument::Context));
            } else if parameter.referent().is_none() {
                if !problems.is_empty() {
                    // A `foreach` among the arguments of the attribute is one error, not two.
                    continue;
                }
                problems.on(
                    parameter.ty,
                    format!(
                        "where does `{name}` come from? Values need `#[foreach([…])] {name}: …`; a component is taken by reference",
                        name = parameter.ident
                    ),
                );
            } else {
                arguments.push(None);
                components.push(parameter);
            }
        }
        let mut requirements =
            requirement::requirements(&components, refinements, &quote!(::k2::private), problems)
                .into_iter()
                .zip(&components)
                .map(|(need, parameter)| {
                    let requirement::Requirement { ty, descriptor, .. } = need;
                    Argument::Component {
                        ty: ty.to_token_stream(),
                        requirement: descriptor,
                        each: parameter.attributes.iter().any(is_foreach),
                    }
                });
        let arguments = arguments
            .into_iter()
            .filter_map(|argument| argument.or_else(|| requirements.next()))
            .collect();
        Self {
            function,
            arguments,
        }
    }

    fn values(&self) -> impl Iterator<Item = (&Ident, &[Expr])> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Values { ident, values } => Some((ident, &values[..])),
            _ => None,
        })
    }

    /// The product of all values as an expression, each as it is written in the source.
    fn rows(&self) -> TokenStream {
        let parameters = self.values().map(|(ident, values)| {
            let name = ident.unraw().to_string();
            let values = values.iter().map(printed);
            quote!((#name, &[#(#values),*]))
        });
        quote!(::k2::private::product(&[#(#parameters),*]))
    }

    /// The components that it asks for.
    fn requirements(&self) -> Vec<&TokenStream> {
        self.arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Component { requirement, .. } => Some(requirement),
                _ => None,
            })
            .collect()
    }

    /// Those of them that stand for a variant each, with the number of parameters that make variants before them.
    fn each(&self) -> Vec<TokenStream> {
        let mut requirement = 0_usize;
        let mut position = 0_usize;
        let mut all = Vec::new();
        for argument in &self.arguments {
            match argument {
                Argument::Context => {}
                Argument::Values { .. } => position += 1,
                Argument::Component { each, .. } => {
                    if *each {
                        all.push(quote! {
                            ::k2::private::Each { requirement: #requirement, position: #position }
                        });
                        position += 1;
                    }
                    requirement += 1;
                }
            }
        }
        all
    }

    /// The function that runs the case with one row of the product.
    fn run(&self) -> TokenStream {
        let ident = &self.function.sig.ident;
        let mut bindings = Vec::new();
        let mut arguments = Vec::new();
        // The last parameter changes fastest, so positions are taken off from the end.
        let mut positions = Vec::new();
        let mut requirement_index = 0_usize;
        for (index, argument) in self.arguments.iter().enumerate() {
            let name = format_ident!("argument_{index}");
            match argument {
                Argument::Context => arguments.push(quote!(cx)),
                Argument::Component {
                    ty, requirement, ..
                } => {
                    let resolve = quote!(cx.resolve::<#ty>(#requirement_index, &#requirement));
                    requirement_index += 1;
                    bindings.push(quote! {
                        let #name = match #resolve {
                            ::core::result::Result::Ok(component) => component,
                            ::core::result::Result::Err(error) => {
                                return ::k2::private::component_missing(error);
                            }
                        };
                    });
                    arguments.push(quote!(&#name));
                }
                Argument::Values { values, .. } => {
                    let count = values.len();
                    positions.push(quote! {
                        let #name = row % #count;
                        let row = row / #count;
                    });
                    arguments.push(quote!(::k2::private::pick([#(#values),*], #name)));
                }
            }
        }
        positions.reverse();
        let place = match &self.function.sig.output {
            ReturnType::Default => Place::of(ident),
            ReturnType::Type(_, ty) => Place::of(ty),
        };
        let outcome = place.instance(
            &quote!(::k2::private::outcome),
            function::returned(&self.function.sig.output),
        );
        quote! {
            fn run(cx: &::k2::private::TestContext, row: usize) -> ::k2::private::Outcome {
                let _ = cx;
                #(#positions)*
                let _ = row;
                #(#bindings)*
                ::k2::private::body_begins(cx);
                #outcome(#ident(#(#arguments),*))
            }
        }
    }
}

fn is_foreach(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "foreach")
}

/// Whether it is `#[foreach]` alone: everything that fits.
fn is_each(attribute: &Attribute) -> bool {
    matches!(attribute.meta, Meta::Path(_))
}

fn foreach_values(attribute: &Attribute, problems: &mut Problems) -> Vec<Expr> {
    let example = "expected values in brackets: `#[foreach([1, 2])]`";
    let list = match &attribute.meta {
        Meta::List(list) => syn::parse2::<Expr>(list.tokens.clone()).ok(),
        _ => None,
    };
    match list {
        Some(Expr::Array(list)) if list.elems.is_empty() => {
            problems.on(list, "a parameter without values makes no test case at all");
            Vec::new()
        }
        Some(Expr::Array(list)) => list.elems.into_iter().collect(),
        Some(other) => {
            problems.on(other, example);
            Vec::new()
        }
        None if is_each(attribute) => {
            problems.on(
                attribute,
                "expected values in brackets: `#[foreach([1, 2])]`; alone it stands before a component, which is taken by reference",
            );
            Vec::new()
        }
        None => {
            problems.on(attribute, example);
            Vec::new()
        }
    }
}

/// The value as a case's id shows it: the text of a string literal, everything else as it is written.
fn printed(value: &Expr) -> String {
    literal_text(value).unwrap_or_else(|| {
        let mut text = value.to_token_stream().to_string();
        for (spaced, tight) in [
            (" :: ", "::"),
            ("- ", "-"),
            (" . ", "."),
            ("& ", "&"),
            (" ,", ","),
        ] {
            text = text.replace(spaced, tight);
        }
        text
    })
}
