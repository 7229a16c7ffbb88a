//! `#[k2::test_case]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Expr, FnArg, Ident, Item, ItemFn, ReturnType, Type};

use crate::arguments::{Arguments, Grammar, literal_text};
use crate::documentation::description;
use crate::duration;
use crate::function::{self, Parameter};
use crate::manners;
use crate::place::Place;
use crate::problems::Problems;
use crate::requirement;
use crate::{exclusion, values};
use values::values_of;

static GRAMMAR: Grammar = Grammar {
    attribute: "test_case",
    keys: &[
        "name",
        "class",
        "owner",
        "tags",
        "resources",
        "timeout",
        "isolation",
        "disabled",
        "xfail",
        "exclude",
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
            input
                .attrs
                .retain(|attribute| values_of(attribute).is_none());
        }
    }
    function::check("a test case", &written.sig, &mut problems);
    let parameters = function::parameters(&written.sig.inputs, &mut problems);
    let case = Case::read(&written, parameters, &refinements, &mut problems);
    let exclusions = arguments
        .as_ref()
        .map(|arguments| exclusion::read(arguments, &case.shown(), &mut problems))
        .unwrap_or_default();
    let fields = arguments.map(|arguments| fields(&written, &arguments, &mut problems));
    let constant = problems.or(|| {
        let Some(fields) = fields else {
            return TokenStream::new();
        };
        let description = description(&written.attrs);
        let parameters = case.parameters();
        let run = case.run();
        let requirements = case.requirements();
        let each = case.each();
        quote! {
            const _: () = {
                const REQUIREMENTS: &[::k2::private::Requirement] = &[#(#requirements),*];
                #run
                #[::k2::private::linkme::distributed_slice(::k2::private::K2_TEST_CASES)]
                #[linkme(crate = ::k2::private::linkme)]
                static TEST_CASE: ::k2::private::TestCaseDescriptor =
                    ::k2::private::TestCaseDescriptor {
                        #fields
                        module_path: ::core::module_path!(),
                        description: #description,
                        parameters: &[#(#parameters),*],
                        exclusions: &[#(#exclusions),*],
                        requirements: REQUIREMENTS,
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
    let owner = optional(arguments.text("owner", "network team", problems));
    let class = class(arguments, problems);
    let tags = arguments.texts("tags", "smoke", problems);
    let resources = arguments.texts("resources", "database", problems);
    let disabled = optional(arguments.text("disabled", "waits for the new board", problems));
    let xfail = optional(arguments.text("xfail", "the board drops every second frame", problems));
    let timeout = timeout(arguments, problems);
    let isolation = isolation(arguments, problems);
    quote! {
        name: #name,
        owner: #owner,
        class: #class,
        tags: &[#(#tags),*],
        resources: &[#(#resources),*],
        timeout: #timeout,
        isolation: #isolation,
        disabled: #disabled,
        xfail: #xfail,
    }
}

/// A text that need not be there.
pub(crate) fn optional(text: Option<Expr>) -> TokenStream {
    text.map_or_else(
        || quote!(::core::option::Option::None),
        |text| quote!(::core::option::Option::Some(#text)),
    )
}

/// The class is a part of the id, so it has to look like one.
fn class(arguments: &Arguments, problems: &mut Problems) -> TokenStream {
    let class = arguments.text("class", "Login", problems);
    let literal = class.as_ref().and_then(literal_text);
    if let (Some(class), Some(text)) = (&class, literal) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        if text.is_empty() || !text.chars().all(is_part) {
            problems.on(
                class,
                "`class` is one part of the id: letters, digits and `_`, such as `class = \"Login\"`",
            );
        }
    }
    optional(class)
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
        ty: Box<Type>,
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
            let mut sources = parameter
                .attributes
                .iter()
                .filter_map(|attribute| Some((attribute, values_of(attribute)?)));
            if let Some((attribute, values)) = sources.next() {
                if let Some((again, _)) = sources.next() {
                    problems.on(
                        again,
                        "one of `#[foreach(…)]` and `#[parameter(…)]` is enough",
                    );
                }
                if values::is_each(attribute) && parameter.referent().is_some() {
                    arguments.push(None);
                    components.push(parameter);
                    continue;
                }
                arguments.push(Some(Argument::Values {
                    ident: parameter.ident.clone(),
                    ty: Box::new(values::readable(parameter.ty)),
                    values: values(attribute, problems),
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
                        "where does `{name}` come from? Values need `#[foreach([…])] {name}: …` or `#[parameter(default = …)] {name}: …`; a component is taken by reference",
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
                        each: parameter.attributes.iter().any(values::is_each),
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

    fn values(&self) -> impl Iterator<Item = (&Ident, &Type, &[Expr])> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Values { ident, ty, values } => Some((ident, &**ty, &values[..])),
            _ => None,
        })
    }

    /// Each parameter with its values as a case shows them.
    fn shown(&self) -> Vec<(String, Vec<String>)> {
        self.values()
            .map(|(ident, _, values)| {
                let values = values.iter().map(values::printed).collect();
                (ident.unraw().to_string(), values)
            })
            .collect()
    }

    /// The parameters as descriptors.
    fn parameters(&self) -> Vec<TokenStream> {
        self.values()
            .map(|(ident, ty, values)| {
                let name = ident.unraw().to_string();
                let values = values.iter().map(values::printed);
                quote! {
                    ::k2::private::ParameterDescriptor {
                        name: #name,
                        values: &[#(#values),*],
                        read: |text| {
                            use ::k2::private::{
                                ReadNothing as _, ReadParsed as _, ReadText as _,
                            };
                            let value = (&&&::k2::private::Reader::<#ty>::new()).read(text);
                            ::core::result::Result::map(value, |_| ())
                        },
                    }
                }
            })
            .collect()
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
        let mut components = Vec::new();
        let mut position = 0_usize;
        for (index, argument) in self.arguments.iter().enumerate() {
            let name = format_ident!("argument_{index}");
            match argument {
                Argument::Context => arguments.push(quote!(cx)),
                Argument::Component { ty, .. } => {
                    let index = components.len();
                    let get = quote!(components.get::<#ty>(#index));
                    components.push(requirement::or_missing(&name, &get));
                    arguments.push(quote!(&#name));
                }
                Argument::Values { ident, ty, values } => {
                    let shown = ident.unraw().to_string();
                    bindings.push(quote! {
                        let #name: #ty = match &values[#position] {
                            ::k2::private::ParameterValue::Given(text) => {
                                match (&&&::k2::private::Reader::<#ty>::new()).read(text) {
                                    ::core::result::Result::Ok(value) => value,
                                    ::core::result::Result::Err(why) => {
                                        return ::k2::private::parameter_unreadable(#shown, &why);
                                    }
                                }
                            }
                            ::k2::private::ParameterValue::Declared(index) => {
                                ::k2::private::pick([#(#values),*], *index)
                            }
                            other => return ::k2::private::parameter_unknown(#shown, other),
                        };
                    });
                    arguments.push(quote!(#name));
                    position += 1;
                }
            }
        }
        let reading = (position > 0).then(|| {
            quote! {
                use ::k2::private::{ReadNothing as _, ReadParsed as _, ReadText as _};
            }
        });
        // Behind the values: of what is asked for with a wrong one nothing is made.
        if !components.is_empty() {
            let all = quote!(cx.components(REQUIREMENTS));
            bindings.push(requirement::or_missing(&format_ident!("components"), &all));
            bindings.append(&mut components);
        }
        let place = match &self.function.sig.output {
            ReturnType::Default => Place::of(ident),
            ReturnType::Type(_, ty) => Place::of(ty),
        };
        let outcome = place.instance(
            &quote!(::k2::private::outcome),
            function::returned(&self.function.sig.output),
        );
        quote! {
            fn run(
                cx: &::k2::private::TestContext,
                values: &[::k2::private::ParameterValue],
            ) -> ::k2::private::Outcome {
                #reading
                let _ = (cx, values);
                #(#bindings)*
                ::k2::private::body_begins(cx);
                #outcome(#ident(#(#arguments),*))
            }
        }
    }
}
